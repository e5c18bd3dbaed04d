"""The workbook: text that stays text, and corrections that come back as edits."""

import io
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from service.domain.draft import SentenceRef
from service.domain.review import apply, revise
from service.domain.revision import Approve, MoveGroups, MoveVerbatims, NewGroup, SetLabel, SetSentence
from service.errors import BadInput
from service.exports import export, review_of
from service.exports.corrections import read_corrections
from service.exports.sheet_terms import COLUMNS, SHEETS
from service.exports.sheets import read_back
from service.exports.terms import TERMS
from tests.drafts import small_draft

EXAMPLE = Path(__file__).parents[2] / "examples" / "round" / "answers.csv"
FR, EN = COLUMNS["fr"], COLUMNS["en"]


def sheet(data, name, language="fr"):
    """Rows of a sheet as dicts."""
    rows = openpyxl.load_workbook(io.BytesIO(data))[SHEETS[language][name]].iter_rows(values_only=True)
    head = next(rows)
    return [dict(zip(head, row, strict=True)) for row in rows]


HOSTILE = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-2+3",
    "@SUM(A1)",
    "\tx",
    "#N/A",
    "\x0bvertical\x00",
    "_x000B_",
    "a\r\nb",
    "\u202egauche",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_people_wrote_is_text_in_the_cells(text):
    draft, _ = small_draft()
    q = draft.questions[2]
    answer = replace(q.answers[0], text=text)
    verbatim = replace(q.verbatims[0], quote=text, text=text, end=len(text))
    q = replace(q, answers=(answer, *q.answers[1:]), verbatims=(verbatim, *q.verbatims[1:]))
    data = export(replace(draft, questions=(*draft.questions[:2], q)), "xlsx")
    book = openpyxl.load_workbook(io.BytesIO(data))
    (cell,) = [row[7] for row in book["Verbatims"].iter_rows() if row[0].value == verbatim.id]
    assert cell.data_type == "s"
    assert read_back(cell.value).replace("\r\n", "\n") == text.replace("\r\n", "\n")
    assert cell.quotePrefix == text.startswith(tuple("=+-@\t"))


def test_a_row_is_as_high_as_its_text_and_no_higher_than_the_format_allows():
    draft, _ = small_draft()
    q = draft.questions[2]
    texts = ["court", "mot " * 60, "une ligne\n" * 4, "mot " * 5000]
    answers = tuple(replace(a, text=text) for a, text in zip(q.answers, texts, strict=False))
    q = replace(q, answers=(*answers, *q.answers[len(texts) :]))
    data = export(replace(draft, questions=(*draft.questions[:2], q)), "xlsx")
    page = openpyxl.load_workbook(io.BytesIO(data))[SHEETS["fr"]["answers"]]
    at = {row[0].value: page.row_dimensions[row[0].row].height for row in page.iter_rows()}
    assert [at[a.id] / 15 for a in answers] == [1, 3, 5, 27]


def test_a_text_longer_than_a_cell_is_whole_in_the_answers_and_said_to_go_on_elsewhere():
    draft, _ = small_draft("en")
    for text in ("a long word " * 6000, "\x01" * 40_000, "😀" * 20_000):
        q = draft.questions[2]
        answer = replace(q.answers[0], text=text)
        verbatim = replace(q.verbatims[0], quote=text, end=len(text))
        q = replace(q, answers=(answer, *q.answers[1:]), verbatims=(verbatim, *q.verbatims[1:]))
        made = replace(draft, questions=(*draft.questions[:2], q))
        data = export(made, "xlsx")
        (row,) = [r for r in sheet(data, "answers", "en") if r[EN["id"]] == answer.id]
        pieces = [v for k, v in row.items() if v and (k == EN["answer_text"] or k.startswith(EN["more"]))]
        assert read_back("".join(pieces)) == text
        assert all(len(p.encode("utf-16-le")) <= 2 * 32_767 for p in pieces)
        (row,) = [r for r in sheet(data, "verbatims", "en") if r[EN["id"]] == verbatim.id]
        assert row[EN["quote"]].endswith("[…]")
        assert read_corrections(data, made).edits == ()


def corrected(draft, change, language="fr"):
    """The draft's workbook after `change` worked in it and another program saved it."""
    book = openpyxl.load_workbook(io.BytesIO(export(draft, "xlsx")))
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def set_cell(book, name, id_, column, value, language="fr"):
    page = book[SHEETS[language][name]]
    head = [c.value for c in page[1]]
    (row,) = [r for r in page.iter_rows(min_row=2) if r[0].value == id_]
    row[head.index(COLUMNS[language][column])].value = value


def test_labels_moves_new_groups_and_sentences_come_back_as_edits():
    draft, _ = small_draft()
    q = draft.questions[0]
    g1, g2 = (next(g for g in q.groups if g.id == f"Q1.{k}") for k in ("g1", "g2"))

    def change(book):
        set_cell(book, "groups", "Q1.g1", "label", "  Davantage de bus\u00a0le soir. ")
        set_cell(book, "verbatims", g1.verbatim_ids[0], "group", "g2")
        set_cell(book, "verbatims", g1.verbatim_ids[1], "group", None)
        set_cell(book, "verbatims", q.isolated[0], "group", "mien")
        page = book[SHEETS["fr"]["groups"]]
        page.append(["mien", "Q1", 1, None, "Les abris sont à repeindre."])
        page = book[SHEETS["fr"]["sentences"]]
        page["D2"].value = "Les bus manquent."

    found = read_corrections(corrected(draft, change), draft)
    assert found.edits == (
        NewGroup(question_id="Q1", verbatim_ids=(q.isolated[0],), label="Les abris sont à repeindre."),
        MoveVerbatims(verbatim_ids=(g1.verbatim_ids[1],), to=None),
        MoveVerbatims(verbatim_ids=(g1.verbatim_ids[0],), to=g2.id),
        SetLabel(group_id="Q1.g1", text="Davantage de bus\u00a0le soir."),
        SetSentence(at=SentenceRef(question_id="Q1", sentence=0), text="Les bus manquent."),
    )
    assert len(found.report) == 5
    assert found.version == 0
    review = apply(draft, ())
    for edit in found.edits:
        review = revise(review, edit, who="Ada", at="2026-02-03T10:00:00Z")
    again = export(review.draft, "xlsx", review_of(review))
    assert read_corrections(again, review.draft).edits == ()
    assert read_corrections(again, review.draft).version == 5
    told = sheet(again, "revisions")
    assert [r[FR["number"]] for r in told] == sorted(r[FR["number"]] for r in told)
    assert {r[FR["kind"]] for r in told} == {
        "Nouveau regroupement",
        "Verbatims déplacés",
        "Libellé corrigé",
        "Phrase récrite",
    }
    assert ("Q1.g1", "Plus de bus le soir.", "Davantage de bus\u00a0le soir.") in {
        (r[FR["target"]], r[FR["before"]], r[FR["after"]]) for r in told
    }


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_group_whose_parent_was_changed_in_the_sheet_comes_back_as_a_move(language):
    draft, _ = small_draft(language)

    def change(book):
        set_cell(book, "groups", "Q1.g2", "under", "r2", language)

    found = read_corrections(corrected(draft, change, language), draft)
    assert found.edits == (MoveGroups(group_ids=("Q1.g2",), to="Q1.r2"),)
    assert found.report == ("Q1: Q1.g2 put under Q1.r2",)
    review = revise(apply(draft, ()), found.edits[0], who="Ada", at="2026-02-03T10:00:00Z")
    again = export(review.draft, "xlsx", review_of(review))
    assert read_corrections(again, review.draft).edits == ()
    (told,) = sheet(again, "revisions", language)
    assert {"Q1.r1", "Q1.r2"} <= set(told.values())


def test_level_2_groups_are_made_emptied_and_filled_from_the_sheet():
    draft, _ = small_draft()

    def change(book):
        page = book[SHEETS["fr"]["groups"]]
        page.append(["neuf", "Q1", 2, None, "Les prix et le dimanche."])
        page.append(["matin", "Q1", 1, "r2", "Tôt le matin."])
        page.append(["vide", "Q1", 2, None, "Personne n’y va."])
        set_cell(book, "groups", "Q1.g2", "under", "neuf")
        set_cell(book, "groups", "Q1.g3", "under", "Q1.r1")
        set_cell(book, "groups", "Q1.r2", "label", "Tôt.")
        set_cell(book, "verbatims", "Q1:R01.1", "group", "matin")

    found = read_corrections(corrected(draft, change), draft)
    assert found.edits == (
        NewGroup(question_id="Q1", verbatim_ids=("Q1:R01.1",), label="Tôt le matin.", parent="Q1.r2"),
        MoveGroups(group_ids=("Q1.g3",), to="Q1.r1"),
        MoveGroups(group_ids=("Q1.g2",), to=None, label="Les prix et le dimanche."),
        SetLabel(group_id="Q1.r2", text="Tôt."),
    )
    assert any("vide" in line and "not made" in line for line in found.report)
    assert families(draft, found) == {
        "Un ensemble.": {"Q1.g1", "Q1.g3"},
        "Tôt.": {"Q1.n1"},
        "Les prix et le dimanche.": {"Q1.g2"},
    }


def named_families():
    draft, _ = small_draft()
    q = draft.questions[0]
    labels = {"Q1.r1": "Un.", "Q1.r2": "Deux."}
    groups = tuple(replace(g, label=labels.get(g.id, g.label)) for g in q.groups)
    return replace(draft, questions=(replace(q, groups=groups), *draft.questions[1:]))


def families(draft, found):
    """Label of each level-2 group of the first question → its groups, once all edits are made."""
    review = apply(draft, ())
    for edit in found.edits:
        review = revise(review, edit, who="Ada", at="2026-02-03T10:00:00Z")
    inside = {}
    groups = {g.id: g for g in review.draft.questions[0].groups}
    for g in groups.values():
        if g.level == 1:
            inside.setdefault(groups[g.parent].label, set()).add(g.id)
    return inside


@pytest.mark.parametrize("label", [None, "Corrigé."])
def test_level_2_groups_change_all_their_groups_in_one_workbook(label):
    draft = named_families()

    def change(book):
        for id_, to in (("Q1.g1", "r2"), ("Q1.g2", "r2"), ("Q1.g3", "r1")):
            set_cell(book, "groups", id_, "under", to)
        for id_ in ("Q1.r1", "Q1.r2"):
            if label:
                set_cell(book, "groups", id_, "label", f"{label} {id_}")

    found = read_corrections(corrected(draft, change), draft)
    one, two = (f"{label} Q1.r1", f"{label} Q1.r2") if label else ("Un.", "Deux.")
    assert families(draft, found) == {one: {"Q1.g3"}, two: {"Q1.g1", "Q1.g2"}}
    assert len(found.report) == (3 if label else 2)
    assert "made anew" in "".join(found.report)


def test_a_group_that_loses_its_verbatims_is_put_nowhere():
    draft = named_families()

    def change(book):
        set_cell(book, "verbatims", "Q1:R04.1", "group", "g1")
        set_cell(book, "verbatims", "Q1:R05.1", "group", "g1")
        set_cell(book, "groups", "Q1.g2", "under", "r2")
        set_cell(book, "groups", "Q1.g3", "under", "r1")
        set_cell(book, "groups", "Q1.g1", "under", "r2")

    found = read_corrections(corrected(draft, change), draft)
    assert "Q1.g2 has no verbatim any more: it was put nowhere." in found.report
    assert families(draft, found) == {"Un.": {"Q1.g3"}, "Deux.": {"Q1.g1"}}


def test_sorted_deleted_and_added_rows_columns_and_titles_change_nothing():
    draft, _ = small_draft()

    def change(book):
        page = book[SHEETS["fr"]["verbatims"]]
        rows = [[c.value for c in row] for row in page.iter_rows(min_row=2)]
        page.delete_rows(2, page.max_row)
        for row in sorted(rows, key=lambda r: str(r[6]), reverse=True)[:-3]:
            page.append(row)
        page.insert_cols(2)
        page["B1"].value = "Mes notes"
        page.insert_rows(1)
        page["A1"].value = "Relecture du 3 mars"
        book[SHEETS["fr"]["groups"]].delete_rows(3)
        del book[SHEETS["fr"]["sentences"]]

    found = read_corrections(corrected(draft, change), draft)
    assert found.edits == ()
    assert len(found.report) == 2
    assert "3 verbatim(s)" in found.report[1]


@pytest.mark.parametrize(
    ("name", "id_", "column", "value", "said"),
    [
        (
            "groups",
            "Q1.g1",
            "label",
            None,
            "sheet Regroupements, row {row}, column E: the label of Q1.g1 is empty",
        ),
        ("groups", "Q1.g1", "id", "Q1.g99", "column A: no group Q1.g99 in this draft"),
        ("verbatims", None, "group", "Q1.g77", "column C: no group Q1.g77. Did you mean Q1.g"),
        ("verbatims", None, "group", "Q2.g1", "group Q2.g1 is of question Q2, not Q1"),
        ("verbatims", None, "group", "Q1.r1", "Q1.r1 holds groups, not verbatims"),
        ("groups", "Q1.g1", "under", "Q1.r7", "row {row}, column D: no group Q1.r7. Did you mean Q1.r"),
        ("groups", "Q1.g1", "under", "Q3.r1", "group Q3.r1 is of question Q3, not Q1"),
        ("groups", "Q1.g1", "under", "Q1.g2", "Q1.g2 holds verbatims, not groups"),
        ("groups", "Q1.g1", "under", None, "row {row}, column D: the cell is empty"),
        ("groups", "Q1.r1", "under", "Q1.r2", "Q1.r1 is a level-2 group itself"),
        ("verbatims", None, "id", "Q9:R1.1", "column A: no verbatim Q9:R1.1"),
    ],
)
def test_what_cant_be_used_is_told_by_sheet_row_and_column(name, id_, column, value, said):
    draft, _ = small_draft()
    id_ = id_ or draft.questions[0].verbatims[0].id

    def change(book):
        set_cell(book, name, id_, column, value)
        if value == "Q1.g99":  # a line with no question is no new group
            set_cell(book, name, value, "question", None)

    with pytest.raises(BadInput) as error:
        read_corrections(corrected(draft, change), draft)
    row = 2 + [g.id for q in draft.questions for g in q.groups].index("Q1.g1")
    assert said.format(row=row) in str(error.value)
    assert str(error.value).count("\n") == 1


def test_a_workbook_of_another_draft_no_workbook_and_a_lost_header_are_refused():
    draft, _ = small_draft()
    other = export(replace(draft, id="def"), "xlsx")
    with pytest.raises(BadInput, match="made from draft def, not from abc"):
        read_corrections(other, draft)
    with pytest.raises(BadInput, match=r"no \.xlsx workbook"):
        read_corrections(b"id;group\n", draft)

    def change(book):
        book[SHEETS["fr"]["verbatims"]]["C1"].value = "?"

    with pytest.raises(BadInput, match=r"sheet Verbatims, row 1: .*« Identifiant », « Regroupement"):
        read_corrections(corrected(draft, change), draft)


def test_the_same_draft_gives_the_same_bytes():
    draft, _ = small_draft()
    assert export(draft, "xlsx") == export(draft, "xlsx")


def test_how_the_draft_came_about_is_said_before_and_after_it_is_approved():
    draft, _ = small_draft()
    review = revise(apply(draft, ()), Approve(), who="Ada", at="2026-02-03T10:00:00Z")
    for data in (export(draft, "xlsx"), export(review.draft, "xlsx", review_of(review))):
        page = openpyxl.load_workbook(io.BytesIO(data))["Lisez-moi"]
        said = [row[0] for row in page.iter_rows(values_only=True) if isinstance(row[0], str)]
        assert any(text.startswith(TERMS["fr"]["assembled"]) for text in said)
