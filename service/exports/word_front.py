"""The first page of a report, and what stands at the head and foot of the others."""

from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT
from docx.shared import Cm, Pt

from service.domain.wording import NBSP, ideas, people
from service.exports.facts import clip
from service.exports.terms import long_date
from service.exports.word_kit import Kit
from service.exports.word_parts import TEXT_WIDTH, WARN, Cell, boxed, colour, field


def frame(kit: Kit) -> None:
    """Document properties; header with title and mark, footer with page numbers; neither on the title page."""
    properties = kit.document.core_properties
    properties.title, properties.subject = kit.plain(kit.draft.round.title), kit.t["report_kind"]
    properties.author, properties.comments, properties.keywords = "Polyphonie", "", ""
    properties.last_modified_by, properties.content_status = "", kit.mark or "Final"
    section = kit.document.sections[0]
    section.different_first_page_header_footer = True
    head = section.header.paragraphs[0]
    head.style = kit.document.styles["Meta"]
    head.paragraph_format.tab_stops.add_tab_stop(Cm(TEXT_WIDTH), WD_TAB_ALIGNMENT.RIGHT)
    head.add_run(clip(kit.plain(kit.draft.round.title), 70))
    if kit.mark:
        run = head.add_run(f"\t{kit.mark}")
        run.bold, run.font.color.rgb = True, colour(WARN)
    foot = section.footer.paragraphs[0]
    foot.style = kit.document.styles["Meta"]
    foot.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    foot.add_run(kit.t["page"] + NBSP)
    field(foot, "PAGE", "1")
    foot.add_run(f"{NBSP}/{NBSP}")
    field(foot, "NUMPAGES", "1")


def title_page(kit: Kit) -> None:
    round_, ledger, t = kit.draft.round, kit.draft.ledger, kit.t
    kind = kit.para("Meta", t["report_kind"].upper())
    kind.paragraph_format.space_before, kind.paragraph_format.space_after = Pt(36), Pt(6)
    kit.para("Title", kit.plain(round_.title))
    asked = sum(1 for q in kit.draft.questions if q.kind == "open")
    line = t["facts_line" if asked != 1 else "facts_line_one"].format(
        answers=kit.n(ledger.answers.total),
        questions=asked,
        verbatims=ideas(ledger.verbatims.total, kit.language),
    )
    kit.para("Subtitle", f"{people(round_.n_respondents, kit.unit, kit.language)}, {line}")
    if kit.draft.created_at:
        kit.para("Meta", f"{t['created']} {long_date(kit.draft.created_at, kit.language)}")
    review = kit.facts.review
    if review.whole is None:
        _drafting_mark(kit)
    else:
        when = long_date(review.whole.at, kit.language)
        kit.para("Meta", t["approved"].format(who=kit.plain(review.whole.who), date=when))
        kit.para("Meta", kit.plain(kit.facts.origin(t)))
    if round_.note:
        kit.para("Meta", kit.plain(round_.note))
    if kit.facts.panel:
        _panel(kit)


def _drafting_mark(kit: Kit) -> None:
    box = kit.para("Normal")
    run = box.add_run(kit.mark)
    run.bold, run.font.color.rgb = True, colour(WARN)
    run.add_break()
    box.add_run(kit.plain(kit.facts.origin(kit.t))).font.size = Pt(9.5)
    boxed(box, WARN, "FFF6EC")
    box.paragraph_format.space_before = box.paragraph_format.space_after = Pt(14)
    box.paragraph_format.left_indent = box.paragraph_format.right_indent = Cm(0.3)


def _panel(kit: Kit) -> None:
    kit.caption("table", kit.t["cap_panel"])
    asked = kit.facts.consulted is not None
    names = ("consulted", "responded") if asked else ("responded",)
    rows = [
        [
            Cell(text=line.category),
            *(kit.numbers(line.consulted) if asked else []),
            *kit.numbers(line.responded),
        ]
        for line in kit.facts.panel
    ]
    totals = (
        (kit.facts.consulted, kit.draft.round.n_respondents) if asked else (kit.draft.round.n_respondents,)
    )
    total = [Cell(text=kit.t["total"]), *kit.numbers(*totals)]
    rows.append([Cell(text=c.text, right=c.right, bold=True) for c in total])
    widths = [TEXT_WIDTH - 3 * len(names), *([3.0] * len(names))]
    kit.table(kit.header("category", *names, right=len(names)), rows, widths)
