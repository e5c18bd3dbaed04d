"""The page of a run: one self-contained HTML file with figures, plots, each question beside the human text, a comparison."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from evals.compare import compare
from evals.record import BenchResult, CaseResult, Run
from evals.scoring.measures import SCALES
from evals.statistics import Estimate
from evals.table import SHOWN
from service.errors import BadInput

TEMPLATES = Path(__file__).parent / "templates"
WIDTH = 220
"""Pixels of a plot's axis from 0 to 1."""
EDGE = 4
"""Pixels beside it, so that a mark at 0 or 1 is whole."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    name: str
    better: str
    formula: str
    cells: Mapping[str, Estimate | None]
    plot: Markup


def page(run: Run, before: Run | None = None) -> str:
    """The page; before: an earlier run to compare with. What people and models wrote is escaped."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = _figure
    template = environment.get_template("report.html")
    changes, refused = [], None
    if before is not None:
        try:
            changes = compare(before, run)
        except BadInput as error:
            refused = str(error)
    return template.render(
        run=run,
        before=before,
        changes=changes,
        refused=refused,
        benches=[(b, _rows(b), _cases(b)) for b in run.benches],
        style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
    )


def _figure(e: Estimate | None) -> str:
    return "–" if e is None else f"{e.value:.2f} [{e.low:.2f}, {e.high:.2f}]"


def _rows(bench: BenchResult) -> list[Row]:
    rows = []
    for m in SCALES[bench.suite].measures:
        cells = {d: bench.estimate(d, m.name) for d in bench.drafters}
        if any(e is not None for e in cells.values()):
            rows.append(Row(name=m.name, better=m.better, formula=m.formula, cells=cells, plot=_plot(cells)))
    return rows


def _plot(cells: Mapping[str, Estimate | None]) -> Markup:
    """A line a drafter: the interval and the figure on an axis from 0 to 1; nothing for what lies outside."""
    told = [(d, e) for d, e in cells.items() if e is not None]
    if any(not 0 <= x <= 1 for _, e in told for x in (e.low, e.value, e.high)):
        return Markup("")
    height = 9 * len(told) + 4
    marks = []
    for k, (drafter, e) in enumerate(told):
        y = 7 + 9 * k
        kind = "ours" if drafter == "draft" else "people" if drafter == "human" else "floor"
        a, b, x = (EDGE + v * WIDTH for v in (e.low, e.high, e.value))
        marks.append(
            Markup(
                '<g class="{}"><title>{}: {}</title><line x1="{:.1f}" y1="{}" x2="{:.1f}" y2="{}"/>'
                '<circle cx="{:.1f}" cy="{}" r="3"/></g>'
            ).format(kind, drafter, _figure(e), a, y, b, y, x, y)
        )
    label = "; ".join(f"{d} {_figure(e)}" for d, e in told)
    return Markup(
        '<svg role="img" aria-label="{}" width="{}" height="{}"><line class="axis" x1="{}" y1="{}" x2="{}" y2="{}"/>{}</svg>'
    ).format(
        label, WIDTH + 2 * EDGE, height, EDGE, height - 1, WIDTH + EDGE, height - 1, Markup("").join(marks)
    )


def _cases(bench: BenchResult) -> list[tuple[CaseResult, list[tuple[str, str]], list[dict[str, object]]]]:
    """Each case of our own drafts: its chief figures, and its sentences with the pairs joined by a number."""
    found = []
    for case in bench.drafters.get("draft", ()):
        parts = [(m, case.figures.get(m, (0, 0))) for m in SHOWN[bench.suite]]
        shown = [(m, f"{n / d:.2f}") for m, (n, d) in parts if d]
        found.append((case, shown, _joined(case)))
    return found


def _joined(case: CaseResult) -> list[dict[str, object]]:
    """Lines of two columns: a human sentence with the one of ours that covers it; then ours that cover none."""
    ours = {h: (o, x) for h, o, x in case.matches}
    contrary = dict(case.contradictions)
    used = {o for o, _ in ours.values()} | {o for h, o in contrary.items() if h not in ours}
    lines: list[dict[str, object]] = []
    for h, text in enumerate(case.human):
        o, x = ours.get(h, (None, None))
        against = contrary.get(h)
        lines.append(
            {
                "human": text,
                "ours": case.ours[o] if o is not None else case.ours[against] if against is not None else "",
                "kind": "matched" if o is not None else "contrary" if against is not None else "missed",
                "likeness": x,
            }
        )
    lines += [
        {"human": "", "ours": text, "kind": "extra", "likeness": None}
        for o, text in enumerate(case.ours)
        if o not in used
    ]
    return lines
