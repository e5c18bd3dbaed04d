"""A real OpenAI-compatible server on the loopback address: answers each request from what is in it, as a model that copies
would, after a delay, and remembers what it was asked and when it had answered."""

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from service.domain.draft import PromptRef
from service.errors import SkipItem
from service.llm.chat import ChatRequest
from service.llm.rehearsal import answer

NO_PROMPT = PromptRef(name="", version=0, language="fr", sha256="")
"""A server is not told which prompt made a request."""


class ModelServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, delay: float = 0.0, writer: Callable[[ChatRequest], object] = answer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.writer = writer
        """Gives the object of a reply, or raises SkipItem for a request that gets none."""
        self.delay = delay
        """Seconds before each reply."""
        self.status = 200
        """Status of each answer; other than 200: an error."""
        self.answered: list[tuple[str, float]] = []
        """Hash of each request that got its whole reply, and when, on the monotonic clock."""
        self.bodies: list[str] = []
        self.asked: list[str] = []
        """Hash of each request that came, answered or not."""
        self.at_once = 0
        self.most_at_once = 0
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def repeated(self) -> dict[str, int]:
        """Requests that were answered more than once, and how often."""
        return {key: n for key, n in Counter(key for key, _ in self.answered).items() if n > 1}

    def enter(self, step: int) -> None:
        with self._lock:
            self.at_once += step
            self.most_at_once = max(self.most_at_once, self.at_once)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no error of the server."""


class Handler(BaseHTTPRequestHandler):
    server: ModelServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = hashlib.sha256("\0".join(m["content"] for m in body["messages"]).encode()).hexdigest()[:20]
        self.server.asked.append(key)
        self.server.enter(1)
        try:
            time.sleep(self.server.delay)
            self._answer(body, key)
        finally:
            self.server.enter(-1)

    def _answer(self, body: dict[str, Any], key: str) -> None:
        system, user = (m["content"] for m in body["messages"])
        self.server.bodies.append(user)
        if self.server.status != 200:
            self._send(self.server.status, {"error": {"message": "no", "code": "no"}})
            return
        shape = body.get("response_format", {}).get("json_schema", {}).get("name", "")
        request = ChatRequest(prompt=NO_PROMPT, system=system, user=user, schema={"title": shape})
        try:
            content = json.dumps(self.server.writer(request), ensure_ascii=False)
        except SkipItem as error:
            self._send(400, {"error": {"message": str(error), "code": "no_reply"}})
            return
        message = {"role": "assistant", "content": content}
        count = len(user) // 4
        reply = {
            "id": "x",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": count, "completion_tokens": 50, "total_tokens": count + 50},
        }
        self._send(200, reply)
        self.server.answered.append((key, time.monotonic()))

    def _send(self, status: int, content: dict[str, Any]) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def model_server(
    delay: float = 0.0, writer: Callable[[ChatRequest], object] = answer
) -> Iterator[ModelServer]:
    with ModelServer(delay, writer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
