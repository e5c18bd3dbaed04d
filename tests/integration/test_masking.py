"""Personal data and Presidio itself: how much is found, and that none reaches a model server, the queue or a log, by any way
that a draft is made."""

import io
import json
import time
from contextlib import ExitStack
from dataclasses import replace

import pytest

from evals.masking import judge, read_sentences
from service.api.pages.desk import Desk
from service.domain.draft import Draft
from service.domain.jobs import Configuration
from service.domain.revision import Redraft
from service.domain.round import Answer, Question, Round
from service.errors import MissingPackage
from service.exports.draft_json import from_json
from service.llm.masking.detector import Detector
from service.operation import logs
from service.pipeline import draft_round
from service.settings import Settings
from service.store import Store, drafts, rounds
from service.store.tables import CALLS
from service.wiring import tools_for
from service.wiring.jobs import jobs_for
from tests.loopback import ModelServer, model_server

PERSONAL = (
    "Lefèvre",
    "Benali",
    "jeanne.roy",
    "06 39 98 12 34",
    "1 58 09 38 550 185 08",
    "10835103499",
    "270364250",
    "9178 4920",
    "rue des Lilas",
)
SAID = (
    "Le docteur Anne Lefèvre part à la retraite et personne ne la remplace.",
    "Le docteur Anne Lefèvre est partie, il faut la remplacer.",
    "Personne ne remplace le docteur Anne Lefèvre.",
    "Les bus ne passent pas le soir, appelez-moi au 06 39 98 12 34.",
    "Il n'y a pas de bus le soir, demandez à M. Karim Benali.",
    "Des bus le soir, s'il vous plaît : jeanne.roy@exemple.fr",
    "Le remboursement n'arrive pas sur mon compte FR74 9178 4920 5180 4511 8763 463.",
    "Le remboursement de mon dossier 1 58 09 38 550 185 08 n'arrive jamais.",
    "La pharmacie du 12 rue des Lilas, 35000 Rennes ferme trop tôt.",
    "La pharmacie ferme trop tôt, dit le confrère RPPS 10835103499.",
    "La pharmacie de l'établissement FINESS 270364250 ferme trop tôt.",
)


def test_personal_data_is_found_as_often_as_docs_say():
    sentences = read_sentences()
    assert len({s.text for s in sentences}) >= 300
    judged = judge(sentences, Detector())
    for language in ("fr", "en"):
        told = [j for j in judged if j.told and j.sentence.language == language]
        wrong = [j for j in judged if not j.told and j.sentence.language == language]
        right = sum(j.found for j in told)
        assert right / len(told) >= 0.97, [j.value for j in told if not j.found]
        assert right / (right + len(wrong)) >= 0.97, [j.value for j in wrong]
    coded = [j for j in judged if j.kind not in ("person", "phone")]
    assert all(j.told and j.found for j in coded)


@pytest.fixture
def round_() -> Round:
    return Round(
        id="r",
        title="Santé",
        language="fr",
        questions=(Question(id="Q1", title="Que faut-il changer ?"),),
        answers=tuple(
            Answer(id=f"Q1:R{k:02}", question_id="Q1", text=text, respondent_id=f"R{k:02}")
            for k, text in enumerate(SAID, start=1)
        ),
        n_respondents=len(SAID),
    )


def settings(server: ModelServer, tmp_path) -> Settings:
    return Settings(
        llm="openai:m",
        llm_base_url=server.url,
        llm_api_key="key",
        mask="always",  # the server of the test is on this machine, where the default is not to mask
        cache_dir=tmp_path / "cache",
        worker_lost_after=3,
    )


def leaked(text: str) -> list[str]:
    return [value for value in PERSONAL if value in text]


def drafted_by_a_worker(store: Store, round_: Round, settings: Settings) -> Draft:
    with store.write() as connection:
        kept = rounds.add(connection, round_, team="a", created_by="k", sha256="0" * 64)
        asked = drafts.add(
            connection, round_id=kept.id, team="a", created_by="k", configuration=Configuration()
        )
    with ExitStack() as stack:
        jobs = jobs_for(settings, store, works=True, stack=stack)
        jobs.start()
        stack.callback(jobs.stop)
        jobs.submit(asked.id)
        until = time.monotonic() + 300
        while time.monotonic() < until:
            with store.read() as connection:
                found = drafts.get(connection, asked.id)
                made = drafts.result(connection, asked.id)
            if found is not None and found.state not in ("queued", "running"):
                assert found.state == "done", found.error
                return from_json((made or b"").decode())
            time.sleep(0.05)
    raise AssertionError("not drafted")


def test_a_worker_sends_keeps_and_logs_no_personal_data(store, round_, tmp_path):
    written = io.StringIO()
    logs.configure(level="DEBUG", stream=written)
    with model_server() as server:
        draft = drafted_by_a_worker(store, round_, settings(server, tmp_path))
    sent = "\n".join(server.bodies)
    assert server.bodies
    assert leaked(sent) == []
    assert {"PERSONNE_1", "TELEPHONE_1", "COURRIEL_1", "IBAN_1"} <= set(
        sent.replace("<", " ").replace(">", " ").split()
    )
    assert leaked(written.getvalue()) == []
    assert "draft.done" in written.getvalue()
    with store.read() as connection:
        queued = [(row.request, row.text, row.error) for row in connection.execute(CALLS.select())]
    assert queued
    assert leaked(json.dumps(queued, ensure_ascii=False)) == []
    assert draft.ledger.masked["person"] >= 2
    assert {"email": 1, "phone": 1, "iban": 1, "address": 1}.items() <= dict(draft.ledger.masked).items()
    (question,) = draft.questions
    assert [a.text for a in question.answers] == list(SAID), "what people wrote is kept as it was"
    shown = json.dumps([g.label for g in question.groups] + [s.text for s in question.synthesis.sentences])
    assert "PERSONNE_" not in shown


def test_a_draft_of_the_command_line_a_redraft_and_a_search_send_no_personal_data(round_, tmp_path):
    with model_server() as server:
        asked = settings(server, tmp_path)
        with tools_for(asked, "fr") as tools:
            draft = draft_round(round_, encoder=tools.encoder, chat=tools.chat)
        first = len(server.bodies)
        moved = replace(
            draft, questions=tuple(replace(q, title="Que changer d'abord ?") for q in draft.questions)
        )
        desk = Desk(asked, tools_for)
        made: list[Redraft] = []
        assert not desk.redraft("d", "r", moved, "Q1", llm=None, done=made.append)
        until = time.monotonic() + 300
        while (state := desk.writing("d", "Q1")) is not None and state.running and time.monotonic() < until:
            time.sleep(0.05)
        assert made, state
        assert len(server.bodies) > first
        again = len(server.bodies)
        found = desk.search("d", "r", draft, "Anne Lefèvre", how="meaning")
        assert found.found
    assert len(server.bodies) == again, "a search asks no model"
    assert leaked("\n".join(server.bodies)) == []


def test_without_the_language_model_nothing_is_sent_and_the_remedy_is_named(round_, tmp_path, monkeypatch):
    monkeypatch.setattr("service.wiring.MASKING_NEEDS", ("presidio_analyzer", "no_such_model"))
    with model_server() as server:
        with (
            pytest.raises(MissingPackage, match=r"no_such_model.*POLYPHONIE_MASK"),
            tools_for(settings(server, tmp_path), "fr"),
        ):
            pass
        assert not server.bodies
