"""The gate: a run against a committed baseline. It says no, with suite, set, measure, interval and the worst questions."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.record import BenchResult, Run
from evals.scoring.measures import SCALES, Measure
from evals.statistics import Difference, Part, difference, estimate, ratio
from service.errors import BadInput

FOLDER = Path(__file__).parent / "baselines"
SCHEMA = "polyphonie.baseline/1"
WORST = 3
_REMEDY = "`polyphonie evals rescore DIR`, or a new baseline in a reviewed commit."
EPSILON = 1e-6
"""Figures are kept to six decimals: less than that is no difference."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    bench: str
    measure: str
    """Or what stood in the way of comparing: "version", "data", "missing", "failed", "yardstick"."""
    what: str

    def __str__(self) -> str:
        return f"{self.bench} {self.measure}: {self.what}"


def path_for(llm: str, folder: Path = FOLDER) -> Path:
    """Where the baseline of a model's drafts lies."""
    return folder / (re.sub(r"[^\w.-]+", "-", llm) + ".json")


def baseline_of(run: Run) -> dict[str, Any]:
    """What is committed: our own drafts' figures by case, and for each measure value, interval and tolerance."""
    return {
        "schema": SCHEMA,
        "llm": run.llm,
        "encoder": run.encoder,
        "yardstick": run.yardstick,
        "commit": run.commit,
        "created_at": run.created_at,
        "command": run.command,
        "benches": {b.name: _bench(b) for b in run.benches},
    }


def _bench(bench: BenchResult) -> dict[str, Any]:
    measures = {}
    for m in SCALES[bench.suite].measures:
        parts = bench.parts("draft", m.name)
        if parts:
            e = estimate(list(parts.values()))
            measures[m.name] = {
                "value": round(e.value, 6),
                "low": round(e.low, 6),
                "high": round(e.high, 6),
                "better": m.better,
                "tolerance": m.tolerance,
                "cases": {case: [round(n, 6), round(d, 6)] for case, (n, d) in parts.items()},
            }
    return {
        "version": bench.version,
        "sha256": bench.sha256,
        "failed": sorted(bench.failures("draft")),
        "measures": measures,
    }


def as_text(baseline: Mapping[str, Any]) -> str:
    """JSON with a line a case, so that a change of a baseline can be read."""
    text = json.dumps(baseline, ensure_ascii=False, indent=1, sort_keys=True)
    return re.sub(r"\[\s+([-\d.e]+),\s+([-\d.e]+)\s+\]", r"[\1, \2]", text) + "\n"


def read_baseline(llm: str, folder: Path = FOLDER) -> dict[str, Any]:
    """Raises BadInput."""
    path = path_for(llm, folder)
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadInput(
            f"no baseline for {llm}: {path} is missing. `polyphonie evals baseline DIR` makes it from a run."
        ) from error
    except ValueError as error:
        raise BadInput(f"{path} is no JSON: {error}") from error
    if found.get("schema") != SCHEMA:
        raise BadInput(f"{path} has schema {found.get('schema')}, not {SCHEMA}: make it again from a run.")
    return found


def gate(run: Run, baseline: Mapping[str, Any]) -> tuple[list[Refusal], list[str]]:
    """What is worse than the baseline beyond its tolerance, and what was not looked at."""
    refusals: list[Refusal] = []
    notes: list[str] = []
    if run.yardstick != baseline["yardstick"]:
        told = f"the scorers' encoders are {run.yardstick}, of the baseline {baseline['yardstick']}: these figures do not compare. "
        return [Refusal(bench="every suite", measure="yardstick", what=told + _REMEDY)], notes
    for name, kept in baseline["benches"].items():
        bench = run.bench(name)
        if bench is not None:
            refusals += _compare(bench, kept)
        elif reason := _left_out(run, name):
            notes.append(f"{name}: {reason}")
        else:
            refusals.append(Refusal(bench=name, measure="missing", what="the run did not measure it"))
    notes += [f"{b.name}: no baseline yet" for b in run.benches if b.name not in baseline["benches"]]
    return refusals, notes


def _left_out(run: Run, name: str) -> str | None:
    """Why a run may lack a bench: nobody asked for it, or the data was not there."""
    suite, set_ = name.split("/", 1)
    folder = set_.split(",")[0]
    if folder in run.skipped:
        return f"not measured, {run.skipped[folder]}"
    suites, sets = run.selected.get("suites") or [], run.selected.get("sets") or []
    if (suites and suite not in suites) or (sets and folder not in sets):
        return "not asked for"
    return None


def _compare(bench: BenchResult, kept: Mapping[str, Any]) -> Iterator[Refusal]:
    """In the order of seriousness: can't be compared, failures, figures."""
    if bench.version != kept["version"]:
        yield Refusal(
            bench=bench.name,
            measure="version",
            what=f"scorer version {bench.version}, the baseline has {kept['version']}: these figures do not compare. "
            + _REMEDY,
        )
        return
    if bench.sha256 != kept["sha256"]:
        yield Refusal(bench=bench.name, measure="data", what="the reference is not the one of the baseline")
        return
    failed = {c: why for c, why in bench.failures("draft").items() if c not in kept["failed"]}
    if failed:
        told = "; ".join(f"{c}: {why}" for c, why in list(failed.items())[:WORST])
        yield Refusal(
            bench=bench.name, measure="failed", what=f"{len(failed)} case(s) that did not fail before: {told}"
        )
    measures = {m.name: m for m in SCALES[bench.suite].measures}
    for name, old in kept["measures"].items():
        if name in measures:
            refusal = _measure(bench, measures[name], old, failed)
            if refusal:
                yield refusal


def _measure(
    bench: BenchResult, measure: Measure, old: Mapping[str, Any], failed: Mapping[str, str]
) -> Refusal | None:
    was: dict[str, Part] = {case: (p[0], p[1]) for case, p in old["cases"].items()}
    now = bench.parts("draft", measure.name)
    lost = sorted(was.keys() - now.keys() - failed.keys())
    if lost:
        return Refusal(
            bench=bench.name, measure=measure.name, what=f"no figure any more for {', '.join(lost[:WORST])}"
        )
    both = sorted(was.keys() & now.keys())
    if old["better"] == "neither" or not both:
        return None
    sign = 1 if old["better"] == "higher" else -1
    d = difference(was, now)
    if sign * d.value >= -old["tolerance"] - EPSILON:
        return None
    return Refusal(
        bench=bench.name, measure=measure.name, what=_told(was, now, both, sign, d, old["tolerance"])
    )


def _told(
    was: Mapping[str, Part],
    now: Mapping[str, Part],
    both: list[str],
    sign: int,
    d: Difference,
    tolerance: float,
) -> str:
    change = {c: sign * (ratio([now[c]]) - ratio([was[c]])) for c in both}
    worst = sorted((c for c in both if change[c] < 0), key=lambda c: change[c])[:WORST]
    new, old = (estimate([side[c] for c in both]) for side in (now, was))
    return (
        f"{new.value:.3f} [{new.low:.3f}, {new.high:.3f}], baseline {old.value:.3f} [{old.low:.3f}, {old.high:.3f}]: "
        f"difference {d.value:+.3f} [{d.low:+.3f}, {d.high:+.3f}], tolerance {tolerance:g}, p = {d.p:.3f} over {d.n} case(s); "
        f"worst: {', '.join(f'{c} ({sign * change[c]:+.3f})' for c in worst)}"
    )
