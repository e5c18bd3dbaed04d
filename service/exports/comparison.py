"""A comparison of two drafts as text for a terminal, as Markdown and as JSON."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from pydantic import TypeAdapter

from service.domain.comparison import Compared, Comparison, Move, QuestionComparison, Side
from service.domain.round import Language
from service.domain.wording import NBSP, number, people, quoted, typeset
from service.errors import BadSetting
from service.exports.comparison_terms import TERMS
from service.exports.facts import short
from service.exports.markdown import escaped
from service.exports.package import contained
from service.exports.terms import long_date

COMPARISON = TypeAdapter(Comparison)

FORMATS = ("json", "md", "txt")


def comparison_as(comparison: Comparison, to: str) -> str:
    """The comparison in one of FORMATS, in the language of the drafts. Raises BadSetting."""
    match to:
        case "json":
            return COMPARISON.dump_json(comparison, indent=2).decode() + "\n"
        case "md":
            return _Text(comparison, markup=True).whole()
        case "txt":
            return _Text(comparison, markup=False).whole()
        case other:
            raise BadSetting(
                f"{other or 'a name without an ending'} is not a format. Accepted: {', '.join(FORMATS)}."
            )


class _Text:
    def __init__(self, comparison: Comparison, *, markup: bool) -> None:
        self.c, self.markup = comparison, markup
        self.language: Language = comparison.language
        self.t = {key: typeset(text, self.language) for key, text in TERMS[self.language].items()}
        self.colon = f"{NBSP}:" if self.language == "fr" else ":"
        self.percent = f"{NBSP}%" if self.language == "fr" else "%"

    def whole(self) -> str:
        return "\n".join(self._lines()).strip("\n") + "\n"

    def _lines(self) -> Iterator[str]:
        yield self._heading(1, self.t["title"])
        yield ""
        for name, one in (("before", self.c.before), ("after", self.c.after)):
            yield f"{'- ' if self.markup else ''}{self.t[name]}{self.colon} {self._draft(one)}"
        yield from ("", self.t["same_round" if self.c.same_round else "two_rounds"])
        if "extractive" in (self.c.before.llm, self.c.after.llm) and not self.c.same_round:
            yield from ("", self.t["own_words"])
        if self.c.themes:
            yield from ("", self._heading(2, self.t["themes"]))
            yield from self._moves(self.c.themes)
        for question in self.c.questions:
            yield from self._question(question)
        if not self.c.questions:
            yield from ("", self.t["none"])
        for name, titles in (("only_before", self.c.only_before), ("only_after", self.c.only_after)):
            if titles:
                yield from ("", self._heading(2, self.t[name]))
                yield from (f"- {self._said(title)}" for title in titles)

    def _draft(self, one: Compared) -> str:
        parts = (
            quoted(self._said(one.title), self.language),
            long_date(one.created_at, self.language),
            people(one.n_respondents, self.c.unit, self.language),
            self._said(one.llm),
            self._said(one.id),
        )
        return ", ".join(part for part in parts if part)

    def _question(self, question: QuestionComparison) -> Iterator[str]:
        yield from ("", self._heading(2, f"{question.after_id}. {typeset(question.title, self.language)}"))
        was = (
            f", {self.t['was']} {self._said(question.before_id)}"
            if question.before_id != question.after_id
            else ""
        )
        n = f"{self._n(question.n_before)} → {people(question.n_after, self.c.unit, self.language)}"
        yield f"{n} {self.t['respondents']}{was}"
        if question.reworded:
            yield f"{self.t['asked']}{self.colon} {self._said(question.reworded)}"
        yield from self._moves(question.moves)

    def _moves(self, moves: Sequence[Move]) -> Iterator[str]:
        for change, some in groupby(moves, key=lambda move: move.change):
            told = list(some)
            yield from ("", self._heading(3, f"{self.t[change]} ({self._n(len(told))})"))
            for move in told:
                yield from self._move(move)

    def _move(self, move: Move) -> Iterator[str]:
        side = move.after or move.before
        assert side is not None
        yield f"- {self._name(side)}"
        yield f"    {self._sizes(move)}{self._doubts(move)}"
        if move.before and move.after and move.before.text != move.after.text:
            yield f"    {self.t['was']}{self.colon} {self._name(move.before)}"
        if move.nearest:
            one = move.nearest
            taken = f", {self.t['taken']}" if one.taken else ""
            yield (
                f"    {self.t['nearest']}{self.colon} {self._said(short(one.id))} "
                f"{quoted(self._said(one.text), self.language)} ({self._decimal(one.likeness)}{taken})"
            )

    def _name(self, side: Side) -> str:
        name = self._said(short(side.id))
        return f"**{name}** {self._said(side.text)}" if self.markup else f"{name}  {self._said(side.text)}"

    def _sizes(self, move: Move) -> str:
        told = [
            f"{self._n(s.n)} {self.t['of']} {self._n(s.of)} ({100 * s.share:.0f}{self.percent})"
            for s in (move.before, move.after)
            if s
        ]
        sizes = " → ".join(told)
        if not (move.before and move.after):
            return sizes
        change = f"{100 * move.difference:+.0f}".replace("-", "−")
        if self.c.same_round:
            return f"{sizes}, {self._n(move.shared or 0)} {self.t['shared']}"
        ends = f"{100 * move.low:+.0f} {self.t['to']} {100 * move.high:+.0f}".replace("-", "−")
        return f"{sizes}, {change} {self.t['points']} ({ends})"

    def _doubts(self, move: Move) -> str:
        alone = not (move.before and move.after)
        notes = [
            self.t["doubtful"] if move.doubtful else "",
            self.t["chance"] if alone and not self.c.same_round and not move.clear else "",
        ]
        return "".join(f" · {note}" for note in notes if note)

    def _heading(self, level: int, text: str) -> str:
        text = self._said(text)
        return f"{'#' * level} {text}" if self.markup else text.upper() if level == 1 else text

    def _said(self, text: str) -> str:
        """On one line; in Markdown no answer's words become markup."""
        text = typeset(text, self.language)
        return escaped(text) if self.markup else " ".join(contained(text).split())

    def _decimal(self, value: float) -> str:
        return f"{value:.2f}".replace(".", "," if self.language == "fr" else ".")

    def _n(self, n: int) -> str:
        return number(n, self.language)
