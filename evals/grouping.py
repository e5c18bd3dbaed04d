"""`python -m evals.grouping [DATA]`: how far the groups agree with people's, beside plain HDBSCAN and average linkage.

Sets are read where they lie (`POLYPHONIE_DATA`, or ../shared/data beside the repository); absent ones are skipped and said.
Figures are AMI with left-out verbatims as singletons, mean over units with a bootstrap 95 % interval; paired differences too.
"""

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import hdbscan
import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from embeddings.cache import CachedEncoder
from embeddings.encoder import Encoder, load_encoder
from embeddings.grouping import Grouping, Recipe, group
from embeddings.similarity import Asked, similarity
from evals.agreement import Unit, agreement, draws, interval, read_units
from service.domain.polarity import polarity

Vectors = NDArray[np.float32]
MINILM = 384
"""Width of the first of the two views that the English encoder sets side by side."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Coded:
    """One question with people's groups, as a grouping gets it."""

    unit: Unit
    vectors: Vectors
    asked: Asked | None

    @property
    def texts(self) -> tuple[str, ...]:
        return self.unit.texts


Method = Callable[[Coded], Grouping | Sequence[int]]


def coded(units: Sequence[Unit], encoder: Encoder) -> list[Coded]:
    return [
        Coded(
            unit=unit,
            vectors=encoder.encode(unit.texts),
            asked=Asked(text=unit.question, vector=encoder.encode([unit.question])[0])
            if unit.question
            else None,
        )
        for unit in units
    ]


def labels_of(method: Method, question: Coded) -> list[int]:
    found = method(question)
    return [int(k) for k in (found.labels if isinstance(found, Grouping) else found)]


def ours(q: Coded) -> Grouping:
    return group(q.texts, q.vectors, asked=q.asked)


def question_left_in(q: Coded) -> Grouping:
    return group(q.texts, q.vectors)


def minilm_alone(q: Coded) -> Grouping:
    """The recipe without the second view."""
    asked = q.asked and Asked(text=q.asked.text, vector=q.asked.vector[:MINILM])
    return group(q.texts, q.vectors[:, :MINILM], asked=asked)


def hdbscan_leaves(q: Coded) -> Grouping:
    """HDBSCAN on our similarity, whatever the size below a large question's."""
    return group(q.texts, q.vectors, asked=q.asked, recipe=Recipe(tree="hdbscan"))


def meaning_only(q: Coded) -> Grouping:
    return group(q.texts, q.vectors, asked=q.asked, recipe=Recipe(words=0))


def average_linkage(q: Coded) -> list[int]:
    """Average linkage on our similarity, nothing averaged over neighbours, cut at 0.9, groups of one left out."""
    far = np.maximum(1 - similarity(q.texts, q.vectors, Recipe().words).astype(np.float64), 0)
    np.fill_diagonal(far, 0)
    labels = fcluster(linkage(squareform(far, checks=False), "average"), 0.9, "distance")
    sizes = np.bincount(labels)
    return [int(c) if sizes[c] > 1 else -1 for c in labels]


def plain_hdbscan(q: Coded) -> Sequence[int]:
    """As people usually run it: raw vectors, min_cluster_size 5."""
    return list(hdbscan.HDBSCAN(min_cluster_size=5).fit_predict(q.vectors.astype(np.float64)))


METHODS: dict[str, Method] = {
    "this recipe": ours,
    "question left in": question_left_in,
    "MiniLM alone": minilm_alone,
    "HDBSCAN's leaves": hdbscan_leaves,
    "vectors alone": meaning_only,
    "average linkage": average_linkage,
    "plain HDBSCAN": plain_hdbscan,
}


def methods(spec: str) -> dict[str, Method]:
    """Those that make sense with an encoder."""
    return {name: method for name, method in METHODS.items() if method is not minilm_alone or "+" in spec}


def sets(data: Path) -> dict[str, tuple[str, tuple[Unit, ...]]]:
    """Name → (encoder, units)."""
    found: dict[str, tuple[str, tuple[Unit, ...]]] = {}
    if (data / "argkp2021").is_dir():
        found["argkp2021, 56 units"] = ("minilm+use", read_units(data / "argkp2021"))
    if (data / "nhs-fft").is_dir():
        whole = read_units(data / "nhs-fft")
        found["nhs-fft, draws of 100"] = ("minilm+use", draws(whole, 100, 8))
        found["nhs-fft, draws of 300"] = ("minilm+use", draws(whole, 300, 8))
        found["nhs-fft, whole questions"] = ("minilm+use", whole)
    if (data / "grand-debat-coded").is_dir():
        found["grand-debat-coded, 3 questions"] = ("use", read_units(data / "grand-debat-coded"))
    return found


def table(data: Path, cache: Path) -> list[str]:
    lines = [
        "| set | method | AMI [95 %] | left out | groups | this recipe − it [95 %] |",
        "|---|---|---|---|---|---|",
    ]
    for name, (spec, units) in sets(data).items():
        encoder = CachedEncoder(load_encoder(spec, "fr"), cache)
        questions = coded(units, encoder)
        base: list[float] = []
        for label, method in methods(spec).items():
            got = [agreement(q.unit.gold, labels_of(method, q)) for q in questions]
            ami = [g.ami for g in got]
            base = base or ami
            low, high = interval(ami)
            less = [a - b for a, b in zip(base, ami, strict=True)]
            d_low, d_high = interval(less)
            lines.append(
                f"| {name} | {label} | {np.mean(ami):.3f} [{low:.3f}, {high:.3f}] | {np.mean([g.left_out for g in got]):.0%} | "
                f"{np.mean([g.n_groups for g in got]):.0f} | {np.mean(less):+.3f} [{d_low:+.3f}, {d_high:+.3f}] |"
            )
    return lines


def ceiling(data: Path) -> str:
    """Agreement of the two careful readings of grand-debat-coded with each other."""
    one, two = (read_units(data / "grand-debat-coded", column) for column in ("group_ids", "group_ids_b"))
    pairs = [
        agreement(a.gold, [int.from_bytes(g.encode()[-6:]) if g else -1 for g in b.gold]).ami
        for a, b in zip(one, two, strict=True)
    ]
    each = ", ".join(f"{p:.2f}" for p in pairs)
    return (
        f"Two careful readings of grand-debat-coded agree with each other at {np.mean(pairs):.2f} ({each})."
    )


def opposed(data: Path, cache: Path) -> list[str]:
    """Both sides of each argkp2021 topic in one question: groups that mix them, with and without the lexicon of sides."""
    reference = json.loads((data / "argkp2021" / "reference.json").read_text(encoding="utf-8"))
    units = {u.id: u for u in read_units(data / "argkp2021")}
    topics: dict[str, list[str]] = {}
    for q in reference["questions"]:
        topics.setdefault(q["title"].rsplit(" (", 1)[0], []).append(q["id"])
    encoder = CachedEncoder(load_encoder("minilm+use", "en"), cache)
    mixed: dict[str, list[float]] = {"without": [], "with": []}
    told = right = total = 0
    for pair in (p for p in topics.values() if len(p) == 2):
        texts = [t for q in pair for t in units[q].texts]
        side = np.repeat([1, -1], [len(units[q].texts) for q in pair])
        signs = np.asarray([polarity(t) for t in texts])
        told, total = told + int((signs != 0).sum()), total + len(texts)
        right += max(int((signs == side).sum()), int((signs == -side).sum()))
        vectors = encoder.encode(texts)
        topic = units[pair[0]].question.rsplit(" (", 1)[0]
        asked = Asked(text=topic, vector=encoder.encode([topic])[0])
        for name, sides in (("without", None), ("with", [int(s) for s in signs])):
            labels = group(texts, vectors, sides=sides, asked=asked).labels
            shares = [abs(side[labels == k].mean()) for k in set(labels) - {-1}]
            mixed[name].append(float(np.mean([s < 1 for s in shares])))
    low, high = interval([a - b for a, b in zip(mixed["without"], mixed["with"], strict=True)])
    without, with_ = np.mean(mixed["without"]), np.mean(mixed["with"])
    return [
        f"Opposed sides, {len(mixed['with'])} argkp2021 topics with both sides in one question: {without:.0%} of groups "
        f"mix them without the lexicon, {with_:.0%} with it (difference [{low:+.3f}, {high:+.3f}]).",
        f"The lexicon takes a side for {told / total:.0%} of the arguments; {right / max(1, told):.0%} of those agree "
        "with the argument's side.",
    ]


def main() -> None:
    data = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("POLYPHONIE_DATA", "../shared/data"))
    cache = Path("~/.cache/polyphonie/vectors.sqlite").expanduser()
    if not data.is_dir():
        sys.exit(f"no reference data at {data}: set POLYPHONIE_DATA to its folder")
    print("\n".join(table(data, cache)))
    if (data / "grand-debat-coded").is_dir():
        print("\n" + ceiling(data))
    if (data / "argkp2021").is_dir():
        print("\n" + "\n".join(opposed(data, cache)))


if __name__ == "__main__":
    main()
