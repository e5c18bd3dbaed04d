"""Suite *labels*: one sentence per group. From people's own groups where they are known (the label stage alone), else from ours."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

from evals.references import ReferenceAnswer, ReferenceQuestion, read_answers, read_reference
from evals.scoring.reach import frame
from evals.scoring.texts import Compared, compare_labels, sentences
from evals.suites import Bench, Case, Desk, Draft, Made
from evals.suites.material import SEED, round_of, topic_of_groups
from service.domain.draft import Group
from service.domain.steps import Topic
from service.pipeline import group_question
from service.stages.extractive import as_sentence
from service.stages.group import with_exemplars
from service.stages.label import label_groups

FEWEST = 2
"""Members from which a human group is labelled."""

DRAWN = 600
"""Answers drawn of each question of the large set."""

FRAME_SHARE = 2.0
"""Per cent of contributions from which a category of a published frame must be found."""

NEITHER = "one set of labels: no human-human figure exists"


def benches(data: Path) -> list[Bench]:
    made: dict[str, Callable[[Path], Bench]] = {
        "argkp2021": _argkp,
        "grand-debat-coded": _coded,
        "opinosis": _opinosis,
        "grand-debat": _frame,
    }
    return [make(data / name) for name, make in made.items() if (data / name).is_dir()]


def _argkp(folder: Path) -> Bench:
    return from_human_groups(folder, stated={"ceiling": NEITHER})


def _coded(folder: Path) -> Bench:
    bench = from_human_groups(
        folder,
        stated={"ceiling": "labels of the second reading, by a language model, not by people"},
    )

    def human(case: Case, desk: Desk) -> Made:
        """The labels of the second reading for its own groups."""
        question = read_reference(folder).question(case.id)
        return {
            "labels": [g.label for g in question.groups if g.coding == "B"],
            "refused": 0,
            "paired": False,
        }

    return replace(bench, drafters={**bench.drafters, "human": human})


def from_human_groups(folder: Path, *, stated: Mapping[str, str]) -> Bench:
    """A folder with answers and the groups of each: people's groups are labelled, those of the first coding."""
    reference = read_reference(folder)
    answers: dict[str, list[ReferenceAnswer]] = defaultdict(list)
    for answer in read_answers(folder):
        answers[answer.question_id].append(answer)
    cases = []
    for question in reference.questions:
        groups = _members(question, answers[question.id])
        if groups:
            labels = {g.id: g.label for g in question.groups}
            topic = topic_of_groups(question.id, question.title, groups, reference.language)
            gold = tuple(labels[group_id] for group_id, _ in groups)
            cases.append(
                Case(id=question.id, title=question.title, language=reference.language, data=topic, gold=gold)
            )
    return Bench(
        suite="labels",
        set=folder.name,
        language=reference.language,
        sha256=reference.sha256,
        cases=tuple(cases),
        drafters={"draft": _label_human_groups, "first": _member(lambda *_: 0), "random": _member(_drawn)},
        score=_score,
        stated=stated,
    )


def _members(
    question: ReferenceQuestion, answers: Sequence[ReferenceAnswer]
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Human groups with at least two answers, and those answers."""
    members: dict[str, list[tuple[str, str]]] = {g.id: [] for g in question.groups}
    for answer in answers:
        for group_id in answer.codings[0]:
            members[group_id].append((answer.answer_id, answer.text))
    return [(group_id, some) for group_id, some in members.items() if len(some) >= FEWEST]


def _label_human_groups(case: Case, desk: Desk) -> Made:
    encode = desk.encoder(case.language).encode
    labelled = label_groups(with_exemplars(case.data, encode), encode=encode, chat=desk.chat)
    return {"labels": [g.label for g in labelled.groups], "refused": labelled.fallbacks, "paired": True}


def _member(which: Callable[[int, str], int]) -> Draft:
    """A floor: one member's words as they stand, the first or one by lot."""

    def draft(case: Case, desk: Desk) -> Made:
        topic: Topic = case.data
        texts = {v.id: v.text for v in topic.verbatims}
        labels = [texts[g.verbatim_ids[which(len(g.verbatim_ids), g.id)]] for g in topic.groups]
        return {"labels": [as_sentence(t, case.language) for t in labels], "refused": 0, "paired": True}

    return draft


def _drawn(n: int, seed: str) -> int:
    return Random(f"{SEED}/{seed}").randrange(n)


def _opinosis(folder: Path) -> Bench:
    """Opinion sentences grouped and labelled by us, beside the sentences of each person's summary; as many labels as sentences."""
    reference = read_reference(folder)
    texts: dict[str, dict[str, str]] = defaultdict(dict)
    for answer in read_answers(folder):
        texts[answer.question_id][answer.answer_id] = answer.text
    cases = tuple(
        Case(
            id=q.id,
            title=q.title,
            language=reference.language,
            data=texts[q.id],
            gold=tuple(tuple(sentences(s)) for s in q.syntheses),
        )
        for q in reference.questions
    )

    def first(case: Case, desk: Desk) -> Made:
        return {"labels": list(case.data.values())[: _as_many(case)]}

    def by_lot(case: Case, desk: Desk) -> Made:
        return {"labels": Random(f"{SEED}/{case.id}").sample(sorted(case.data.values()), _as_many(case))}

    def human(case: Case, desk: Desk) -> Made:
        """One person's summary beside the others'."""
        return {"labels": list(case.gold[0]), "others": True}

    return Bench(
        suite="labels",
        set=folder.name,
        language=reference.language,
        sha256=reference.sha256,
        cases=cases,
        drafters={"draft": _label_ours, "first": first, "random": by_lot, "human": human},
        score=_score_alternatives,
        stated={"ceiling": "one person's summary against the others'"},
    )


def _as_many(case: Case) -> int:
    """Labels shown: as many as the longest human summary has sentences."""
    return max(map(len, case.gold))


def _label_ours(case: Case, desk: Desk) -> Made:
    groups, refused, _ = _our_groups(case, desk, _as_many(case))
    return {"labels": [g.label for g in groups], "refused": refused}


def _our_groups(case: Case, desk: Desk, most: int | None) -> tuple[list[Group], int, int]:
    """Level-1 groups, largest first, labelled; refused replies; answers in all."""
    encoder = desk.encoder(case.language)
    round_ = round_of(case.id, case.title, case.data, case.language)
    worked = group_question(round_, round_.questions[0], encoder=encoder, chat=desk.chat)
    largest = [g for g in worked.topic.groups if g.level == 1][:most]
    labelled = label_groups(
        replace(worked.topic, groups=tuple(largest)), encode=encoder.encode, chat=desk.chat
    )
    return list(labelled.groups), labelled.fallbacks, len(round_.answers)


def _score(case: Case, made: Made, desk: Desk) -> Compared:
    return compare_labels(
        case.gold,
        made["labels"],
        desk.encode(case.language),
        case.language,
        about=case.title,
        paired=made["paired"],
        refused=made["refused"],
    )


def _score_alternatives(case: Case, made: Made, desk: Desk) -> Compared:
    """Mean over the people's summaries; shown beside the first that is not scored itself."""
    gold = case.gold[1:] if made.get("others") else case.gold
    each = [
        compare_labels(
            g,
            made["labels"],
            desk.encode(case.language),
            case.language,
            about=case.title,
            refused=made.get("refused", 0),
        )
        for g in gold
    ]
    return replace(
        each[0],
        figures={
            name: (sum(c.figures[name][0] for c in each), sum(c.figures[name][1] for c in each))
            for name in each[0].figures
        },
    )


def _frame(folder: Path) -> Bench:
    """Answers drawn of each question, grouped and labelled by us, beside the published coding frame."""
    reference = read_reference(folder)
    texts: dict[str, dict[str, str]] = defaultdict(dict)
    for answer in read_answers(folder):
        texts[answer.question_id][answer.answer_id] = answer.text
    cases = []
    for q in reference.questions:
        ids = sorted(texts[q.id])
        drawn = Random(f"{SEED}/{q.id}").sample(ids, min(DRAWN, len(ids)))
        frame_ = {g.label: g.share_pct for g in q.groups if g.parent and (g.share_pct or 0) >= FRAME_SHARE}
        cases.append(
            Case(
                id=q.id,
                title=q.title,
                language=reference.language,
                data={i: texts[q.id][i] for i in drawn},
                gold=frame_,
            )
        )

    def ours(case: Case, desk: Desk) -> Made:
        groups, refused, _ = _our_groups(case, desk, None)
        return {
            "labels": [g.label for g in groups],
            "sizes": [g.n_respondents for g in groups],
            "refused": refused,
        }

    def by_lot(case: Case, desk: Desk) -> Made:
        """As many answers as there are categories, three times over, each as a group of one."""
        n = min(len(case.data), 3 * len(case.gold))
        return {"labels": Random(f"{SEED}/{case.id}").sample(sorted(case.data.values()), n), "sizes": [1] * n}

    return Bench(
        suite="labels",
        set=f"{folder.name}, {DRAWN} answers a question",
        language=reference.language,
        sha256=reference.sha256,
        cases=tuple(cases),
        drafters={"draft": ours, "random": by_lot},
        score=_score_frame,
        stated={"ceiling": "a frame by professionals over all contributions; shares compare only in order"},
    )


def _score_frame(case: Case, made: Made, desk: Desk) -> Compared:
    figures = frame(case.gold, made["labels"], made["sizes"], desk.encode(case.language))
    named = {f"frame_{name}": part for name, part in figures.items()}
    return Compared(
        figures={**named, "refused": (made.get("refused", 0), len(made["labels"]))},
        human=tuple(case.gold),
        ours=tuple(made["labels"]),
    )
