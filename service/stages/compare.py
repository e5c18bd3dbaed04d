"""Two drafts compared: which group or theme of one is which of the other, and how its share of respondents changed.

Likeness is meaning: labels and the ideas behind them, by cosine after the centre of the question is taken off; for drafts of
the same answers the shared verbatims count as well. The match is one to one and the best in all.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from service.domain.comparison import (
    CHANGES,
    Change,
    Compared,
    Comparison,
    Move,
    Nearest,
    QuestionComparison,
    Side,
)
from service.domain.draft import Draft, DraftQuestion, Theme, Verbatim
from service.domain.wordform import fold
from service.errors import BadInput
from service.stages.check import Encode

ALIKE = 0.35
"""Likeness from which two groups or themes are taken for the same (docs/compare.md says what was measured)."""

SHARED = 1 / 3
"""Share of their verbatims in common from which two groups of the same answers are the same, whatever their labels."""

MARGIN = 0.05
"""A second match that is this near makes the first one doubtful."""

TOLD = 0.2
"""Likeness from which the nearest of an unmatched one is worth telling."""

REWORDED = 0.8
"""Likeness of two question texts from which they ask the same."""

SAME_ROUND = 0.9
"""Share of all answers that two drafts have in common, word for word, when they are of one round."""

Z = 1.96

Matrix = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """A group or a theme as it is matched."""

    side: Side
    texts: tuple[str, ...]
    """Its label or title, and sentences."""
    members: tuple[Verbatim, ...]


def compare(before: Draft, after: Draft, encode: Encode, encoder: str) -> Comparison:
    """What appears, grows, shrinks and vanishes from one draft to the other. Raises BadInput for two languages."""
    if before.round.language != after.round.language:
        raise BadInput(
            f"the older draft is in {before.round.language}, the newer one in {after.round.language}: "
            "labels of two languages can't be compared. Give two drafts in one language."
        )
    same = _same_round(before, after)
    pairs, only_before, only_after = _questions(before, after, encode)
    labels = "extractive" not in (before.provenance.llm, after.provenance.llm)
    matcher = Matcher(encode=encode, labels=labels, same=same)
    questions = tuple(_question(one, other, matcher) for one, other in pairs)
    # themes of drafts that share no question differ because other things were asked, not because people changed
    themes = matcher.moves(_themes(before), _themes(after)) if pairs else ()
    return Comparison(
        language=after.round.language,
        unit=after.round.unit,
        before=_compared(before),
        after=_compared(after),
        same_round=same,
        encoder=encoder,
        themes=themes,
        questions=questions,
        only_before=only_before,
        only_after=only_after,
    )


def _compared(draft: Draft) -> Compared:
    return Compared(
        id=draft.id,
        title=draft.round.title,
        created_at=draft.created_at,
        n_respondents=draft.round.n_respondents,
        llm=draft.provenance.llm,
    )


def _same_round(before: Draft, after: Draft) -> bool:
    one, other = ({(a.id, a.text) for q in d.questions for a in q.answers} for d in (before, after))
    return bool(one | other) and len(one & other) >= SAME_ROUND * len(one | other)


def _questions(
    before: Draft, after: Draft, encode: Encode
) -> tuple[list[tuple[DraftQuestion, DraftQuestion]], tuple[str, ...], tuple[str, ...]]:
    """Open questions that ask the same: by their text, then by its meaning. And those of one draft only."""
    old, new = ([q for q in d.questions if q.kind == "open"] for d in (before, after))
    likeness = np.zeros((len(old), len(new)))
    if old and new:
        likeness = np.asarray(
            encode([q.title for q in old]) @ encode([q.title for q in new]).T, dtype=np.float64
        )
    for i, one in enumerate(old):
        for j, other in enumerate(new):
            if fold(one.title) == fold(other.title):
                likeness[i, j] = 2 + (one.id == other.id)
    found = assigned(likeness, likeness >= REWORDED)
    pairs = [(old[i], new[j]) for i, j in sorted(found, key=lambda pair: pair[1])]
    met = {q.id for q, _ in pairs}, {q.id for _, q in pairs}
    alone = (
        tuple(f"{q.id}. {q.title}" for q in some if q.id not in seen)
        for some, seen in zip((old, new), met, strict=True)
    )
    return pairs, next(alone), next(alone)


def _question(before: DraftQuestion, after: DraftQuestion, matcher: "Matcher") -> QuestionComparison:
    return QuestionComparison(
        before_id=before.id,
        after_id=after.id,
        title=after.title,
        reworded=before.title if fold(before.title) != fold(after.title) else None,
        n_before=before.n_respondents,
        n_after=after.n_respondents,
        moves=matcher.moves(_groups(before), _groups(after)),
    )


def _groups(question: DraftQuestion) -> list[Item]:
    verbatims = {v.id: v for v in question.verbatims}
    return [
        Item(
            side=Side(id=g.id, text=g.label, n=g.n_respondents, of=question.n_respondents),
            texts=(g.label,),
            members=tuple(verbatims[v] for v in g.verbatim_ids),
        )
        for g in question.groups
        if g.level == 1
    ]


def _themes(draft: Draft) -> list[Item]:
    voices = _voices(draft)
    everybody = {p for people in voices.values() for p in people}
    items = []
    for k, theme in enumerate(draft.themes, start=1):
        members = _behind(draft, theme)
        people = {p for v in members for p in voices[v.id]}
        said = [s.text for section in theme.sections for s in section.sentences]
        items.append(
            Item(
                side=Side(id=str(k), text=theme.title, n=len(people), of=len(everybody)),
                texts=(theme.title, *said),
                members=tuple(members),
            )
        )
    return items


def _behind(draft: Draft, theme: Theme) -> list[Verbatim]:
    """The verbatims that a theme's sentences rest on, each once."""
    questions = {q.id: q for q in draft.questions}
    groups = {g.id: g for q in draft.questions for g in q.groups}
    verbatims = {v.id: v for q in draft.questions for v in q.verbatims}
    ids: dict[str, None] = {}
    for ref in (r for section in theme.sections for s in section.sentences for r in s.refs):
        sentence = questions[ref.question_id].synthesis.sentences[ref.sentence]
        for group_id in sentence.group_ids:
            ids |= dict.fromkeys(groups[group_id].verbatim_ids)
        ids |= dict.fromkeys(sentence.verbatim_ids)
    return [verbatims[v] for v in ids]


def _voices(draft: Draft) -> dict[str, frozenset[str]]:
    """Verbatim → the respondents behind it, those of duplicates included."""
    found: dict[str, frozenset[str]] = {}
    for q in draft.questions:
        people: dict[str, set[str]] = {}
        for a in q.answers:
            people.setdefault((a.of or a.id) if a.state == "duplicate" else a.id, set()).add(
                a.respondent_id or a.id
            )
        found |= {v.id: frozenset(people[v.answer_id]) for v in q.verbatims}
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Matcher:
    """How two drafts are matched."""

    encode: Encode
    labels: bool
    """Labels count beside ideas. Not where they are people's own words: then one idea would stand for its group."""
    same: bool
    """The drafts rest on the same answers."""

    def moves(self, before: Sequence[Item], after: Sequence[Item]) -> tuple[Move, ...]:
        """Every item of both sides in exactly one move, the most telling first."""
        meaning = likeness(before, after, self.encode, labels=self.labels)
        shared = _shared(before, after) if self.same else np.zeros_like(meaning)
        either = np.array([[len(b.members) + len(a.members) for a in after] for b in before])
        common = shared / np.maximum(either.reshape(meaning.shape) - shared, 1)
        worth = meaning + common
        found = assigned(worth, (meaning >= ALIKE) | (common >= SHARED))
        old, new = dict(found), {j: i for i, j in found}
        moves = [
            self._pair(before[i], after[j], meaning[i, j], int(shared[i, j]), doubtful=_doubtful(worth, i, j))
            for i, j in found
        ]
        for i, item in enumerate(before):
            if i not in old:
                moves.append(self._alone("gone", item, _nearest(meaning[i], after, new), _asked(after)))
        for j, item in enumerate(after):
            if j not in new:
                moves.append(self._alone("new", item, _nearest(meaning[:, j], before, old), _asked(before)))
        return tuple(sorted(moves, key=_order))

    def _pair(self, before: Item, after: Item, alike: float, shared: int, *, doubtful: bool) -> Move:
        low, high = share_change(before.side.n, before.side.of, after.side.n, after.side.of, same=self.same)
        change: Change = "grown" if low > 0 else "shrunk" if high < 0 else "steady"
        return Move(
            change=change,
            before=before.side,
            after=after.side,
            likeness=round(float(alike), 3),
            shared=shared if self.same else None,
            doubtful=doubtful,
            low=low,
            high=high,
        )

    def _alone(self, change: Change, item: Item, nearest: Nearest | None, of: int) -> Move:
        """of: respondents of the side on which it is missing."""
        side = item.side
        if change == "new":
            low, high = share_change(0, of, side.n, side.of, same=self.same)
            return Move(change=change, after=side, nearest=nearest, low=low, high=high)
        low, high = share_change(side.n, side.of, 0, of, same=self.same)
        return Move(change=change, before=side, nearest=nearest, low=low, high=high)


def _order(move: Move) -> tuple[int, bool, float, str]:
    side = move.after or move.before
    return CHANGES.index(move.change), not move.clear, -abs(move.difference), side.id if side else ""


def likeness(before: Sequence[Item], after: Sequence[Item], encode: Encode, *, labels: bool) -> Matrix:
    """Likeness of each of one side with each of the other, shape (before, after), -1 to 1.

    labels: half labels, half the ideas behind them; else the ideas alone.
    """
    if not before or not after:
        return np.zeros((len(before), len(after)))
    both = [*before, *after]
    ideas = [tuple(v.text for v in item.members) or item.texts for item in both]
    parts = []
    for texts in [ideas, *([[item.texts for item in both]] if labels else [])]:
        vectors = encode([text for some in texts for text in some])
        ends = np.cumsum([len(some) for some in texts])[:-1]
        means = np.stack([part.mean(axis=0) for part in np.split(vectors.astype(np.float64), ends)])
        # each side weighs the same: the larger one must not place the centre alone
        centre = (means[: len(before)].mean(axis=0) + means[len(before) :].mean(axis=0)) / 2
        centred = means - centre if len(both) > 2 else means
        norms = np.linalg.norm(centred, axis=1, keepdims=True)
        unit = centred / np.maximum(norms, 1e-12)
        parts.append(unit[: len(before)] @ unit[len(before) :].T)
    return np.asarray(sum(parts) / len(parts), dtype=np.float64)


def _shared(before: Sequence[Item], after: Sequence[Item]) -> Matrix:
    """Verbatims of one side that lie on a verbatim of the other: same answer, half of the shorter span or more."""
    places: dict[str, list[tuple[int, Verbatim]]] = {}
    for j, item in enumerate(after):
        for v in item.members:
            places.setdefault(v.answer_id, []).append((j, v))
    shared = np.zeros((len(before), len(after)))
    for i, item in enumerate(before):
        for v in item.members:
            for j in {j for j, other in places.get(v.answer_id, []) if _overlap(v, other)}:
                shared[i, j] += 1
    return shared


def _overlap(one: Verbatim, other: Verbatim) -> bool:
    common = min(one.end, other.end) - max(one.start, other.start)
    return 2 * common >= min(one.end - one.start, other.end - other.start)


def assigned(worth: Matrix, allowed: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The one-to-one pairs of most worth in all, among those allowed."""
    rows, columns = linear_sum_assignment(np.where(allowed, worth, 0.0), maximize=True)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if allowed[i, j]]


def _doubtful(worth: Matrix, i: int, j: int) -> bool:
    rivals = [*np.delete(worth[i], j), *np.delete(worth[:, j], i)]
    return bool(rivals) and max(rivals) >= worth[i, j] - MARGIN


def _nearest(row: NDArray[np.float64], items: Sequence[Item], taken: Mapping[int, int]) -> Nearest | None:
    if not len(row) or row.max() < TOLD:
        return None
    k = int(row.argmax())
    side = items[k].side
    return Nearest(id=side.id, text=side.text, likeness=round(float(row[k]), 3), taken=k in taken)


def _asked(items: Sequence[Item]) -> int:
    return max((item.side.of for item in items), default=0)


def share_change(k1: int, n1: int, k2: int, n2: int, *, same: bool) -> tuple[float, float]:
    """95 % interval of p2 - p1 of two independent samples: Newcombe (1998), method 10, from Wilson's intervals.

    Of one round drafted twice there is no sampling: the difference itself. Nobody asked on a side: anything is possible.
    """
    if not n1 or not n2:
        return -1.0, 1.0
    p1, p2 = k1 / n1, k2 / n2
    if same:
        return p2 - p1, p2 - p1
    (low1, high1), (low2, high2) = wilson(k1, n1), wilson(k2, n2)
    low = p2 - p1 - math.hypot(p2 - low2, high1 - p1)
    high = p2 - p1 + math.hypot(high2 - p2, p1 - low1)
    return round(low, 4), round(high, 4)


def wilson(k: int, n: int) -> tuple[float, float]:
    """95 % interval of a share k of n, Wilson (1927)."""
    p, z2 = k / n, Z * Z
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)
