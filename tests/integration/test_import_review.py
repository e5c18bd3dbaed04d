"""`polyphonie export` and `import-review`, from file to file."""

import json

import docx
import openpyxl
import pytest
from typer.testing import CliRunner

from service.cli import app
from service.errors import BadInput
from service.exports import export
from tests.drafts import small_draft


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)


def test_a_corrected_workbook_becomes_a_revised_draft_and_the_next_one_goes_on_from_there(tmp_path):
    draft, _ = small_draft()
    source = tmp_path / "draft.json"
    source.write_bytes(export(draft, "json"))
    assert run("export", source, "--to", "xlsx", "--out", tmp_path / "first").exit_code == 0
    for step, label in (("first", "Des bus le soir, vite."), ("second", "Des bus le soir, maintenant.")):
        book = openpyxl.load_workbook(tmp_path / step / "draft.xlsx")
        page = book["Regroupements"]
        row = next(r for r in page.iter_rows(min_row=2) if r[0].value == "Q1.g1")
        row[4].value = label
        sheet = tmp_path / step / "corrected.xlsx"
        book.save(sheet)
        before = [] if step == "first" else ["--revisions", tmp_path / "first" / "revisions.json"]
        done = run("import-review", source, sheet, "--out", tmp_path / step, "--who", "Ada", *before)
        assert f"→ « {label} »" in done.stdout
        revisions = json.loads((tmp_path / step / "revisions.json").read_text())
        assert [r["who"] for r in revisions] == ["Ada"] * (1 if step == "first" else 2)
        revised = json.loads((tmp_path / step / "draft.json").read_text())
        labels = {g["id"]: g["label"] for q in revised["questions"] for g in q["groups"]}
        assert labels["Q1.g1"] == label
        made = ["--revisions", tmp_path / step / "revisions.json"]
        run("export", source, "--to", "xlsx", "--out", tmp_path / "second", *made)
    assert json.loads(source.read_text())["questions"][0]["groups"][0]["label"] != label


def test_a_workbook_of_an_older_version_is_refused(tmp_path):
    draft, _ = small_draft()
    source = tmp_path / "draft.json"
    source.write_bytes(export(draft, "json"))
    run("export", source, "--to", "xlsx")
    book = openpyxl.load_workbook(tmp_path / "draft.xlsx")
    next(r for r in book["Regroupements"].iter_rows(min_row=2) if r[0].value == "Q1.g1")[4].value = "Autre."
    book.save(tmp_path / "corrected.xlsx")
    run("import-review", source, tmp_path / "corrected.xlsx", "--out", tmp_path / "out")
    with pytest.raises(BadInput, match="exported at version 0 of the draft, this is version 1"):
        run(
            "import-review",
            source,
            tmp_path / "corrected.xlsx",
            "--out",
            tmp_path / "again",
            "--revisions",
            tmp_path / "out" / "revisions.json",
        )
    assert not (tmp_path / "again").exists()


def test_texts_to_look_at_again_are_listed_and_marked_with_the_reason_in_every_deliverable(tmp_path):
    draft, _ = small_draft()
    source = tmp_path / "draft.json"
    source.write_bytes(export(draft, "json"))
    run("export", source, "--to", "xlsx")
    book = openpyxl.load_workbook(tmp_path / "draft.xlsx")
    head = [c.value for c in book["Verbatims"][1]]
    row = next(r for r in book["Verbatims"].iter_rows(min_row=2) if r[0].value == "Q1:R04.1")
    row[head.index("Regroupement (à corriger ici)")].value = "Q1.g3"
    book.save(tmp_path / "corrected.xlsx")
    out = tmp_path / "out"
    run("import-review", source, tmp_path / "corrected.xlsx", "--out", out)
    report = (out / "report.txt").read_text().splitlines()
    for where in ("label of Q1.g2", "label of Q1.g3", "Q1, sentence 1", "Q1, sentence 2"):
        assert f"- {where}: verbatims were moved" in report
    assert any(line.startswith("- general synthesis, theme 1, part 1, sentence 1: ") for line in report)
    run("export", source, "--to", "xlsx,docx,html", "--out", out, "--revisions", out / "revisions.json")
    why = "à revoir\u00a0: des verbatims ont été déplacés"
    made = openpyxl.load_workbook(out / "draft.xlsx")
    for name, key, marked in (("Regroupements", 0, "Q1.g2"), ("Synthèses", 1, 1)):
        head, *rows = made[name].iter_rows(values_only=True)
        notes = {r[key]: r[head.index("Remarque")] for r in rows if "Q1" in r[:2] or r[1] == "Q1"}
        assert notes[marked] == why
    assert notes[4] is None, "what nothing changed under has no remark"
    (note,) = [r for r in made["Synthèse générale"].iter_rows(values_only=True) if "On veut des bus." in r]
    assert any("à revoir" in str(cell) for cell in note)
    document = docx.Document(out / "draft.docx")
    texts = [p.text for p in document.paragraphs]
    texts += [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    for words in ("le plus large", "Pas de bus le dimanche.", "On veut des bus."):
        assert any(words in text and "[à revoir" in text for text in texts), words
    page = (out / "draft.html").read_text()
    assert page.count("des verbatims ont été déplacés") >= 4
    assert page.count(">à revoir</span>") >= 5
