"""The report: the same bytes each time, its drafting mark, and hostile words."""

import io
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import docx
from docx.oxml.ns import qn

from service.domain.review import apply, revise
from service.domain.revision import Approve, SetLabel
from service.exports import export, review_of
from service.exports.facts import DraftFacts
from service.exports.pictures import Pictures
from tests.drafts import small_draft

EXAMPLE = Path(__file__).parents[2] / "examples" / "round" / "answers.csv"


def test_the_same_draft_gives_the_same_bytes():
    draft, _ = small_draft()
    assert export(draft, "docx") == export(draft, "docx")


def test_the_drafting_mark_goes_when_the_draft_is_approved(monkeypatch):
    for name in ("groups", "map", "themes", "panel"):  # drawn by the other tests
        monkeypatch.setattr(Pictures, name, lambda *_: None)
    draft, _ = small_draft("en")
    review = revise(apply(draft, ()), Approve(), who="Ada", at="2026-02-03T10:00:00Z")
    for made, marked in (
        (export(draft, "docx"), True),
        (export(review.draft, "docx", review_of(review)), False),
    ):
        document = docx.Document(io.BytesIO(made))
        header = document.sections[0].header.paragraphs[0].text
        assert ("DRAFT, NOT APPROVED" in header) is marked
        said = "\n".join(p.text for p in document.paragraphs)
        assert ("Approved by Ada on 3 February 2026" in said) is not marked
        assert "It was not written." in said, "how the text came about is said when it is approved too"
    assert {e.get(qn("w:val")) for e in document.styles.element.iter(qn("w:lang"))} == {"en-GB"}


def test_names_over_columns_do_not_run_into_each_other(monkeypatch):
    monkeypatch.setattr(Pictures, "_made", lambda _, figure, *__: figure)
    draft, _ = small_draft()
    long = "Quels sont, selon vous, les principaux obstacles à l’accès aux soins ?"
    draft = replace(draft, questions=tuple(replace(q, title=long) for q in draft.questions))
    for n in range(1, 9):
        titles = [f"Autour de « Nous sommes {k} fermement opposés à tout »" for k in range(n)]
        themes = tuple(replace(draft.themes[0], title=title) for title in titles)
        figure = Pictures(DraftFacts(replace(draft, themes=themes))).themes()
        figure.draw_without_rendering()
        boxes = [label.get_window_extent() for label in figure.axes[0].get_xticklabels()]
        assert len(boxes) == n
        assert all(one.x1 < other.x0 for one, other in pairwise(boxes)), n


def test_hostile_words_are_printed_as_text():
    draft, _ = small_draft()
    hostile = "<w:p/>\u202egauche & « \x0bquoi »" + "mot" * 3000 + "$a$ 😀"
    group = draft.questions[0].groups[0]
    review = revise(apply(draft, ()), SetLabel(group_id=group.id, text="x"), who="A", at="")
    q = review.draft.questions[0]
    odd = replace(q, groups=(replace(q.groups[0], label=hostile), *q.groups[1:]), title="T \x01 <b>")
    made = export(replace(review.draft, questions=(odd, *review.draft.questions[1:])), "docx")
    text = "".join(docx.Document(io.BytesIO(made)).element.itertext())
    assert "<w:p/>\u202egauche" in text
    assert "\u240b" in text
    assert "\u2401 <b>" in text
    assert "mot" * 3000 in text
