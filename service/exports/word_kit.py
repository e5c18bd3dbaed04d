"""The pieces a report is laid from: paragraphs, headings with their place in the contents, captions, tables, figures."""

import io
from collections.abc import Sequence

from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Inches, Pt
from docx.text.paragraph import Paragraph

from service.domain.draft import Draft
from service.domain.wording import NBSP, number, typeset
from service.exports.facts import DraftFacts
from service.exports.package import contained
from service.exports.pictures import Picture
from service.exports.review import Review
from service.exports.terms import TERMS
from service.exports.word_parts import (
    Bookmarks,
    Cell,
    Footnotes,
    described,
    field,
    house_document,
    link,
    table,
)


class Kit:
    """A document under way, with what is counted while it grows."""

    def __init__(self, draft: Draft, review: Review) -> None:
        self.draft = draft
        self.facts = DraftFacts(draft, review)
        self.language, self.unit = draft.round.language, draft.round.unit
        self.t = {key: typeset(text, self.language) for key, text in TERMS[self.language].items()}
        self.mark = "" if review.whole else self.t["mark"]
        """The drafting mark; it stands on every page until the draft is approved."""
        self.document = house_document(self.language)
        self.notes = Footnotes(self.document)
        self.bookmarks = Bookmarks()
        self._headings: list[tuple[int, str, str]] = []
        self._counted = {"table": 0, "figure": 0}

    def plain(self, text: str) -> str:
        """A text of the draft as it is printed."""
        return contained(typeset(text, self.language))

    def n(self, n: int) -> str:
        return number(n, self.language)

    @property
    def colon(self) -> str:
        return f"{NBSP}:" if self.language == "fr" else ":"

    def para(self, style: str, text: str = "") -> Paragraph:
        return self.document.add_paragraph(text, style=style)

    def heading(self, level: int, text: str, *, id_: str | None = None, fresh: bool | None = None) -> None:
        """id_: the question that it heads. fresh: on a new page; unless told, each first-level heading is."""
        paragraph = self.para(f"Heading {level}")
        paragraph.paragraph_format.page_break_before = level == 1 if fresh is None else fresh
        if level == 1 and fresh is False:
            paragraph.paragraph_format.space_before = Pt(26)
        if level > 2:
            paragraph.add_run(text)
            return
        name = self.bookmarks.name("h" if id_ is None else "q", id_ or str(len(self._headings)))
        mark = self.bookmarks.begin(paragraph, name)
        paragraph.add_run(text)
        self.bookmarks.end(paragraph, mark)
        self._headings.append((level, text, name))

    def caption(self, kind: str, text: str, *, above: bool = True) -> None:
        """kind: table or figure. above: it stands above what it names."""
        self._counted[kind] += 1
        paragraph = self.para("Caption")
        paragraph.paragraph_format.keep_with_next = above
        if not above:
            paragraph.paragraph_format.space_after = Pt(10)
        paragraph.add_run(f"{self.t[kind]}{NBSP}").bold = True
        field(paragraph, f"SEQ {self.t[kind]} \\* ARABIC", str(self._counted[kind]))
        paragraph.add_run(f"{self.colon} {contained(text)}")

    def table(
        self,
        header: Sequence[Cell],
        rows: Sequence[Sequence[Cell]],
        widths: Sequence[float],
        heads: frozenset[int] = frozenset(),
    ) -> None:
        table(self.document, self.bookmarks, header, rows, widths, heads=heads)

    def numbers(self, *values: int | None) -> list[Cell]:
        """Cells of figures; None is not known."""
        return [Cell(text="–" if n is None else self.n(n), right=True) for n in values]

    def header(self, *names: str, right: int = 0) -> list[Cell]:
        """The header of a table from names of TERMS; the last ones stand to the right."""
        return [Cell(text=self.t[name], right=k >= len(names) - right) for k, name in enumerate(names)]

    def figure(self, picture: Picture | None) -> None:
        if picture is None:
            return
        paragraph = self.para("Normal")
        paragraph.paragraph_format.keep_with_next = True
        paragraph.paragraph_format.space_after = Pt(2)
        run = paragraph.add_run()
        run.add_picture(io.BytesIO(picture.png), width=Inches(picture.width))
        described(run, picture.alt, f"{self.t['figure']} {self._counted['figure'] + 1}")
        self.caption("figure", picture.caption, above=False)

    def contents(self, heading: Paragraph) -> None:
        """The table of contents under its heading: a field that holds its entries already, each leading to its place.

        Their page numbers come when the reader's program computes the field: guessed ones would be wrong somewhere.
        """
        block = parse_xml(
            f'<w:sdt {nsdecls("w")}><w:sdtPr><w:docPartObj><w:docPartGallery w:val="Table of Contents"/>'
            "<w:docPartUnique/></w:docPartObj></w:sdtPr><w:sdtContent/></w:sdt>"
        )
        heading._p.addnext(block)
        content = block.find(qn("w:sdtContent"))
        for k, (level, text, name) in enumerate(self._headings):
            entry = self.para(f"toc {level}")
            if k == 0:
                _mark(entry, "begin", r'TOC \o "1-2" \h \z \u')
            link(entry, name, text)
            if k == len(self._headings) - 1:
                _mark(entry, "end")
            content.append(entry._p)
        block.addnext(self.para("Meta", self.t["toc_hint"])._p)


def _mark(paragraph: Paragraph, kind: str, instruction: str | None = None) -> None:
    """One end of a field that runs over several paragraphs; it is computed on opening."""
    marks = [("begin", None), (None, instruction), ("separate", None)] if instruction else [(kind, None)]
    for name, code in marks:
        run = paragraph.add_run()._r
        if name is None:
            text = OxmlElement("w:instrText")
            text.set(qn("xml:space"), "preserve")
            text.text = f" {code} "
            run.append(text)
        else:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), name)
            if name == "begin":
                mark.set(qn("w:dirty"), "true")
            run.append(mark)
