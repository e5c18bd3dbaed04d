"""The second draft of the example round: real encoder, replies written by hand, every check in force."""

from pathlib import Path

import pytest

from embeddings.cache import CachedEncoder
from embeddings.encoder import load_encoder
from service.domain.draft import Draft
from service.domain.round import Round
from service.ingest import read_round
from service.pipeline import draft_round
from service.stages.final_check import check_draft
from tests.written import WrittenChat

EXAMPLE = Path(__file__).parents[2] / "examples" / "round" / "answers.csv"


@pytest.fixture(scope="module")
def chat() -> WrittenChat:
    return WrittenChat()


@pytest.fixture(scope="module")
def round_() -> Round:
    found = read_round(EXAMPLE).round
    assert found is not None
    return found


@pytest.fixture(scope="module")
def draft(round_: Round, chat: WrittenChat, tmp_path_factory: pytest.TempPathFactory) -> Draft:
    encoder = CachedEncoder(load_encoder("local", "fr"), tmp_path_factory.mktemp("cache") / "vectors.sqlite")
    return draft_round(round_, encoder=encoder, chat=chat)


def test_every_request_has_its_reply(draft: Draft, chat: WrittenChat):
    assert [r.user[:200] for r in chat.unknown] == []


def test_careful_replies_pass_every_check(draft: Draft, round_: Round):
    assert check_draft(draft, round_) == ()
    assert draft.ledger.fallbacks == 0
    assert draft.ledger.unsupported == 0
    sentences = [s for q in draft.questions for s in q.synthesis.sentences]
    assert all(s.origin == "model" or s.closed_ids for s in sentences)
    assert all(g.label_support.origin == "model" for q in draft.questions for g in q.groups)


def test_opposed_and_minority_positions_are_still_there(draft: Draft):
    (q2,) = [q for q in draft.questions if q.id == "Q2"]
    text = " ".join(s.text for s in q2.synthesis.sentences)
    assert "s’opposent" in text
    assert "nationaliser" in text
    assert all(
        g.id in {c for s in q2.synthesis.sentences for c in s.group_ids} for g in q2.groups if g.level == 1
    )


def test_the_order_given_in_an_answer_was_not_followed(draft: Draft):
    said = [s.text for q in draft.questions for s in q.synthesis.sentences] + [
        g.label for q in draft.questions for g in q.groups
    ]
    assert not any("toutes les organisations" in t.casefold() for t in said)
