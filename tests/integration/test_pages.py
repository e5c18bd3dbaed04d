"""The pages over HTTP: who may come in, forms of other sites, two people on one label, what is undone, searched, drafted again."""

import io
import re
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from fastapi.testclient import TestClient

from service import errors
from service.api.pages.error_terms import CLASSES, EDITS
from service.api.pages.page import inside, with_values
from service.domain.draft import Failure, Suspect, Synthesis
from service.domain.jobs import Configuration, HeldJobs
from service.errors import StopAll
from service.exports import export
from service.store import Store, drafts, keys, rounds
from tests.drafts import small_draft
from tests.pages import fake_app


class Person:
    """Somebody at a browser."""

    def __init__(self, app, store: Store, name: str, *scopes: keys.Scope, team: str = "a") -> None:
        with store.write() as connection:
            _, self.key = keys.create(connection, name, team=team, scopes=scopes or keys.SCOPES)
        self.client = TestClient(app, follow_redirects=True)
        self.client.headers["accept-language"] = "en"
        self.page = self.client.get("/sign-in")
        self.send("/sign-in", key=self.key, next="/")

    def token(self) -> str:
        found = re.search(r'name="csrf" value="([0-9a-f]{64})"', self.page.text)
        assert found, self.page.text[:500]
        return found[1]

    def get(self, address: str):
        self.page = self.client.get(address)
        return self.page

    def send(self, address: str, **fields):
        self.page = self.client.post(address, data={"csrf": self.token()} | fields)
        return self.page


@pytest.fixture
def store(tmp_path):
    opened = Store(f"sqlite:///{tmp_path}/polyphonie.sqlite")
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def app(tmp_path, store):
    return fake_app(tmp_path, store, HeldJobs())


@pytest.fixture
def draft_id(store) -> str:
    """A draft that is done, of team a."""
    draft, round_ = small_draft()
    with store.write() as connection:
        kept = rounds.add(connection, round_, team="a", created_by="x", sha256="0" * 64)
        asked = drafts.add(
            connection, round_id=kept.id, team="a", created_by="x", configuration=Configuration()
        )
        drafts.start(connection, asked.id)
        drafts.finish(connection, asked.id, export(draft, "json"))
    return asked.id


def person(app, name: str, *scopes: keys.Scope, team: str = "a") -> Person:
    return Person(app, app.state.context.store, name, *scopes, team=team)


def test_nobody_comes_in_without_a_key_and_is_brought_back_after_signing_in(app, draft_id):
    store = app.state.context.store
    with store.write() as connection:
        _, secret = keys.create(connection, "ana", team="a", scopes=keys.SCOPES)
    client = TestClient(app, follow_redirects=False)
    turned_away = client.get(f"/drafts/{draft_id}/history")
    assert (turned_away.status_code, turned_away.headers["location"]) == (
        303,
        f"/sign-in?next=%2Fdrafts%2F{draft_id}%2Fhistory",
    )
    page = client.get(turned_away.headers["location"])
    token = re.search(r'name="csrf" value="([0-9a-f]+)"', page.text)[1]
    wrong = client.post("/sign-in", data={"csrf": token, "key": "pk_no", "next": "/"})
    assert wrong.status_code == 401
    right = client.post("/sign-in", data={"csrf": token, "key": f" {secret} ", "next": "//evil.example"})
    assert (right.status_code, right.headers["location"]) == (303, "/")
    cookie = next(c for c in right.headers.get_list("set-cookie") if c.startswith("polyphonie_session"))
    assert {"HttpOnly", "SameSite=strict"} <= {part.strip() for part in cookie.split(";")}


def test_signing_out_ends_the_session(app):
    ana = person(app, "ana")
    cookie = dict(ana.client.cookies)
    assert ana.get("/").status_code == 200
    ana.send("/sign-out")
    again = TestClient(app, cookies=cookie, follow_redirects=False)
    assert again.get("/").status_code == 303


def test_pages_let_nothing_in_from_elsewhere_and_run_no_script_of_their_text(app, draft_id):
    ana = person(app, "ana")
    for address in ("/", "/upload", f"/drafts/{draft_id}", f"/drafts/{draft_id}/questions/1"):
        page = ana.get(address)
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"<script(?! src=\"/static/)|\son\w+=|style=", page.text), address
        assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page.text), address


def test_a_form_without_the_token_of_the_session_changes_nothing(app, draft_id):
    ana, ben = person(app, "ana"), person(app, "ben")
    ana.get(f"/drafts/{draft_id}/questions/1")
    fields = {"kind": "approve", "seen": "0", "question": "Q1", "back": "/"}
    for token in ("", "0" * 64, ben.get(f"/drafts/{draft_id}") and ben.token()):
        refused = ana.client.post(f"/drafts/{draft_id}/changes", data=fields | {"csrf": token})
        assert refused.status_code == 403
    assert (
        "Change 1" in ana.send(f"/drafts/{draft_id}/changes", **fields | {"back": f"/drafts/{draft_id}"}).text
    )


def test_another_team_and_other_scopes_see_and_change_nothing(app, draft_id):
    stranger = person(app, "eve", team="b")
    assert stranger.get(f"/drafts/{draft_id}").status_code == 404
    assert stranger.get(f"/drafts/{draft_id}/search?q=bus").status_code == 404
    reader = person(app, "rea", "read")
    page = reader.get(f"/drafts/{draft_id}/questions/1?at=s:0:Q1")
    assert page.status_code == 200
    assert 'name="kind"' not in page.text, "no form that would be refused is offered"
    refused = reader.send(f"/drafts/{draft_id}/changes", kind="approve", seen="0", back="/")
    assert refused.status_code == 403


def test_two_people_on_the_same_label_the_second_sees_both_and_nothing_is_overwritten(app, draft_id):
    ana, ben = person(app, "ana"), person(app, "ben")
    address = f"/drafts/{draft_id}/groups?id=Q1.g1"
    ana.get(address)
    ben.get(address)
    fields = {"kind": "set_label", "group": "Q1.g1", "seen": "0", "back": address}
    assert "Change 1 is saved" in ana.send(f"/drafts/{draft_id}/changes", **fields, text="From Ana.").text
    told = ben.send(f"/drafts/{draft_id}/changes", **fields, text="From <b>Ben</b>.")
    assert told.status_code == 412
    assert "From Ana." in told.text
    assert "From &lt;b&gt;Ben&lt;/b&gt;." in told.text
    assert "Last change by ana" in told.text
    assert "From Ana." in ana.get(address).text
    ben.send(f"/drafts/{draft_id}/changes", **fields | {"seen": "1"}, text="From Ben, knowing.")
    assert "From Ben, knowing." in ana.get(address).text
    elsewhere = {"kind": "set_label", "group": "Q3.g1", "seen": "0", "back": address, "text": "Elsewhere."}
    assert "Change 3 is saved" in ana.send(f"/drafts/{draft_id}/changes", **elsewhere).text


def test_a_change_is_undone_from_the_history_and_both_are_told(app, draft_id):
    ana = person(app, "ana")
    ana.get(f"/drafts/{draft_id}/groups?id=Q1.g1")
    back = f"/drafts/{draft_id}/history"
    ana.send(f"/drafts/{draft_id}/changes", kind="set_label", group="Q1.g1", seen="0", back=back, text="New.")
    ana.send(f"/drafts/{draft_id}/changes", kind="undo", revision="1", seen="1", back=back)
    page = ana.get(back).text
    assert "Change 1 undone" in page
    assert "Plus de bus le soir." in page
    assert "New." in page
    assert "Plus de bus le soir." in ana.get(f"/drafts/{draft_id}/groups?id=Q1.g1").text


def test_moves_merges_splits_and_new_groups_from_the_forms(app, draft_id):
    ana = person(app, "ana")
    group = f"/drafts/{draft_id}/groups?id="
    ana.get(group + "Q1.g1")

    def send(**fields):
        return ana.send(f"/drafts/{draft_id}/changes", back=f"/drafts/{draft_id}/questions/1", **fields)

    send(kind="split_group", group="Q1.g1", verbatim=["Q1:R01.1"], text="Apart.", seen="0")
    assert "Apart." in ana.get(group + "Q1.n1").text
    ana.get(group + "Q1.g1")
    send(kind="move_verbatims", verbatim=["Q1:R02.1"], to="Q1.n1", seen="1")
    assert "2 verbatims" in ana.get(group + "Q1.n1").text
    send(kind="isolate", verbatim=["Q1:R02.1"], seen="2")
    assert re.search(r"\b1 verbatim\b", ana.get(group + "Q1.n1").text)
    send(kind="new_group", question="Q1", verbatim=["Q1:R02.1"], text="Fresh.", seen="3")
    assert "Fresh." in ana.get(group + "Q1.n4").text
    send(kind="merge_groups", group="Q1.n4", into="Q1.g1", text="Together.", seen="4")
    assert ana.get(group + "Q1.n4").status_code == 404
    assert "Together." in ana.get(group + "Q1.g1").text
    refused = send(kind="move_verbatims", verbatim=["Q1:R02.1"], to="Q3.g1", seen="5")
    assert refused.status_code == 422
    assert "belongs to question Q3" in refused.text


def test_groups_go_under_another_level_2_group_from_the_forms_with_history_undo_and_a_conflict(app, draft_id):
    ana, ben = person(app, "ana"), person(app, "ben")
    group, changes = f"/drafts/{draft_id}/groups?id=", f"/drafts/{draft_id}/changes"
    page = ana.get(f"/drafts/{draft_id}/questions/1").text
    assert 'name="moved" value="Q1.g2"' in page
    assert 'value="Q1.r2"' in page
    assert 'value="Q1.r1"' not in ana.get(group + "Q1.g2").text, "it is there already"
    ben.get(group + "Q1.g2")
    fields = {"kind": "move_groups", "moved": ["Q1.g2"], "seen": "0", "back": group + "Q1.g2"}
    moved = ana.send(changes, **fields, under="Q1.r2").text
    assert "Change 1 is saved" in moved
    assert re.search(r"In the level-2 group <bdi>r2</bdi>", moved)
    told = ben.send(changes, **fields, under="Q1.r2")
    assert told.status_code == 412, "whoever is second is told"
    head = ana.get(group + "Q1.r2").text
    assert 'name="moved" value="Q1.g2"' in head
    assert "verbatims were moved" in head
    history = ana.get(f"/drafts/{draft_id}/history").text
    assert "Groups moved" in history
    assert "Q1.g2, level-2 group" in history
    ana.send(changes, kind="undo", revision="1", seen="1", back=group + "Q1.g2")
    assert "In the level-2 group <bdi>r1</bdi>" in ana.page.text
    several = {"moved": ["Q1.g2", "Q1.g3"], "text": "Elsewhere.", "seen": "2"}
    ana.send(changes, kind="new_level_2", back=group + "Q1.p3", **several)
    assert "Elsewhere." in ana.page.text
    assert ana.get(group + "Q1.r2").status_code == 404


def test_what_supports_a_sentence_is_found_and_cited(app, draft_id):
    ana = person(app, "ana")
    found = ana.get(f"/drafts/{draft_id}/search?q=VELOS&how=words").text
    assert "Des vélos" in found, "accents and capitals do not matter"
    assert "Repeindre" not in found
    near = ana.get(f"/drafts/{draft_id}/search?q=un+tram&how=meaning&question=Q1&for=s:0:Q1").text
    assert near.index("Un tram") < len(near)
    ana.send(
        f"/drafts/{draft_id}/changes",
        kind="set_sentence",
        at="s:0:Q1",
        text="On veut un tram et des bus.",
        cites="1",
        cites_group="Q1.g1",
        cites_verbatim="Q1:R09.1",
        seen="0",
        back=f"/drafts/{draft_id}/questions/1?at=s:0:Q1",
    )
    assert "On veut un tram et des bus." in ana.page.text
    assert "Un tram" in ana.page.text
    assert "written by ana" in ana.page.text


def test_a_question_is_drafted_again_and_the_persons_sentence_stays(app, draft_id):
    ana = person(app, "ana")
    ana.get(f"/drafts/{draft_id}/questions/1?at=s:0:Q1")
    ana.send(
        f"/drafts/{draft_id}/changes",
        kind="set_sentence",
        at="s:0:Q1",
        text="Mine.",
        seen="0",
        back=f"/drafts/{draft_id}/questions/1",
    )
    page = ana.send(f"/drafts/{draft_id}/questions/1/redraft").text
    assert "Change 2 is saved" in page
    assert "Mine." in page
    assert "written by ana" in page


def test_with_a_model_a_question_is_drafted_again_in_the_background(tmp_path, store, draft_id):
    app = fake_app(tmp_path, store, HeldJobs(), llm="openai:model")
    ana = person(app, "ana")
    ana.get(f"/drafts/{draft_id}/questions/1")
    page = ana.send(f"/drafts/{draft_id}/questions/1/redraft").text
    for _ in range(200):
        if "being written" not in page:
            break
        time.sleep(0.02)
        page = ana.get(f"/drafts/{draft_id}/questions/1").text
    assert "Synthesis drafted again" in ana.get(f"/drafts/{draft_id}/history").text


def test_a_redraft_that_fails_is_told(tmp_path, store, draft_id):
    @contextmanager
    def no_model(settings, language, kept=None):
        raise StopAll("the key is not accepted")
        yield

    app = fake_app(tmp_path, store, HeldJobs(), llm="openai:model", tools=no_model)
    ana = person(app, "ana")
    ana.get(f"/drafts/{draft_id}/questions/1")
    page = ana.send(f"/drafts/{draft_id}/questions/1/redraft").text
    for _ in range(200):
        if "being written" not in page:
            break
        time.sleep(0.02)
        page = ana.get(f"/drafts/{draft_id}/questions/1").text
    assert "the key is not accepted" in page
    assert "Nobody has changed anything" in ana.get(f"/drafts/{draft_id}/history").text


def test_a_deleted_round_leaves_nothing_of_its_drafts_in_memory(app, draft_id):
    ana = person(app, "ana")
    assert "Des vélos" in ana.get(f"/drafts/{draft_id}/search?q=velos").text
    with app.state.context.store.read() as connection:
        round_id = drafts.get(connection, draft_id).round_id
    assert app.state.desk._indexes
    assert ana.client.delete(f"/v1/rounds/{round_id}").status_code == 204
    assert not app.state.desk._indexes
    assert not app.state.context.reviews._kept
    assert ana.get(f"/drafts/{draft_id}").status_code == 404


def test_a_word_report_carries_the_mark_until_the_draft_is_approved(app, draft_id):
    import io

    from docx import Document

    ana = person(app, "ana")

    def texts() -> str:
        report = Document(io.BytesIO(ana.client.get(f"/v1/drafts/{draft_id}/export?format=docx").content))
        parts = [p.text for p in report.paragraphs]
        return "\n".join(parts + [p.text for s in report.sections for p in s.header.paragraphs])

    before = texts()
    ana.get(f"/drafts/{draft_id}")
    ana.send(f"/drafts/{draft_id}/changes", kind="approve", seen="0", back=f"/drafts/{draft_id}")
    after = texts()
    assert before != after
    assert "ana" in after


@pytest.mark.parametrize(
    "address", ["?at=s:99:Q1", "?at=s:0:Q9", "?at=x", "?at=t:0.0", "?page=0", "?voices=9999999"]
)
def test_an_address_that_fits_nothing_is_told_as_a_page(app, draft_id, address):
    page = person(app, "ana").get(f"/drafts/{draft_id}/questions/1{address}")
    assert page.status_code in (404, 422)
    assert page.headers["content-type"].startswith("text/html")


def test_what_could_not_be_done_is_told_in_the_readers_language_with_the_way_back(app, draft_id):
    ana = person(app, "ana")
    back = f"/drafts/{draft_id}/groups?id=Q1.g1"
    ana.get(back + "&lang=fr")
    ana.client.headers["referer"] = f"http://testserver{back}"
    refused = ana.send(f"/drafts/{draft_id}/changes", kind="isolate", seen="0", back=back)
    assert refused.status_code == 422
    assert "Aucun verbatim n’est coché" in refused.text
    assert f'href="{back}"' in refused.text
    assert '<p class="meta" lang="en"><bdi>no verbatim is named' in refused.text
    ana.client.headers["referer"] = "https://elsewhere.example/x"
    ana.get(f"/drafts/{draft_id}/questions/1")
    refused = ana.send(
        f"/drafts/{draft_id}/changes", kind="set_label", group="Q1.g1", text=" ", seen="0", back=back
    )
    assert "Le texte est vide" in refused.text
    assert "elsewhere" not in refused.text
    assert "n’existe pas ou n’est pas visible" in ana.get("/drafts/none").text


def test_a_corrected_workbook_comes_back_as_revisions_all_of_them_or_none(app, draft_id):
    ana, ben = person(app, "ana"), person(app, "ben")
    address = f"/drafts/{draft_id}"

    def exported():
        return ana.client.get(f"/v1/drafts/{draft_id}/export?format=xlsx").content

    def sent(data, *cells, who=ana):
        """The workbook with (sheet, id, column from 0, value) corrected, sent back."""
        book = openpyxl.load_workbook(io.BytesIO(data))
        for sheet, id_, column, value in cells:
            (row,) = [r for r in book[sheet].iter_rows(min_row=2) if r[0].value == id_]
            row[column].value = value
        book.save(out := io.BytesIO())
        who.get(address)
        who.page = who.client.post(
            f"{address}/workbook", data={"csrf": who.token()}, files={"file": ("b.xlsx", out.getvalue())}
        )
        return who.page

    first = exported()
    page = sent(first)
    assert "changes nothing" in page.text
    page = sent(first, ("Regroupements", "Q1.g2", 4, "Le dimanche."), ("Verbatims", "Q1:R01.1", 2, "Q1.g2"))
    assert "Corrections taken from the workbook: 2." in page.text
    assert "Q1: Q1:R01.1 moved to Q1.g2" in page.text
    history = ana.get(f"{address}/history").text
    assert "Le dimanche." in history
    assert "History (2)" in ana.get(address).text
    late = sent(
        first, ("Regroupements", "Q1.g3", 4, "Prix."), ("Regroupements", "Q1.g2", 4, "Autre."), who=ben
    )
    assert late.status_code == 412, "what it corrects was changed since, and nothing of it is taken"
    assert "History (2)" in ben.get(address).text
    page = sent(first, ("Regroupements", "Q1.g3", 4, "Prix."), who=ben)
    assert "Corrections taken from the workbook: 1." in page.text, "changes elsewhere do not get in the way"
    wrong = sent(exported(), ("Regroupements", "Q1.g1", 4, "Bus."), ("Regroupements", "Q1.g3", 4, None))
    assert wrong.status_code == 422
    assert re.search(r"sheet Regroupements, row \d+, column E: the label of Q1.g3 is empty", wrong.text)
    assert "History (3)" in ana.get(address).text
    reader = person(app, "lea", "read")
    assert "/workbook" not in reader.get(address).text
    assert reader.send(f"{address}/workbook").status_code == 403


def test_every_change_that_does_not_fit_has_its_words_in_french():
    files = [*Path("service/domain/review").glob("*.py"), Path("service/redraft.py")]
    read = "".join(p.read_text() for p in files)
    assert set(re.findall(r'why="(\w+)"', read)) == EDITS.keys()
    named = {  # where the code and what it names are written in one place
        code: set(re.findall(r"\b(\w+)=", names))
        for code, names in re.findall(r'why="(\w+)",\s((?:\s*\w+=[^\n]+,\n)*)\s*\)', read)
    }
    asked = {code: set(re.findall(r"\{(\w+)\}", text)) for code, text in EDITS.items()}
    assert len(named) > 15
    assert {code: asked[code] - names for code, names in named.items() if asked[code] - names} == {}
    classes = {
        c.__name__
        for c in vars(errors).values()
        if isinstance(c, type) and issubclass(c, errors.PolyphonieError)
    }
    assert CLASSES.keys() <= classes


def test_what_somebody_runs_into_on_a_page_is_said_in_french(app, draft_id):
    ana = person(app, "ana")
    ana.get(f"/drafts/{draft_id}?lang=fr")
    for said, fields in (
        ("il faut deux regroupements", {"kind": "merge_groups", "group": "Q1.g1", "into": "Q1.g1"}),
        ("Q1.g1 et Q3.g1 ne sont pas", {"kind": "merge_groups", "group": "Q1.g1", "into": "Q3.g1"}),
        (
            "n’est pas (ou plus) dans le regroupement Q1.g1",
            {"kind": "split_group", "group": "Q1.g1", "verbatim": "Q1:R04.1", "text": "x"},
        ),
        (
            "n’est pas de la question Q3",
            {"kind": "new_group", "question": "Q3", "verbatim": "Q1:R04.1", "text": "x"},
        ),
        ("changez celle de la question Q1", {"kind": "confirm", "at": "s:0:Q2"}),
        (
            "que sa question n’a pas",
            {"kind": "set_sentence", "at": "s:0:Q1", "text": "x", "cites": "1", "cites_group": "Q3.g1"},
        ),
        ("r1 contient des regroupements", {"kind": "new_level_2", "moved": "Q1.r1", "text": "x"}),
    ):
        page = ana.client.post(
            f"/drafts/{draft_id}/changes",
            data={"csrf": ana.token(), "seen": "0", "back": f"/drafts/{draft_id}"} | fields,
        )
        assert page.status_code == 422, said
        assert said in page.text.replace("\u00a0", " ").split("<details")[0]


def test_every_problem_of_a_file_is_told_with_row_column_and_remedy(app):
    ana = person(app, "ana")
    ana.get("/upload")
    bad = b"respondent_id,question_id,answer\n1,Q1,oui\n1,Q1,\x00non\n"
    page = ana.client.post("/upload", data={"csrf": ana.token()}, files={"file": ("answers.csv", bad)})
    assert page.status_code == 422
    assert "Nothing was kept" in page.text
    assert "row 3" in page.text
    assert "No round yet" in ana.get("/").text


def test_the_problems_of_a_file_are_told_in_the_readers_language_and_again_with_its_round(app):
    ana = person(app, "ana")
    ana.get("/upload?lang=fr")
    bad = b"respondent_id,question_id,answer\n1,Q1,oui\n1,Q1,non\n"
    page = ana.client.post("/upload", data={"csrf": ana.token()}, files={"file": ("a.csv", bad)}).text
    assert "la réponse Q1:1 figure deux fois (aussi à la ligne 2)" in page
    assert "une réponse par répondant et par question" in page
    assert "stands twice" not in page
    good = b"respondent_id,question_id,answer\n1,Q1,=oui\n"
    page = ana.client.post("/upload", data={"csrf": ana.token()}, files={"file": ("a.csv", good)})
    assert "la réponse ressemble à une formule" in page.text
    assert "the answer looks like a formula" in ana.get(str(page.url) + "&lang=en").text


def test_addresses_to_go_on_to_stay_inside():
    assert inside("/drafts/x?y=1") == "/drafts/x?y=1"
    for outside in (
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "",
        None,
        "/a\nb",
        "javascript:x",
    ):
        assert inside(outside) == "/"


def test_values_of_an_address_are_put_in_place():
    assert with_values("/a?x=1&y=2#z", x=3, y=None) == "/a?x=3#z"
    assert with_values("/a", at="s:0:Q 1&2") == "/a?at=s%3A0%3AQ+1%262"


def test_what_waits_for_no_worker_says_so_and_what_ended_says_how_to_go_on(app):
    ana = person(app, "ana")
    ana.get("/")
    ana.send("/example")
    assert "29\u00a0organisations" in ana.page.text
    round_page = str(ana.page.url).split("?")[0]
    ana.send(f"{round_page}/drafts", llm="extractive")
    waiting = str(ana.page.url)
    assert "No worker is running" in ana.page.text
    ana.send(f"{waiting}/cancel")
    assert "ask for a new draft from the round" in ana.page.text
    store = app.state.context.store
    with store.write() as connection:
        asked = drafts.add(
            connection,
            round_id=round_page.split("/")[-1],
            team="a",
            created_by="ana",
            configuration=Configuration(),
        )
        drafts.end(connection, asked.id, "failed", code="ModelStopped", detail="the key is not accepted")
    failed = ana.get(f"/drafts/{asked.id}").text
    assert "the key is not accepted" in failed
    assert "Mend the cause" in failed
    ana.get(round_page)
    assert "The round is deleted" in ana.send(f"{round_page}/delete").text
    for gone in (round_page, waiting, f"{waiting}/history"):
        page = ana.get(gone)
        assert page.status_code == 404
        assert "This page does not exist" in page.text


def test_flagged_sentences_come_first_and_approving_leads_to_the_next_question(app, draft_id):
    ana = person(app, "ana")
    question = f"/drafts/{draft_id}/questions/1"
    assert "No flagged sentence" in ana.get(question).text
    fields = {"kind": "set_label", "group": "Q1.g2", "seen": "0", "back": question, "text": "Le dimanche."}
    page = ana.send(f"/drafts/{draft_id}/changes", **fields).text
    assert page.index("To look at (") < page.index("a label that it cites was corrected")
    assert page.index("a label that it cites was corrected") < page.index("The other sentences")
    assert "The other sentences" not in ana.get(question + "?first=reading").text
    back = re.search(r'name="back" value="([^"]+)">(?=<input type="hidden" name="question")', page)[1]
    assert back == f"/drafts/{draft_id}/questions/3", "the second shares the first's synthesis"
    ana.get(question)
    ana.send(f"/drafts/{draft_id}/changes", kind="approve", question="Q1", seen="1", back=back)
    assert str(ana.page.url).endswith("/questions/3?done=2")
    overview = ana.get(f"/drafts/{draft_id}").text
    assert "Questions approved: 2 of 3" in overview
    assert "Go on with the review: Q3" in overview


def test_the_whole_draft_is_approved_at_once_only_after_it_was_asked(app, draft_id):
    ana = person(app, "ana")
    address = f"/drafts/{draft_id}"

    def ways() -> tuple[list[str], list[str]]:
        """Words of the buttons that approve the whole draft: seen at once, and inside what has to be opened first."""
        page = ana.get(address).text
        asked = "".join(re.findall(r'<details class="ask">.*?</details>', page, re.S))
        every, behind = (
            re.findall(r'value="approve".*?<button[^>]*>([^<]+)', t, re.S) for t in (page, asked)
        )
        assert not behind or "not approved" in asked
        return every[: len(every) - len(behind)], [*behind, *re.findall(r"\d questions? w[^.]+\.", asked)]

    anyway = "Approve the whole draft all the same"
    assert ways() == ([], [anyway, "3 questions were not approved one by one."])
    ana.send(f"{address}/changes", kind="approve", question="Q1", seen="0", back=address)
    assert ways() == ([], [anyway, "1 question was not approved."])
    ana.send(f"{address}/changes", kind="approve", question="Q3", seen="1", back=address)
    assert ways() == (["Approve the whole draft"], [])
    ben = person(app, "ben")
    ben.get(address)
    ben.send(f"{address}/changes", kind="unapprove", question="Q3", seen="2", back=address)
    late = ana.send(f"{address}/changes", kind="approve", seen="2", back=address)
    assert late.status_code == 412, "the page said that all were approved, and they no longer are"
    assert "nothing was approved" in late.text
    assert ways() == ([], [anyway, "1 question was not approved."])
    ana.send(f"{address}/changes", kind="approve", seen="3", back=address)
    assert ways() == ([], [])
    assert "Approved by ana" in ana.page.text


def test_a_question_that_nobody_answered_says_so(store, app):
    draft, round_ = small_draft()
    empty = replace(
        draft.questions[2], verbatims=(), groups=(), isolation=(), isolated=(), synthesis=Synthesis()
    )
    with store.write() as connection:
        kept = rounds.add(connection, round_, team="a", created_by="x", sha256="0" * 64)
        asked = drafts.add(
            connection, round_id=kept.id, team="a", created_by="x", configuration=Configuration()
        )
        drafts.start(connection, asked.id)
        drafts.finish(connection, asked.id, export(replace(draft, questions=(empty,), themes=()), "json"))
    page = person(app, "ana").get(f"/drafts/{asked.id}/questions/1").text
    assert "there is nothing to sum up" in page
    assert "From the corrected labels" not in page, "what cannot be asked for is not explained"


def test_the_ledger_of_a_draft_lists_answers_that_look_like_orders_and_failures(store, app):
    draft, round_ = small_draft()
    ledger = replace(
        draft.ledger,
        suspects=(Suspect(answer_id="Q3:R01", ways=("order", "markup"), verbatim_ids=("Q3:R05.1",)),),
        failures=(Failure(id="Q1.g1", stage="label", reason="<b>no reply</b>"),),
    )
    with store.write() as connection:
        kept = rounds.add(connection, round_, team="a", created_by="x", sha256="0" * 64)
        asked = drafts.add(
            connection, round_id=kept.id, team="a", created_by="x", configuration=Configuration()
        )
        drafts.start(connection, asked.id)
        drafts.finish(connection, asked.id, export(replace(draft, ledger=ledger), "json"))
    page = person(app, "ana").get(f"/drafts/{asked.id}").text
    assert "gives orders, markup" in page
    assert "&lt;b&gt;no reply&lt;/b&gt;" in page
