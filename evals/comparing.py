"""`python -m evals.comparing`: how well `polyphonie compare` finds a group again.

Each question's answers are parted in two as if two rounds had been held, and grouped by a careful reader's
groups, so that the truth is known. "two readings": labels and groups of one reading on one half, of an
independent one on the other. "own words": no labels, as in drafts without a model. The set is read where it
lies (`POLYPHONIE_DATA`, or ../shared/data beside the repository).
"""

import csv
import json
import os
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import load_encoder
from service.domain.comparison import Side
from service.domain.draft import Verbatim
from service.stages.check import Encode
from service.stages.compare import Item, assigned, likeness

LEVELS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.5)
SAME = 0.4
"""Jaccard of two readings' groups over all answers from which they are the same group, if each is the other's best."""

Groups = Mapping[str, Mapping[str, str]]
"""Group → answer id → text."""


def main() -> int:
    data = Path(os.environ.get("POLYPHONIE_DATA", Path(__file__).parents[2] / "shared" / "data"))
    print(f"{'set':<36}{'pairs':>6}" + "".join(f"   P/R ≥{level:.2f}" for level in LEVELS))
    for name, language, readings in (
        ("grand-debat-coded", "fr", ("A:", "B:")),
        ("grand-debat-coded", "fr", ("A:", "A:")),
        ("grand-debat-coded", "fr", ("B:", "B:")),
    ):
        if not (data / name).is_dir():
            print(f"{name}: not in {data}, skipped")
            continue
        encode = load_encoder("local", language).encode
        tallies = np.zeros((len(LEVELS), 2), dtype=int)
        total = 0
        for groups, labels in questions(data / name):
            found, true = trial(groups, labels, readings, encode)
            tallies += found
            total += true
        kind = "two readings" if readings[0] != readings[1] else f"own words {readings[0]}"
        cells = "".join(
            f"   {right / max(made, 1):.2f}/{right / max(total, 1):.2f}  " for made, right in tallies
        )
        print(f"{name + ', ' + kind:<36}{total:>6}{cells}")
    return 0


def questions(folder: Path) -> list[tuple[Groups, Mapping[str, str]]]:
    """For each question: its groups with their answers, and people's labels."""
    reference = json.loads((folder / "reference.json").read_text(encoding="utf-8"))
    groups: dict[str, dict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    with (folder / "answers.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for id_ in [*row["group_ids"].split("|"), *row.get("group_ids_b", "").split("|")]:
                if id_:
                    groups[row["question_id"]][id_][row["answer_id"]] = row["text"]
    return [(groups[q["id"]], {g["id"]: g["label"] for g in q["groups"]}) for q in reference["questions"]]


def trial(
    groups: Groups, labels: Mapping[str, str], readings: tuple[str, str], encode: Encode
) -> tuple[NDArray[np.int_], int]:
    """At each level pairs made and right ones, shape (levels, 2); and how many pairs there are to find."""
    answers = sorted({a for members in groups.values() for a in members})
    half = {a: k % 2 for k, a in enumerate(answers)}
    sides = []
    for k, prefix in enumerate(readings):
        own = readings[0] == readings[1]
        names = [g for g in groups if g.startswith(prefix)]
        made = {g: {a: t for a, t in groups[g].items() if half[a] == k} for g in names}
        sides.append([item(g, m, None if own else labels[g], encode) for g, m in made.items() if len(m) >= 2])
    before, after = sides
    truth = same_groups(groups, [i.side.id for i in before], [i.side.id for i in after])
    worth = likeness(before, after, encode, labels=readings[0] != readings[1])
    rows = []
    for level in LEVELS:
        pairs = [(before[i].side.id, after[j].side.id) for i, j in assigned(worth, worth >= level)]
        rows.append((len(pairs), sum(pair in truth for pair in pairs)))
    return np.array(rows), len(truth)


def item(name: str, members: Mapping[str, str], label: str | None, encode: Encode) -> Item:
    texts = list(members.values())
    if label is None:
        vectors = encode(texts)
        label = texts[int((vectors @ vectors.mean(axis=0)).argmax())]
    verbatims = tuple(
        Verbatim(id=a, answer_id=a, start=0, end=len(t), quote=t, text=t) for a, t in members.items()
    )
    return Item(
        side=Side(id=name, text=label, n=len(texts), of=len(texts)), texts=(label,), members=verbatims
    )


def same_groups(groups: Groups, before: Sequence[str], after: Sequence[str]) -> set[tuple[str, str]]:
    def alike(one: str, other: str) -> float:
        return len(groups[one].keys() & groups[other].keys()) / len(groups[one].keys() | groups[other].keys())

    return {
        (one, best)
        for one in before
        if after
        and alike(one, best := max(after, key=lambda other: alike(one, other))) >= SAME
        and max(before, key=lambda other: alike(other, best)) == one
    }


if __name__ == "__main__":
    sys.exit(main())
