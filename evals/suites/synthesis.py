"""Suite *synthesis*: paragraphs from people's labels beside people's paragraphs; and whom a text over real answers leaves out."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from evals.references import read_answers, read_reference
from evals.scoring.reach import reach
from evals.scoring.texts import Compared, Written, compare_synthesis
from evals.suites import Bench, Case, Desk, Made
from evals.suites.material import SEED, of_length, round_of, shuffled, topic_of_labels
from service.domain.draft import Synthesis
from service.domain.steps import Topic
from service.pipeline import group_question
from service.stages.check import Encode
from service.stages.label import label_groups
from service.stages.synthesise import synthesise

DRAWN = 300
"""Answers drawn of each question of the consultation."""


def benches(data: Path) -> list[Bench]:
    found = []
    if (data / "esante-2020").is_dir():
        found.append(from_human_labels(data / "esante-2020"))
    if (data / "canada-ai-education").is_dir():
        found.append(_canada(data / "canada-ai-education"))
    return found


def from_human_labels(folder: Path) -> Bench:
    """A folder with labels and syntheses: each question's synthesis is written from people's labels."""
    reference = read_reference(folder)
    cases = tuple(
        Case(
            id=q.id,
            title=q.title,
            language=reference.language,
            data=tuple(g.label for g in q.groups),
            gold=q.syntheses[0],
        )
        for q in reference.questions
        if q.groups and q.syntheses
    )
    return Bench(
        suite="synthesis",
        set=folder.name,
        language=reference.language,
        sha256=reference.sha256,
        cases=cases,
        drafters={"draft": _from_labels, "first": _first, "random": _by_lot, "all labels": _all},
        score=_score,
        stated={"ceiling": "one synthesis a question: no human-human figure exists"},
    )


def _from_labels(case: Case, desk: Desk) -> Made:
    topic = topic_of_labels(case.id, case.title, case.data, case.language)
    made = synthesise((topic,), encode=desk.encoder(case.language).encode, chat=desk.chat)
    return written(made.synthesis, (topic,), refused=made.fallbacks)


def written(synthesis: Synthesis, topics: Sequence[Topic], refused: int) -> dict[str, Any]:
    """A synthesis as JSON: sentences with the labels they cite and the respondents behind them."""
    labels = {g.id: g.label for t in topics for g in t.groups}
    texts = {v.id: v.text for t in topics for v in t.verbatims}
    total = max((t.n_respondents for t in topics), default=0)
    return {
        "sentences": [
            {
                "text": s.text,
                "sources": [labels[g] for g in s.group_ids] + [texts[v] for v in s.verbatim_ids],
                "n": s.n_respondents,
                "total": total,
            }
            for s in synthesis.sentences
        ],
        "refused": refused,
    }


def _first(case: Case, desk: Desk) -> Made:
    """The first labels, as many words as the human text has."""
    return plain(of_length(case.data, _n(case.gold)))


def _by_lot(case: Case, desk: Desk) -> Made:
    return plain(of_length(shuffled(case.data, case.id), _n(case.gold)))


def _all(case: Case, desk: Desk) -> Made:
    """Every label, word for word: the bag of quotes; what coverage alone would reward."""
    return plain(case.data)


def plain(texts: Sequence[str]) -> dict[str, Any]:
    return {"sentences": [{"text": t, "sources": [t], "n": None, "total": 0} for t in texts], "refused": 0}


def _n(paragraphs: Sequence[str]) -> int:
    return sum(len(p.split()) for p in paragraphs)


def sentences_of(made: Made) -> list[Written]:
    return [
        Written(text=s["text"], sources=tuple(s["sources"]), n=s["n"], total=s["total"])
        for s in made["sentences"]
    ]


def _score(case: Case, made: Made, desk: Desk) -> Compared:
    return compare_synthesis(
        case.gold,
        sentences_of(made),
        desk.encode(case.language),
        case.language,
        about=case.title,
        source=case.data,
        refused=made["refused"],
    )


def _canada(folder: Path) -> Bench:
    """One case a question: all are compared with the one official summary, and with the answers to the question."""
    reference = read_reference(folder)
    texts: dict[str, dict[str, str]] = defaultdict(dict)
    for answer in read_answers(folder):
        texts[answer.question_id][answer.answer_id] = answer.text
    cases = []
    for q in reference.questions:
        ids = sorted(texts[q.id])
        drawn = sorted(Random(f"{SEED}/{q.id}").sample(ids, min(DRAWN, len(ids))))
        answers = {i: texts[q.id][i] for i in drawn}
        cases.append(
            Case(id=q.id, title=q.title, language=reference.language, data=answers, gold=reference.synthesis)
        )

    def ours(case: Case, desk: Desk) -> Made:
        encode = desk.encoder(case.language).encode
        labelled = label_groups(_topic(case, desk), encode=encode, chat=desk.chat)
        topic = replace(_topic(case, desk), groups=labelled.groups)
        made = synthesise((topic,), encode=encode, chat=desk.chat)
        return written(made.synthesis, (topic,), labelled.fallbacks + made.fallbacks)

    def human(case: Case, desk: Desk) -> Made:
        """The official summary, of all the questions together: only whom it reaches is measured."""
        return {**plain(case.gold), "itself": True}

    def by_lot(case: Case, desk: Desk) -> Made:
        """Ideas of people by lot, as many words as the official summary."""
        ideas = [v.text for v in _topic(case, desk).verbatims]
        return plain(of_length(shuffled(ideas, case.id), _n(case.gold)))

    return Bench(
        suite="synthesis",
        set=f"{folder.name}, {DRAWN} answers a question",
        language=reference.language,
        sha256=reference.sha256,
        cases=tuple(cases),
        drafters={"draft": ours, "random": by_lot, "human": human},
        score=_score_reach,
        stated={
            "ceiling": "the official summary, of all questions together: its reach is the figure to compare with"
        },
    )


def _topic(case: Case, desk: Desk) -> Topic:
    """The question drawn, cut and grouped without a model: what drafts are made from and reach is measured on."""

    def make() -> Topic:
        round_ = round_of(case.id, case.title, case.data, case.language)
        return group_question(round_, round_.questions[0], encoder=desk.encoder(case.language)).topic

    return desk.once(("synthesis", case.id), make)


def _score_reach(case: Case, made: Made, desk: Desk) -> Compared:
    encode = desk.encode(case.language)
    compared = compare_synthesis(
        case.gold, sentences_of(made), encode, case.language, about=case.title, refused=made["refused"]
    )
    topic = _topic(case, desk)
    group_of = {v: g.id for g in topic.groups if g.level == 2 for v in g.verbatim_ids}
    groups = [group_of.get(v.id, "") for v in topic.verbatims]
    return with_reach(compared, [v.text for v in topic.verbatims], groups, made, encode)


ITSELF = ("length", "readability")


def with_reach(
    compared: Compared, ideas: Sequence[str], groups: Sequence[str], made: Made, encode: Encode
) -> Compared:
    """The figures of a text with whom it reaches; of the human text itself no comparison with itself."""
    own = compared.figures
    if made.get("itself"):
        own = {name: part for name, part in own.items() if name in ITSELF}
    return replace(
        compared, figures={**own, **reach(ideas, groups, [s["text"] for s in made["sentences"]], encode)}
    )
