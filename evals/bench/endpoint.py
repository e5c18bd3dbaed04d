"""One scripted OpenAI-compatible server for both sides of the cost benchmark: it answers whatever is asked, in the right shape, and
counts every token in and out, by who asked (their API key)."""

import json
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from service.domain.draft import PromptRef
from service.llm.chat import ChatRequest
from service.llm.rehearsal import answer
from service.llm.tokens import EXPECTED_BYTES, estimate_tokens

NO_PROMPT = PromptRef(name="", version=0, language="fr", sha256="")

THEMES_EACH = 8
"""Themes that the peer is told of 50 answers."""

FEWEST_THEMES = 12
"""Themes under which the peer's are condensed no further."""

Writer = Callable[[str, list[dict[str, str]]], object]
"""(name of the reply's schema, messages) → what is replied"""

DESCRIPTION = "people ask for simpler rules, fewer levels and a clear answer about who decides what and why"


class Endpoint(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, writer: Writer, bytes_a_token: float) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.writer = writer
        self.bytes_a_token = bytes_a_token
        self.used: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        """API key → calls, tokens in, tokens out."""
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Endpoint
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        said = "\n".join(m["content"] for m in body["messages"])
        shape = body.get("response_format", {}).get("json_schema", {}).get("name", "")
        text = json.dumps(self.server.writer(shape, body["messages"]), ensure_ascii=False)
        read, wrote = (estimate_tokens(t, self.server.bytes_a_token) for t in (said, text))
        with self.server.lock:
            used = self.server.used[self.headers.get("Authorization", "").removeprefix("Bearer ")]
            for k, n in enumerate((1, read, wrote)):
                used[k] += n
        self._send(
            {
                "id": "x",
                "object": "chat.completion",
                "created": 1,
                "model": "scripted",
                "choices": [
                    {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
                ],
                "usage": {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote},
            }
        )

    def _send(self, content: dict[str, Any]) -> None:
        data = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


def reply(shape: str, messages: list[dict[str, str]]) -> object:
    """Ours by the rehearsal that `polyphonie estimate` uses; the peer's below."""
    said = messages[-1]["content"]
    ids = [int(k) for k in re.findall(r"'response_id': (\d+)", said)]
    if shape == "ThemeMappingResponses":
        return {"responses": [{"response_id": k, "labels": ["A"]} for k in ids]}
    if shape == "DetailDetectionResponses":
        return {"responses": [{"response_id": k, "evidence_rich": "NO"} for k in ids]}
    if shape == "ThemeGenerationResponses":
        return {"responses": [_theme(min(ids), k, position="UNCLEAR") for k in range(THEMES_EACH)]}
    if shape == "ThemeCondensationResponses":
        kept = min(len(ids), max(FEWEST_THEMES, len(ids) // 3))
        return {"responses": [_theme(min(ids), k, source_topic_count=1) for k in range(kept)]}
    if shape == "ThemeRefinementResponses":
        return {
            "responses": [
                {"topic": f"topic {k} of the answers: {DESCRIPTION}", "source_topic_count": 1} for k in ids
            ]
        }
    return answer(
        ChatRequest(prompt=NO_PROMPT, system=messages[0]["content"], user=said, schema={"title": shape})
    )


def _theme(batch: int, k: int, **more: object) -> dict[str, object]:
    return {"topic_label": f"topic {batch}.{k} of the answers", "topic_description": DESCRIPTION, **more}


@contextmanager
def endpoint(writer: Writer = reply, bytes_a_token: float = EXPECTED_BYTES) -> Iterator[Endpoint]:
    with Endpoint(writer, bytes_a_token) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
