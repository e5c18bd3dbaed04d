"""What is estimated against what is then used, with a writer of another hand than the rehearsal's."""

import json
import re
from pathlib import Path

from embeddings.encoder import HashEncoder
from service.cli.estimate import Estimate, told
from service.domain.draft import Tokens
from service.ingest import read_round
from service.llm.chat import ChatReply, ChatRequest
from service.llm.rehearsal import Rehearsal, answer
from service.llm.tokens import EXPECTED_BYTES, estimate_tokens
from service.llm.wrap import Cached, Metered
from service.pipeline import draft_round

SMALL = Path(__file__).parents[2] / "examples" / "small" / "answers.csv"


class Writer:
    """Writes shorter labels and sentences than the rehearsal, isolates some verbatims besides."""

    name = "writer"

    def reply(self, request: ChatRequest) -> ChatReply:
        made = answer(request)
        assert isinstance(made, dict)
        if "label" in made:
            made["label"] = " ".join(made["label"].split()[:11])
        if "moves" in made:
            moved = {v for move in made["moves"] for v in move["verbatims"]}
            shown = re.findall(r"^(v\d+)\|", request.user, re.MULTILINE)
            made["isolate"] = [v for v in shown[::9] if v not in moved]
        text = json.dumps(made, ensure_ascii=False)
        read = estimate_tokens(request.system + request.user, EXPECTED_BYTES)
        return ChatReply(text=text, input_tokens=read, output_tokens=estimate_tokens(text, EXPECTED_BYTES))


def test_an_estimate_is_within_a_fifth_of_what_is_used_and_knows_what_is_paid_for(tmp_path: Path):
    round_ = read_round(SMALL).round
    assert round_ is not None
    path = tmp_path / "replies.sqlite"
    kept = Cached(Rehearsal("writer"), path)
    before = Metered(Rehearsal("writer", kept))
    draft_round(round_, encoder=HashEncoder(), chat=before)
    meter = Metered(Cached(Writer(), path))
    draft_round(round_, encoder=HashEncoder(), chat=meter)
    said, used = before.usage(), meter.usage()
    assert abs(said.calls - used.calls) <= 0.2 * used.calls
    tokens = used.tokens.input + used.tokens.output
    assert abs(said.tokens.input + said.tokens.output - tokens) <= 0.2 * tokens
    again = Metered(Rehearsal("writer", kept))
    draft_round(round_, encoder=HashEncoder(), chat=again)
    assert again.usage().calls == 0
    assert again.usage().tokens.cached == tokens


def test_kept_replies_are_told_only_where_there_are_some():
    def last(cached: int) -> str:
        tokens = Tokens(input=10, output=5, cached=cached)
        return told(Estimate(by_prompt={}, calls=1, tokens=tokens, cost=None, model="m"))[-1]

    assert last(0).startswith("About 1 calls of m: 10 tokens in, 5 out, 15 in all")
    assert (
        last(1200) == "Not counted: 1,200 tokens of replies kept from earlier runs, which are not paid again."
    )
