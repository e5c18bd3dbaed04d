"""What a worker does with one ticket: make a draft, make a model call. Both may be begun again at any point."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError

from service.domain.jobs import Configuration, DraftState
from service.domain.round import Round
from service.domain.selection import select
from service.errors import ModelError, PolyphonieError, Stopped
from service.jobs.chat import REQUEST, Desk, QueuedChat
from service.jobs.ends import Broken, Cancelled, LaidDown, Poisoned
from service.llm.chat import ChatReply, ChatRequest
from service.operation import metrics, traces
from service.store import Store, calls, drafts, jobs, rounds
from service.store.drafts import StoredDraft

LOG = structlog.get_logger(__name__)
T = TypeVar("T")

MOST_TRIES = 5
"""A job that was begun so often without a further finished model call is set aside."""

WRITE_TRIES = 8
"""A reply is paid for: while the database is away it is held, up to about two minutes."""


class Progress(Protocol):
    def __call__(self, stage: str, done: int, total: int) -> None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What the pipeline is given."""

    round_id: str
    """Of the store."""
    round: Round
    configuration: Configuration
    chat: Callable[[str, str], QueuedChat]
    """A chat model by its spec and parameters, whose calls any worker makes; a context."""
    progress: Progress


class Make(Protocol):
    def __call__(self, order: Order) -> bytes:
        """draft.json. Raises PolyphonieError; what passes may be asked for again."""
        ...


class CallModel(Protocol):
    def __call__(self, llm: str, request: ChatRequest) -> ChatReply:
        """One model call with its retries. Raises SkipItem or StopAll."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Tickets:
    """What making needs of the queue."""

    enqueue_call: Callable[[str, str, dict[str, str]], None]
    """By the ticket, the spec of the model, and the trace that the call belongs to."""
    has_ended: Callable[[str], bool]
    shutting_down: threading.Event


def make_draft(store: Store, tickets: Tickets, make: Make, draft_id: str, ticket: str) -> None:
    """Make a draft and keep it, or end it with its reason. Whatever else happens is left to the keeper, who begins it anew."""
    with structlog.contextvars.bound_contextvars(draft_id=draft_id), traces.span("draft", draft_id=draft_id):
        try:
            draft = _begin(store, draft_id, ticket)
            if draft is not None:
                _make(store, tickets, make, draft)
        except LaidDown:
            LOG.info("draft.laid_down")
            _note(store, draft_id, ticket, None, counts=False)
        except Cancelled:
            LOG.info("draft.dropped")
        except Stopped as stop:
            _end(store, draft_id, "stopped", stop.code, str(stop))
        except PolyphonieError as error:
            _end(store, draft_id, "failed", error.code, str(error))
        except (
            Exception
        ) as error:  # a defect, or the database is away: begun again, a bounded number of times
            LOG.error("draft.broken", exc_info=error)
            metrics.FAILURES.labels(code=type(error).__name__).inc()
            _note(store, draft_id, ticket, type(error).__name__)


def _begin(store: Store, draft_id: str, ticket: str) -> StoredDraft | None:
    """The draft, running; None where it has ended, is gone, or belongs to another ticket. Raises Poisoned."""
    with store.write() as connection:
        job = jobs.begin(connection, draft_id, ticket, finished=calls.count_closed(connection, draft_id))
        if job is None:
            return None
        if not drafts.start(connection, draft_id):
            jobs.remove(connection, draft_id)
            return None
        draft = drafts.get(connection, draft_id)
    if job.tries > MOST_TRIES:
        why = job.reason or "its worker ended"
        raise Poisoned(f"begun {MOST_TRIES} times without getting further; the last time: {why}")
    LOG.info("draft.begun", tries=job.tries, finished_calls=job.finished)
    return draft


def _make(store: Store, tickets: Tickets, make: Make, draft: StoredDraft) -> None:
    with store.read() as connection:
        round_ = rounds.load(connection, draft.round_id)
    if round_ is None:
        raise Cancelled("the round was deleted")
    trace = traces.carrier()  # of the draft: its calls are asked for from other threads
    desk = Desk(
        store=store,
        draft_id=draft.id,
        enqueue=lambda ticket, llm: tickets.enqueue_call(ticket, llm, trace),
        has_ended=tickets.has_ended,
        reason_to_stop=lambda: reason_to_stop(store, tickets, draft.id),
    )
    teller = Teller(store, tickets, draft.id)
    order = Order(
        round_id=draft.round_id,
        round=select(round_, draft.configuration.questions),
        configuration=draft.configuration,
        chat=lambda llm, parameters: QueuedChat(desk, llm=llm, parameters=parameters),
        progress=teller,
    )
    try:
        made = make(order)
    finally:
        teller.stages.end()
    with store.write() as connection:
        kept = drafts.finish(connection, draft.id, made)
        jobs.remove(connection, draft.id)
    if kept:
        metrics.DRAFTS.labels(state="done").inc()
        LOG.info("draft.done", bytes=len(made))


def reason_to_stop(store: Store, tickets: Tickets, draft_id: str) -> Exception | None:
    if tickets.shutting_down.is_set():
        return LaidDown("this worker is shutting down")
    with store.read() as connection:
        draft = drafts.get(connection, draft_id)
    return None if draft is not None and draft.state == "running" else Cancelled("the draft was cancelled")


class Teller:
    """Progress of the pipeline → the draft's events, the stage's seconds, and whether to go on."""

    def __init__(self, store: Store, tickets: Tickets, draft_id: str) -> None:
        self._store = store
        self._tickets = tickets
        self._draft_id = draft_id
        self._stage, self._since = "", 0.0
        self.stages = traces.Stages()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Raises Cancelled and LaidDown."""
        if self._tickets.shutting_down.is_set():
            raise LaidDown("this worker is shutting down")
        self.stages.at(stage, done, total)
        if stage != self._stage:
            self._stage, self._since = stage, time.monotonic()
        if done == total:
            seconds = time.monotonic() - self._since
            metrics.STAGE_SECONDS.labels(stage=stage).observe(seconds)
            LOG.info("stage.done", stage=stage, seconds=round(seconds, 3), items=total)
        with self._store.write() as connection:
            told = drafts.tell(
                connection, self._draft_id, "progress", {"stage": stage, "done": done, "total": total}
            )
        if not told:
            raise Cancelled("the draft was cancelled")


def _end(store: Store, draft_id: str, state: DraftState, code: str, detail: str) -> None:
    with store.write() as connection:
        ended = drafts.end(connection, draft_id, state, code=code, detail=detail)
        calls.drop(connection, draft_id)
        jobs.remove(connection, draft_id)
    if ended:
        metrics.DRAFTS.labels(state=state).inc()
        metrics.FAILURES.labels(code=code).inc()
        LOG.warning("draft.ended", state=state, code=code)


def _note(store: Store, draft_id: str, ticket: str, reason: str | None, *, counts: bool = True) -> None:
    try:
        with store.write() as connection:
            jobs.note(connection, draft_id, ticket, reason=reason, counts=counts)
    except DBAPIError as error:
        LOG.warning("draft.note_lost", exc_info=error)


def make_call(store: Store, call_model: CallModel, ticket: str, carrier: dict[str, str]) -> None:
    """Make the call of a ticket, unless it was made, and keep its reply or why there is none. Raises Broken."""
    try:
        _make_call(store, call_model, ticket, carrier)
    except Exception as error:  # a defect, or the database is away: the draft gives the call a new ticket
        LOG.error("call.broken", exc_info=error)
        metrics.FAILURES.labels(code=type(error).__name__).inc()
        # DBOS keeps what a workflow raises: a statement's parameters, say, with the reply in them
        raise Broken(type(error).__name__) from None


def _make_call(store: Store, call_model: CallModel, ticket: str, carrier: dict[str, str]) -> None:
    with store.write() as connection:
        call = calls.take(connection, ticket)
    if call is None:
        return
    request = REQUEST.validate_python(call.request)
    attributes = {"draft_id": call.draft_id, "prompt": request.prompt.name, "llm": call.llm}
    with structlog.contextvars.bound_contextvars(**attributes), traces.span("call", carrier, **attributes):
        if call.tries > MOST_TRIES:
            _refuse(store, ticket, "SkipItem", f"the request was begun {MOST_TRIES} times without an answer")
            return
        began = time.monotonic()
        try:
            reply = call_model(call.llm, request)
        except ModelError as error:
            kind = "StopAll" if isinstance(error, Stopped) else "SkipItem"
            _refuse(store, ticket, kind, str(error))
            return
        except PolyphonieError as error:  # a setting of this worker: no model, no key
            _refuse(store, ticket, "StopAll", str(error))
            return
        metrics.CALL_SECONDS.observe(time.monotonic() - began)
        metrics.CALLS.labels(outcome="answered").inc()
        metrics.TOKENS.labels(direction="input").inc(reply.input_tokens)
        metrics.TOKENS.labels(direction="output").inc(reply.output_tokens)
        _keep(store, ticket, reply)


def _keep(store: Store, ticket: str, reply: ChatReply) -> None:
    for pause in (*(2.0**k / 2 for k in range(WRITE_TRIES - 1)), None):
        try:
            with store.write() as connection:
                calls.answer(
                    connection,
                    ticket,
                    text=storable(reply.text),
                    input_tokens=reply.input_tokens,
                    output_tokens=reply.output_tokens,
                )
            return
        except DBAPIError as error:
            if pause is None:
                raise
            LOG.warning("call.kept_later", exc_info=error)
            time.sleep(pause)


def _refuse(store: Store, ticket: str, kind: str, detail: str) -> None:
    metrics.CALLS.labels(outcome="stopped" if kind == "StopAll" else "refused").inc()
    metrics.FAILURES.labels(code=kind).inc()
    LOG.warning("call.refused", kind=kind)
    with store.write() as connection:
        calls.refuse(connection, ticket, kind=kind, detail=storable(detail))


def storable(text: str) -> str:
    """Text as both databases hold it: no NUL, no half of a surrogate pair."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
