"""Replies written by hand for the example round, kept and replayed: what an able model could answer, from the prompts alone."""

import hashlib
import json
from pathlib import Path

from service.errors import SkipItem
from service.llm.chat import ChatReply, ChatRequest

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
