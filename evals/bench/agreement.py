"""Agreement with people beside the peer, isolated voices, stability: the lines of the bench's second part."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import adjusted_mutual_info_score, roc_auc_score

from embeddings.cache import CachedEncoder
from embeddings.encoder import load_encoder
from embeddings.grouping import group
from embeddings.joining import join
from evals.agreement import Unit, agreement, interval
from evals.bench import peer
from evals.grouping import Coded, coded, labels_of, methods, ours, sets


def agreement_table(data: Path, cache: Path, python: Path | None) -> list[str]:
    """Markdown lines. python: of the peer's environment, None = left out of the table."""
    lines = [
        "| set | method | AMI [95 %] | left out | groups | ours − it [95 %] |",
        "|---|---|---|---|---|---|",
    ]
    after: list[str] = []
    for name, (spec, units) in sets(data).items():
        encoder = CachedEncoder(load_encoder(spec, "fr"), cache)
        questions = coded(units, encoder)
        found = {label: [labels_of(method, q) for q in questions] for label, method in methods(spec).items()}
        if python:
            found["BERTopic 0.17.4"] = peer.labels(python, [q.vectors for q in questions])
        lines += _rows(f"{name}, {encoder.name}", units, found)
        if "argkp" in name:
            after.append(_isolated(questions))
        if "whole" in name or "coded" in name or "argkp" in name:
            after.append(f"{name}: {_steady(questions)}")
    return [*lines, "", *(f"- {line}" for line in after)]


def _rows(name: str, units: Sequence[Unit], found: dict[str, list[list[int]]]) -> list[str]:
    lines = []
    base: list[float] = []
    for label, labels in found.items():
        got = [agreement(u.gold, k) for u, k in zip(units, labels, strict=True)]
        ami = [g.ami for g in got]
        base = base or ami
        low, high = interval(ami)
        less = [a - b for a, b in zip(base, ami, strict=True)]
        d_low, d_high = interval(less)
        lines.append(
            f"| {name} | {label} | {np.mean(ami):.3f} [{low:.3f}, {high:.3f}] | {np.mean([g.left_out for g in got]):.0%} "
            f"| {np.mean([g.n_groups for g in got]):.0f} | {np.mean(less):+.3f} [{d_low:+.3f}, {d_high:+.3f}] |"
        )
    return lines


def _isolated(questions: Sequence[Coded]) -> str:
    """Arguments that surely match no key point against those that match one: share isolated, and how well the score sorts them."""
    strange: list[bool] = []
    alone: list[bool] = []
    scores: list[float] = []
    ranks: list[float] = []
    for q in questions:
        grouping = ours(q)
        strange += [not g for g in q.unit.gold]
        alone += (grouping.labels == -1).tolist()
        scores += grouping.isolation.tolist()
        ranks += (rankdata(grouping.isolation) / len(q.texts)).tolist()
    is_strange, is_alone = np.asarray(strange), np.asarray(alone)
    return (
        f"argkp2021, isolated voices: {is_alone[is_strange].mean():.0%} of the arguments that match no key point and "
        f"{is_alone[~is_strange].mean():.0%} of the others are isolated; the score sorts them with an AUC of "
        f"{roc_auc_score(is_strange, scores):.2f} (0.5 = by chance; small units have more strangers), by its ranks within units "
        f"{roc_auc_score(is_strange, ranks):.2f}."
    )


def _steady(questions: Sequence[Coded]) -> str:
    """A random tenth of the answers away (seed 0): the groups of the rest; then the tenth joins them."""
    kept_alike, joined_alike = [], []
    random_ = np.random.default_rng(0)
    for q in questions:
        unit, rows = q.unit, q.vectors
        whole = ours(q).labels
        order = random_.permutation(len(rows))
        away, stay = np.sort(order[: len(rows) // 10]), np.sort(order[len(rows) // 10 :])
        if not len(away):
            continue
        texts = [unit.texts[i] for i in stay]
        part = group(texts, rows[stay], asked=q.asked)
        kept_alike.append(adjusted_mutual_info_score(whole[stay], part.labels))
        new = [unit.texts[i] for i in away]
        joined = join(new, rows[away], texts=texts, vectors=rows[stay], grouping=part, asked=q.asked)
        both = np.concatenate([part.labels, joined.labels])
        gold = [unit.gold[i] for i in (*stay, *away)]
        joined_alike.append(agreement(gold, both.tolist()).ami - agreement(unit.gold, whole.tolist()).ami)
    low, high = interval(joined_alike)
    return (
        "without a tenth of the answers the groups of the rest agree with the full run's at AMI "
        f"{np.mean(kept_alike):.2f}; with the tenth joined to them instead of grouped anew, agreement with people "
        f"changes by {np.mean(joined_alike):+.3f} [{low:+.3f}, {high:+.3f}]."
    )
