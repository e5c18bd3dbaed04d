"""References as the pipeline's own records: rounds of texts, questions of human groups, syntheses of human labels."""

from collections.abc import Mapping, Sequence
from random import Random

from service.domain.draft import DraftQuestion, Group, Sentence, Synthesis, Verbatim
from service.domain.round import Answer, Language, Question, Round
from service.domain.steps import Topic
from service.pipeline import Worked

SEED = 0


def round_of(question_id: str, title: str, texts: Mapping[str, str], language: Language) -> Round:
    """A round of one question; texts by answer id."""
    return Round(
        id=question_id,
        title=title,
        language=language,
        questions=(Question(id=question_id, title=title),),
        answers=tuple(Answer(id=i, question_id=question_id, text=t) for i, t in sorted(texts.items())),
        n_respondents=len(texts),
    )


def groups_of(worked: Worked) -> dict[str, tuple[str, ...]]:
    """Answer → our level-1 groups that it has an idea in; a duplicate is where its twin is."""
    group_of = {v: g.id for g in worked.grouped.groups if g.level == 1 for v in g.verbatim_ids}
    found: dict[str, list[str]] = {a.id: [] for a in worked.answers}
    for v in worked.segmented.verbatims:
        if v.id in group_of:
            found[v.answer_id].append(group_of[v.id])
    for duplicate in worked.content.duplicates:
        found[duplicate.answer_id] = found[duplicate.of]
    return {answer: tuple(dict.fromkeys(ids)) for answer, ids in found.items()}


def topic_of_groups(
    question_id: str, title: str, groups: Sequence[tuple[str, Sequence[tuple[str, str]]]], language: Language
) -> Topic:
    """A question whose groups are given: (group id, members as (answer id, text))."""
    verbatims: dict[str, Verbatim] = {}
    made = []
    for group_id, members in groups:
        ids = []
        for answer_id, text in members:
            one = Verbatim(
                id=f"{answer_id}.{group_id}",
                answer_id=answer_id,
                start=0,
                end=len(text),
                quote=text,
                text=text,
            )
            verbatims[one.id] = one
            ids.append(one.id)
        made.append(Group(id=group_id, level=1, verbatim_ids=tuple(ids), n_respondents=len(members)))
    return Topic(
        question=Question(id=question_id, title=title),
        language=language,
        unit="respondent",
        verbatims=tuple(verbatims.values()),
        groups=tuple(made),
        voices={v.id: (v.answer_id,) for v in verbatims.values()},
        n_respondents=len({v.answer_id for v in verbatims.values()}),
    )


def topic_of_labels(question_id: str, title: str, labels: Sequence[str], language: Language) -> Topic:
    """Labels as groups of one verbatim each; nobody knows how many are behind them."""
    groups, verbatims = [], []
    for k, text in enumerate(labels, start=1):
        one = Verbatim(
            id=f"{question_id}-{k}.1",
            answer_id=f"{question_id}-{k}",
            start=0,
            end=len(text),
            quote=text,
            text=text,
        )
        verbatims.append(one)
        groups.append(
            Group(id=f"{question_id}-{k}", level=1, verbatim_ids=(one.id,), label=text, n_respondents=0)
        )
    return Topic(
        question=Question(id=question_id, title=title),
        language=language,
        unit="organisation",
        verbatims=tuple(verbatims),
        groups=tuple(groups),
        voices={v.id: () for v in verbatims},
    )


def question_of_sentences(question_id: str, title: str, sentences: Sequence[str]) -> DraftQuestion:
    """A human synthesis as the theme stage reads one: each sentence cites a label that says the same."""
    groups = tuple(
        Group(id=f"{question_id}.g{k}", level=1, verbatim_ids=(), label=text, n_respondents=0)
        for k, text in enumerate(sentences, start=1)
    )
    said = tuple(
        Sentence(text=text, group_ids=(g.id,), origin="person")
        for text, g in zip(sentences, groups, strict=True)
    )
    return DraftQuestion(
        id=question_id,
        title=title,
        groups=groups,
        synthesis=Synthesis(sentences=said, paragraphs=(tuple(range(len(said))),)),
    )


def shuffled(items: Sequence[str], seed: str) -> list[str]:
    """In an order that depends on the seed alone."""
    mixed = list(items)
    Random(f"{SEED}/{seed}").shuffle(mixed)
    return mixed


def of_length(texts: Sequence[str], words: int) -> list[str]:
    """Texts from the first on until their words reach a number; at least one."""
    kept: list[str] = []
    for text in texts:
        if kept and sum(len(t.split()) for t in kept) >= words:
            break
        kept.append(text)
    return kept
