"""Markdown: what people wrote stays text, and the draft's figures are there."""

import html
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from service.domain.draft import SentenceRef
from service.domain.review import apply, revise
from service.domain.revision import Approve, Confirm, MoveVerbatims, SetLabel
from service.domain.wording import ideas, typeset
from service.exports import export, review_of
from service.exports.facts import listed
from service.exports.markdown import escaped
from service.exports.terms import TERMS
from tests.drafts import small_draft

RENDERER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
SPECIAL = st.text(alphabet=st.sampled_from("ab1 \t\n.)#*_-+=>|`~[](){}<>!&;:/\\$@\"'é«»\u00a0"), max_size=24)


def read(page):
    return html.unescape(re.sub(r"<[^>]+>", "", page))


@given(SPECIAL)
@settings(max_examples=120)
def test_any_text_reads_the_same_once_rendered(text):
    wanted = re.sub(r"[ \t\n]+", " ", text).strip(" ")
    for before, tags in (("", {"p"}), ("- ", {"ul", "li"})):
        page = RENDERER.render(f"{before}x {escaped(text)}" if before else escaped(text))
        assert read(page).strip() == (f"x {wanted}" if before else wanted).strip()
        assert set(re.findall(r"<(\w+)", page)) <= tags


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "![x](http://evil/x.png)",
        "[clic](javascript:alert(1))",
        "| a | b |",
        "https://evil.example www.evil.example @maintainer",
        "1. un\n2. deux",
        "```\ncode",
        "&lt;b&gt;",
        "\u202egauche\u202c",
    ],
)
def test_hostile_texts_make_no_markup(text):
    page = RENDERER.render("- " + escaped(text))
    assert set(re.findall(r"<(\w+)", page)) <= {"ul", "li"}
    assert read(page).strip("\n\u2068\u2069") == text.replace("\n", " ")
    assert not re.search(r"\w://|www\.|(^|[^\\])@", escaped(text))


def test_the_page_holds_every_sentence_label_verbatim_answer_and_figure():
    draft, _ = small_draft()
    text = export(draft, "md").decode()
    plain = read(RENDERER.render(text))
    for q in draft.questions:
        for said in (*(s.text for s in q.synthesis.sentences), *(v.quote for v in q.verbatims)):
            assert said in plain
        for g in (g for g in q.groups if g.level == 1):
            (line,) = [
                x for x in plain[plain.index(f"{q.id}. ") :].splitlines() if x.startswith(f"{g.id[3:]} ")
            ][:1]
            assert line.startswith(f"{g.id[3:]} {g.label} (")
            assert ideas(len(g.verbatim_ids), "fr") in line
        for a in q.answers:
            assert a.text in plain
    assert f'<td style="text-align:right">{draft.ledger.answers.total}</td>' in RENDERER.render(text)
    assert "PROJET, NON VALIDÉ" in text


def test_one_verbatim_is_in_the_singular():
    draft, _ = small_draft()
    text = export(draft, "md").decode()
    assert re.search(r"\b1 verbatim\)", text)
    assert "1 verbatims" not in text


def test_what_was_assembled_is_said_to_be_so_when_it_is_approved_too():
    draft, _ = small_draft()
    assembled = typeset(TERMS["fr"]["assembled"], "fr")
    review = revise(apply(draft, ()), Approve(), who="Ada", at="2026-02-03T10:00:00Z")
    approved = export(review.draft, "md", review_of(review)).decode()
    for text in (export(draft, "md").decode(), approved):
        assert escaped(assembled) in text
        assert "les mots d’un seul de ses membres" in text, "the note on method is of this drafter"
        assert "résumé par une phrase" not in text
    assert "NON VALIDÉ" not in approved
    assert "à vous de le faire" not in approved


def test_texts_that_people_wrote_are_counted_beside_how_the_draft_came_about():
    draft, _ = small_draft("en")
    review = revise(apply(draft, ()), SetLabel(group_id="Q1.g1", text="Late buses."), who="Ada", at="")
    assert "A person wrote 1 of its 22 texts." in export(review.draft, "md", review_of(review)).decode()


def test_what_is_to_be_looked_at_again_says_why_until_somebody_did():
    draft, _ = small_draft("en")
    at = SentenceRef(question_id="Q1", sentence=0)
    changed = revise(apply(draft, ()), SetLabel(group_id="Q1.g1", text="Late buses."), who="Ada", at="")
    moved = revise(changed, MoveVerbatims(verbatim_ids=("Q1:R04.1",), to="Q1.g3"), who="Ada", at="")
    why = "to look at again: a label that it cites was corrected, verbatims were moved"
    lines = export(moved.draft, "md", review_of(moved)).decode().splitlines()
    (sentence,) = [line for line in lines if "(1: r1, g1, g2)" in line]
    assert why in sentence
    for group in ("Q1.g2", "Q1.g3", "Q1.r1"):
        (label,) = [line for line in lines if line.startswith((f"- **{group[3:]}** ", f"**{group[3:]}. "))][
            :1
        ]
        assert "to look at again: verbatims were moved" in label
    held = revise(moved, Confirm(at=at), who="Ada", at="")
    assert why not in export(held.draft, "md", review_of(held)).decode()
    assert "to look at again" not in export(draft, "md").decode()


def test_groups_left_out_are_told_by_their_numbers_and_a_question_without_text_by_its_id_once():
    draft, _ = small_draft("en")
    q = draft.questions[2]
    q = replace(
        q, title=q.id, synthesis=replace(q.synthesis, left_out=("Q3.g10", "Q3.g100", "Q3.g9", "Q3.r1"))
    )
    page = export(replace(draft, questions=(*draft.questions[:2], q)), "md").decode()
    assert "\n## Q3\n" in page
    assert "Q3.g9, Q3.g10, Q3.g100, Q3.r1" in page.replace("\\", "")


def test_who_gave_a_duplicate_is_named_beside_the_verbatim_that_it_repeats():
    draft, _ = small_draft("en")
    (copy,) = [a for q in draft.questions for a in q.answers if a.state == "duplicate"]
    told = [line for line in export(draft, "md").decode().splitlines() if "(also:" in line]
    assert len(told) == 1
    assert copy.text in told[0]
    assert told[0].endswith(f"(also: {copy.respondent_id})")


def test_a_long_list_of_names_is_clipped_with_its_number():
    names = [f"R{k}" for k in range(1, 41)]
    terms = TERMS["fr"]
    assert listed(names[:3], terms) == "R1, R2, R3"
    assert listed(names, terms) == f"{', '.join(names[:12])} et 28 autres"
    assert listed(names[:13], terms) == ", ".join(names[:13]), "never one more: it would take as much room"
