"""A draft's side of its model calls: each is written down, queued for whichever worker is free, and waited for.

The seam is the same as for a model that is called directly, so stages don't know the difference. A call that is finished is in
the store: after a crash the draft asks again and gets it without a call.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import structlog
from pydantic import TypeAdapter
from sqlalchemy.exc import DBAPIError

from service.errors import LetGo, ModelError, SkipItem, StopAll
from service.llm.chat import ChatReply, ChatRequest
from service.llm.wrap import request_key
from service.store import Store, calls
from service.store.calls import Call

LOG = structlog.get_logger(__name__)
REQUEST: TypeAdapter[ChatRequest] = TypeAdapter(ChatRequest)

LOOK_EVERY = 0.05
"""Seconds between two looks at the calls that are waited for, all in one query."""

CHECK_EVERY = 0.5
"""Seconds between two looks at whether the draft is still wanted."""

DOUBT_AFTER = 10.0
"""Seconds of waiting after which it is asked whether the job of a call is still there."""

KINDS: dict[str, type[ModelError]] = {"SkipItem": SkipItem, "StopAll": StopAll}


@dataclass(kw_only=True, slots=True)
class Waiting:
    request: ChatRequest
    future: "Future[Call]" = field(default_factory=Future)
    doubt_at: float
    """On the monotonic clock."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """What a draft needs to have its calls made."""

    store: Store
    draft_id: str
    enqueue: Callable[[str, str], None]
    """Queue the call of a ticket, to a model by its spec; a ticket that is queued already stays so."""
    has_ended: Callable[[str], bool]
    """Whether the job of a ticket is over, or was never there."""
    reason_to_stop: Callable[[], Exception | None]
    """Why the draft should not go on; None as long as it should."""


class QueuedChat:
    """Use as a context: a thread looks for the replies as long as it is open."""

    def __init__(self, desk: Desk, *, llm: str, parameters: str) -> None:
        """llm: spec of the model; parameters: what decides its replies beside that, as in `Cached`."""
        self.name = llm
        self._parameters = parameters
        self._desk = desk
        self._waiting: dict[str, Waiting] = {}
        self._paid: set[str] = set()
        self._over: Exception | None = None
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._check_at = 0.0
        self._thread = threading.Thread(target=self._watch, name=f"replies-{desk.draft_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        self._thread.join()

    def reply(self, request: ChatRequest) -> ChatReply:
        """Raises SkipItem, StopAll, Cancelled and LaidDown."""
        key = request_key(self.name, self._parameters, request)
        with self._lock:
            if self._over is not None:
                raise self._over
            waiting = self._waiting.get(key)
            mine = waiting is None
            if waiting is None:
                doubt_at = time.monotonic() + DOUBT_AFTER
                waiting = self._waiting[key] = Waiting(request=request, doubt_at=doubt_at)
        if mine:
            self._ask(key, waiting)
        call = waiting.future.result()
        if call.error is not None:
            raise KINDS.get(call.error["kind"], SkipItem)(call.error["detail"])
        return self._reply(call)

    def kept(self, request: ChatRequest) -> ChatReply | None:
        """The reply to this request where it was paid for before, by this draft or another."""
        key = request_key(self.name, self._parameters, request)
        with self._desk.store.read() as connection:
            call = calls.look(connection, [key]).get(key)
        return None if call is None or call.text is None else self._reply(call)

    def stop(self) -> None:
        """No further call: whoever waits is let go."""
        self._let_go(LetGo("the run was stopped"))

    def _reply(self, call: Call) -> ChatReply:
        """What this draft paid counts once, also when it was paid before a crash: so the sums of a draft that was
        interrupted are those of one that was not."""
        assert call.text is not None
        with self._lock:
            paid_now = call.draft_id == self._desk.draft_id and call.key not in self._paid
            self._paid.add(call.key)
        return ChatReply(
            text=call.text,
            input_tokens=call.input_tokens,
            output_tokens=call.output_tokens,
            cached=not paid_now,
        )

    def _ask(self, key: str, waiting: Waiting) -> None:
        request: dict[str, Any] = REQUEST.dump_python(waiting.request, mode="json")
        try:
            with self._desk.store.write() as connection:
                call = calls.ask(
                    connection, key=key, draft_id=self._desk.draft_id, llm=self.name, request=request
                )
            if call is not None and call.is_open:
                self._desk.enqueue(call.ticket, self.name)
        except BaseException as error:
            if self._take(key):
                waiting.future.set_exception(error)

    def _watch(self) -> None:
        while not self._closed.wait(LOOK_EVERY):
            try:
                self._look()
            except DBAPIError as error:  # the database restarts: what waits goes on waiting
                LOG.warning("calls.look_failed", exc_info=error)
                self._closed.wait(1.0)

    def _look(self) -> None:
        now = time.monotonic()
        if now >= self._check_at:
            self._check_at = now + CHECK_EVERY
            reason = self._desk.reason_to_stop()
            if reason is not None:
                self._let_go(reason)
        with self._lock:
            waiting = dict(self._waiting)
        if not waiting:
            return
        with self._desk.store.read() as connection:
            found = calls.look(connection, waiting)
        for key, one in waiting.items():
            call = found.get(key)
            if call is None or (call.error is not None and call.draft_id != self._desk.draft_id):
                self._ask(key, one)  # the draft that had asked for it is gone, or it was refused to that one
            elif not call.is_open:
                if self._take(key):
                    one.future.set_result(call)
            elif now >= one.doubt_at:
                one.doubt_at = now + DOUBT_AFTER
                self._revive(call)

    def _revive(self, call: Call) -> None:
        if not self._desk.has_ended(call.ticket):
            return
        with self._desk.store.write() as connection:
            ticket = calls.renew(connection, call.key, call.ticket)
        if ticket is not None:
            LOG.warning("calls.revived", draft_id=self._desk.draft_id, old=call.ticket, new=ticket)
            self._desk.enqueue(ticket, self.name)

    def _take(self, key: str) -> bool:
        """Whoever takes a request off the list may settle it."""
        with self._lock:
            return self._waiting.pop(key, None) is not None

    def _let_go(self, reason: Exception) -> None:
        with self._lock:
            self._over = self._over or reason
            waiting, self._waiting = self._waiting, {}
        for one in waiting.values():
            one.future.set_exception(reason)
