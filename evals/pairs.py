"""Drafts beside the human text and beside a floor, for judges: which of the two is better?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evals.record import CaseResult, Run
from evals.statistics import Part, estimate, ratio
from service.domain.language import detect_language
from service.domain.round import Language
from service.errors import BadInput

SUITES = ("labels", "synthesis", "themes")
FLOORS = ("random", "first")
HUMAN = "human"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    bench: str
    case: str
    title: str
    language: Language
    against: str
    """`human`, or the floor's name."""
    ours: tuple[str, ...]
    theirs: tuple[str, ...]

    @property
    def id(self) -> str:
        return f"{self.bench} · {self.case} · {self.against}"


def pairs_of(run: Run) -> list[Pair]:
    """Every case whose draft has a text. Raises BadInput where there is none."""
    found: list[Pair] = []
    for bench in run.benches:
        if bench.suite not in SUITES:
            continue
        floor = next((f for f in FLOORS if f in bench.drafters), None)
        floors = {c.id: c for c in bench.drafters.get(floor or "", ())}
        for case in bench.drafters.get("draft", ()):
            sides = {HUMAN: case.human}
            if floor and case.id in floors:
                sides[floor] = floors[case.id].ours
            found += [
                Pair(
                    bench=bench.name,
                    case=case.id,
                    title=case.title,
                    language=detect_language([*case.human, case.title]) or "fr",
                    against=against,
                    ours=case.ours,
                    theirs=theirs,
                )
                for against, theirs in sides.items()
                if case.ours and theirs
            ]
    if not found:
        raise BadInput("the run has no text to judge: measure labels, synthesis or themes.")
    return found


def told(worth: Mapping[str, float], pairs: Sequence[Pair]) -> dict[str, str]:
    """Share of comparisons that the draft wins, ties half, by what it is compared with. worth: pair id → 0 to 1."""
    lines: dict[str, str] = {}
    for against in dict.fromkeys(p.against for p in pairs):
        parts: list[Part] = [(worth[p.id], 1) for p in pairs if p.against == against and p.id in worth]
        if parts:
            e = estimate(parts)
            lines[f"draft against {against}"] = (
                f"wins {e.value:.2f} [{e.low:.2f}, {e.high:.2f}] of {e.n} comparisons, a tie being half"
            )
    return lines


def agreement(worth: Mapping[str, float], pairs: Sequence[Pair], run: Run) -> dict[str, str]:
    """How often a measure says the same as a judge about draft and floor, where both decide."""
    lines: dict[str, str] = {}
    for measure in ("coverage", "nearness", "rouge_l", "chrf"):
        same = []
        for p in pairs:
            bench = run.bench(p.bench)
            if p.against == HUMAN or bench is None or worth.get(p.id, 0.5) == 0.5:
                continue
            ours, floor = (_value(bench.drafters[d], p.case, measure) for d in ("draft", p.against))
            if ours is not None and floor is not None and ours != floor:
                same.append((ours > floor) == (worth[p.id] > 0.5))
        if same:
            lines[f"agrees with {measure}"] = f"{sum(same)} of {len(same)} comparisons with the floor"
    return lines


def _value(cases: Sequence[CaseResult], case: str, measure: str) -> float | None:
    found = next((c for c in cases if c.id == case), None)
    if found is None or measure not in found.figures or not found.figures[measure][1]:
        return None
    return ratio([found.figures[measure]])
