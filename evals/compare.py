"""Two runs of the same drafters: paired differences by case with intervals, permutation tests, Holm's correction by suite."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from evals.record import BenchResult, Run
from evals.scoring.measures import SCALES, Measure
from evals.statistics import Difference, Part, difference, holm, ratio
from service.errors import BadInput

POOLED = ("labels", "synthesis", "themes")
"""Suites whose sets are different people's work, so that their cases may be tested together; forms of one text may not."""

SURE = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    bench: str
    """`suite/set`, or `suite, all sets`."""
    measure: str
    better: str
    old: float
    new: float
    """Both over the cases that the two runs have."""
    difference: Difference
    p_holm: float
    """Corrected over the measures of the suite that have a direction: over all sets, and apart from these set by set."""
    enough: bool = True
    """False: with so few cases p could not come below 5 % after the correction, however great the difference."""

    @property
    def verdict(self) -> str:
        if self.better == "neither":
            return "–"
        if self.p_holm >= SURE:
            return "–" if self.enough else "too few cases"
        return "better" if (self.difference.value > 0) == (self.better == "higher") else "worse"


def refuse_other_scorers(one: BenchResult, other: BenchResult) -> None:
    """Raises BadInput where the two were scored by different scorers or on different data."""
    if one.version != other.version:
        raise BadInput(
            f"{other.name}: scorer version {one.version} and {other.version}: these figures do not compare. "
            "`polyphonie evals rescore` brings the older run to the present version."
        )
    if one.sha256 != other.sha256:
        raise BadInput(f"{other.name}: the two runs were measured on different data.")


def refuse_other_yardsticks(one: Run, other: Run) -> None:
    """Raises BadInput where the scorers of two runs had different encoders."""
    if one.yardstick != other.yardstick:
        raise BadInput(
            f"the scorers' encoders are {one.yardstick} and {other.yardstick}: these figures do not compare. "
            "`polyphonie evals rescore` brings the older run to the present scorers."
        )


def compare(old: Run, new: Run, drafter: str = "draft") -> list[Change]:
    """Every measure that both runs have, set by set and over all sets of a suite. Raises BadInput where scorers or data differ, or
    nothing is in common."""
    both = [(before, b) for b in new.benches if (before := old.bench(b.name)) is not None]
    if not both:
        raise BadInput("the two runs have no suite and set in common.")
    refuse_other_yardsticks(old, new)
    for before, bench in both:
        refuse_other_scorers(before, bench)
    changes: list[Change] = []
    for suite in dict.fromkeys(b.suite for _, b in both):
        some = [(one, two) for one, two in both if two.suite == suite]
        pooled = list(_all_sets(suite, some, drafter)) if suite in POOLED else []
        changes += _corrected(pooled)
        changes += _corrected([c for one, two in some for c in _one_set(one, two, drafter)])
    return changes


def _one_set(old: BenchResult, new: BenchResult, drafter: str) -> Iterator[Change]:
    for m in SCALES[new.suite].measures:
        sides = old.parts(drafter, m.name), new.parts(drafter, m.name)
        if sides[0].keys() & sides[1].keys():
            yield _change(new.name, m, *sides)


def _all_sets(suite: str, some: Sequence[tuple[BenchResult, BenchResult]], drafter: str) -> Iterator[Change]:
    """Measures that several sets have, over the cases of all of them: what one set is too small to tell they may tell together."""
    for m in SCALES[suite].measures:
        sides: tuple[dict[str, Part], dict[str, Part]] = ({}, {})
        having = 0
        for pair in some:
            parts = [b.parts(drafter, m.name) for b in pair]
            having += bool(parts[0].keys() & parts[1].keys())
            for side, bench, found in zip(sides, pair, parts, strict=True):
                side.update({f"{bench.name} {case}": part for case, part in found.items()})
        if having > 1:
            yield _change(f"{suite}, all sets", m, *sides)


def _change(name: str, measure: Measure, old: Mapping[str, Part], new: Mapping[str, Part]) -> Change:
    common = sorted(old.keys() & new.keys())
    return Change(
        bench=name,
        measure=measure.name,
        better=measure.better,
        old=ratio([old[c] for c in common]),
        new=ratio([new[c] for c in common]),
        difference=difference(old, new),
        p_holm=1.0,
    )


def _corrected(changes: Sequence[Change]) -> list[Change]:
    """Holm over those that have a direction, and which of them had enough cases: the least p of n pairs is 2 / 2^n."""
    tested = {f"{c.bench} {c.measure}": c.difference.p for c in changes if c.better != "neither"}
    p = holm(tested)
    return [
        replace(
            c,
            p_holm=p.get(f"{c.bench} {c.measure}", 1.0),
            enough=2.0 ** (1 - c.difference.n) * len(tested) < SURE,
        )
        for c in changes
    ]


def lines(changes: list[Change]) -> list[str]:
    """For a person: what moved, a line each."""
    moved = [c for c in changes if abs(c.difference.value) > 1e-6]
    told = [
        f"{c.bench:44} {c.measure:15} {c.old:7.3f} → {c.new:7.3f}  {d.value:+.3f} [{d.low:+.3f}, {d.high:+.3f}]  "
        f"p {d.p:.3f}, Holm {c.p_holm:.3f}, {d.n} case(s)  {c.verdict}"
        for c in moved
        for d in [c.difference]
    ]
    verdicts = [c.verdict for c in changes]
    few = {c.bench: c.difference.n for c in moved if c.verdict == "too few cases"}
    return [
        *told,
        f"{len(changes) - len(moved)} figure(s) unchanged; {verdicts.count('better')} surely better, "
        f"{verdicts.count('worse')} surely worse "
        "(paired permutation tests, Holm over each suite, 5 %).",
        *(
            f"{name}: {n} case(s) are too few to be sure of anything; more sets or more cases tell more."
            for name, n in few.items()
        ),
    ]
