"""Markdown of runs: suite × measure × (floor, extractive, model, ceiling) with intervals, what made them, the measures."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from evals.compare import refuse_other_scorers, refuse_other_yardsticks
from evals.record import BenchResult, Run
from evals.scoring.measures import SCALES
from service.errors import BadInput

SHOWN: dict[str, tuple[str, ...]] = {
    "segmentation": ("f1", "window_diff", "cut_through"),
    "grouping": ("ami", "b3", "left_out", "steady"),
    "labels": ("coverage", "nearness", "contradiction", "frame_recall"),
    "synthesis": ("coverage", "matter", "nearness", "support", "far_worst_group", "length"),
    "themes": ("matter", "nearness", "together"),
    "round": ("answers_told", "traced", "unsupported"),
}
_AGREEMENT = "agreement with people's groups, AMI"
_LABELS = "people's labels covered"
_NEAR_LABELS = "nearness to people's labels"
_SENTENCES = "people's sentences covered"
_MATTER = "what people's sentences are about is there"
_CARRIED = "our sentences carried by what they cite"
TELLING: dict[str, dict[str, str]] = {
    "segmentation/rhapsodie, bare": {"f1": "boundaries between ideas, F1 with people's"},
    "segmentation/flaky-survey": {"f1": "boundaries between ideas, F1 with people's"},
    "grouping/argkp2021": {"ami": _AGREEMENT},
    "grouping/nhs-fft, draws of 100": {"ami": _AGREEMENT},
    "grouping/grand-debat-coded": {"ami": _AGREEMENT},
    "grouping/example": {"b3": "agreement with the reference's groups, B³ F1"},
    "labels/argkp2021": {"nearness": _NEAR_LABELS},
    "labels/grand-debat-coded": {"coverage": _LABELS},
    "labels/opinosis": {"nearness": _NEAR_LABELS},
    "labels/example": {"coverage": _LABELS},
    "synthesis/esante-2020": {"coverage": _SENTENCES, "matter": _MATTER, "support": _CARRIED},
    "synthesis/example": {
        "coverage": _SENTENCES,
        "matter": _MATTER,
        "support": _CARRIED,
        "far_worst_group": "far from every sentence, worst group (lower is better)",
    },
    "themes/esante-2020": {"nearness": "nearness to people's themes"},
    "round/example": {"traced": "sentences and labels that lead to exact words"},
}
"""Of the whole table, the rows that tell most in the least space, in a reader's words: one or two of each stage, on real data where
there is any."""

_HEAD = "| suite / set | measure | cases |"
_NOTE = (
    'Cases "3 of 34": that column with the fewest has 3, and every figure of the row is over those 3; '
    "alone, the other columns may have figures over all 34."
)
FLOORS = ("random", "every 12 words", "one group")
"""The first that a bench has stands in the table; the run's page has them all."""


def table(runs: Sequence[Run], *, short: bool = False) -> list[str]:
    """runs: the extractive one first, then any by models; those of one model share a column. Floors and ceilings are those of
    the first run that has the suite and set. short: the telling rows only.

    All figures of a row are over the same cases: those that every column has. Raises BadInput where scorers or data differ.
    """
    for other in runs[1:]:
        refuse_other_yardsticks(runs[0], other)
    runs = _by_model(runs)
    named = [r.llm for r in runs]
    lines = [
        f"{_HEAD} floor | {' | '.join(named)} | ceiling |",
        "|---|---|---|---|" + "---|" * len(named) + "---|",
    ]
    some_cases = False
    for name in dict.fromkeys(b.name for r in runs for b in r.benches):
        whole = [r.bench(name) for r in runs]
        found, cases = _over_the_same(whole)
        rows = list(_rows(name, found, cases, TELLING.get(name, {}) if short else None))
        some_cases |= bool(rows) and " of " in cases
        lines += rows
    if some_cases:
        lines += ["", _NOTE]
    return lines


def put_into(text: str, lines: Sequence[str]) -> str:
    """A Markdown text with its table of figures replaced by these lines. Raises BadInput where it has none or several."""
    old = re.compile(rf"^{re.escape(_HEAD)}.*\n(?:\|.*\n)*(?:\n{re.escape(_NOTE[:30])}.*\n)?", re.MULTILINE)
    if len(old.findall(text)) != 1:
        raise BadInput(f"one table beginning {_HEAD!r} is expected in the file, and one only.")
    return old.sub(lambda _: "\n".join(lines) + "\n", text)


def _over_the_same(found: Sequence[BenchResult | None]) -> tuple[list[BenchResult | None], str]:
    """The results over the cases that all have, and how many of how many those are."""
    there = [b for b in found if b is not None]
    for other in there[1:]:
        refuse_other_scorers(there[0], other)
    ids = [{c.id for c in b.drafters["draft"]} for b in there]
    common, most = set.intersection(*ids), max(map(len, ids))
    kept = [None if b is None else b.over(common) for b in found]
    return kept, str(most) if len(common) == most else f"{len(common)} of {most}"


def _rows(
    name: str, found: Sequence[BenchResult | None], cases: str, chosen: Mapping[str, str] | None
) -> Iterator[str]:
    some = next(b for b in found if b is not None)
    for measure, words in ({m: m for m in SHOWN[some.suite]} if chosen is None else chosen).items():
        if any(b is not None and b.parts("draft", measure) for b in found):
            cells = [_cell(b, "draft", measure) for b in found]
            yield f"| {name} | {words} | {cases} | {_floor(some, measure)} | {' | '.join(cells)} | {_ceiling(some, measure)} |"


def _by_model(runs: Sequence[Run]) -> list[Run]:
    """One run a model, with all that was measured; of what was measured twice, the first."""
    found: dict[str, Run] = {}
    for run in runs:
        there = found.setdefault(run.llm, run)
        new = tuple(b for b in run.benches if there.bench(b.name) is None)
        found[run.llm] = replace(there, benches=there.benches + new)
    return list(found.values())


def report(run: Run) -> list[str]:
    """The small report that a baseline or a prompt's place in live.toml rests on: what made the figures, and the figures."""
    prompts = ", ".join(
        f"{p['language']}/{p['name']}.v{p['version']}@{p['sha256'][:12]}" for p in run.prompts
    )
    skipped = [f"- not measured: {name}, {why}" for name, why in run.skipped.items()]
    return [
        f"# Evals of `{run.llm}`, {run.created_at[:10]}",
        "",
        f"- `{run.command}`, {run.seconds:.0f} s, {run.calls} calls, commit {run.commit}, version {run.code}",
        *([f"- drafts scored again {run.rescored}"] if run.rescored else []),
        f"- encoder {run.encoder}; of the scorers {run.yardstick}; seed {run.seed}",
        f"- prompts: {prompts or 'none, no model was asked'}",
        *skipped,
        "",
        "Each figure with its bootstrap 95 % interval over cases; formulas in docs/evals.md.",
        "",
        *table([run]),
    ]


def measures() -> list[str]:
    """Every measure with direction, tolerance of the gate and formula."""
    lines = ["| suite | measure | better | tolerance | formula and source |", "|---|---|---|---|---|"]
    for suite, scale in SCALES.items():
        for m in scale.measures:
            limit = "–" if m.better == "neither" else f"{m.tolerance:g}"
            lines.append(f"| {suite} v{scale.version} | `{m.name}` | {m.better} | {limit} | {m.formula} |")
    return lines


def _cell(bench: BenchResult | None, drafter: str, measure: str) -> str:
    if bench is None:
        return "not run"
    e = bench.estimate(drafter, measure)
    failed = len(bench.failures(drafter))
    lost = f", {failed} failed" if failed else ""
    return "–" if e is None else f"{e.value:.2f} [{e.low:.2f}, {e.high:.2f}]{lost}"


def _floor(bench: BenchResult, measure: str) -> str:
    drafter = next((f for f in FLOORS if f in bench.drafters and bench.parts(f, measure)), None)
    return "–" if drafter is None else _cell(bench, drafter, measure)


def _ceiling(bench: BenchResult, measure: str) -> str:
    if "human" in bench.drafters and bench.parts("human", measure):
        return _cell(bench, "human", measure)
    if not bench.stated.get("ceiling", "").startswith("1 "):
        return "missing"
    lower = any(m.name == measure and m.better == "lower" for m in SCALES[bench.suite].measures)
    return f"{0 if lower else 1} by construction"
