"""Pictures as PNG for print, each with its text alternative. Every figure comes from facts; the same facts, the same bytes."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

from service.domain.draft import Group
from service.domain.round import Language
from service.domain.wording import DIRECTED, number, typeset
from service.exports.facts import DraftFacts, QuestionFacts, clip, short
from service.exports.package import printable
from service.exports.palette import ALONE, COLOURS, REST, looks
from service.exports.terms import TERMS

DPI = 160
WIDTH = 6.5
"""Inches: the text's width on an A4 page with margins of 2.2 cm."""

ROW = 0.27
"""Inches of height for a bar with its name."""

INK, SOFT, LINE, BAR = "#1C2430", "#586274", "#DFE3EA", "#0B5C6B"
MARKERS = ("o", "s", "^", "D", "v", "h", "*")
MOST_BARS = 25
"""Groups drawn; the rest is counted in the caption and stands in the table."""

MOST_COLUMNS = 12
"""Categories with a column of their own in a picture; the others share one."""

MOST_LEVEL = 4
"""Columns over the whole width of which the names are written level."""

FEW = 4
"""Respondents from which a shade may be the darkest: two out of two is no crowd."""

MOST_POINTS = 6000
"""Points drawn on a printed map, taken evenly over the groups; the caption says so."""


LETTERS = get_font(findfont("DejaVu Sans"))


def drawn(text: str, most: int) -> str:
    """A text as it is written in a picture: clipped, without formulas, and with a square for what the font has not."""
    plain = "".join(c if LETTERS.get_char_index(ord(c)) else "□" for c in DIRECTED.sub("", printable(text)))
    return clip(" ".join(plain.split()), most).replace("$", r"\$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    png: bytes
    alt: str
    width: float
    """Inches."""
    caption: str
    """Typeset, without number."""


class Pictures:
    """The pictures of one draft, drawn when asked for. A method gives None where there is nothing to draw."""

    def __init__(self, facts: DraftFacts) -> None:
        self._facts = facts
        self._language = facts.draft.round.language
        self._t = {key: typeset(text, self._language) for key, text in TERMS[self._language].items()}

    def panel(self) -> Picture | None:
        """Consulted and responded by category."""
        rows = self._facts.panel
        if not rows:
            return None
        names = [drawn(row.category, 52) for row in rows]
        responded = [row.responded for row in rows]
        asked = [row.consulted or 0 for row in rows]
        figure, axes = _bars(names, max([*responded, *asked, 1]))
        places = range(len(rows))
        if any(asked):
            axes.barh(places, asked, height=0.66, color="#FFFFFF", edgecolor=SOFT, linewidth=0.8)
        axes.barh(places, responded, height=0.66, color=BAR)
        for k, row in enumerate(rows):
            text = self._n(row.responded) + ("" if row.consulted is None else f" / {self._n(row.consulted)}")
            axes.text(max(responded[k], asked[k]), k, f"  {text}", va="center", fontsize=7.5, color=INK)
        said = "; ".join(
            f"{row.category} {row.responded}" + ("" if row.consulted is None else f"/{row.consulted}")
            for row in rows
        )
        return self._made(figure, self._t["fig_panel"], said)

    def closed(self, facts: QuestionFacts) -> Picture | None:
        """Counts of a closed question."""
        counts = facts.q.closed_counts
        if not counts:
            return None
        figure, axes = _bars([drawn(option, 52) for option in counts], max([*counts.values(), 1]))
        axes.barh(range(len(counts)), list(counts.values()), height=0.62, color=BAR)
        for k, n in enumerate(counts.values()):
            axes.text(n, k, f"  {self._n(n)}", va="center", fontsize=7.5, color=INK)
        said = "; ".join(f"{option} {n}" for option, n in counts.items())
        return self._made(figure, self._t["fig_closed"].format(question=facts.q.id), said)

    def groups(self, facts: QuestionFacts) -> Picture | None:
        """Level-1 groups: how many respondents, and of which category."""
        shown = facts.firsts[:MOST_BARS]
        if not shown:
            return None
        names = [f"{drawn(g.label, 50)}  {drawn(short(g.id), 20)}" for g in shown]
        sizes = [g.n_respondents for g in shown]
        columns, counts = self._by_category(shown)
        if columns:
            figure = Figure(
                figsize=(WIDTH, 1.35 + 0.23 * len(shown)), facecolor="#FFFFFF", layout="constrained"
            )
            axes, table = figure.subplots(1, 2, sharey=True, width_ratios=(1, 3))
            _matrix(table, columns, counts, self._language, upright=True)
            axes.set(yticks=range(len(names)), ylim=(len(names) - 0.5, -0.5))
        else:
            figure, axes = _bars(names, max(sizes))
        _named(axes, names, max(sizes))
        axes.barh(range(len(shown)), sizes, height=0.62, color=BAR)
        for k, n in enumerate(sizes):
            axes.text(n, k, f" {self._n(n)}", va="center", fontsize=7.5, color=INK)
        said = "; ".join(
            f"{short(g.id)} {g.n_respondents}"
            + (f" ({', '.join(f'{c} {n}' for c, n in g.by_category.items())})" if g.by_category else "")
            for g in shown
        )
        caption = self._t["fig_groups"].format(question=facts.q.id) + self._cut(shown, facts.firsts)
        return self._made(figure, caption, said)

    def _by_category(self, shown: Sequence[Group]) -> tuple[list[str], list[list[int]]]:
        """Names of the columns and respondents of each group; the rarest of many categories are one column."""
        categories = self._facts.categories
        if not categories:
            return [], []
        largest = {c: sum(g.by_category.get(c, 0) for g in shown) for c in categories}
        kept = set(sorted(largest, key=lambda c: (-largest[c], c))[:MOST_COLUMNS])
        named = [c for c in categories if c in kept]
        counts = [[g.by_category.get(c, 0) for c in named] for g in shown]
        rest = [g.n_respondents - sum(line) for g, line in zip(shown, counts, strict=True)]
        if any(rest):
            counts = [[*line, n] for line, n in zip(counts, rest, strict=True)]
        return [drawn(c, 34) for c in named] + ([self._t["other_categories"]] if any(rest) else []), counts

    def themes(self) -> Picture | None:
        """Which questions each theme draws from: cited sentences."""
        rows = self._facts.themes_by_question()
        themes = self._facts.draft.themes
        if len(rows) < 2 or not themes:
            return None
        columns = [f"{k}. {drawn(t.title, 38)}" for k, t in enumerate(themes, start=1)]
        names = [f"{drawn(self._facts.titles[q], 50)}  {drawn(q, 20)}" for q, _ in rows]
        said = "; ".join(
            f"{q}: " + ", ".join(f"{k} {n}" for k, n in enumerate(counts, start=1) if n) for q, counts in rows
        )
        figure, axes = _plain(WIDTH, (1.6 if len(columns) > MOST_LEVEL else 0.7) + 0.23 * len(rows))
        upright = len(columns) > MOST_LEVEL
        _matrix(axes, columns, [counts for _, counts in rows], self._language, upright=upright)
        axes.set_yticks(range(len(names)), names, fontsize=7, color=INK)
        return self._made(figure, self._t["fig_themes"], said)

    def map(self, facts: QuestionFacts) -> Picture | None:
        """The map of one question's verbatims: families in colour and shape, isolated voices as crosses."""
        if not facts.spots:
            return None
        look = looks(facts)
        figure, axes = _plain(WIDTH, 3.2)
        step = -(-len(facts.spots) // MOST_POINTS)
        spots = facts.spots[::step]
        size = 26 if len(spots) < 600 else 9
        for parent, _ in facts.families:
            k = look[parent.id]
            mine = [s for s in spots if s.group and s.group.parent == parent.id]
            xy = [s.x for s in mine], [s.y for s in mine]
            if k < 0:
                axes.scatter(*xy, s=size * 0.5, c=REST, marker="o", linewidths=0)
            else:
                text = f"{drawn(short(parent.id), 20)} {drawn(parent.label, 44)}"
                axes.scatter(
                    *xy, s=size, c=COLOURS[k], marker=MARKERS[k], linewidths=0, alpha=0.85, label=text
                )
        alone = [s for s in spots if s.group is None]
        if alone:
            xy = [s.x for s in alone], [s.y for s in alone]
            axes.scatter(*xy, s=size, c=ALONE, marker="x", linewidths=0.8, label=self._t["isolated"])
        axes.set(xticks=[], yticks=[])
        _legend(figure, axes)
        said = "; ".join(f"{short(r.id)} {len(r.verbatim_ids)}" for r, _ in facts.families)
        said += f"; {self._t['isolated']} {len(facts.q.isolated)}"
        caption = self._t["fig_map"].format(question=facts.q.id)
        if step > 1:
            caption += " " + self._t["fig_thinned"].format(
                shown=self._n(len(spots)), total=self._n(len(facts.spots))
            )
        return self._made(figure, caption, said)

    def _cut(self, shown: Sequence[object], all_: Sequence[object]) -> str:
        if len(shown) == len(all_):
            return ""
        return " " + self._t["fig_largest"].format(shown=len(shown), total=self._n(len(all_)))

    def _n(self, n: int) -> str:
        return number(n, self._language)

    def _made(self, figure: Figure, caption: str, said: str) -> Picture:
        out = io.BytesIO()
        FigureCanvasAgg(figure)
        figure.savefig(out, dpi=DPI, metadata={"Software": None})
        return Picture(png=out.getvalue(), alt=f"{caption} {said}", width=WIDTH, caption=caption)


def _plain(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), facecolor="#FFFFFF", layout="constrained")
    axes = figure.add_subplot()
    for spine in axes.spines.values():
        spine.set_color(LINE)
    return figure, axes


def _bars(names: Sequence[str], most: int) -> tuple[Figure, Axes]:
    """Axes for horizontal bars, the first on top."""
    figure, axes = _plain(WIDTH, 0.2 + ROW * len(names))
    _named(axes, names, most)
    axes.set_ylim(len(names) - 0.4, -0.6)
    return figure, axes


def _named(axes: Axes, names: Sequence[str], most: int) -> None:
    """Names at the left of bars, and room for a figure at the end of the longest."""
    axes.set_yticks(range(len(names)), names, fontsize=7.5, color=INK)
    axes.set_xticks([])
    axes.set_xlim(0, most * 1.3 if len(str(most)) > 2 else most * 1.2)
    axes.tick_params(which="both", length=0)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    axes.spines["left"].set_color(LINE)


def _matrix(
    axes: Axes, columns: Sequence[str], counts: list[list[int]], language: Language, *, upright: bool
) -> None:
    """Counts as a table of shades; a zero is left white. upright: the names of the columns stand on end."""
    most = max(max(line) for line in counts)
    darkest = max(most, FEW) * 1.25
    axes.imshow(counts, cmap="Blues", vmin=0, vmax=darkest, aspect="auto")
    for i, line in enumerate(counts):
        for j, n in enumerate(line):
            if n:
                ink = "#FFFFFF" if n > 0.65 * darkest else INK
                axes.text(j, i, number(n, language), ha="center", va="center", fontsize=7.5, color=ink)
    axes.xaxis.tick_top()
    told = [fill(name, 20 if upright else 15) for name in columns]
    axes.set_xticks(range(len(columns)), told, rotation=90 if upright else 0, fontsize=6.5, color=INK)
    for side in ("top", "right", "bottom", "left"):
        axes.spines[side].set_color(LINE)
    axes.set_xticks([k - 0.5 for k in range(1, len(columns))], minor=True)
    axes.set_yticks([k - 0.5 for k in range(1, len(counts))], minor=True)
    axes.grid(which="minor", color=LINE, linewidth=0.8)
    axes.tick_params(which="both", length=0)


def _legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=2,
        fontsize=7,
        frameon=False,
        labelcolor=INK,
        handleheight=1.1,
    )
