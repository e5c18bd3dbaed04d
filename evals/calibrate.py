"""`python -m evals.calibrate [DATA]`: from which likeness do two sentences say the same? Read off pairs that people matched.

French: labels that two careful readings gave to groups of the same answers (at least 40 % in common) against labels of groups
without an answer in common (`grand-debat-coded`). English: arguments and the key points that a crowd matched them to, against
the other key points of the same topic and side (`argkp2021`).
"""

import os
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from embeddings.cache import CachedEncoder
from embeddings.encoder import load_encoder
from evals.references import read_answers, read_reference
from evals.run import YARDSTICK
from evals.scoring.contradiction import contradicts
from evals.scoring.matching import THRESHOLDS, likeness
from evals.scoring.support import support
from evals.scoring.texts import CARRIED, MATTER, matter, sentences
from evals.suites.example import FOLDER
from service.domain.round import Language
from service.stages.check import Encode

SHARED = 0.4
"""Part of the answers of two readers' groups that both have, from which their labels are a pair."""


@dataclass(kw_only=True, slots=True)
class Pairs:
    """Pairs of texts, as they are gathered."""

    alike: list[float] = field(default_factory=list)
    with_question: list[float] = field(default_factory=list)
    """Likeness with the words of the question counted, as scorers of version 1 did."""
    same: list[bool] = field(default_factory=list)
    """Whether people matched them."""
    contrary: int = 0
    """Matched pairs taken for a contradiction."""


def french(folder: Path, encode: Encode) -> Pairs:
    """Labels of two readers."""
    members: dict[tuple[str, str], set[str]] = defaultdict(set)
    for a in read_answers(folder):
        for coding in a.codings:
            for group in coding:
                members[a.question_id, group].add(a.answer_id)
    found = Pairs()
    for q in read_reference(folder).questions:
        one, two = ([g for g in q.groups if g.coding == reader] for reader in ("A", "B"))
        labels = [g.label for g in one], [g.label for g in two]
        table, plain = likeness(*labels, encode, q.title), likeness(*labels, encode)
        for i, g in enumerate(one):
            for j, h in enumerate(two):
                mine, theirs = members[q.id, g.id], members[q.id, h.id]
                shared = len(mine & theirs) / max(1, len(mine | theirs))
                if shared >= SHARED or shared == 0:
                    found.alike.append(table[i, j])
                    found.with_question.append(plain[i, j])
                    found.same.append(shared >= SHARED)
                    found.contrary += shared >= SHARED and contradicts(g.label, h.label)
    return found


def english(folder: Path, encode: Encode) -> Pairs:
    """Arguments and key points."""
    answers = defaultdict(list)
    for a in read_answers(folder):
        if a.codings[0]:
            answers[a.question_id].append(a)
    found = Pairs()
    for q in read_reference(folder).questions:
        some = answers[q.id]
        texts = [a.text for a in some], [g.label for g in q.groups]
        table, plain = likeness(*texts, encode, q.title), likeness(*texts, encode)
        for i, a in enumerate(some):
            for j, g in enumerate(q.groups):
                found.alike.append(table[i, j])
                found.with_question.append(plain[i, j])
                found.same.append(g.id in a.codings[0])
                found.contrary += g.id in a.codings[0] and contradicts(a.text, g.label)
    return found


def carried(folders: Sequence[Path], encode: Encode) -> list[str]:
    """Support of people's synthesis sentences by their own labels, and by those of another question of the set: by all of them,
    and by the three likeliest."""
    lines = []
    for how, threshold in (("all", CARRIED), ("the three likeliest", MATTER)):
        own: list[float] = []
        other: list[float] = []
        for folder in folders:
            questions = [q for q in read_reference(folder).questions if q.groups and q.syntheses]
            for k, q in enumerate(questions):
                labels = [g.label for g in q.groups]
                strange = questions[(k + 3) % len(questions)].syntheses[0]
                for scores, text in ((own, q.syntheses[0]), (other, strange)):
                    scores += [
                        support(s, labels, encode)
                        if how == "all"
                        else matter(s, labels, encode, "fr", q.title)
                        for s in sentences(text)
                    ]
        lines.append(
            f"{len(own)} human synthesis sentences carried by {how} of their labels, of another question's:"
        )
        lines += [
            f"  {mark:.2f}  {np.mean(np.array(own) >= mark):.2f}  {np.mean(np.array(other) >= mark):.2f}"
            + ("  <- in use" if mark == threshold else "")
            for mark in (0.30, 0.35, 0.40, 0.45, 0.50)
        ]
    return lines


def told(name: str, language: Language, pairs: Pairs) -> list[str]:
    alike, same = np.array(pairs.alike), np.array(pairs.same)
    lines = [
        f"{name}: {int(same.sum())} matched pairs, {int((~same).sum())} others; AUC {roc_auc_score(same, alike):.3f}, "
        f"with the words of the question {roc_auc_score(same, pairs.with_question):.3f}; "
        f"{pairs.contrary} matched pairs taken for a contradiction",
        "  threshold  matched pairs found  others taken for one  F1",
    ]
    for threshold in (0.30, 0.35, 0.40, 0.45, 0.50, 0.55, 0.60):
        said = alike >= threshold
        found, wrong = (said & same).sum() / same.sum(), (said & ~same).sum() / (~same).sum()
        f1 = 2 * (said & same).sum() / (said.sum() + same.sum())
        mark = "  <- in use" if threshold == THRESHOLDS[language] else ""
        lines.append(f"  {threshold:9.2f}  {found:19.2f}  {wrong:20.4f}  {f1:.2f}{mark}")
    return lines


def main() -> None:
    data = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("POLYPHONIE_DATA", "../shared/data"))
    cache = Path("~/.cache/polyphonie/vectors.sqlite").expanduser()
    for name, language, pairs in (("grand-debat-coded", "fr", french), ("argkp2021", "en", english)):
        if not (data / name).is_dir():
            print(f"{name}: not in {data}, skipped")
            continue
        spoken: Language = "fr" if language == "fr" else "en"
        encode = CachedEncoder(load_encoder(YARDSTICK[spoken], spoken), cache).encode
        print("\n".join(told(name, spoken, pairs(data / name, encode))))
    folders = [f for f in (data / "esante-2020", FOLDER) if f.is_dir()]
    print("\n".join(carried(folders, CachedEncoder(load_encoder(YARDSTICK["fr"], "fr"), cache).encode)))


if __name__ == "__main__":
    main()
