"""What python-docx has no call for: styles of the house, fields, bookmarks, footnotes, tables drawn in one go."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import docx
from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT, WD_TAB_LEADER
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.oxml import serialize_part_xml
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.shared import Cm, Pt, RGBColor
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from service.domain.round import Language
from service.exports.package import contained

FONT = "Arial"
ACCENT, INK, SOFT, WARN = "0B4F5C", "1C2430", "586274", "8A3B00"
TEXT_WIDTH = 16.6
"""Centimetres between the margins of an A4 page."""

FOOTNOTES_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml"
HEADINGS = ((1, 20, 0, 10), (2, 14, 22, 6), (3, 11.5, 14, 4))
"""(level, size, space before, space after) in points."""


def colour(hex_: str) -> RGBColor:
    return RGBColor.from_string(hex_)


def house_document(language: Language) -> Document:
    """An empty A4 document with the house's styles, in the language of the round."""
    document = docx.Document()
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.2)
    section.top_margin, section.bottom_margin = Cm(2.4), Cm(2.2)
    styles = document.styles
    _language(document, "fr-FR" if language == "fr" else "en-GB")
    normal = styles["Normal"]
    _font(normal, 10.5, INK)
    normal.paragraph_format.space_after = Pt(7)
    normal.paragraph_format.line_spacing = 1.2
    normal.paragraph_format.widow_control = True
    for level, size, before, after in HEADINGS:
        heading = styles[f"Heading {level}"]
        _font(heading, size, ACCENT if level < 3 else INK, bold=True)
        heading.paragraph_format.space_before, heading.paragraph_format.space_after = Pt(before), Pt(after)
        heading.paragraph_format.keep_with_next = True
        heading.paragraph_format.line_spacing = 1.1
    _font(styles["Title"], 28, ACCENT, bold=True)
    styles["Title"].paragraph_format.space_after = Pt(14)
    _bare(styles["Title"].element)
    _font(styles["Subtitle"], 12.5, SOFT)
    styles["Subtitle"].font.italic = False
    for spacing in styles["Subtitle"].element.rPr.findall(qn("w:spacing")):
        spacing.getparent().remove(spacing)
    _font(styles["Caption"], 9, SOFT, bold=False)
    styles["Caption"].paragraph_format.space_before = Pt(8)
    styles["Caption"].paragraph_format.space_after = Pt(4)
    _font(styles["TOC Heading"], 20, ACCENT, bold=True)
    _added(document)
    return document


def _added(document: Document) -> None:
    styles = document.styles
    for level, size, indent in ((1, 11, 0), (2, 10, 0.6)):
        toc = styles.add_style(f"toc {level}", WD_STYLE_TYPE.PARAGRAPH)
        toc.base_style = styles["Normal"]
        _font(toc, size, INK, bold=level == 1)
        toc.paragraph_format.left_indent = Cm(indent)
        toc.paragraph_format.right_indent = Cm(1)
        toc.paragraph_format.space_after = Pt(4)
        tabs = toc.paragraph_format.tab_stops
        tabs.add_tab_stop(Cm(TEXT_WIDTH), WD_TAB_ALIGNMENT.RIGHT, WD_TAB_LEADER.DOTS)
    note = styles.add_style("footnote text", WD_STYLE_TYPE.PARAGRAPH)
    note.base_style = styles["Normal"]
    _font(note, 8, SOFT)
    note.paragraph_format.space_after = Pt(1)
    note.paragraph_format.line_spacing = 1.0
    reference = styles.add_style("footnote reference", WD_STYLE_TYPE.CHARACTER)
    reference.font.superscript = True
    cell = styles.add_style("Table Text", WD_STYLE_TYPE.PARAGRAPH)
    cell.base_style = styles["Normal"]
    _font(cell, 9, INK)
    cell.paragraph_format.space_after = Pt(0)
    cell.paragraph_format.line_spacing = 1.08
    meta = styles.add_style("Meta", WD_STYLE_TYPE.PARAGRAPH)
    meta.base_style = styles["Normal"]
    _font(meta, 9, SOFT)
    voice = styles.add_style("Voice", WD_STYLE_TYPE.PARAGRAPH)
    voice.base_style = styles["Normal"]
    _font(voice, 9.5, INK)
    voice.paragraph_format.left_indent, voice.paragraph_format.first_line_indent = Cm(0.6), Cm(-0.4)
    voice.paragraph_format.space_after = Pt(3)


def _font(style: object, size: float, hex_: str, *, bold: bool | None = None) -> None:
    font = style.font  # type: ignore[attr-defined]
    font.name, font.size, font.color.rgb, font.bold = FONT, Pt(size), colour(hex_), bold
    fonts = font.element.rPr.rFonts
    for name in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
        fonts.attrib.pop(qn(name), None)
    fonts.set(qn("w:cs"), FONT)
    fonts.set(qn("w:eastAsia"), FONT)


def _bare(element: BaseOxmlElement) -> None:
    """Take the template's border off a style."""
    for border in element.findall(f".//{qn('w:pBdr')}"):
        border.getparent().remove(border)


def _language(document: Document, tag: str) -> None:
    for lang in document.styles.element.iter(qn("w:lang")):
        lang.set(qn("w:val"), tag)
        lang.set(qn("w:eastAsia"), tag)
    theme = document.settings.element.find(qn("w:themeFontLang"))
    if theme is not None:
        theme.set(qn("w:val"), tag)
    document.core_properties.language = tag


def field(paragraph: Paragraph, instruction: str, cached: str, *, dirty: bool = False) -> None:
    """A field with the text that it shows until it is computed. dirty: the reader's program computes it on opening."""
    for kind in ("begin", None, "separate", "text", "end"):
        run = paragraph.add_run()
        if kind is None:
            code = OxmlElement("w:instrText")
            code.set(qn("xml:space"), "preserve")
            code.text = f" {instruction} "
            run._r.append(code)
        elif kind == "text":
            run.text = cached
        else:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
            if dirty and kind == "begin":
                mark.set(qn("w:dirty"), "true")
            run._r.append(mark)


class Bookmarks:
    """Names for places, the same every time: by record, or numbered."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], str] = {}
        self._set = 0

    def name(self, kind: str, id_: str) -> str:
        """The bookmark of a record: letters and digits only, whatever the id holds."""
        return self._names.setdefault((kind, id_), f"{kind}_{len(self._names) + 1:06d}")

    def begin(self, paragraph: Paragraph, name: str) -> int:
        self._set += 1
        start = OxmlElement("w:bookmarkStart")
        start.set(qn("w:id"), str(self._set))
        start.set(qn("w:name"), name)
        paragraph._p.append(start)
        return self._set

    @staticmethod
    def end(paragraph: Paragraph, number: int) -> None:
        stop = OxmlElement("w:bookmarkEnd")
        stop.set(qn("w:id"), str(number))
        paragraph._p.append(stop)


def link(paragraph: Paragraph, anchor: str, text: str, *, hex_: str | None = None) -> BaseOxmlElement:
    """A link to a bookmark of the document. Returns the w:hyperlink element."""
    made = OxmlElement("w:hyperlink")
    made.set(qn("w:anchor"), anchor)
    made.set(qn("w:history"), "1")
    run = paragraph.add_run(text)
    if hex_:
        run.font.color.rgb = colour(hex_)
    made.append(run._r)
    paragraph._p.append(made)
    return made


class Footnotes:
    """The footnotes of a document, for which python-docx has no part."""

    def __init__(self, document: Document) -> None:
        self._document = document
        marks = "".join(
            f'<w:footnote w:type="{kind}" w:id="{k}"><w:p><w:pPr><w:spacing w:after="0" w:line="240" w:lineRule="auto"/></w:pPr>'
            f"<w:r><w:{mark}/></w:r></w:p></w:footnote>"
            for k, (kind, mark) in enumerate(
                (("separator", "separator"), ("continuationSeparator", "continuationSeparator")), start=-1
            )
        )
        self._root = parse_xml(f"<w:footnotes {nsdecls('w', 'r')}>{marks}</w:footnotes>")
        self._count = 0

    def add(self, paragraph: Paragraph) -> Paragraph:
        """Put a reference at the end of the paragraph; returns the note's paragraph, to be filled."""
        self._count += 1
        run = paragraph.add_run(style="footnote reference")
        reference = OxmlElement("w:footnoteReference")
        reference.set(qn("w:id"), str(self._count))
        run._r.append(reference)
        style = self._document.styles["footnote text"].style_id
        mark = self._document.styles["footnote reference"].style_id
        note = parse_xml(
            f'<w:footnote {nsdecls("w")} w:id="{self._count}"><w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>'
            f'<w:r><w:rPr><w:rStyle w:val="{mark}"/></w:rPr><w:footnoteRef/></w:r></w:p></w:footnote>'
        )
        self._root.append(note)
        made = Paragraph(note.find(qn("w:p")), paragraph._parent)
        made.add_run("\u00a0")
        return made

    def attach(self) -> None:
        """Write the part with its relationship, and say in the settings which notes are the separators."""
        blob = serialize_part_xml(self._root)
        package = self._document.part.package
        assert package is not None
        part = Part(PackURI("/word/footnotes.xml"), FOOTNOTES_TYPE, blob, package)
        self._document.part.relate_to(part, RELATIONSHIP_TYPE.FOOTNOTES)
        said = parse_xml(
            f'<w:footnotePr {nsdecls("w")}><w:footnote w:id="-1"/><w:footnote w:id="0"/></w:footnotePr>'
        )
        settings = self._document.settings.element
        before = settings.find(qn("w:compat"))
        if before is None:
            settings.append(said)
        else:  # the schema gives the settings an order
            before.addprevious(said)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """A cell of a table: its text, and a bookmark where others lead to it."""

    text: str
    bookmark: str | None = None
    right: bool = False
    bold: bool = False
    soft: bool = False
    below: str = ""
    """A second line, small and soft."""


Row = Sequence[Cell]


def table(
    document: Document,
    bookmarks: Bookmarks,
    header: Sequence[Cell],
    rows: Sequence[Row],
    widths: Sequence[float],
    *,
    heads: frozenset[int] = frozenset(),
) -> None:
    """A table with a header repeated on each page. widths in centimetres; heads: rows that span all columns.

    Drawn through XML: python-docx looks every cell up again, which is quadratic.
    """
    made = document.add_table(rows=0, cols=len(widths))
    made.autofit = False
    element = made._tbl
    properties = element.tblPr
    properties.append(
        parse_xml(
            f"<w:tblBorders {nsdecls('w')}>"
            + "".join(
                f'<w:{side} w:val="single" w:sz="{size}" w:space="0" w:color="{hex_}"/>'
                for side, size, hex_ in (
                    ("top", 8, ACCENT),
                    ("bottom", 8, ACCENT),
                    ("insideH", 4, "DFE3EA"),
                )
            )
            + "</w:tblBorders>"
        )
    )
    properties.append(
        parse_xml(
            f'<w:tblCellMar {nsdecls("w")}><w:top w:w="50" w:type="dxa"/><w:left w:w="85" w:type="dxa"/>'
            '<w:bottom w:w="50" w:type="dxa"/><w:right w:w="85" w:type="dxa"/></w:tblCellMar>'
        )
    )
    for column, width in zip(element.tblGrid.findall(qn("w:gridCol")), widths, strict=True):
        column.set(qn("w:w"), str(_twips(width)))
    style = document.styles["Table Text"].style_id
    element.append(_row(header, widths, style, bookmarks, document, head=True))
    for k, cells in enumerate(rows):
        element.append(_row(cells, widths, style, bookmarks, document, spans=k in heads))
    after = document.add_paragraph(style="Meta")
    after.paragraph_format.space_after = Pt(2)


def _row(
    cells: Row,
    widths: Sequence[float],
    style: str,
    bookmarks: Bookmarks,
    document: Document,
    *,
    head: bool = False,
    spans: bool = False,
) -> BaseOxmlElement:
    repeat = "<w:tblHeader/>" if head else ""
    row = parse_xml(f"<w:tr {nsdecls('w')}><w:trPr><w:cantSplit/>{repeat}</w:trPr></w:tr>")
    sizes = [sum(widths)] if spans else widths
    for cell, width in zip(cells, sizes, strict=True):
        span = f'<w:gridSpan w:val="{len(widths)}"/>' if spans else ""
        fill = ACCENT if head else "EEF4F5" if spans else None
        shade = f'<w:shd w:val="clear" w:color="auto" w:fill="{fill}"/>' if fill else ""
        box = parse_xml(
            f'<w:tc {nsdecls("w")}><w:tcPr><w:tcW w:w="{_twips(width)}" w:type="dxa"/>{span}{shade}</w:tcPr>'
            f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{"<w:keepNext/>" if head or spans else ""}</w:pPr></w:p></w:tc>'
        )
        paragraph = Paragraph(box.find(qn("w:p")), document._body)
        number = bookmarks.begin(paragraph, cell.bookmark) if cell.bookmark else None
        run = paragraph.add_run(contained(cell.text))
        if number is not None:
            bookmarks.end(paragraph, number)
        run.bold = True if head or spans or cell.bold else None
        if head:
            run.font.color.rgb = colour("FFFFFF")
        elif cell.soft:
            run.font.color.rgb = colour(SOFT)
        if cell.below:
            paragraph.add_run().add_break()
            small = paragraph.add_run(contained(cell.below))
            small.font.size, small.font.color.rgb = Pt(8), colour(SOFT)
        if cell.right:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        row.append(box)
    return row


def _twips(cm: float) -> int:
    return round(cm * 567)


def boxed(paragraph: Paragraph, edge: str, fill: str) -> None:
    """A frame around a paragraph."""
    sides = "".join(
        f'<w:{side} w:val="single" w:sz="8" w:space="6" w:color="{edge}"/>'
        for side in ("top", "left", "bottom", "right")
    )
    properties = paragraph._p.get_or_add_pPr()
    properties.insert_element_before(
        parse_xml(f"<w:pBdr {nsdecls('w')}>{sides}</w:pBdr>"), "w:shd", "w:tabs", "w:spacing", "w:ind", "w:jc"
    )
    properties.insert_element_before(
        parse_xml(f'<w:shd {nsdecls("w")} w:val="clear" w:color="auto" w:fill="{fill}"/>'),
        "w:tabs",
        "w:spacing",
        "w:ind",
        "w:jc",
    )


def described(run: Run, alt: str, name: str) -> None:
    """Give the picture of a run its text alternative."""
    for properties in run._r.iter(qn("wp:docPr")):
        properties.set("descr", contained(alt))
        properties.set("name", name)


def saved(document: Document) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()
