"""Replies written by hand for the example round, kept and replayed: what an able model could answer, from the prompts alone.

`python -m tests.written COMMAND…` runs a command of `polyphonie` with `--llm openai:written` served from them, such as
`draft examples/round/answers.csv --out out/written`: the draft of docs/written.md.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from service.errors import SkipItem
from service.llm.chat import ChatReply, ChatRequest
from tests.loopback import model_server

KEPT = Path(__file__).parent / "fixtures" / "replies" / "written.jsonl"


class WrittenChat:
    """Answers from the kept replies; an unknown request is refused and remembered."""

    name = "written"

    def __init__(self) -> None:
        rows = [json.loads(line) for line in KEPT.read_text(encoding="utf-8").splitlines()]
        self._replies = {row["request"]: json.dumps(row["reply"], ensure_ascii=False) for row in rows}
        self.unknown: list[ChatRequest] = []
        self.used: set[str] = set()

    def reply(self, request: ChatRequest) -> ChatReply:
        key = hashlib.sha256(f"{request.system}\0{request.user}".encode()).hexdigest()[:20]
        if key not in self._replies:
            self.unknown.append(request)
            raise SkipItem("nobody wrote a reply to this request: see tests/fixtures/replies/README.md")
        self.used.add(key)
        return ChatReply(text=self._replies[key], input_tokens=len(request.user) // 4, output_tokens=10)


def main() -> int:
    chat = WrittenChat()
    with model_server(writer=lambda request: json.loads(chat.reply(request).text)) as server:
        environment = {
            **os.environ,
            "POLYPHONIE_LLM": "openai:written",
            "POLYPHONIE_LLM_BASE_URL": server.url,
            "POLYPHONIE_LLM_API_KEY": "loopback",
        }
        done = subprocess.run([sys.executable, "-m", "service", *sys.argv[1:]], env=environment, check=False)
    print(f"{len(chat.used)} replies used, {len(chat.unknown)} requests without one")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
