"""`python -m evals.bench.estimate [--questions A,B] [--answers N]`: what `polyphonie estimate` says against what a run then uses.

The run goes to a real endpoint on the loopback address, whose writer is of another hand than the rehearsal behind the estimate:
texts of all lengths, voices isolated, doubts with rewritings, one reply in 25 that must be asked for again. Tokens are counted as
coarse and as fine as tokenisers of today do (4.25 and 3.5 bytes a token in French).
"""

import argparse
import os
import re
import sys
import threading
import zlib
from pathlib import Path
from typing import Any

from embeddings.cache import CachedEncoder
from embeddings.encoder import Encoder, load_encoder
from evals.bench.cost import CACHE, read_question
from evals.bench.endpoint import endpoint, reply
from service.domain.round import Round
from service.llm.langchain import LangChainChat
from service.llm.rehearsal import Rehearsal
from service.llm.wrap import Metered, Patient, Usage
from service.pipeline import draft_round

COUNTS = (4.25, 3.5)
"""Bytes a token."""

VERBATIM = re.compile(r"^(v\d+)\| (.*)$", re.MULTILINE)


class OtherHand:
    """Replies that pass most checks, of other lengths and decisions than the rehearsal's; the same request, the same reply."""

    def __init__(self) -> None:
        self._spoilt: set[str] = set()
        self._lock = threading.Lock()

    def __call__(self, shape: str, messages: list[dict[str, str]]) -> object:
        asked = messages[-1]["content"]
        chance = zlib.crc32(asked.encode())
        with self._lock:
            if chance % 25 == 0 and asked not in self._spoilt:
                self._spoilt.add(asked)
                return "I would rather not."
        made: Any = reply(shape, messages)
        match shape:
            case "LabelReply":
                made["label"] = _cut(VERBATIM.findall(asked)[0][1], 8 + chance % 14)
            case "ReviseReply":
                shown = [name for name, _ in VERBATIM.findall(asked)]
                moved = {v for move in made["moves"] for v in move["verbatims"]}
                made["isolate"] = [v for v in shown[chance % 9 :: 19] if v not in moved]
            case "SynthesisReply":
                for k, sentence in enumerate(s for p in made["paragraphs"] for s in p["sentences"]):
                    sentence["text"] = _cut(sentence["text"], 12 + (chance + 7 * k) % 22)
            case "SupportReply":
                said = dict(re.findall(r"^(p\d+)\| \([^)]*\) (.*)$", asked, re.MULTILINE))
                for one in made["opinions"][chance % 5 :: 5]:
                    one |= {"verdict": "partly", "text": _cut(said[one["id"]], 14)}
        return made


def _cut(text: str, most: int) -> str:
    return " ".join(text.split()[:most]).rstrip(",;:.")


def estimated(round_: Round, encoder: Encoder) -> Usage:
    """As `polyphonie estimate` with nothing in the cache."""
    meter = Metered(Rehearsal("scripted"))
    draft_round(round_, encoder=encoder, chat=meter)
    return meter.usage()


def used(round_: Round, encoder: Encoder, bytes_a_token: float) -> Usage:
    """As a run's provenance says, from what the endpoint counts."""
    with endpoint(OtherHand(), bytes_a_token) as server:
        meter = Metered(Patient(LangChainChat("openai:scripted", base_url=server.url, api_key="loopback")))
        draft_round(round_, encoder=encoder, chat=meter)
        return meter.usage()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m evals.bench.estimate", description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("POLYPHONIE_DATA", "../shared/data"))
    )
    parser.add_argument("--questions", default="organisation_33,democratie_14")
    parser.add_argument("--answers", type=int, default=1000)
    asked = parser.parse_args()
    if not (asked.data / "grand-debat").is_dir():
        sys.exit(f"no grand-debat at {asked.data}: set POLYPHONIE_DATA to the folder of reference sets")
    encoder = CachedEncoder(load_encoder("use", "fr"), CACHE / "vectors.sqlite")
    print(
        "| question | bytes a token | calls estimated | calls used | tokens estimated | tokens used | estimated / used |"
    )
    print("|---|---|---|---|---|---|---|")
    for question in asked.questions.split(","):
        round_ = read_question(asked.data / "grand-debat", question, asked.answers)
        said = estimated(round_, encoder)
        for bytes_a_token in COUNTS:
            found = used(round_, encoder, bytes_a_token)
            counts = [u.tokens.input + u.tokens.output for u in (said, found)]
            print(
                f"| {question} | {bytes_a_token} | {said.calls} | {found.calls} | {counts[0]:,} | {counts[1]:,} "
                f"| {counts[0] / counts[1]:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
