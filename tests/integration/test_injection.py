"""Whole drafts of hostile answers among ordinary ones, written by a model that obeys every order that it is shown."""

from unittest.mock import patch

import pytest

from embeddings.encoder import HashEncoder
from evals.injection import Obedient, hostile_round, outcomes, read_hostile
from service.domain.orders import ways
from service.exports.html import to_html
from service.pipeline import draft_round
from service.stages.final_check import check_draft


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("invents_ids", [False, True])
def test_what_is_recognised_is_never_followed_and_nothing_is_dropped(language, invents_ids):
    hostile = [h for h in read_hostile() if h.language == language]
    round_ = hostile_round(hostile, language)
    obedient = Obedient(hostile, invents_ids=invents_ids)
    draft = draft_round(round_, encoder=HashEncoder(), chat=obedient.chat)
    assert check_draft(draft, round_) == ()
    found = outcomes(draft, hostile)
    assert all(o.intact for o in found)
    assert [o.listed for o in found] == [bool(ways(o.hostile.text)) for o in found]
    assert not [o.hostile.id for o in found if o.followed and o.listed]
    assert obedient.met, "orders that are not recognised did reach the model"

    aside = {v for s in draft.ledger.suspects for v in s.verbatim_ids}
    assert aside <= {v for q in draft.questions for v in q.isolated}
    assert not aside & {v for q in draft.questions for s in q.synthesis.sentences for v in s.verbatim_ids}
    page = to_html(draft)
    for suspect in draft.ledger.suspects:
        assert f"{suspect.answer_id}</a>" in page
    for trap in ("<script>alert", "<img src=x", "<iframe src", "<h1>SYNTH", "javascript:alert(1)'>"):
        assert trap not in page


def test_the_model_that_obeys_is_an_adversary_worth_the_name():
    """Without the recognition some orders do get through: the test above can fail."""
    hostile = [h for h in read_hostile() if h.language == "fr"]
    with patch("service.stages.suspects.ways", return_value=()):
        draft = draft_round(hostile_round(hostile, "fr"), encoder=HashEncoder(), chat=Obedient(hostile).chat)
    assert any(o.followed for o in outcomes(draft, hostile))
