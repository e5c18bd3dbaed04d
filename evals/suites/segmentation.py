"""Suite *segmentation*: the rules' cut beside people's, a case being a spoken document or a written answer."""

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from evals.references import folder_hash
from evals.scoring.texts import Compared
from evals.segmentation import (
    Cutter,
    Passage,
    boundaries,
    every,
    read_flaky,
    read_rhapsodie,
    whole,
    window_diff,
)
from evals.suites import Bench, Case, Desk, Draft, Made
from service.stages.cutting import cut

FLOORS: dict[str, Cutter] = {"draft": cut, "whole": whole, "every 12 words": every}


def benches(data: Path) -> list[Bench]:
    found = []
    if (data / "rhapsodie").is_dir():
        for form in ("punctuated", "commas", "bare"):
            documents: dict[str, list[Passage]] = defaultdict(list)
            for passage in read_rhapsodie(data / "rhapsodie", form):
                documents[passage.id.split("/")[0]].append(passage)
            cases = [Case(id=d, title=d, language="fr", data=p, gold=None) for d, p in documents.items()]
            found.append(_bench(data / "rhapsodie", f"rhapsodie, {form}", cases))
    if (data / "flaky-survey").is_dir():
        cases = [
            Case(id=p.id, title=p.id, language="en", data=[p], gold=None)
            for p in read_flaky(data / "flaky-survey")
        ]
        found.append(_bench(data / "flaky-survey", "flaky-survey", cases))
    return found


def _bench(folder: Path, name: str, cases: Sequence[Case]) -> Bench:
    return Bench(
        suite="segmentation",
        set=name,
        language=cases[0].language,
        sha256=folder_hash(folder),
        cases=tuple(cases),
        drafters={drafter: _drafter(cutter) for drafter, cutter in FLOORS.items()},
        score=_score,
        stated={"ceiling": "one cutting: no human-human agreement exists"},
        uses_model=False,
    )


def _drafter(cutter: Cutter) -> Draft:
    def draft(case: Case, desk: Desk) -> Made:
        return {"starts": [[start for start, _ in cutter(p.text)] for p in case.data]}

    return draft


def _score(case: Case, made: Made, desk: Desk) -> Compared:
    hits = ours_all = gold_all = units = through = exact = 0
    differences = []
    for passage, cuts in zip(case.data, made["starts"], strict=True):
        starts = [m.start() for m in re.finditer(r"\w+", passage.text)]
        gold, ours = boundaries(starts, passage.bounds), boundaries(starts, cuts)
        hits, ours_all, gold_all = hits + len(gold & ours), ours_all + len(ours), gold_all + len(gold)
        edges = list(pairwise([0, *sorted(gold), len(starts)]))
        ends = {0, len(starts), *ours}
        units += len(edges)
        through += sum(any(a < place < b for place in ours) for a, b in edges)
        exact += sum(a in ends and b in ends and not any(a < p < b for p in ours) for a, b in edges)
        if len(starts) > 3:
            differences.append(window_diff(ours, gold, len(starts)))
    return Compared(
        figures={
            "f1": (2 * hits, ours_all + gold_all),
            "window_diff": (sum(differences), len(differences)),
            "cut_through": (through, units),
            "exact": (exact, units),
            "pieces": (ours_all + len(case.data), units),
        }
    )
