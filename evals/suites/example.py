"""All suites over a round with its reference, like the invented one that ships: one draft of it, measured stage by stage."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from evals.references import Reference, ReferenceQuestion, read_reference
from evals.scoring.overlap import b_cubed_extended
from evals.scoring.texts import Compared, compare_labels, compare_synthesis
from evals.suites import Bench, Case, Desk, Made
from evals.suites import Draft as Drafter
from evals.suites.material import SEED, of_length, shuffled
from evals.suites.synthesis import plain, sentences_of, with_reach
from evals.suites.themes import as_json, bench_of
from service.domain.draft import Draft, DraftQuestion
from service.domain.round import Round
from service.errors import BadInput
from service.ingest import read_round
from service.pipeline import draft_round
from service.stages.extractive import as_sentence

FOLDER = Path(__file__).parents[2] / "examples" / "round"
NAME = "example"
Drafted = Callable[[Desk], Draft]
"""The round's draft by the run's model, made once."""

INVENTED = {"ceiling": "one reading by hand: no human-human figure exists", "note": "an invented round"}


def benches(folder: Path = FOLDER) -> list[Bench]:
    """Suites grouping, labels, synthesis, themes and round. Raises BadInput."""
    reference = read_reference(folder)
    reading = read_round(folder / "answers.csv")
    if reading.round is None:
        raise BadInput(f"{folder / 'answers.csv'} can't be read: {'; '.join(map(str, reading.problems))}")
    round_ = reading.round

    def drafted(desk: Desk) -> Draft:
        return desk.once(
            "example", lambda: draft_round(round_, encoder=desk.encoder(round_.language), chat=desk.chat)
        )

    found = [
        _grouping(reference, drafted),
        _labels(reference, drafted),
        _synthesis(reference, drafted),
        *([_themes(reference, drafted)] if reference.themes else []),
        _round(reference, round_, drafted),
    ]
    if folder == FOLDER:
        return found
    return [
        replace(b, set=folder.name, stated={k: v for k, v in b.stated.items() if k != "note"}) for b in found
    ]


def _questions(draft: Draft, question: ReferenceQuestion) -> list[DraftQuestion]:
    """The draft's questions that a reference question (joined ones have one) is about."""
    ids = question.id.split("+")
    return [q for q in draft.questions if q.id in ids]


def _bench(suite: str, reference: Reference, **more: Any) -> Bench:
    cases = tuple(
        Case(id=q.id, title=q.title, language=reference.language, data=None, gold=q)
        for q in reference.questions
    )
    parts = {"cases": cases, "stated": INVENTED, **more}
    return Bench(suite=suite, set=NAME, language=reference.language, sha256=reference.sha256, **parts)


def _grouping(reference: Reference, drafted: Drafted) -> Bench:
    def ours(case: Case, desk: Desk) -> Made:
        ideas: dict[str, list[str]] = {}
        alone: list[str] = []
        for q in _questions(drafted(desk), case.gold):
            group_of = {v: g.id for g in q.groups if g.level == 1 for v in g.verbatim_ids}
            for v in q.verbatims:
                ideas.setdefault(v.answer_id, []).append(group_of.get(v.id, v.id))
                alone += [v.answer_id] * (v.id not in group_of)
            for a in q.answers:
                if a.state == "duplicate" and a.of in ideas:
                    ideas[a.id] = ideas[a.of]
        return {"ideas": ideas, "alone": sorted(set(alone))}

    def one(case: Case, desk: Desk) -> Made:
        return {"ideas": {a: ["all"] for a in ours(case, desk)["ideas"]}, "alone": []}

    def by_lot(case: Case, desk: Desk) -> Made:
        made = ours(case, desk)
        dealt = [g for groups in made["ideas"].values() for g in groups]
        Random(f"{SEED}/{case.id}").shuffle(dealt)
        return {"ideas": {a: [dealt.pop() for _ in g] for a, g in made["ideas"].items()}, "alone": []}

    return _bench(
        "grouping",
        reference,
        drafters={"draft": ours, "one group": one, "random": by_lot},
        score=_score_grouping,
    )


def _score_grouping(case: Case, made: Made, desk: Desk) -> Compared:
    question: ReferenceQuestion = case.gold
    gold: dict[str, set[str]] = {}
    for g in question.groups:
        for a in g.answer_ids:
            gold.setdefault(a, set()).add(g.id)
    grouped = set(gold)
    for k, voice in enumerate(question.isolated):
        gold.setdefault(voice.answer_id, set()).add(f"alone {k}")
    ours = {a: set(ideas) for a, ideas in made["ideas"].items()}
    both = sorted(gold.keys() & ours.keys())
    alone, theirs = set(made["alone"]), {v.answer_id for v in question.isolated}
    groups = {i for ideas in ours.values() for i in ideas if ".g" in i or i == "all"}
    return Compared(
        figures={
            "b3": (b_cubed_extended([gold[a] for a in both], [ours[a] for a in both]), 1),
            "left_out": (sum(not (ours.get(a, set()) & groups) for a in grouped), len(grouped)),
            "isolated": (2 * len(alone & theirs), len(alone) + len(theirs)),
            "groups": (len(groups), len(question.groups)),
        }
    )


def _labels(reference: Reference, drafted: Drafted) -> Bench:
    def ours(case: Case, desk: Desk) -> Made:
        groups = [g for q in _questions(drafted(desk), case.gold) for g in q.groups if g.level == 1]
        notes = sum(1 for g in groups if g.label_support and g.label_support.note)
        return {"labels": [g.label for g in groups], "refused": notes}

    def member(which: str) -> Drafter:
        def draft(case: Case, desk: Desk) -> Made:
            labels = []
            for q in _questions(drafted(desk), case.gold):
                texts = {v.id: v.text for v in q.verbatims}
                for g in (g for g in q.groups if g.level == 1):
                    ids = sorted(g.verbatim_ids)
                    at = 0 if which == "first" else Random(f"{SEED}/{g.id}").randrange(len(ids))
                    labels.append(as_sentence(texts[ids[at]], case.language))
            return {"labels": labels, "refused": 0}

        return draft

    def score(case: Case, made: Made, desk: Desk) -> Compared:
        human = [g.label for g in case.gold.groups]
        return compare_labels(
            human,
            made["labels"],
            desk.encode(case.language),
            case.language,
            about=case.title,
            refused=made["refused"],
        )

    drafters = {"draft": ours, "first": member("first"), "random": member("random")}
    return _bench("labels", reference, drafters=drafters, score=score)


def _synthesis(reference: Reference, drafted: Drafted) -> Bench:
    def ours(case: Case, desk: Desk) -> Made:
        draft = drafted(desk)
        questions = _questions(draft, case.gold)
        labels = {g.id: g.label for q in questions for g in q.groups}
        texts = {v.id: v.text for q in questions for v in q.verbatims}
        total = max(q.n_respondents for q in questions)
        said = [s for q in questions for s in q.synthesis.sentences]
        return {
            "sentences": [
                {
                    "text": s.text,
                    "sources": [labels[g] for g in s.group_ids] + [texts[v] for v in s.verbatim_ids],
                    "n": None if s.closed_ids else s.n_respondents,
                    "total": total,
                }
                for s in said
                if s.group_ids or s.verbatim_ids
            ],
            "refused": sum(1 for s in said if s.note and s.origin == "extractive"),
            **_ideas(questions),
        }

    def floor(order: Callable[[Sequence[str], str], list[str]]) -> Drafter:
        def draft(case: Case, desk: Desk) -> Made:
            questions = _questions(drafted(desk), case.gold)
            labels = [g.label for q in questions for g in q.groups if g.level == 1]
            wanted = sum(len(p.split()) for p in case.gold.syntheses[0])
            return {**plain(of_length(order(labels, case.id), wanted)), **_ideas(questions)}

        return draft

    def human(case: Case, desk: Desk) -> Made:
        questions = _questions(drafted(desk), case.gold)
        return {**plain(case.gold.syntheses[0]), **_ideas(questions), "itself": True}

    def score(case: Case, made: Made, desk: Desk) -> Compared:
        encode = desk.encode(case.language)
        source = [g.label for g in case.gold.groups]
        compared = compare_synthesis(
            case.gold.syntheses[0],
            sentences_of(made),
            encode,
            case.language,
            about=case.title,
            source=source,
            refused=made["refused"],
        )
        return with_reach(compared, made["ideas"], made["categories"], made, encode)

    first, by_lot = floor(lambda labels, _: list(labels)), floor(shuffled)
    drafters = {"draft": ours, "first": first, "random": by_lot, "human": human}
    return _bench("synthesis", reference, drafters=drafters, score=score)


def _ideas(questions: Sequence[DraftQuestion]) -> dict[str, list[str]]:
    """What people said and who: whom a text reaches is measured on it."""
    verbatims = [v for q in questions for v in q.verbatims]
    return {"ideas": [v.text for v in verbatims], "categories": [v.category or "" for v in verbatims]}


def _themes(reference: Reference, drafted: Drafted) -> Bench:
    def ours(case: Case, desk: Desk) -> Made:
        return as_json(drafted(desk).themes, 0)

    def sources(desk: Desk) -> list[list[str]]:
        return [[s.text for s in q.synthesis.sentences] for q in drafted(desk).questions]

    return replace(bench_of(reference, name=NAME, draft=ours, sources=sources), stated=INVENTED)


def _round(reference: Reference, round_: Round, drafted: Drafted) -> Bench:
    """A case is an open question of the round."""
    said_nothing = {a for q in reference.questions for a in q.no_content}

    def ours(case: Case, desk: Desk) -> Made:
        draft = drafted(desk)
        q = next(q for q in draft.questions if q.id == case.id)
        texts = [
            *(
                (g.label, list(g.verbatim_ids), g.label_support is None or g.label_support.supported)
                for g in q.groups
            ),
            *(
                (
                    s.text,
                    [v for g in q.groups if g.id in s.group_ids for v in g.verbatim_ids]
                    + list(s.verbatim_ids),
                    s.supported,
                )
                for s in q.synthesis.sentences
                if not q.joined_with and not s.closed_ids
            ),
        ]
        return {
            "states": {a.id: a.state for a in q.answers},
            "verbatims": {v.id: [v.answer_id, v.start, v.end, v.quote] for v in q.verbatims},
            "grouped": sum(len(g.verbatim_ids) for g in q.groups if g.level == 1),
            "texts": texts,
        }

    return _bench(
        "round",
        reference,
        cases=tuple(
            Case(
                id=q.id,
                title=q.title,
                language=round_.language,
                data=None,
                gold=({a.id: a.text for a in round_.answers_to(q.id)}, said_nothing),
            )
            for q in round_.open_questions
        ),
        drafters={"draft": ours},
        score=_score_round,
        stated={**INVENTED, "ceiling": "1 by construction"},
    )


def _score_round(case: Case, made: Made, desk: Desk) -> Compared:
    answers, nothing = case.gold
    states: Mapping[str, str] = made["states"]
    spans = {
        v: answers.get(answer, "")[start:end] == quote
        for v, (answer, start, end, quote) in made["verbatims"].items()
    }
    traced = [bool(ids) and all(spans.get(v, False) for v in ids) for _, ids, _ in made["texts"]]
    told = [a for a in answers if states.get(a) in ("with_content", "no_content", "duplicate", "failed")]
    empty = {a for a in answers if states.get(a) == "no_content"}
    theirs = {a for a in answers if a in nothing or not answers[a].strip()}
    return Compared(
        figures={
            "answers_told": (len(told), len(answers)),
            "sound": (float(all(spans.values()) and states.keys() == answers.keys()), 1),
            "traced": (sum(traced), len(traced)),
            "no_content": (2 * len(empty & theirs), len(empty) + len(theirs)),
            "grouped": (made["grouped"], len(made["verbatims"])),
            "unsupported": (sum(not ok for _, _, ok in made["texts"]), len(made["texts"])),
        }
    )
