"""A whole draft with a model that fails in every way models do: it ends, nothing is lost, and every failure is told."""

import hashlib
import json
import random
import re
from collections import Counter
from pathlib import Path

import pytest

from embeddings.encoder import HashEncoder
from service.domain.round import Round
from service.errors import TryAgain
from service.ingest import read_round
from service.llm.chat import ChatReply, ChatRequest, Limited
from service.llm.rehearsal import answer
from service.llm.wrap import Cached, Metered, Patient
from service.pipeline import draft_round
from service.stages.final_check import check_draft

EXAMPLE = Path(__file__).parents[2] / "examples" / "round" / "answers.csv"
WAYS = ("time-out", "429", "500", "cut", "shape", "empty", "language", "invented")


class Failing:
    """Fails a share of its calls, in a way that depends on the request and the try only."""

    name = "failing"

    def __init__(self, share: float) -> None:
        self.share = share
        self.tries: Counter[str] = Counter()
        self.ways: Counter[str] = Counter()

    def reply(self, request: ChatRequest) -> ChatReply:
        self.tries[request.user] += 1
        seed = hashlib.sha256(f"{request.user}{self.tries[request.user]}".encode()).digest()
        chance = random.Random(seed)
        text = json.dumps(answer(request), ensure_ascii=False)
        if chance.random() < self.share:
            way = chance.choice(WAYS)
            self.ways[way] += 1
            text = self._fail(way, text)
        return ChatReply(text=text, input_tokens=10, output_tokens=10)

    def _fail(self, way: str, text: str) -> str:
        match way:
            case "time-out":
                raise TryAgain("timed out")
            case "429":
                raise Limited("429", 1.0)
            case "500":
                raise TryAgain("500")
            case "cut":
                return text[: len(text) // 2]
            case "shape":
                return '{"labels": ["x"]}'
            case "empty":
                return ""
            case "language":
                return re.sub(
                    r'("(?:label|text)": )"[^"]*"', r'\1"We would like the state to do this for all"', text
                )
            case _:
                return re.sub(r'\["[a-z]\d+"\]', '["g999"]', text)


@pytest.fixture(scope="module")
def round_() -> Round:
    reading = read_round(EXAMPLE)
    assert reading.round is not None
    return reading.round


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_every_draft_ends_and_adds_up(round_: Round, share: float, tmp_path: Path):
    failing = Failing(share)
    meter = Metered(Cached(Patient(failing, sleep=lambda s: None), tmp_path / "replies.sqlite"))
    draft = draft_round(round_, encoder=HashEncoder(), chat=meter)
    a, v = draft.ledger.answers, draft.ledger.verbatims
    assert a.total == 232 == a.with_content + a.no_content + a.duplicate + a.failed
    assert v.total == v.grouped + v.isolated + v.failed
    assert check_draft(draft, round_) == ()
    assert failing.ways
    assert len(draft.ledger.failures) <= 1 + sum(failing.ways.values()) / 2, "most are mended"
    assert all(f.reason for f in draft.ledger.failures)

    shown = [g.label for q in draft.questions for g in q.groups]
    shown += [s.text for q in draft.questions for s in q.synthesis.sentences]
    shown += [s.text for t in draft.themes for part in t.sections for s in part.sentences]
    assert not any("We would like" in text or "g999" in text for text in shown)

    calls = sum(failing.tries.values())
    again = draft_round(round_, encoder=HashEncoder(), chat=meter)
    asked_again = sum(failing.tries.values()) - calls
    lost = sum("failed 5 times" in f.reason for f in draft.ledger.failures)
    assert asked_again <= 10 * lost, "only what never had a reply is asked again"
    if not lost:
        assert again == draft
    print(
        f"share {share}: {calls} calls, {dict(failing.ways)}, {len(draft.ledger.failures)} refused, {lost} lost"
    )
