"""The gate says no when it should, and with the right name: prompt broken, answer dropped, label inverted, groups shuffled."""

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest

from embeddings.encoder import HashEncoder
from evals import run as running
from evals import tasks
from evals.compare import compare, lines
from evals.gate import baseline_of, gate
from evals.record import BenchResult, CaseResult, Run, figures, read_run, write_run
from evals.scoring.measures import SCALES
from evals.suites import Desk, example
from evals.table import put_into, table
from prompts import load, on_trial
from service.domain.draft import Draft
from service.errors import BadInput, Stopped
from service.ingest import read_round
from service.llm.chat import ChatModel, ChatRequest, ScriptedChat
from service.llm.rehearsal import answer
from service.pipeline import draft_round
from service.settings import Settings

ENCODER = HashEncoder()
KEPT = ("Q1", "Q2")
ALL = ("grouping", "labels", "round")
Change = Callable[[Draft], Draft]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first two questions of the example round: a draft of them takes a second."""
    made: Path = tmp_path_factory.mktemp("two questions") / "example"
    made.mkdir()
    with (example.FOLDER / "answers.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    with (made / "answers.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, ["id", "categorie", "organisation", *KEPT], extrasaction="ignore")
        out.writeheader()
        out.writerows(rows)
    for name in ("answers.round.json", "reference.json"):
        raw = json.loads((example.FOLDER / name).read_text(encoding="utf-8"))
        raw["questions"] = [q for q in raw["questions"] if q["id"] in KEPT]
        raw.pop("themes", None)
        (made / name).write_text(json.dumps(raw, ensure_ascii=False), encoding="utf-8")
    return made


def measured(
    folder: Path, *suites: str, chat: ChatModel | None = None, change: Change = lambda draft: draft
) -> Run:
    """A run over that round whose draft is changed behind the pipeline's back."""
    round_ = read_round(folder / "answers.csv").round
    assert round_ is not None
    desk = Desk(encoder=lambda _: ENCODER, yardstick=lambda _: ENCODER, chat=chat)
    desk.once("example", lambda: change(draft_round(round_, encoder=ENCODER, chat=chat)))
    made = []
    for bench in (b for b in example.benches(folder) if b.suite in suites):
        results = []
        for case in bench.cases:
            drafted = json.dumps(bench.drafters["draft"](case, desk))
            results.append(tasks.result_of(case.id, case.title, tasks.scored(bench, case, drafted, desk)))
        made.append(
            BenchResult(
                suite=bench.suite,
                set=bench.set,
                version=SCALES[bench.suite].version,
                sha256=bench.sha256,
                drafters={"draft": tuple(results)},
            )
        )
    return Run(
        created_at="2026-01-01",
        command="",
        commit="",
        code="",
        packages={},
        llm=chat.name if chat else "extractive",
        encoder="hash",
        yardstick="hash",
        seed=0,
        benches=tuple(made),
    )


def refused(run: Run, before: Run) -> dict[str, str]:
    """What the gate says: "suite/set measure" → the rest."""
    found, _ = gate(run, json.loads(json.dumps(baseline_of(before))))
    return {f"{r.bench} {r.measure}": r.what for r in found}


@pytest.fixture(scope="module")
def sound(folder: Path) -> Run:
    return measured(folder, *ALL)


def _with_first_question(draft: Draft, **parts: object) -> Draft:
    return replace(draft, questions=(replace(draft.questions[0], **parts), *draft.questions[1:]))


def test_the_same_again_gives_the_same_figures_and_the_gate_holds(folder: Path, sound: Run, tmp_path: Path):
    again = measured(folder, *ALL)
    assert figures(again) == figures(sound)
    assert refused(again, sound) == {}
    write_run(again, tmp_path)
    assert refused(read_run(tmp_path), sound) == {}


def test_an_answer_dropped(folder: Path, sound: Run):
    def drop(draft: Draft) -> Draft:
        return _with_first_question(draft, answers=draft.questions[0].answers[1:])

    said = refused(measured(folder, "round", change=drop), only(sound, "round"))
    assert "round/example answers_told" in said
    assert "worst: Q1" in said["round/example answers_told"]


def test_a_label_inverted(folder: Path):
    """Our labels are people's own words here, so that the contrary is surely the contrary."""
    reference = example.read_reference(example.FOLDER).questions[0]
    contrary = "Les médecins généralistes ne manquent pas et ceux qui partent sont remplacés."

    def labelled(*, inverted: bool) -> Change:
        def change(draft: Draft) -> Draft:
            human = [g.label for g in reference.groups]
            if inverted:
                human[0] = contrary
            some = draft.questions[0].groups[: len(human)]
            named = tuple(
                replace(g, level=1, label=label) for g, label in zip(some, human[: len(some)], strict=True)
            )
            return _with_first_question(draft, groups=named)

        return change

    before = measured(folder, "labels", change=labelled(inverted=False))
    said = refused(measured(folder, "labels", change=labelled(inverted=True)), before)
    assert "labels/example contradiction" in said
    assert "worst: Q1" in said["labels/example contradiction"]


def test_groups_shuffled(folder: Path, sound: Run):
    def shuffle(draft: Draft) -> Draft:
        questions = []
        for q in draft.questions:
            ids = [v for g in q.groups if g.level == 1 for v in g.verbatim_ids]
            Random(0).shuffle(ids)
            dealt = iter(ids)
            groups = [
                replace(g, verbatim_ids=tuple(next(dealt) for _ in g.verbatim_ids)) if g.level == 1 else g
                for g in q.groups
            ]
            questions.append(replace(q, groups=tuple(groups)))
        return replace(draft, questions=tuple(questions))

    said = refused(measured(folder, "grouping", change=shuffle), only(sound, "grouping"))
    assert "grouping/example b3" in said
    assert "p = " in said["grouping/example b3"]


def obedient(request: ChatRequest) -> str:
    """A model that does what it is asked, as long as it is shown the verbatims."""
    try:
        return json.dumps(answer(request))
    except KeyError:
        return "De quels verbatims parlez-vous ?"


def test_a_prompt_broken(folder: Path):
    label = load("label", "fr")
    broken = replace(
        label,
        user=label.user.replace("{verbatims}", ""),
        variables=tuple(v for v in label.variables if v != "verbatims"),
    )
    before = measured(folder, "labels", chat=ScriptedChat(obedient))
    with on_trial(broken):
        after = measured(folder, "labels", chat=ScriptedChat(obedient))
    assert load("label", "fr") == label
    assert "labels/example refused" in refused(after, before)


def test_a_scorer_of_another_version_refuses_to_compare(sound: Run):
    old = replace(sound, benches=tuple(replace(b, version=b.version - 1) for b in sound.benches))
    assert all(name.endswith(" version") for name in refused(sound, old))
    assert len(refused(sound, old)) == len(sound.benches)
    with pytest.raises(BadInput, match="do not compare"):
        compare(old, sound)


def test_a_suite_that_was_not_measured_is_missed_unless_nobody_asked_for_it(sound: Run):
    some = only(sound, "round")
    assert refused(some, sound).keys() == {"grouping/example missing", "labels/example missing"}
    assert refused(replace(some, selected={"suites": ["round"]}), sound) == {}


def only(run: Run, suite: str) -> Run:
    return replace(run, benches=tuple(b for b in run.benches if b.suite == suite))


def test_a_row_of_the_table_is_over_the_cases_that_every_column_has(sound: Run):
    labels = only(sound, "labels")
    fewer = replace(labels, llm="model", benches=tuple(b.over({"Q1"}) for b in labels.benches))
    (b,) = labels.benches
    alone = b.over({"Q1"}).estimate("draft", "coverage")
    assert alone is not None
    rows = [r for r in table([labels, fewer]) if "| coverage |" in r]
    cells = [c.strip() for c in rows[0].split("|")[1:-1]]
    assert cells[2] == "1 of 2"
    assert cells[4] == cells[5] == f"{alone.value:.2f} [{alone.low:.2f}, {alone.high:.2f}]"
    assert "every figure of the row is over those" in table([labels, fewer])[-1]
    whole = [r for r in table([labels]) if "| coverage |" in r]
    assert "| 2 |" in whole[0]


def test_the_table_refuses_figures_of_two_scorers(sound: Run):
    old = replace(sound, llm="model", benches=tuple(replace(b, version=b.version - 1) for b in sound.benches))
    with pytest.raises(BadInput, match="do not compare"):
        table([sound, old])


def test_what_one_set_is_too_small_to_tell_all_sets_tell_together(sound: Run):
    """Ten cases of two sets that all got better: together surely, of each set nobody can be sure."""

    def run(value: float) -> Run:
        benches = [
            BenchResult(
                suite="labels",
                set=name,
                version=SCALES["labels"].version,
                sha256="",
                drafters={
                    "draft": tuple(
                        CaseResult(id=f"Q{k}", title="", figures={"coverage": (value, 1), "chrf": (value, 1)})
                        for k in range(5)
                    )
                },
            )
            for name in ("one", "two")
        ]
        return replace(sound, benches=tuple(benches))

    changes = compare(run(0.2), run(0.6))
    verdicts = {f"{c.bench} {c.measure}": c.verdict for c in changes}
    assert verdicts["labels, all sets coverage"] == "better"
    assert verdicts["labels/one coverage"] == verdicts["labels/two chrf"] == "too few cases"
    told = lines(changes)
    assert any(line.startswith("labels/one: 5 case(s) are too few") for line in told)
    assert "2 surely better, 0 surely worse" in "\n".join(told)


def test_a_comparison_is_over_the_cases_that_both_runs_have(sound: Run):
    labels = only(sound, "labels")
    fewer = replace(labels, benches=tuple(b.over({"Q1"}) for b in labels.benches))
    assert all(c.old == c.new and c.difference.n == 1 for c in compare(labels, fewer))


def test_scorers_with_another_encoder_refuse_to_compare(sound: Run):
    other = replace(sound, yardstick="another")
    assert refused(other, sound).keys() == {"every suite yardstick"}
    with pytest.raises(BadInput, match="encoders are hash and another"):
        compare(sound, other)
    with pytest.raises(BadInput, match="encoders are hash and another"):
        table([sound, replace(other, llm="model")])


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the model of a run is told; encoder and model are fakes."""
    told: list[str] = []

    class Stoppable(ScriptedChat):
        def stop(self) -> None:
            told.append("stop")

    @contextmanager
    def tools(settings: Settings, language: str) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(encoder=ENCODER, chat=Stoppable(lambda r: "{}"))

    monkeypatch.setattr(running, "tools_for", tools)
    return told


def test_an_interrupted_run_stops_the_model_and_says_how_to_go_on(stopped: list[str]):
    with pytest.raises(Stopped, match="the same command goes on"), running.desk_for(Settings()):
        raise KeyboardInterrupt
    assert stopped == ["stop"]


def test_a_run_is_scored_again_whole_or_not_at_all(
    sound: Run, folder: Path, tmp_path: Path, stopped: list[str]
):
    write_run(sound, tmp_path)
    with pytest.raises(BadInput, match="has no log of grouping/example, labels/example, round/example"):
        running.rescore(tmp_path, example.benches(folder), Settings())
    assert read_run(tmp_path).rescored is None


def test_the_table_takes_the_place_of_the_one_before_with_its_note(sound: Run):
    labels = only(sound, "labels")
    fewer = replace(labels, llm="model", benches=tuple(b.over({"Q1"}) for b in labels.benches))
    one, two = table([labels, fewer]), table([labels])
    text = "\n".join(["# Figures", "", *one, "", "After."]) + "\n"
    assert put_into(text, two) == "\n".join(["# Figures", "", *two, "", "After."]) + "\n"
    assert put_into(put_into(text, two), one) == text
    with pytest.raises(BadInput, match="one table"):
        put_into("# Nothing\n", one)
