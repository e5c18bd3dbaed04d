"""Edits that change how many sentences a synthesis has: one is removed, or all but people's are drafted again."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from service.domain.draft import DraftQuestion, Sentence, SentenceRef, Synthesis
from service.domain.review.regroup import people_of
from service.domain.review.state import (
    Changed,
    State,
    Touch,
    cited_exists,
    counted,
    mark,
    name,
    recounted,
    reopened,
    sentence_at,
    theme_sentences,
    with_left_out,
    with_questions,
    with_theme_sentences,
)
from service.domain.revision import Place, Redraft, RemoveSentence, ThemeRef, Was
from service.domain.wording import ONE_SYNTHESIS
from service.errors import BadEdit


def remove_sentence(state: State, edit: RemoveSentence, by: Touch) -> Changed:
    q, old = sentence_at(state, edit.at)
    if len(q.synthesis.sentences) == 1:
        raise BadEdit(
            "a synthesis keeps one sentence at least: give it another text instead", why="last_sentence"
        )
    k = edit.at.sentence
    sentences = tuple(s for i, s in enumerate(q.synthesis.sentences) if i != k)
    paragraphs = (tuple(i - (i > k) for i in p if i != k) for p in q.synthesis.paragraphs)
    new = replace(q.synthesis, sentences=sentences, paragraphs=tuple(p for p in paragraphs if p))
    follow = {i: i - (i > k) for i in range(len(q.synthesis.sentences)) if i != k}
    state = _replaced(state, q, new, follow, kept=frozenset(follow), by=by)
    return reopened(state, q), (Was(id=name(edit.at), value=old.text),)


def redraft(state: State, edit: Redraft, by: Touch) -> Changed:
    q = state.question(edit.question_id)
    if q.synthesis.shared_with is not None:
        raise BadEdit(
            f"question {q.id} has no synthesis of its own: redraft {q.synthesis.shared_with}",
            why="shared_synthesis",
            question=q.id,
            leader=q.synthesis.shared_with,
        )
    joined = state.joined(q)
    groups = {g.id: g for p in joined for g in p.groups}
    people = people_of(joined)
    for s in edit.synthesis.sentences:
        cited_exists(joined, s)
    told = sorted(i for paragraph in edit.synthesis.paragraphs for i in paragraph)
    if not told or told != list(range(len(edit.synthesis.sentences))):
        raise BadEdit(
            "the paragraphs of the new synthesis do not hold each of its sentences once",
            why="unsound_redraft",
        )
    sentences = tuple(recounted(s, groups, people) for s in edit.synthesis.sentences)
    new = replace(edit.synthesis, sentences=sentences, shared_with=None)
    follow, kept = _followers(q.synthesis.sentences, sentences)
    was = tuple(
        Was(id=name(SentenceRef(question_id=q.id, sentence=k)), value=s.text)
        for k, s in enumerate(q.synthesis.sentences)
        if k not in kept
    )
    # what was drafted again rests on the labels as they are now; only what people wrote may still be behind them
    fresh = [
        SentenceRef(question_id=q.id, sentence=k) for k in kept if q.synthesis.sentences[k].origin != "person"
    ]
    state = replace(state, marks={at: m for at, m in state.marks.items() if at not in fresh})
    return reopened(_replaced(state, q, new, follow, kept=kept, by=by), q), was


def with_peoples(old: Synthesis, new: Synthesis) -> Synthesis:
    """A fresh synthesis in which every sentence that a person wrote is kept, in the paragraph of what it stands for.

    A fresh sentence is left out where a person's cites everything that it cites.
    """
    theirs = [s for s in old.sentences if s.origin == "person"]
    covered = [set(_cited(s)) for s in theirs]
    sentences: list[Sentence] = []
    paragraphs: list[tuple[int, ...]] = []
    waiting = list(theirs)
    for paragraph in new.paragraphs:
        first = len(sentences)
        cited = {c for k in paragraph for c in _cited(new.sentences[k])}
        here = [s for s in waiting if cited & set(_cited(s))]
        waiting = [s for s in waiting if s not in here]
        fresh = [new.sentences[k] for k in paragraph]
        sentences += here
        sentences += [s for s in fresh if not any(set(_cited(s)) <= c for c in covered)]
        if len(sentences) > first:
            paragraphs.append(tuple(range(first, len(sentences))))
    if waiting:
        paragraphs.append(tuple(range(len(sentences), len(sentences) + len(waiting))))
        sentences += waiting
    return replace(new, sentences=tuple(sentences), paragraphs=tuple(paragraphs))


def _cited(s: Sentence) -> tuple[str, ...]:
    return (*s.group_ids, *s.verbatim_ids, *(f"closed {c}" for c in s.closed_ids))


def _followers(old: Sequence[Sentence], new: Sequence[Sentence]) -> tuple[dict[int, int], frozenset[int]]:
    """Old index → the new sentence that says the same, else the one that shares most citations; and which say the same."""
    follow: dict[int, int] = {}
    free = set(range(len(new)))
    for k, s in enumerate(old):
        same = next((j for j in sorted(free) if new[j].text == s.text and new[j].origin == s.origin), None)
        if same is not None:
            follow[k] = same
            free.discard(same)
    kept = frozenset(follow)
    for k, s in enumerate(old):
        if k not in follow:
            shared = [(len(set(_cited(s)) & set(_cited(n))), -j) for j, n in enumerate(new)]
            most, j = max(shared)
            if most:
                follow[k] = -j
    return follow, kept


def _replaced(
    state: State,
    q: DraftQuestion,
    new: Synthesis,
    follow: Mapping[int, int],
    *,
    kept: frozenset[int],
    by: Touch,
) -> State:
    """The new synthesis in place. Marks and touches of kept sentences go with them; the general synthesis is re-pointed."""

    def moved(place: Place) -> Place | None:
        if not isinstance(place, SentenceRef) or place.question_id != q.id:
            return place
        return replace(place, sentence=follow[place.sentence]) if place.sentence in kept else None

    state = replace(
        state,
        marks={at: m for p, m in state.marks.items() if (at := moved(p)) is not None},
        touched={at: t for p, t in state.touched.items() if (at := moved(p)) is not None},
    )
    state = with_questions(state, replace(q, synthesis=with_left_out(new, state.joined(q))))
    return _themes_followed(state, q, follow, kept, by)


def _themes_followed(
    state: State, q: DraftQuestion, follow: Mapping[int, int], kept: frozenset[int], by: Touch
) -> State:
    renewed = {}
    changed: list[ThemeRef] = []
    gone: list[ThemeRef] = []
    for at, s in theme_sentences(state.draft):
        mine = [r.sentence for r in s.refs if r.question_id == q.id]
        if not mine:
            continue
        refs = [
            r if r.question_id != q.id else replace(r, sentence=follow[r.sentence])
            for r in s.refs
            if r.question_id != q.id or r.sentence in follow
        ]
        if not refs:
            gone.append(at)
            renewed[at] = replace(s, refs=(SentenceRef(question_id=q.id, sentence=0),), supported=False)
            continue
        if any(k not in kept for k in mine) and not any(s.text in said for said in ONE_SYNTHESIS.values()):
            changed.append(at)
        renewed[at] = replace(s, refs=tuple(dict.fromkeys(refs)))
    state = replace(state, draft=counted(with_theme_sentences(state.draft, renewed)))
    return mark(mark(state, changed, "sentence_changed", by), gone, "support_gone", by)
