"""LangChain against a real HTTP server on this machine that answers in every way servers do."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from service.domain.draft import PromptRef
from service.errors import BadSetting, SkipItem, StopAll, TryAgain
from service.llm.chat import ChatRequest, Limited
from service.llm.langchain import LangChainChat
from service.llm.replies import SynthesisReply

Answer = tuple[int, dict[str, str], Any]
GOOD = '{"paragraphs": []}'
REQUEST = ChatRequest(
    prompt=PromptRef(name="synthesis", version=1, language="fr", sha256="0" * 64),
    system="système",
    user="demande",
    schema=SynthesisReply.model_json_schema(),
    max_tokens=20,
)


def completion(content: str | None, finish: str = "stop", **message: str) -> dict[str, Any]:
    said = {"role": "assistant", "content": content, **message}
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": said, "finish_reason": finish}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16},
    }


def failure(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "t", "code": None}}


@dataclass
class Fake:
    url: str
    script: Callable[[dict[str, Any]], Answer] = lambda body: (200, {}, completion(GOOD))
    seen: list[dict[str, Any]] = field(default_factory=list)

    def chat(self, timeout: float = 10.0) -> LangChainChat:
        return LangChainChat("openai:m", base_url=self.url, api_key="k", timeout=timeout)


@pytest.fixture
def fake() -> Iterator[Fake]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.seen.append(body)
            status, headers, out = found.script(body)
            data = out if isinstance(out, bytes) else json.dumps(out).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Fake(url=f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


def test_one_call_with_the_schema_the_length_and_temperature_zero(fake: Fake):
    reply = fake.chat().reply(REQUEST)
    assert (reply.text, reply.input_tokens, reply.output_tokens) == (GOOD, 11, 5)
    (body,) = fake.seen
    assert [m["content"] for m in body["messages"]] == ["système", "demande"]
    assert body["response_format"]["json_schema"]["schema"]["additionalProperties"] is False
    assert body["max_completion_tokens"] == 20
    assert body["temperature"] == 0


@pytest.mark.parametrize("text", ['voici {"a"', "", "Bien sûr !"])
def test_a_reply_of_another_shape_comes_through_as_text(fake: Fake, text: str):
    fake.script = lambda body: (200, {}, completion(text))
    assert fake.chat().reply(REQUEST).text == text


def test_a_reply_cut_at_its_greatest_length_is_a_paid_reply_not_a_failed_call(fake: Fake):
    fake.script = lambda body: (200, {}, completion('{"paragraphs": [', "length"))
    reply = fake.chat().reply(REQUEST)
    assert (reply.text, reply.output_tokens) == ('{"paragraphs": [', 5)


def test_a_server_that_knows_no_schema_is_asked_in_words_from_then_on(fake: Fake):
    def script(body: dict[str, Any]) -> Answer:
        if "response_format" in body:
            return 400, {}, failure("response_format is not supported by this model")
        return 200, {}, completion(GOOD)

    fake.script = script
    chat = fake.chat()
    assert [chat.reply(REQUEST).text for _ in range(2)] == [GOOD, GOOD]
    assert [b.get("response_format", {}).get("type") for b in fake.seen] == [
        "json_schema",
        "json_object",
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("status", "headers", "out", "kind"),
    [
        (401, {}, failure("bad key"), StopAll),
        (402, {}, failure("add credits"), StopAll),
        (403, {}, failure("not yours"), StopAll),
        (404, {}, failure("no such model"), StopAll),
        (429, {}, failure("insufficient_quota"), StopAll),
        (429, {"Retry-After": "7"}, failure("slow down"), Limited),
        (503, {"Retry-After": "2"}, failure("overloaded"), Limited),
        (500, {}, failure("oops"), TryAgain),
        (200, {}, b"<html>a proxy</html>", TryAgain),
        (200, {}, b'{"id": "x", "cho', TryAgain),
        (200, {}, {"error": {"message": "overloaded"}}, TryAgain),
        (400, {}, failure("maximum context length is 4096 tokens"), SkipItem),
        (200, {}, completion("", "content_filter"), SkipItem),
        (200, {}, completion(None, refusal="I can't help with that"), SkipItem),
    ],
)
def test_the_three_kinds_of_error(fake: Fake, status: int, headers: dict[str, str], out: Any, kind: type):
    fake.script = lambda body: (status, headers, out)
    with pytest.raises(kind) as caught:
        fake.chat().reply(REQUEST)
    assert type(caught.value) is kind
    assert len(fake.seen) == 1, "patience is not this layer's"
    if "Retry-After" in headers:
        assert caught.value.wait == float(headers["Retry-After"])


def test_a_stall_and_a_dead_server_may_pass(fake: Fake):
    def slow(body: dict[str, Any]) -> Answer:
        time.sleep(1)
        return 200, {}, completion(GOOD)

    fake.script = slow
    with pytest.raises(TryAgain):
        fake.chat(timeout=0.3).reply(REQUEST)
    time.sleep(1)  # the handler writes to a closed connection, then ends
    with pytest.raises(TryAgain):
        LangChainChat("openai:m", base_url="http://127.0.0.1:9/v1", api_key="k").reply(REQUEST)


def test_an_unknown_provider_is_a_setting_to_correct():
    with pytest.raises(BadSetting, match="--llm nobody:m"):
        LangChainChat("nobody:m")


def test_a_missing_key_is_told_by_the_setting_that_gives_it(monkeypatch: pytest.MonkeyPatch):
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(BadSetting, match=r"--llm openai:m needs a key: set POLYPHONIE_LLM_API_KEY.*any word"):
        LangChainChat("openai:m", base_url="http://127.0.0.1:9/v1")
