"""Real replies of the packaged model, broken ones included: what parsing and the stages' checks make of each."""

from collections import Counter
from dataclasses import asdict
from typing import Any

import pytest

from tests.replies import STAGES, outcome, parsed, recorded

RECORDED = recorded()


@pytest.mark.parametrize(
    "one", RECORDED, ids=lambda r: f"{r['prompt']}-{r['case']}-{r['temperature']}-{r['schema']}-{r['finish']}"
)
def test_each_yields_what_it_did(one: dict[str, Any]):
    """`python -m tests.replies` rewrites what each yields: read the diff."""
    found = outcome(one["prompt"], one["case"], one["text"])
    assert asdict(found) == {"parsed": one["parsed"], "kept": one["kept"]}


def test_replies_of_the_other_stages_parse_or_say_why():
    kept = recorded(STAGES)
    assert {one["prompt"] for one in kept} == {
        "revise",
        "distinguish",
        "regroup",
        "support",
        "outline",
        "theme",
    }
    assert [parsed(one["prompt"], one["text"]) for one in kept] == [one["parsed"] for one in kept]
    assert {one["parsed"] == "yes" for one in kept} == {True, False}


def test_there_are_enough_and_of_every_kind():
    assert len(RECORDED) >= 40
    broken = [r for r in RECORDED if r["parsed"] != "yes"]
    well_formed_but_refused = [r for r in RECORDED if r["parsed"] == "yes" and r["kept"] != "yes"]
    assert len(broken) >= 10
    assert len(well_formed_but_refused) >= 10
    assert Counter(r["prompt"] for r in RECORDED).keys() == {"label", "synthesis", "ideas"}


def test_what_does_not_parse_is_never_kept():
    assert all(r["kept"] != "yes" for r in RECORDED if r["parsed"] != "yes")


def test_each_refusal_tells_the_model_something_to_act_on():
    for one in RECORDED:
        if one["parsed"] != "yes":
            assert len(one["parsed"]) > 10
            assert "Traceback" not in one["parsed"]
