"""Tokens estimated from text, where no model has counted them."""

import json

from service.llm.chat import ChatRequest

BYTES_PER_TOKEN = 3.2
"""Of UTF-8. Rendered French prompts have 3.4 to 3.6 bytes a token (Qwen 2.5's tokeniser, chat template included); on the low
side, so that a budget is not passed. Bytes and not characters: other scripts and emoji take more tokens a character."""


EXPECTED_BYTES = 3.5
"""The same for an estimate that is neither way: servers count 3.5 (Qwen) to 4.4 bytes (newer tokenisers), and a run asks some
requests again that no rehearsal foresees (`python -m evals.bench.estimate`)."""


def estimate_tokens(text: str, each: float = BYTES_PER_TOKEN) -> int:
    """Tokens of a text, rounded up. each: bytes a token."""
    return int(len(text.encode("utf-8", "replace")) / each) + 1


def most_tokens(request: ChatRequest) -> int:
    """The most that one try of a request may use: messages, schema and the longest reply."""
    schema = json.dumps(request.schema, ensure_ascii=False) if request.schema else ""
    return estimate_tokens(request.system + request.user + schema) + request.max_tokens
