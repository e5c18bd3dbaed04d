"""`polyphonie evals table DIR …`: suite × measure × (floor, extractive, model, ceiling) with intervals, in Markdown."""

from collections.abc import Sequence

from evals.record import BenchResult, Run

SHOWN: dict[str, tuple[str, ...]] = {
    "segmentation": ("f1", "window_diff", "cut_through"),
    "grouping": ("ami", "b3", "left_out", "steady"),
    "labels": ("coverage", "nearness", "contradiction", "frame_recall"),
    "synthesis": ("coverage", "nearness", "support", "far_worst_group", "length"),
    "themes": ("nearness", "together"),
    "round": ("answers_told", "traced", "unsupported"),
}
FLOORS = ("random", "every 12 words", "one group")
"""The first that a bench has stands in the table; the run's page has them all."""


def table(runs: Sequence[Run]) -> list[str]:
    """runs: the extractive one first, then any by models. Floors and ceilings are the first run's that has the bench."""
    named = [r.llm for r in runs]
    lines = [
        "| suite / set | measure | floor | " + " | ".join(named) + " | ceiling |",
        "|---|---|---|" + "---|" * len(named) + "---|",
    ]
    names = dict.fromkeys(b.name for r in runs for b in r.benches)
    for name in names:
        found = [r.bench(name) for r in runs]
        some = next(b for b in found if b is not None)
        for measure in SHOWN[some.suite]:
            if any(b is not None and b.parts("draft", measure) for b in found):
                cells = [_cell(b, "draft", measure) for b in found]
                lines.append(
                    f"| {name} | {measure} | {_floor(some, measure)} | {' | '.join(cells)} | {_ceiling(some, measure)} |"
                )
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
    return "1 by construction" if bench.stated.get("ceiling", "").startswith("1 ") else "missing"
