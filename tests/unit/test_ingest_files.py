"""Encodings, separators, spreadsheets, JSON: an answer comes out code point for code point."""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from service.domain.round import Round
from service.ingest import Reading, read_round

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "mac_roman")
FRENCH = "L’« œuvre » coûte 5 € : ça, où ? Noël\u00a0!\r\nÀ la ligne"


def read(path: Path) -> Round:
    reading = read_round(path)
    assert reading.round is not None, [str(p) for p in reading.problems]
    return reading.round


def texts(found: Round) -> list[str]:
    return [a.text for a in found.answers]


def messages(reading: Reading) -> str:
    return "\n".join(map(str, reading.problems))


def csv_bytes(
    rows: Iterable[Iterable[str]], *, encoding: str = "utf-8", separator: str = ",", end: str = "\r\n"
) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    return out.getvalue().encode(encoding)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_and_separator_gives_the_same_text(
    tmp_path: Path, encoding: str, separator: str
) -> None:
    path = tmp_path / "answers.csv"
    path.write_bytes(
        csv_bytes([["id", "Q1"], ["r1", FRENCH], ["r2", "Déjà vu"]], encoding=encoding, separator=separator)
    )
    assert texts(read(path)) == [FRENCH, "Déjà vu"]


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman"])
def test_a_legacy_encoding_is_told(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "answers.csv"
    path.write_bytes(csv_bytes([["id", "Q1"], ["r1", "été"]], encoding=encoding))
    assert f"not UTF-8: read as {encoding}" in messages(read_round(path))


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman"])
@pytest.mark.parametrize(
    "text",
    [
        "The “new” centre is far",
        "He said “no” – then…",
        "I don’t know",
        "dit «\u00a0non\u00a0» encore",
        "ÉTÉ, DÉÇU À NÎMES",
        "un œuf",
    ],
)
def test_a_legacy_text_with_few_signs_is_read_as_it_was(tmp_path: Path, encoding: str, text: str) -> None:
    path = tmp_path / "answers.csv"
    path.write_bytes(csv_bytes([["id", "Q1"], ["r1", text]], encoding=encoding))
    assert texts(read(path)) == [text]


@pytest.mark.parametrize(
    ("encoding", "text"), [("iso8859_15", "le cœur à 45 €"), ("cp1252", "1½ h, le “cœur” à 2 ½")]
)
def test_the_latin_alphabet_with_a_euro_is_told_from_cp1252(tmp_path: Path, encoding: str, text: str) -> None:
    path = tmp_path / "answers.csv"
    path.write_bytes(csv_bytes([["id", "Q1"], ["r1", text]], encoding=encoding))
    assert texts(read(path)) == [text]


def test_a_number_of_json_stays_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "answers.json"
    path.write_text(
        '{"questions": [{"id": "Q1"}], "panel": [{"category": "A", "consulted": 12}],'
        ' "answers": [{"id": 1, "question_id": "Q1", "answer": 3.10}, {"id": 2, "question_id": "Q1", "answer": 1e2}]}',
        encoding="utf-8",
    )
    found = read(path)
    assert texts(found) == ["3.10", "1e2"]
    assert found.panel[0].consulted == 12


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)


@settings(max_examples=60)
@given(
    said=st.lists(ANY_TEXT, min_size=1, max_size=4),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    separator=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_any_text_comes_back(said: list[str], encoding: str, separator: str, end: str) -> None:
    rows = [["respondent_id", "category", "question_id", "answer"]]
    rows += [[f"r{k}", "Élus", "Q1", text] for k, text in enumerate(said)]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "answers.csv"
        path.write_bytes(csv_bytes(rows, encoding=encoding, separator=separator, end=end))
        assert texts(read(path)) == said


@settings(max_examples=25)
@given(st.lists(st.tuples(ANY_TEXT, ANY_TEXT), min_size=1, max_size=5), st.randoms())
def test_long_and_wide_and_shuffled_and_json_give_the_same_answers(
    pairs: list[tuple[str, str]], random: object
) -> None:
    wide = [{"id": f"r{k}", "Q1": a, "Q2": b} for k, (a, b) in enumerate(pairs)]
    long = [
        {"respondent_id": row["id"], "question_id": q, "answer": row[q]} for row in wide for q in ("Q1", "Q2")
    ]
    random.shuffle(wide)  # type: ignore[attr-defined]
    random.shuffle(long)  # type: ignore[attr-defined]
    with TemporaryDirectory() as folder:
        found = []
        for name, rows in (("wide", wide), ("long", long)):
            path = Path(folder) / f"{name}.csv"
            path.write_bytes(csv_bytes([list(rows[0]), *(list(r.values()) for r in rows)]))
            found.append(path)
            path = path.with_suffix(".jsonl")
            path.write_text(
                "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), encoding="utf-8", newline=""
            )
            found.append(path)
        answers = [{(a.id, a.text) for a in read(path).answers} for path in found]
    assert answers[0] == {
        (f"{q}:r{k}", pair[i]) for k, pair in enumerate(pairs) for i, q in enumerate(("Q1", "Q2"))
    }
    assert all(one == answers[0] for one in answers)


@settings(max_examples=40)
@given(st.lists(st.sampled_from(["oui", "non", "peut-être", ""]), min_size=2, max_size=12), st.randoms())
def test_without_respondents_ids_do_not_depend_on_the_order_of_rows(said: list[str], random: object) -> None:
    rows = [(text, f"cat{k % 3}") for k, text in enumerate(said)]
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        found = []
        for some in (rows, shuffled):
            path.write_bytes(
                csv_bytes([["question_id", "text", "category"], *(("Q1", t, c) for t, c in some)])
            )
            found.append([(a.id, a.text, a.category) for a in read(path).answers])
    assert found[0] == found[1]
    assert len({i for i, _, _ in found[0]}) == len(said)


def test_composed_and_decomposed_letters_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "id,Q1\nr1,e\u0301te\u0301\nr2,été\nr3,  bords  \nr4,👩‍🔬\n", encoding="utf-8", newline=""
    )
    assert texts(read(path)) == ["e\u0301te\u0301", "été", "  bords  ", "👩‍🔬"]


def test_one_column_of_answers_with_commas_is_one_column(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "Que faut-il, en bref, changer ?\nRien, merci\nTout\nLe prix, le délai, l’accueil\n", encoding="utf-8"
    )
    found = read(path)
    assert [q.title for q in found.questions] == ["Que faut-il, en bref, changer ?"]
    assert sorted(texts(found)) == ["Le prix, le délai, l’accueil", "Rien, merci", "Tout"]


def test_excels_separator_line_is_no_header(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"sep=;\r\nid;Q1\r\nr1;a,b,c\r\nr1;d\r\n")
    problem = next(p for p in read_round(path).problems if p.severity == "error")
    assert (problem.row, problem.column) == (4, "id")
    assert "r1 stands twice" in problem.message


def test_a_doubled_mark_is_no_letter(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbf\xef\xbb\xbf" + csv_bytes([["id", "Q1"], ["r1", "x y"]]))
    assert [a.id for a in read(path).answers] == ["Q1:r1"]


def test_a_packed_csv_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv.gz"
    path.write_bytes(gzip.compress(csv_bytes([["id", "Q1"], ["r1", "été"]])))
    found = read(path)
    assert (found.id, texts(found)) == ("answers", ["été"])


def workbook(path: Path, sheets: dict[str, list[list[object]]]) -> Path:
    book = Workbook()
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    del book["Sheet"]
    book.save(path)
    return path


def patched(path: Path, name: str, old: str, new: str) -> Path:
    """A workbook with a text of one of its parts replaced, as other programs write it."""
    with zipfile.ZipFile(path) as box:
        parts = {n: box.read(n) for n in box.namelist()}
    assert old.encode() in parts[name]
    parts[name] = parts[name].replace(old.encode(), new.encode())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as box:
        for n, data in parts.items():
            box.writestr(n, data)
    return path


SHEET = "xl/worksheets/sheet1.xml"


def test_a_workbook_with_questions_and_panel(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "vague.xlsx",
        {
            "Réponses": [
                ["id", "categorie", "Q1", "Q2", "Q3"],
                [1, "Élus", "été", "  x ", "oui"],
                [2.0, "Usagers", None, "y", "non"],
            ],
            "questions": [
                ["id", "title", "joined_with", "closed_part_of", "options"],
                ["Q1", "Un ?", "Q2"],
                ["Q2", "Deux ?"],
                ["Q3", "Oui ?", None, "Q1", "non; 60+ ;oui"],
            ],
            "panel": [["category", "consulted"], ["Élus", 4], ["Usagers", 3]],
        },
    )
    reading = read_round(path)
    found = reading.round
    assert found is not None
    assert reading.problems == ()
    assert [(q.id, q.title, q.joined_with) for q in found.open_questions] == [
        ("Q1", "Un ?", ("Q2",)),
        ("Q2", "Deux ?", ("Q1",)),
    ]
    assert (found.question("Q3").closed_part_of, dict(found.question("Q3").counts)) == (
        "Q1",
        {"non": 1, "60+": 0, "oui": 1},
    )
    assert [(a.id, a.text) for a in found.answers_to("Q2")] == [("Q2:1", "  x "), ("Q2:2", "y")]
    assert [(p.category, p.responded, p.consulted) for p in found.panel] == [
        ("Élus", 1, 4),
        ("Usagers", 1, 3),
    ]


def test_excels_escapes_become_the_characters_they_stand_for(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["id", "Q1"],
        ["a", "un_x000D_\ndeux"],
        ["b", "_x005F_x000D_"],
        ["c", "_x0041_ snake_x_y"],
    ]
    assert texts(read(workbook(tmp_path / "a.xlsx", {"x": rows}))) == [
        "un\r\ndeux",
        "_x000D_",
        "_x0041_ snake_x_y",
    ]


def test_a_sheet_that_understates_its_size_is_read_whole(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"x": [["id", "Q1"], ["a", "un"], ["b", "deux"]]})
    patched(path, SHEET, 'ref="A1:B3"', 'ref="A1"')
    assert texts(read(path)) == ["un", "deux"]


def test_another_sheet_is_left_out_by_name_and_can_not_spoil_the_round(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx", {"Vide": [], "Réponses": [["id", "Q1"], ["a", "un"]], "Notice": [["Lisez-moi"]]}
    )
    reading = read_round(path)
    assert reading.round is not None
    assert texts(reading.round) == ["un"]
    assert "« Réponses » is read; left out: Notice" in messages(reading)


def test_merged_cells_and_hidden_rows_are_told(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["id", "category", "Q1"],
        ["r1", "Élus", "un"],
        ["r2", None, "deux"],
        ["r3", "Élus", "trois"],
    ):
        sheet.append(row)
    sheet.merge_cells("B2:B3")
    sheet.row_dimensions[4].hidden = True
    book.save(tmp_path / "a.xlsx")
    reading = read_round(tmp_path / "a.xlsx")
    assert "row 2, column B: cells B2:B3 are merged: only the first" in messages(reading)
    assert "1 hidden row(s) are read" in messages(reading)
    assert texts(read(tmp_path / "a.xlsx")) == ["un", "deux", "trois"]


def test_a_day_has_no_hour(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["id", "Q1"],
        ["r1", datetime(2026, 3, 1)],
        ["r2", datetime(2026, 3, 1, 9, 30)],
        ["r3", "un"],
    ):
        sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    assert texts(read(tmp_path / "a.xlsx")) == ["2026-03-01", "2026-03-01 09:30:00", "un"]


def test_a_hidden_sheet_does_not_stand_before_the_one_that_is_seen(tmp_path: Path) -> None:
    book = Workbook()
    hidden = book.active
    assert hidden is not None
    hidden.append(["key", "value"])
    hidden.append(["form", "7"])
    hidden.sheet_state = "hidden"
    shown = book.create_sheet("Réponses")
    shown.append(["id", "Q1"])
    shown.append(["r1", "un"])
    book.active = 1
    book.save(tmp_path / "a.xlsx")
    assert texts(read(tmp_path / "a.xlsx")) == ["un"]


def test_a_formula_is_told_by_row_and_column(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"x": [["id", "Q1"], ["a", "un"], ["b", "=A2"]]})
    reading = read_round(path)
    assert reading.round is None
    [problem] = reading.problems
    assert (problem.severity, problem.row, problem.column) == ("error", 3, "B")
    assert "values" in problem.remedy
    patched(path, SHEET, "<f>A2</f><v></v>", "<f>A2</f><v>7</v>")
    reading = read_round(path)
    assert reading.round is not None
    assert texts(reading.round) == ["un", "7"]
    assert [(p.severity, p.row, p.column) for p in reading.problems] == [("warning", 3, "B")]
    patched(path, SHEET, '<c r="B3"><f>A2</f><v>7</v>', '<c r="B3" t="e"><f>A2</f><v>#NAME?</v>')
    assert "without a usable result (#NAME?)" in messages(read_round(path))
    patched(path, SHEET, "<f>A2</f>", '<f t="array" ref="B3">A2</f>')
    assert "without a usable result (#NAME?)" in messages(read_round(path))


def test_a_text_that_begins_with_an_equals_sign_is_data(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(csv_bytes([["id", "Q1"], ["r1", "=SOMME(A1)"], ["r2", "= mieux"]]))
    reading = read_round(path)
    assert reading.round is not None
    assert texts(reading.round) == ["=SOMME(A1)", "= mieux"]
    assert [(p.severity, p.row, p.column) for p in reading.problems] == [
        ("warning", 2, "Q1"),
        ("warning", 3, "Q1"),
    ]


def test_a_json_round_carries_its_own_sidecar(tmp_path: Path) -> None:
    path = tmp_path / "vague.json"
    path.write_text(
        json.dumps(
            {
                "id": "v1",
                "title": "Vague 1",
                "unit": "organisation",
                "questions": [
                    {"id": "Q1", "title": "Un ?"},
                    {"id": "Q2", "kind": "closed", "title": "Deux ?"},
                ],
                "panel": [{"category": "Élus", "consulted": 2}],
                "answers": [
                    {"respondent_id": 1, "category": "Élus", "question_id": "Q1", "answer": "été\r\n"},
                    {"respondent_id": 1, "category": "Élus", "question_id": "Q2", "answer": ["a", "b"]},
                ],
            }
        )
    )
    reading = read_round(path)
    found = reading.round
    assert found is not None
    assert reading.problems == ()
    assert (found.id, found.title, found.unit, found.panel[0].consulted) == (
        "v1",
        "Vague 1",
        "organisation",
        2,
    )
    assert found.answers[0].text == "été\r\n"
    assert dict(found.question("Q2").counts) == {"a": 1, "b": 1}
