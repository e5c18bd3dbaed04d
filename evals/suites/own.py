"""Suites over an evaluator's own reference: a folder with a `reference.json`, measured by what it holds."""

import csv
from pathlib import Path

from evals.references import read_reference
from evals.suites import Bench, example, grouping, labels, synthesis, themes

STATED = {"ceiling": "one reading: no human-human figure exists"}
CODED = frozenset({"question_id", "answer_id", "text", "group_ids"})


def benches(folder: Path) -> list[Bench]:
    """Labels and syntheses: the synthesis suite; syntheses and themes: themes; answers with their groups: grouping and labels;
    a round's own file of answers: every suite. Raises BadInput."""
    reference = read_reference(folder)
    found: list[Bench] = []
    if (folder / "answers.csv").is_file():
        if not _columns(folder / "answers.csv") >= CODED:
            return example.benches(folder)
        found += [*grouping.of_set(folder), labels.from_human_groups(folder, stated=STATED)]
    if any(q.groups and q.syntheses for q in reference.questions):
        found.append(synthesis.from_human_labels(folder))
    if reference.themes:
        found.append(themes.from_human_syntheses(folder))
    return found


def _columns(path: Path) -> set[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return set(next(csv.reader(file), []))
