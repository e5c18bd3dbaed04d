import io
import re
import zipfile

import docx
import openpyxl
import pytest

from embeddings.encoder import HashEncoder
from service.domain.review import apply, revise
from service.domain.revision import Approve, SetLabel
from service.domain.round import Answer, Question, Round
from service.errors import BadInput, BadSetting
from service.exports import export, from_json, review_of
from service.exports.html import anchor
from service.exports.pictures import Pictures
from service.pipeline import draft_round
from tests.drafts import small_draft

HOSTILE = [
    "<script>alert('x')</script> il faut des bus",
    "</mark></bdi><img src=x onerror=alert(1)> des bus le soir",
    "=cmd|' /C calc'!A0 des bus gratuits",
    "\u202egauche à droite\u202c des bus",
    "mot" * 4000,
    '"><svg onload=alert(1)>',
]

ORDINARY = ["Il faut des bus <b>le soir</b>", "Des bus le soir & le matin", "Il faut des bus tôt le matin"]


def made(language="fr"):
    answers = tuple(
        Answer(id=f"Q1:R{k}", question_id="Q1", text=t, respondent_id=f"R{k}", category="<b>Élus</b>")
        for k, t in enumerate([*HOSTILE, *ORDINARY])
    )
    question = Question(id="Q1", title="Quoi <i>?</i>")
    round_ = Round(
        id="r",
        title="Titre & <u>",
        language=language,
        questions=(question,),
        answers=answers,
        n_respondents=len(answers),
    )
    return draft_round(round_, encoder=HashEncoder())


def test_what_respondents_wrote_is_text_on_the_page():
    page = export(made(), "html").decode()
    assert len(re.findall(r"<script>", page)) == 1
    assert set(re.findall(r"<script ([^>]*)>", page)) == {
        'type="application/json"'
    }  # data, which is never run
    assert not re.search(r"<(img|svg onload|i>|u>|b>)", page)
    assert "&lt;script&gt;" in page
    assert "mot" * 4000 in page


def test_the_policy_allows_only_the_pages_own_style_and_script():
    page = export(made(), "html").decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    assert policy.startswith("default-src 'none'")
    assert policy.count("sha256-") == 2
    assert "style=" not in page
    assert not re.search(
        r"\son\w+=", re.sub(r"<bdi>.*?</bdi>|<mark.*?</mark>|<q>.*?</q>", "", page, flags=re.DOTALL)
    )


def test_every_verbatim_is_marked_in_its_answer_and_every_link_leads_somewhere():
    draft = made()
    page = export(draft, "html").decode()
    ids = set(re.findall(r'\sid="([^"]+)"', page))
    links = set(re.findall(r'href="#([^"]+)"', page)) | {
        t for d in re.findall(r'data-to="([^"]*)"', page) for t in d.split()
    }
    assert links <= ids
    assert page.count("<mark id=") == len(draft.questions[0].verbatims)


def test_a_sentence_about_a_family_leads_to_it():
    draft, _ = small_draft()
    cited = [g for q in draft.questions for s in q.synthesis.sentences for g in s.group_ids if ".r" in g]
    assert cited
    page = export(draft, "html").decode()
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(set(ids)) == len(ids)
    assert {anchor("g", g) for g in cited} <= set(ids)
    links = set(re.findall(r'href="#([^"]+)"', page)) | {
        t for d in re.findall(r'data-to="([^"]*)"', page) for t in d.split()
    }
    assert links - set(ids) == set()


def test_an_approved_page_says_still_that_it_was_assembled():
    draft, _ = small_draft("en")
    review = revise(apply(draft, ()), Approve(), who="Ada", at="2026-02-03T10:00:00Z")
    page = export(review.draft, "html", review_of(review)).decode()
    assert "Approved by Ada" in page
    assert "It was not written." in page
    assert "DRAFT, NOT APPROVED" not in page


def test_english_page_has_english_words():
    page = export(made("en"), "html").decode()
    assert '<html lang="en">' in page
    assert "Ledger: nothing is lost" in page


def whole_text(made, to):
    """All that a deliverable says, packed formats unpacked."""
    if to in ("html", "md"):
        return made.decode()
    box = zipfile.ZipFile(io.BytesIO(made))
    return "\n".join(box.read(name).decode() for name in box.namelist() if name.endswith(".xml"))


@pytest.mark.parametrize("to", ["docx", "html", "md", "xlsx"])
def test_the_drafting_mark_stands_until_the_whole_draft_is_approved(to, monkeypatch):
    for name in ("groups", "map", "themes", "panel"):  # drawn by the other tests
        monkeypatch.setattr(Pictures, name, lambda *_: None)
    draft, _ = small_draft("en")

    def said(*edits):
        reviewed = apply(draft, ())
        for edit in edits:
            reviewed = revise(reviewed, edit, who="Ada", at="2026-02-03T10:00:00Z")
        return whole_text(export(reviewed.draft, to, review_of(reviewed)), to)

    mark, each = "DRAFT, NOT APPROVED", [Approve(question_id=q.id) for q in draft.questions]
    label = SetLabel(group_id=draft.questions[0].groups[0].id, text="Buses in the evening.")
    assert mark in said()
    assert mark in said(*each), "nobody has read the general synthesis yet"
    approved = said(Approve())
    assert mark not in approved
    assert "Approved by Ada on" in approved
    assert mark in said(Approve(), label), "what was edited is not what was approved"


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema": "other/1"}', "no json"])
def test_what_is_no_draft_is_said(text):
    with pytest.raises(BadInput):
        from_json(text)


def test_unknown_format():
    with pytest.raises(BadSetting, match="html"):
        export(made(), "odt")


def test_who_gave_a_duplicate_is_named_in_every_deliverable(monkeypatch):
    for name in ("groups", "map", "themes", "panel"):
        monkeypatch.setattr(Pictures, name, lambda *_: None)
    draft, _ = small_draft()
    page = export(draft, "html").decode()
    assert page.count("· aussi\u00a0: R90</span></li>") == 1
    document = docx.Document(io.BytesIO(export(draft, "docx")))
    (line,) = [p.text for p in document.paragraphs if p.text.startswith("Réponses en double")]
    assert line.endswith("g1, aussi\u00a0: R90.")
    book = openpyxl.load_workbook(io.BytesIO(export(draft, "xlsx")))
    head, *rows = book["Verbatims"].iter_rows(values_only=True)
    assert {r[0]: r[head.index("Aussi (doublons)")] for r in rows if r[head.index("Aussi (doublons)")]} == {
        draft.questions[0].verbatims[0].id: "R90"
    }
