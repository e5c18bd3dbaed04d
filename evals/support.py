"""`python -m evals.support [DATA]`: the support check against people's matches of answers and one-sentence labels.

Topics of `argkp2021` are halved by a fixed seed: thresholds are chosen on one half and tested on the other. On `grand-debat-coded`
they are chosen on one reading and tested on the other. What is scored:
- pairs: a label and one answer that people matched to it, or did not;
- labels: a label and six answers of its group, or of another group of the question;
- citations: two labels in one sentence that cites the answers of both, or those of one and of a third that it does not say; the
  score is that of the weaker citation.
"""

import os
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from embeddings.cache import CachedEncoder
from embeddings.encoder import load_encoder
from evals.references import read_answers, read_reference
from evals.scoring.support import support
from service.stages.check import Encode
from service.stages.evidence import HARDLY, IDLE, SAID, SUPPORTED, SURE, Evidence

ANSWERS = 6
"""Of a group, beside a label."""

SENTENCES = 12
"""Of two labels, right and wrong ones each, of a question."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Matches:
    """One question: its labels, and the answers that people matched to each."""

    topic: str
    """What the halves are made of: both sides of a topic go into one."""
    labels: Mapping[str, str]
    answers: tuple[tuple[str, frozenset[str]], ...]
    """(text, ids of the labels that it matches)"""

    def said(self, label: str) -> list[str]:
        return [text for text, ids in self.answers if label in ids]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scored:
    score: NDArray[np.float64]
    match: NDArray[np.bool_]

    def auc(self) -> float:
        return float(roc_auc_score(self.match, self.score))

    def above(self, threshold: float) -> tuple[float, float]:
        """Shares of matches and of others that reach it."""
        return float((self.score[self.match] >= threshold).mean()), float(
            (self.score[~self.match] >= threshold).mean()
        )

    def balanced(self) -> float:
        """The threshold with the best mean of recall and specificity."""
        tries = np.unique(self.score.round(2))
        return float(max(tries, key=lambda t: self.above(t)[0] - self.above(t)[1]))


Measure = Callable[[Evidence, str, Sequence[str]], float]


def read_matches(folder: Path, coding: int = 0, coder: str | None = None) -> list[Matches]:
    """coding: which column of groups; coder: only that reader's labels, where a set has several."""
    rows = read_answers(folder)
    return [
        Matches(
            topic=q.title.rsplit(" (", 1)[0],
            labels={g.id: g.label for g in q.groups if coder in (None, g.coding)},
            answers=tuple((a.text, frozenset(a.codings[coding])) for a in rows if a.question_id == q.id),
        )
        for q in read_reference(folder).questions
    ]


def pairs(found: Sequence[Matches], encode: Encode, measure: Measure) -> Scored:
    score, match = [], []
    for one in found:
        evidence = Evidence([text for text, _ in one.answers], encode)
        for text, ids in one.answers:
            for id_, label in one.labels.items():
                score.append(measure(evidence, label, [text]))
                match.append(id_ in ids)
    return Scored(score=np.array(score), match=np.array(match))


def labels(found: Sequence[Matches], encode: Encode, measure: Measure) -> Scored:
    draw = random.Random(0)
    score, match = [], []
    for one in found:
        evidence = Evidence([text for text, _ in one.answers], encode)
        groups = {g: texts for g in sorted(one.labels) if len(texts := one.said(g)) >= 2}
        for g in groups:
            for h, texts in groups.items():
                some = draw.sample(texts, min(ANSWERS, len(texts)))
                score.append(measure(evidence, one.labels[g], some))
                match.append(g == h)
    return Scored(score=np.array(score), match=np.array(match))


def citations(found: Sequence[Matches], encode: Encode, _: Measure) -> Scored:
    draw = random.Random(0)
    score, match = [], []
    for one in found:
        evidence = Evidence([text for text, _ in one.answers], encode)
        said = {g: texts[:ANSWERS] for g in sorted(one.labels) if (texts := one.said(g))}
        for _turn in range(SENTENCES if len(said) >= 3 else 0):
            a, b, c = draw.sample(list(said), 3)
            text = f"{one.labels[a].rstrip('.')}, {one.labels[b]}"
            for other in (b, c):
                score.append(min(evidence.each(text, [said[a], said[other]])))
                match.append(other == b)
    return Scored(score=np.array(score), match=np.array(match))


def halves(found: Sequence[Matches]) -> tuple[list[Matches], list[Matches]]:
    topics = sorted({one.topic for one in found})
    random.Random(0).shuffle(topics)
    chosen = set(topics[: len(topics) // 2])
    return [m for m in found if m.topic in chosen], [m for m in found if m.topic not in chosen]


def row(name: str, chosen: Scored, tested: Scored, plain: Scored | None, shared: Scored | None) -> str:
    """One line of the table: thresholds of the half they were chosen on, figures of the other. shared: by all but one voice."""
    best = chosen.balanced()
    low, high = np.quantile(chosen.score[chosen.match], 0.01), np.quantile(chosen.score[~chosen.match], 0.95)
    kept, wrong = tested.above(best)
    cells = [
        name,
        f"{len(tested.score)}",
        f"{chosen.auc():.3f}",
        f"{tested.auc():.3f}",
        "–" if plain is None else f"{plain.auc():.3f}",
        f"{best:.2f}: {kept:.0%} / {wrong:.0%}",
        *(f"{t:.2f}: {a:.0%} / {b:.0%}" for t in (low, high) for a, b in [tested.above(float(t))]),
        "–" if shared is None else "{:.1%} / {:.1%}".format(*shared.above(HARDLY)),
    ]
    return f"| {' | '.join(cells)} |"


def ours(evidence: Evidence, text: str, sources: Sequence[str]) -> float:
    return evidence.score(text, sources)


def without_the_best(evidence: Evidence, text: str, sources: Sequence[str]) -> float:
    return evidence.shared(text, sources)


def rows(name: str, chosen: Sequence[Matches], tested: Sequence[Matches], encode: Encode) -> list[str]:
    def bare(_: Evidence, text: str, sources: Sequence[str]) -> float:
        return support(text, sources, encode)

    return [
        row(
            f"{name}, {what.__name__}",
            what(chosen, encode, ours),
            what(tested, encode, ours),
            None if what is citations else what(tested, encode, bare),
            what(tested, encode, without_the_best) if what is labels else None,
        )
        for what in (pairs, labels, citations)
    ]


def main() -> None:
    data = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("POLYPHONIE_DATA", "../shared/data"))
    cache = Path("~/.cache/polyphonie/vectors.sqlite").expanduser()
    if not (data / "argkp2021").is_dir():
        sys.exit(f"no argkp2021 at {data}: set POLYPHONIE_DATA to the folder of reference sets")
    print(
        "Thresholds: those of the half they were chosen on; matches / others that reach them on the other half.\n"
    )
    print(
        "| set, what | n | AUC, chosen on | AUC, tested on | AUC without a background | best balance "
        "| 1 % of matches below | 5 % of others above | carried without one voice |\n|---|---|---|---|---|---|---|---|---|"
    )
    halved = halves(read_matches(data / "argkp2021"))
    for spec in ("minilm", "use"):
        encode = CachedEncoder(load_encoder(spec, "en"), cache).encode
        print("\n".join(rows(f"argkp2021, {spec}", *halved, encode)), flush=True)
    if (data / "grand-debat-coded").is_dir():
        encode = CachedEncoder(load_encoder("use", "fr"), cache).encode
        one, two = (read_matches(data / "grand-debat-coded", k, "AB"[k]) for k in (0, 1))
        print("\n".join(rows("grand-debat-coded, use", one, two, encode)))
    print(
        f"\nIn force: nothing passes under {HARDLY}; without a second opinion supported from {SUPPORTED}, each citation from "
        f"{IDLE}; no second opinion from {SURE}, each citation {SAID}."
    )


if __name__ == "__main__":
    main()
