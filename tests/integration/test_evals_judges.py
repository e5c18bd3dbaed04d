"""Judges of a run's texts: a model asked in both orders, people on a blind sheet."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import load_workbook

from evals.judge import judge
from evals.page import page
from evals.pairs import pairs_of
from evals.people import key_of, read_sheets, write_sheet
from evals.record import BenchResult, CaseResult, Run, read_run, write_run
from service.errors import BadInput
from service.llm.chat import ChatRequest, ScriptedChat

HUMAN = "Il faut des bus le soir."
DRAFT = "=Les habitants demandent des bus le soir."
FLOOR = "Bonjour à tous."


def case(text: str, near: float, k: int) -> CaseResult:
    return CaseResult(
        id=f"Q{k}", title="Que manque-t-il ?", figures={"nearness": (near, 1)}, human=(HUMAN,), ours=(text,)
    )


@pytest.fixture
def run() -> Run:
    bench = BenchResult(
        suite="synthesis",
        set="example",
        version=1,
        sha256="0" * 64,
        drafters={
            "draft": tuple(case(DRAFT, 0.8, k) for k in range(4)),
            "random": tuple(case(FLOOR, 0.1, k) for k in range(4)),
        },
    )
    return Run(
        created_at="2026-01-01",
        command="",
        commit="",
        code="",
        packages={},
        llm="extractive",
        encoder="",
        yardstick="",
        seed=0,
        benches=(bench,),
    )


def fair(request: ChatRequest) -> str:
    """Prefers the human text to the draft and the draft to the floor, wherever they stand."""
    order = sorted((HUMAN, DRAFT, FLOOR), key=request.user.find)
    shown = [t for t in order if t in request.user]
    best = next(t for t in (HUMAN, DRAFT, FLOOR) if t in shown)
    return json.dumps({"better": "ab"[shown.index(best)], "reason": "parce que"})


def test_a_judge_is_asked_in_both_orders_and_held_against_the_measures(run: Run, tmp_path: Path):
    chat = ScriptedChat(fair)
    got = judge(run, chat).judge
    assert got is not None
    assert len(chat.requests) == 2 * len(pairs_of(run)) == 16
    assert got["draft against human"].startswith("wins 0.00")
    assert got["draft against random"].startswith("wins 1.00")
    assert got["changes its mind with the order"] == "0 of 8 comparisons"
    assert got["agrees with nearness"] == "4 of 4 comparisons with the floor"
    write_run(replace(run, judge=got), tmp_path)
    assert "wins 1.00" in page(read_run(tmp_path))


def test_a_judge_that_always_takes_the_first_says_nothing(run: Run):
    got = judge(run, ScriptedChat(lambda _: '{"better": "a", "reason": "x"}')).judge
    assert got is not None
    assert got["draft against human"].startswith("wins 0.50")
    assert got["changes its mind with the order"] == "8 of 8 comparisons"
    assert "agrees with nearness" not in got


def test_a_judge_fails_loudly_and_never_judges_its_own_drafts(run: Run):
    with pytest.raises(BadInput, match="failed on 16 of 16 comparisons"):
        judge(run, ScriptedChat(lambda _: "Je ne sais pas."))
    with pytest.raises(BadInput, match="wrote these drafts"):
        judge(run, ScriptedChat(fair, name=run.llm))
    with pytest.raises(BadInput, match="no text to judge"):
        judge(replace(run, benches=()), ScriptedChat(fair))


def filled(path: Path, to: Path, answer: dict[str, str]) -> Path:
    """A copy of the sheet with an answer a row; the answers are by what the draft is, A or B."""
    key = json.loads(key_of(path).read_text(encoding="utf-8"))
    book = load_workbook(path)
    for row in book["pairs"].iter_rows(min_row=2):
        row[4].value = answer[key[row[0].value]["draft"]]
    book.save(to)
    return to


def test_people_fill_in_a_blind_sheet(run: Run, tmp_path: Path):
    sheet = tmp_path / "sheet.xlsx"
    assert write_sheet(run, sheet) == 8
    rows = list(load_workbook(sheet)["pairs"].iter_rows(min_row=2))
    texts = [cell.value for row in rows for cell in row[2:4]]
    assert all(cell.data_type == "s" for row in rows for cell in row[:4])
    assert {row[2].value for row in rows} >= {f"– {DRAFT}"} != set(texts)
    assert not any(
        "draft" in str(c.value).lower() or "human" in str(c.value).lower() for row in rows for c in row
    )

    likes = filled(sheet, tmp_path / "likes.xlsx", {"A": "A", "B": "b"})
    also = filled(sheet, tmp_path / "also.xlsx", {"A": "A", "B": "B"})
    contrary = filled(sheet, tmp_path / "contrary.xlsx", {"A": "B", "B": "A"})
    got = read_sheets(run, [likes, also]).people
    assert got is not None
    assert got["draft against human"].startswith("wins 1.00")
    assert got["Krippendorff's alpha"] == "1.00"
    split = read_sheets(run, [likes, contrary]).people
    assert split is not None
    assert split["draft against human"].startswith("wins 0.50")
    assert float(split["Krippendorff's alpha"]) < 0
    with pytest.raises(BadInput, match="nobody filled in"):
        read_sheets(run, [sheet])
    with pytest.raises(BadInput, match=r"wrong\.xlsx row 2"):
        read_sheets(run, [filled(sheet, tmp_path / "wrong.xlsx", {"A": "x", "B": "x"})])
    with pytest.raises(BadInput, match="made from another"):
        read_sheets(replace(run, created_at="2027-01-01"), [likes])
