"""The command against a real OpenAI-compatible server on this machine: budget, kill, resume, and no call made twice."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from service.domain.draft import PromptRef
from service.llm.chat import ChatRequest
from service.llm.rehearsal import answer

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "round" / "answers.csv"


PROMPT = PromptRef(name="any", version=1, language="fr", sha256="")


class Server(ThreadingHTTPServer):
    """Answers every request as a rehearsal does, counts each, and can be slow."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answered: list[str] = []
        self.delay = 0.0


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        system, user = (m["content"] for m in body["messages"])
        key = hashlib.sha256(f"{system}\0{user}".encode()).hexdigest()[:20]
        time.sleep(self.server.delay)
        shape = {"title": body["response_format"]["json_schema"]["name"]}
        said = json.dumps(answer(ChatRequest(prompt=PROMPT, system=system, user=user, schema=shape)))
        message = {"role": "assistant", "content": said}
        usage = {
            "prompt_tokens": len(user) // 4,
            "completion_tokens": 50,
            "total_tokens": len(user) // 4 + 50,
        }
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        data = json.dumps(
            {
                "id": "x",
                "object": "chat.completion",
                "created": 1,
                "model": "m",
                "choices": [choice],
                "usage": usage,
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.server.answered.append(key)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def start(server: Server, cache: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    env = {
        **os.environ,
        "POLYPHONIE_LLM_BASE_URL": f"http://127.0.0.1:{server.server_address[1]}/v1",
        "POLYPHONIE_LLM_API_KEY": "key",
        "POLYPHONIE_CACHE_DIR": str(cache),
    }
    command = [
        sys.executable,
        "-m",
        "service",
        "draft",
        str(EXAMPLE),
        "--out",
        str(out),
        "--llm",
        "openai:m",
        *more,
    ]
    return subprocess.Popen(
        command, cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def drafted(out: Path) -> dict:
    draft = json.loads((out / "draft.json").read_text())
    return {k: v for k, v in draft.items() if k not in ("created_at", "provenance")}


def test_budget_then_resume_then_again(server: Server, tmp_path: Path):
    cache, out = tmp_path / "cache", tmp_path / "out"
    stopped = start(server, cache, out, "--budget", "12000")
    _, said = stopped.communicate(timeout=300)
    assert stopped.returncode == 3, said
    assert "--budget" in said
    assert "--resume" in said
    assert not (out / "draft.json").exists()
    paid = len(server.answered)
    assert paid

    other = start(server, cache, out, "--resume", "--questions", "Q1")
    _, said = other.communicate(timeout=300)
    assert other.returncode == 1
    assert "questions" in said

    resumed = start(server, cache, out, "--resume")
    _, said = resumed.communicate(timeout=300)
    assert resumed.returncode == 0, said
    assert len(server.answered) == len(set(server.answered)) > paid
    assert not (out / "stopped.json").exists()
    first = drafted(out)

    calls = len(server.answered)
    again = start(server, cache, out)
    again.communicate(timeout=300)
    assert len(server.answered) == calls, "a second identical run makes no call"
    assert drafted(out) == first


def test_a_killed_run_repeats_no_finished_call(server: Server, tmp_path: Path):
    cache, out = tmp_path / "cache", tmp_path / "out"
    server.delay = 0.3
    run = start(server, cache, out)
    while len(server.answered) < 10 and run.poll() is None:
        time.sleep(0.05)
    run.send_signal(signal.SIGKILL)
    run.communicate(timeout=60)
    time.sleep(1)  # the calls in flight end at the server
    before = list(server.answered)
    server.delay = 0.0
    done = start(server, cache, out)
    _, said = done.communicate(timeout=300)
    assert done.returncode == 0, said
    repeated = [k for k in set(server.answered) if server.answered.count(k) > 1]
    assert len(repeated) <= 4, "only calls in flight when the process died may be made again"
    assert len(before) >= 10
