"""`python -m evals.bench.cost [--question ID] [--answers N] [--peer PYTHON | --install-peer]`: tokens of a draft of one question.

Ours with and without revision and ThemeFinder 0.8.2, on the same answers, against the same scripted endpoint, in one run. Tokens
are estimated by the endpoint, the same way for all. What people wrote is counted alone as the measure.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path

from embeddings.cache import CachedEncoder
from embeddings.encoder import load_encoder
from evals.bench import peer
from evals.bench.endpoint import endpoint
from evals.references import read_reference
from service.domain.round import Answer, Question, Round
from service.llm.langchain import LangChainChat
from service.llm.tokens import EXPECTED_BYTES, estimate_tokens
from service.llm.wrap import Patient
from service.pipeline import draft_round

CACHE = Path("~/.cache/polyphonie").expanduser()
SCRIPT = Path(__file__).with_name("peer_themefinder.py")
PACKAGES = ("themefinder==0.8.2",)


def read_question(folder: Path, question_id: str, most: int) -> Round:
    """The first answers of a question. Raises KeyError."""
    question = read_reference(folder).question(question_id)
    with (folder / "answers.csv").open(encoding="utf-8", newline="") as file:
        mine = (row for row in csv.DictReader(file) if row["question_id"] == question_id)
        answers = tuple(
            Answer(id=row["answer_id"], question_id=question_id, text=row["text"])
            for row in islice(mine, most)
        )
    return Round(
        id="cost",
        title=question.title,
        language="fr",
        questions=(Question(id=question_id, title=question.title),),
        answers=answers,
        n_respondents=len(answers),
    )


def measure(round_: Round, python: Path | None) -> dict[str, list[int]]:
    """Who → calls, tokens in, tokens out."""
    encoder = CachedEncoder(load_encoder("use", "fr"), CACHE / "vectors.sqlite")
    with endpoint() as server:
        for name, revision in (("ours", False), ("ours, revised", True)):
            chat = LangChainChat("openai:scripted", base_url=server.url, api_key=name)
            draft_round(round_, encoder=encoder, chat=Patient(chat), revision=revision)
        if python is not None:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "answers.json"
                given = {"question": round_.title, "answers": [a.text for a in round_.answers]}
                path.write_text(json.dumps(given), encoding="utf-8")
                subprocess.run([str(python), str(SCRIPT), server.url, str(path)], check=True)
        return dict(server.used)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m evals.bench.cost", description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("POLYPHONIE_DATA", "../shared/data"))
    )
    parser.add_argument("--question", default="organisation_33")
    parser.add_argument("--answers", type=int, default=1000)
    parser.add_argument("--peer", type=Path, help="a Python with themefinder==0.8.2")
    parser.add_argument("--install-peer", action="store_true", help="make the peer's environment first")
    asked = parser.parse_args()
    if not (asked.data / "grand-debat").is_dir():
        sys.exit(f"no grand-debat at {asked.data}: set POLYPHONIE_DATA to the folder of reference sets")
    home = CACHE / "bench" / "themefinder"
    python = peer.install(home, PACKAGES) if asked.install_peer else asked.peer
    if python is None and (home / "bin" / "python").exists():
        python = home / "bin" / "python"
    round_ = read_question(asked.data / "grand-debat", asked.question, asked.answers)
    own = sum(estimate_tokens(a.text, EXPECTED_BYTES) for a in round_.answers)
    used = measure(round_, python)
    print(f"{asked.question}: {len(round_.answers)} answers of {own:,} tokens\n")
    print("| who | calls | tokens in | tokens out | in all | times the answers |\n|---|---|---|---|---|---|")
    for name, (calls, read, wrote) in used.items():
        shown = "ThemeFinder 0.8.2" if name == "peer" else name
        print(
            f"| {shown} | {calls:,} | {read:,} | {wrote:,} | {read + wrote:,} | {(read + wrote) / own:.2f} |"
        )
    if python is None:
        print("\nThemeFinder was not run: --install-peer makes its environment.")


if __name__ == "__main__":
    main()
