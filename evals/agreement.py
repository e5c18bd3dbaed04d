"""How far a grouping agrees with people's: metrics, bootstrap intervals, and readers of the human-coded sets."""

import csv
import json
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """One question whose answers people grouped."""

    id: str
    texts: tuple[str, ...]
    gold: tuple[str, ...]
    """Group of each text; "" = people found none that it matches."""
    question: str
    """Its text; "" where the set has none but its id."""


def read_units(folder: Path, column: str = "group_ids") -> tuple[Unit, ...]:
    """The questions of a set: answers with their first human group. Rows of a question keep their order."""
    rows: dict[str, list[tuple[str, str]]] = defaultdict(list)
    with (folder / "answers.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rows[row["question_id"]].append((row["text"], row[column].split("|")[0]))
    questions = json.loads((folder / "reference.json").read_text(encoding="utf-8"))["questions"]
    titles = {q["id"]: q["title"] for q in questions if q["title"] != q["id"]}
    return tuple(
        Unit(
            id=q,
            texts=tuple(t for t, _ in pairs),
            gold=tuple(g for _, g in pairs),
            question=titles.get(q, ""),
        )
        for q, pairs in sorted(rows.items())
    )


def draws(units: Sequence[Unit], size: int, count: int, seed: int = 0) -> tuple[Unit, ...]:
    """`count` random draws of `size` answers from each question that has as many."""
    random_ = random.Random(seed)
    made = []
    for unit in units:
        for k in range(count if len(unit.texts) >= size else 0):
            picked = sorted(random_.sample(range(len(unit.texts)), size))
            made.append(
                Unit(
                    id=f"{unit.id}/{size}/{k}",
                    texts=tuple(unit.texts[i] for i in picked),
                    gold=tuple(unit.gold[i] for i in picked),
                    question=unit.question,
                )
            )
    return tuple(made)


def singletons(labels: Sequence[int] | Sequence[str], missing: object) -> list[str]:
    """Labels with each left-out item as a group of its own."""
    return [f"_{i}" if label == missing else str(label) for i, label in enumerate(labels)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    ami: float
    """Adjusted mutual information (Vinh et al. 2010), left-out verbatims as singletons."""
    ari: float
    """Adjusted Rand index (Hubert and Arabie 1985), the same way."""
    b3: float
    """B-cubed F1 (Bagga and Baldwin 1998), the same way."""
    left_out: float
    """Share of the texts that belong to a human group which are in no group of ours."""
    n_groups: int


def agreement(gold: Sequence[str], labels: Sequence[int]) -> Agreement:
    """Agreement over the texts that people put in a group; the others have no gold to agree with."""
    known = [i for i, g in enumerate(gold) if g]
    g = [gold[i] for i in known]
    ours = [int(labels[i]) for i in known]
    p = singletons(ours, -1)
    return Agreement(
        ami=float(adjusted_mutual_info_score(g, p)),
        ari=float(adjusted_rand_score(g, p)),
        b3=b_cubed_f1(g, p),
        left_out=ours.count(-1) / max(1, len(ours)),
        n_groups=len(set(map(int, labels)) - {-1}),
    )


def b_cubed_f1(gold: Sequence[str], ours: Sequence[str]) -> float:
    """Harmonic mean of B-cubed precision and recall (Bagga and Baldwin 1998)."""
    n = len(gold)
    if not n:
        return float("nan")
    both: dict[tuple[str, str], int] = defaultdict(int)
    in_gold: dict[str, int] = defaultdict(int)
    in_ours: dict[str, int] = defaultdict(int)
    for g, o in zip(gold, ours, strict=True):
        both[g, o] += 1
        in_gold[g] += 1
        in_ours[o] += 1
    precision = sum(k * k / in_ours[o] for (_, o), k in both.items()) / n
    recall = sum(k * k / in_gold[g] for (g, _), k in both.items()) / n
    return 2 * precision * recall / (precision + recall)


def interval(
    values: Sequence[float],
    *,
    statistic: Callable[[np.ndarray], float] = np.mean,
    seed: int = 0,
    rounds: int = 2000,
) -> tuple[float, float]:
    """Bootstrap 95 % percentile interval of a statistic over units (Efron 1979)."""
    sample = np.asarray(values, dtype=float)
    draws_ = np.random.default_rng(seed).integers(0, len(sample), size=(rounds, len(sample)))
    spread = np.sort([float(statistic(sample[d])) for d in draws_])
    return float(np.quantile(spread, 0.025)), float(np.quantile(spread, 0.975))
