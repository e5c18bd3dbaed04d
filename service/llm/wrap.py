"""What stands between a stage and a model, each behind the same seam: Metered(Cached(Patient(model))).

Cached replies pass the meter as such and count against no budget; what is asked again is one reply, paid for each time.
"""

import hashlib
import json
import random
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from service.domain.draft import PromptRef, Tokens
from service.errors import BadSetting, LetGo, SkipItem, StopAll, Stopped, TryAgain
from service.llm.chat import ChatModel, ChatReply, ChatRequest, Limited, stop
from service.llm.tokens import most_tokens

LONGEST_WAIT = 300.0
"""Seconds. A server that asks for a longer pause has used its quota up: the run stops, to be resumed later."""


class Patient:
    """Tries again what may pass, with growing pauses; a rate limit makes every caller wait, for what the server asks."""

    def __init__(
        self,
        chat: ChatModel,
        *,
        at_once: int = 4,
        tries: int = 5,
        first_pause: float = 1.0,
        gives_up_after: int = 5,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """at_once: calls under way together. gives_up_after: requests in a row that failed all their tries; then the
        run stops instead of limping on."""
        self.name = chat.name
        self._chat = chat
        self._places = threading.BoundedSemaphore(at_once)
        self._tries = tries
        self._pause = first_pause
        self._limit = gives_up_after
        self._sleep = sleep
        self._lost_in_a_row = 0
        self._open_at = 0.0
        self._over: StopAll | None = None
        self._lock = threading.Lock()
        self._random = random.Random(0)

    def reply(self, request: ChatRequest) -> ChatReply:
        said = ""
        for attempt in range(self._tries):
            try:
                reply = self._one_try(request)
            except TryAgain as error:
                said = str(error)
                with self._lock:
                    pause = self._pause * 2**attempt * (1 + self._random.random() / 4)
                if isinstance(error, Limited):
                    self._close_for(max(pause, error.wait or 0.0), said)
                elif attempt + 1 < self._tries:
                    self._sleep(pause)
                continue
            self._lost_in_a_row = 0
            return reply
        with self._lock:
            self._lost_in_a_row += 1
            if self._lost_in_a_row >= self._limit:
                self._over = StopAll(
                    f"the model failed {self._limit} requests in a row, {self._tries} times each: {said}"
                )
                raise self._over
        raise SkipItem(f"the model failed {self._tries} times: {said}")

    def stop(self) -> None:
        """No further call: whoever waits for a place is refused. Calls under way end."""
        self._over = self._over or LetGo("the run was stopped")

    def _one_try(self, request: ChatRequest) -> ChatReply:
        with self._places:
            wait = self._open_at - time.monotonic()
            if wait > 0:
                self._sleep(wait)
            if self._over is not None:
                raise self._over
            try:
                return self._chat.reply(request)
            except StopAll as error:
                self._over = error
                raise

    def _close_for(self, seconds: float, said: str) -> None:
        if seconds > LONGEST_WAIT:
            self._over = StopAll(f"the model asks for a pause of {seconds:.0f} s, run again later: {said}")
            raise self._over
        with self._lock:
            self._open_at = max(self._open_at, time.monotonic() + seconds)


@runtime_checkable
class Keeping(Protocol):
    """A chat model that knows which requests were paid for before."""

    def kept(self, request: ChatRequest) -> ChatReply | None: ...


def request_key(name: str, parameters: str, request: ChatRequest) -> str:
    """sha256 over everything that decides a reply: model, parameters, prompt hash, messages, schema and length."""
    parts = [
        name,
        parameters,
        request.prompt.sha256,
        request.system,
        request.user,
        json.dumps(request.schema, sort_keys=True),
        str(request.max_tokens),
    ]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


class Cached:
    """Replies kept on disk by everything that decides them; the same request is never paid for twice."""

    def __init__(self, chat: ChatModel, path: Path, parameters: str = "temperature=0") -> None:
        """Raises BadSetting where the file can't be made, opened or is something else."""
        self.name = chat.name
        self._chat = chat
        self._path = path
        self._parameters = parameters
        self._under_way: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with closing(self._connect()) as db, db:
                db.execute("PRAGMA journal_mode=WAL")
                db.execute(
                    "CREATE TABLE IF NOT EXISTS reply (key TEXT PRIMARY KEY, text TEXT NOT NULL, "
                    "input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL) WITHOUT ROWID"
                )
        except (OSError, sqlite3.Error) as error:
            raise BadSetting(
                f"the cache of model replies {path} can't be used: {error}. Delete the file, or set "
                "POLYPHONIE_CACHE_DIR to a folder that can be written."
            ) from error

    def reply(self, request: ChatRequest) -> ChatReply:
        key = self.key(request)
        with self._lock:
            mine = self._under_way.setdefault(key, threading.Lock())
        with mine:  # the same request at the same time is made once
            kept = self._read(key)
            if kept is not None:
                return kept
            reply = self._chat.reply(request)
            with closing(self._connect()) as db, db:
                db.execute(
                    "INSERT OR IGNORE INTO reply VALUES (?, ?, ?, ?)",
                    (key, reply.text, reply.input_tokens, reply.output_tokens),
                )
            return reply

    def kept(self, request: ChatRequest) -> ChatReply | None:
        """The reply to this request where it was paid for before."""
        return self._read(self.key(request))

    def stop(self) -> None:
        stop(self._chat)

    def key(self, request: ChatRequest) -> str:
        return request_key(self.name, self._parameters, request)

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=60)

    def _read(self, key: str) -> ChatReply | None:
        with closing(self._connect()) as db:
            row = db.execute(
                "SELECT text, input_tokens, output_tokens FROM reply WHERE key = ?", (key,)
            ).fetchone()
        if row is None:
            return None
        return ChatReply(text=row[0], input_tokens=row[1], output_tokens=row[2], cached=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    calls: int = 0
    tokens: Tokens = field(default_factory=Tokens)
    prompts: tuple[PromptRef, ...] = ()
    """Every prompt that was rendered, by name and version."""

    def cost(self, price_input: float | None, price_output: float | None) -> float | None:
        """Of this run, in the currency of the prices (per million tokens); None without prices."""
        if price_input is None or price_output is None:
            return None
        return round((self.tokens.input * price_input + self.tokens.output * price_output) / 1e6, 6)


class Metered:
    """Counts what is used, and stops the run before a call could pass the budget."""

    def __init__(self, chat: ChatModel, budget: int | None = None) -> None:
        """budget: most tokens, input and output, of the calls of this run; cached replies are free."""
        self.name = chat.name
        self._chat = chat
        self._budget = budget
        self._lock = threading.Lock()
        self._calls = self._input = self._output = self._cached = self._reserved = 0
        self._prompts: dict[PromptRef, None] = {}

    def reply(self, request: ChatRequest) -> ChatReply:
        with self._lock:
            self._prompts[request.prompt] = None
        kept = self._chat.kept(request) if isinstance(self._chat, Keeping) else None
        return self._count(kept) if kept else self._within_budget(request)

    def stop(self) -> None:
        stop(self._chat)

    def _within_budget(self, request: ChatRequest) -> ChatReply:
        most = most_tokens(request)
        with self._lock:
            if self._budget is not None and self._input + self._output + self._reserved + most > self._budget:
                raise Stopped(
                    f"the budget of {self._budget} tokens would be passed: {self._input + self._output} used, "
                    f"the next call may need {most}. Raise --budget."
                )
            self._reserved += most
        try:
            reply = self._chat.reply(request)
        except BaseException:
            with self._lock:
                self._reserved -= most
            raise
        return self._count(reply, most)

    def _count(self, reply: ChatReply, reserved: int = 0) -> ChatReply:
        with self._lock:
            self._reserved -= reserved
            if reply.cached:
                self._cached += reply.input_tokens + reply.output_tokens
            else:
                self._calls += 1
                self._input += reply.input_tokens
                self._output += reply.output_tokens
        return reply

    def usage(self) -> Usage:
        with self._lock:
            return Usage(
                calls=self._calls,
                tokens=Tokens(input=self._input, output=self._output, cached=self._cached),
                prompts=tuple(sorted(self._prompts, key=lambda p: (p.name, p.language, p.version))),
            )
