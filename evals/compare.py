"""Two runs of the same drafters: paired differences by case with intervals, permutation tests, Holm's correction by suite."""

from dataclasses import dataclass, replace

from evals.record import BenchResult, Run
from evals.scoring.measures import SCALES
from evals.statistics import Difference, difference, holm
from service.errors import BadInput


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    bench: str
    measure: str
    better: str
    old: float
    new: float
    difference: Difference
    p_holm: float
    """Corrected over the measures of the suite that have a direction."""

    @property
    def verdict(self) -> str:
        if self.better == "neither" or self.p_holm >= 0.05:
            return "–"
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


def compare(old: Run, new: Run, drafter: str = "draft") -> list[Change]:
    """Every measure that both runs have. Raises BadInput where scorers or data differ, or nothing is in common."""
    changes: list[Change] = []
    for bench in new.benches:
        before = old.bench(bench.name)
        if before is None:
            continue
        refuse_other_scorers(before, bench)
        for m in SCALES[bench.suite].measures:
            a, b = before.parts(drafter, m.name), bench.parts(drafter, m.name)
            if a.keys() & b.keys():
                one, two = before.estimate(drafter, m.name), bench.estimate(drafter, m.name)
                changes.append(
                    Change(
                        bench=bench.name,
                        measure=m.name,
                        better=m.better,
                        old=one.value if one else float("nan"),
                        new=two.value if two else float("nan"),
                        difference=difference(a, b),
                        p_holm=1.0,
                    )
                )
    if not changes:
        raise BadInput("the two runs have no suite and set in common.")
    return _corrected(changes)


def _corrected(changes: list[Change]) -> list[Change]:
    """Holm within each suite, over the measures that have a direction."""
    p = {
        suite: holm(
            {
                f"{c.bench} {c.measure}": c.difference.p
                for c in changes
                if c.bench.split("/")[0] == suite and c.better != "neither"
            }
        )
        for suite in {c.bench.split("/")[0] for c in changes}
    }
    return [replace(c, p_holm=p[c.bench.split("/")[0]].get(f"{c.bench} {c.measure}", 1.0)) for c in changes]


def lines(changes: list[Change]) -> list[str]:
    """For a person: what moved, a line each."""
    told = []
    for c in changes:
        d = c.difference
        if abs(d.value) > 1e-6:
            told.append(
                f"{c.bench:44} {c.measure:15} {c.old:7.3f} → {c.new:7.3f}  {d.value:+.3f} [{d.low:+.3f}, {d.high:+.3f}]  "
                f"p {d.p:.3f}, Holm {c.p_holm:.3f}, {d.n} case(s)  {c.verdict}"
            )
    same = len(changes) - len(told)
    verdicts = [c.verdict for c in changes]
    return [
        *told,
        f"{same} figure(s) unchanged; {verdicts.count('better')} surely better, {verdicts.count('worse')} surely worse "
        "(paired permutation tests, Holm over each suite, 5 %).",
    ]
