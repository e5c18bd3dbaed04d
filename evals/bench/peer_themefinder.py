"""ThemeFinder's own pipeline in its own environment: this file imports nothing of ours.

`PYTHON peer_themefinder.py URL ANSWERS.json` runs `find_themes` on {question, answers} against an OpenAI-compatible address.
"""

import asyncio
import json
import random
import sys
from pathlib import Path

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
from themefinder import find_themes, llm_batch_processor  # type: ignore[import-not-found]
from themefinder.llm import OpenAILLM  # type: ignore[import-not-found]


def _length(text: str) -> int:
    return len(text) // 4


def main(url: str, path: str) -> None:
    # its tokeniser is fetched from the network, and serves only to keep a batch under 50,000 tokens
    llm_batch_processor.calculate_string_token_length = _length
    random.seed(0)
    np.random.seed(0)  # it shuffles its themes with the global generator
    given = json.loads(Path(path).read_text(encoding="utf-8"))
    frame = pd.DataFrame({"response_id": range(1, len(given["answers"]) + 1), "response": given["answers"]})
    llm = OpenAILLM("scripted", base_url=url, api_key="peer")
    found = asyncio.run(find_themes(frame, llm, question=given["question"], verbose=False))
    print(json.dumps({"themes": len(found["themes"]), "lost": len(found["unprocessables"])}))


if __name__ == "__main__":
    main(*sys.argv[1:])
