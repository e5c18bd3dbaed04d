"""The example round's deliverables, read back: every figure is the draft's, and the report's pages look like pages."""

import io
import json
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path

import docx
import openpyxl
import pytest
from docx.oxml.ns import qn
from pypdf import PdfReader

from embeddings.encoder import HashEncoder
from service.domain.wording import typeset
from service.exports import export
from service.exports.corrections import read_corrections
from service.exports.sheet_terms import COLUMNS, SHEETS
from service.exports.sheets import read_back
from service.ingest import read_round
from service.pipeline import draft_round
from tests.drafts import small_draft

CALC = shutil.which("soffice") and (Path(shutil.which("soffice")).resolve().parent / "libsclo.so").exists()
EXAMPLE = Path(__file__).parents[2] / "examples" / "round" / "answers.csv"
FR = COLUMNS["fr"]


@pytest.fixture(scope="module")
def draft():
    made = draft_round(read_round(EXAMPLE).round, encoder=HashEncoder())
    return replace(made, created_at="2026-03-01T08:00:00+00:00")


@pytest.fixture(scope="module")
def report(draft):
    return export(draft, "docx")


def rows(table):
    return [[cell.text for cell in row.cells] for row in table.rows]


def converted(folder, name, to):
    """What LibreOffice, with a profile of its own, makes of a file of the folder."""
    home = f"-env:UserInstallation=file://{folder}/office"
    command = ["soffice", "--headless", home, "--convert-to", to, "--outdir", "made", name]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=600)
    return folder / "made" / Path(name).with_suffix(f".{to}")


def number(text):
    return int(re.sub(r"\D", "", text))


def sheet(data, name):
    """Rows of a sheet as dicts."""
    rows = openpyxl.load_workbook(io.BytesIO(data))[SHEETS["fr"][name]].iter_rows(values_only=True)
    head = next(rows)
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_every_figure_of_the_report_is_the_drafts(draft, report):
    said = json.loads(export(draft, "json"))
    tables = [rows(t) for t in docx.Document(io.BytesIO(report)).tables]
    panel = tables.pop(0)
    assert [[r[0], number(r[1]), number(r[2])] for r in panel[1:-1]] == [
        [row["category"], row["consulted"], row["responded"]] for row in said["round"]["panel"]
    ]
    assert number(panel[-1][2]) == said["round"]["n_respondents"]
    for q in said["questions"]:
        if q["closed_counts"]:
            counts = tables.pop(0)[1:-1]
            assert {option: number(n) for option, n in counts} == q["closed_counts"]
        if q["groups"]:
            listed = {r[0]: r for r in tables.pop(0)[1:] if r[0] != r[1]}
            firsts = [g for g in q["groups"] if g["level"] == 1]
            assert len(listed) == len(firsts)
            for g in firsts:
                ref, text, people, verbatims = listed[g["id"].split(".")[-1]]
                label, _, categories = text.partition("\n")
                assert label.startswith(typeset(g["label"], "fr"))
                assert (number(people), number(verbatims)) == (g["n_respondents"], len(g["verbatim_ids"])), (
                    ref
                )
                told = dict(
                    re.fullmatch(r"(.*)\u00a0(\d+)", part).groups() for part in categories.split(", ") if part
                )
                assert {name: int(n) for name, n in told.items()} == g["by_category"]
    ledger = {r[0]: r[1] for r in tables.pop(0)[1:]}
    answers, verbatims = said["ledger"]["answers"], said["ledger"]["verbatims"]
    assert [number(ledger[k]) for k in ("avec contenu", "sans contenu", "doublon")] == [
        answers["with_content"],
        answers["no_content"],
        answers["duplicate"],
    ]
    assert [number(ledger[k]) for k in ("regroupés", "isolés")] == [
        verbatims["grouped"],
        verbatims["isolated"],
    ]
    totals = [number(k.split("\u00a0:")[1]) for k in ledger if "\u00a0:" in k]
    assert totals == [answers["total"], verbatims["total"]]


def test_every_sentence_has_a_note_whose_links_lead_somewhere(draft, report):
    box = zipfile.ZipFile(io.BytesIO(report))
    body, notes = box.read("word/document.xml").decode(), box.read("word/footnotes.xml").decode()
    sentences = sum(len(q.synthesis.sentences) for q in draft.questions)
    sentences += sum(len(section.sentences) for t in draft.themes for section in t.sections)
    assert re.findall(r'footnoteReference w:id="(\d+)"', body) == [str(k + 1) for k in range(sentences)]
    assert len(re.findall(r'<w:footnote [^>]*w:id="[1-9]\d*"', notes)) == sentences
    bookmarks = re.findall(r'bookmarkStart w:id="(\d+)" w:name="(\w+)"', body)
    assert len({number for number, _ in bookmarks}) == len({name for _, name in bookmarks}) == len(bookmarks)
    assert set(re.findall(r'w:anchor="(\w+)"', body + notes)) <= {name for _, name in bookmarks}


def test_headings_contents_captions_pages_and_pictures_are_words_own(report):
    document = docx.Document(io.BytesIO(report))
    assert {f"Heading {k}" for k in (1, 2, 3)} <= {p.style.name for p in document.paragraphs}
    codes = [c.text.split()[0] for c in document.element.iter(qn("w:instrText"))]
    assert {"TOC", "SEQ"} <= set(codes)
    toc = next(document.element.iter(qn("w:sdtContent")))
    assert "Synthèse générale" in "".join(toc.itertext())
    footer = document.sections[0].footer._element
    assert [c.text.strip() for c in footer.iter(qn("w:instrText"))] == ["PAGE", "NUMPAGES"]
    captions = [p.text for p in document.paragraphs if p.style.name == "Caption"]
    assert [c for c in captions if not re.search(r"[^.?!…][.?!…]$", c)] == []
    made_by = [name for name, _ in rows(document.tables[-1])]
    assert "" not in made_by, "what has many values has one row, not a page of them"
    pictures = list(document.element.iter(qn("wp:docPr")))
    assert len(pictures) > 10
    assert all(len(p.get("descr")) > 40 for p in pictures)
    assert {e.get(qn("w:val")) for e in document.styles.element.iter(qn("w:lang"))} == {"fr-FR"}


def test_every_figure_of_the_workbook_is_the_drafts(draft):
    said, data = json.loads(export(draft, "json")), export(draft, "xlsx")
    groups = {r[FR["id"]]: r for r in sheet(data, "groups")}
    assert groups.keys() == {g["id"] for q in said["questions"] for g in q["groups"]}
    for g in (g for q in said["questions"] for g in q["groups"]):
        row = groups[g["id"]]
        assert (row[FR["respondents"]], row[FR["verbatims"]]) == (g["n_respondents"], len(g["verbatim_ids"]))
        assert {p["category"]: row.get(p["category"], 0) for p in said["round"]["panel"]} == {
            p["category"]: g["by_category"].get(p["category"], 0) for p in said["round"]["panel"]
        }
        assert row[FR["label"]] == g["label"]
    verbatims = {r[FR["id"]]: r for r in sheet(data, "verbatims")}
    answers = {r[FR["id"]]: r[FR["answer_text"]] or "" for r in sheet(data, "answers")}
    assert {a["id"]: a["text"] for q in said["questions"] for a in q["answers"]} == {
        k: read_back(text) for k, text in answers.items()
    }
    for v in (v for q in said["questions"] for v in q["verbatims"]):
        row = verbatims[v["id"]]
        text = read_back(answers[row[FR["answer"]]])
        assert text[row[FR["start"]] : row[FR["end"]]] == v["quote"] == read_back(row[FR["quote"]])
    questions = {r[FR["id"]]: r for r in sheet(data, "questions")}
    for q in said["questions"]:
        row = questions[q["id"]]
        assert row[FR["respondents"]] == q["n_respondents"]
        assert (row[FR["verbatims"]], row[FR["isolated"]]) == (len(q["verbatims"]), len(q["isolated"]))
        assert row[FR["total"]] == sum(
            row[FR[k]] for k in ("with_content", "no_content", "duplicate", "failed")
        )
    counts = [r[FR["count"]] for r in sheet(data, "ledger")]
    a, v = said["ledger"]["answers"], said["ledger"]["verbatims"]
    assert counts[:9] == [*a.values(), *v.values()]
    panel = [tuple(r.values()) for r in sheet(data, "panel")]
    assert panel[:-1] == [(p["category"], p["consulted"], p["responded"]) for p in said["round"]["panel"]]
    assert panel[-1][2] == said["round"]["n_respondents"]
    assert len(sheet(data, "isolated")) == v["isolated"]
    assert sum(r[FR["total"]] for r in sheet(data, "respondents")) == a["total"]
    assert {r[FR["kind"]] for r in questions.values()} == {"ouverte"}
    assert {r[FR["origin"]] for r in groups.values()} == {"assemblage"}
    assert read_corrections(data, draft).edits == ()


@pytest.mark.skipif(
    not (shutil.which("soffice") and shutil.which("pdftoppm")),
    reason="apt-get install libreoffice-writer-nogui poppler-utils: the report is not looked at as PDF",
)
def test_the_pdf_has_no_empty_or_broken_page(report, draft, tmp_path):
    (tmp_path / "draft.docx").write_bytes(report)
    made = converted(tmp_path, "draft.docx", "pdf")
    pages = PdfReader(made).pages
    texts = [page.extract_text() for page in pages]
    assert len(pages) > len(draft.questions)
    assert all(len(text) > 250 or page.images for text, page in zip(texts, pages, strict=True)), [
        len(t) for t in texts
    ]
    whole = "\n".join(texts)
    assert f"Page {len(pages)} / {len(pages)}".replace(" ", "") in whole.replace("\u00a0", "").replace(
        " ", ""
    )
    for group in draft.questions[0].groups:
        assert "".join(group.label.split())[:25] in "".join(whole.split())
    subprocess.run(["pdftoppm", "-r", "20", "-png", str(made), "page"], cwd=tmp_path, check=True)
    drawn = sorted(tmp_path.glob("page*.png"))
    assert len(drawn) == len(pages)
    assert all(len(p.read_bytes()) > 900 for p in drawn)


@pytest.mark.skipif(not CALC, reason="apt-get install libreoffice-calc-nogui: the workbook is not opened")
def test_a_spreadsheet_program_opens_saves_and_prints_the_workbook_and_nothing_in_it_changes(tmp_path):
    draft, _ = small_draft()
    q = draft.questions[0]
    hostile = ["=1+1", "+2", '=HYPERLINK("http://x.example")', "@SUM(A1)", "00123"]
    groups = tuple(replace(g, label=text) for g, text in zip(q.groups, hostile, strict=True))
    answer = q.answers[-1]
    more = tuple(replace(answer, id=f"Q1:N{k}", text="=1/2 " * 60) for k in range(40))
    odd = replace(q, groups=groups, answers=(*q.answers, *more))
    draft = replace(draft, questions=(odd, *draft.questions[1:]))
    data = export(draft, "xlsx")
    (tmp_path / "draft.xlsx").write_bytes(data)
    saved = converted(tmp_path, "draft.xlsx", "xlsx").read_bytes()
    assert read_corrections(saved, draft).edits == ()
    for name, column in (("groups", "label"), ("answers", "answer_text")):
        assert [r[FR[column]] for r in sheet(saved, name)] == [r[FR[column]] for r in sheet(data, name)]
    book = openpyxl.load_workbook(io.BytesIO(saved))
    assert not [c for page in book for row in page.iter_rows() for c in row if c.data_type in "fe"]
    pages = PdfReader(converted(tmp_path, "draft.xlsx", "pdf")).pages
    texts = ["".join(page.extract_text().split()) for page in pages]
    whole = [text for text in texts if "".join(FR["of"].split()) in text and "=1/2=1/2" in text]
    assert len(whole) >= 2, "a sheet's columns stand on one page, its header on every page"
