"""A client of the HTTP API: typed, one file, for scripts and nightly runs.

    with Client("http://127.0.0.1:8000", key) as service:
        round_ = service.upload(Path("answers.csv"))
        draft = service.wait(service.ask(round_.id).id)
        Path("report.docx").write_bytes(service.export(draft.id, "docx"))

A request that did not come through (no connection, 429, 503) is sent again, as often as TRIES says; uploads and requests for drafts
carry an Idempotency-Key, so that nothing is made twice.
"""

import json
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter

from service.domain.draft import Draft
from service.domain.jobs import ENDED, DraftState
from service.errors import PolyphonieError

TRIES = 5
LONGEST_WAIT = 60.0
"""Seconds between two tries, whatever the service says."""

Record = TypeVar("Record")


class ServiceError(PolyphonieError):
    """The service refused a request. `code` is the name of the error, `problems` says where it is and what to do."""

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(str(body.get("detail", f"the service answered {status}")))
        self.http_status = status
        self.error = str(body.get("code", "Unknown"))
        self.problems: list[dict[str, Any]] = list(body.get("problems") or [])

    @property
    def code(self) -> str:
        """Name of the error at the service."""
        return self.error


@dataclass(frozen=True, kw_only=True, slots=True)
class RoundInfo:
    id: str
    name: str
    title: str
    language: str
    created_at: str
    created_by: str
    n_answers: int
    n_respondents: int
    questions: tuple[dict[str, Any], ...]
    warnings: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftInfo:
    id: str
    round_id: str
    state: DraftState
    version: int
    """Revisions made so far: what a change is made against."""
    created_at: str
    created_by: str
    progress: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    draft: Draft | None = None
    """With all revisions applied, once the state is `done`; None in lists."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EvalInfo:
    id: str
    state: DraftState
    created_at: str
    created_by: str
    report: dict[str, Any] | None = None
    """The run's record without its cases, once the state is `done`."""
    error: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class EventInfo:
    number: int
    kind: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class RevisionInfo:
    version: int
    who: str
    at: str
    action: str
    target: str
    edit: dict[str, Any]
    before: tuple[dict[str, str], ...] = ()
    after: tuple[dict[str, str], ...] = ()


class Client:
    """One service, one key. Raises ServiceError for what the service refuses, httpx.TransportError where it can't be reached."""

    def __init__(
        self, address: str, key: str | None = None, *, timeout: float = 60.0, http: httpx.Client | None = None
    ) -> None:
        """timeout: seconds without a byte; http: a client of one's own, with base address and headers set."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = http or httpx.Client(base_url=address, headers=headers, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def upload(self, round_: Path | Mapping[str, Any], *, sidecar: Path | None = None) -> RoundInfo:
        """Upload a file of answers (with a sidecar beside), or a round as an object."""
        once = {"Idempotency-Key": secrets.token_hex(16)}
        if not isinstance(round_, Path):
            return _record(RoundInfo, self._send("POST", "/v1/rounds", json=round_, headers=once))
        paths = {"file": round_} | ({"sidecar": sidecar} if sidecar else {})
        streams = {name: path.open("rb") for name, path in paths.items()}
        try:
            files = {name: (paths[name].name, stream) for name, stream in streams.items()}
            return _record(RoundInfo, self._send("POST", "/v1/rounds", files=files, headers=once))
        finally:
            for stream in streams.values():
                stream.close()

    def rounds(self) -> Iterator[RoundInfo]:
        """Rounds of the key's team, the newest first."""
        return self._pages("/v1/rounds", RoundInfo)

    def round(self, round_id: str) -> RoundInfo:
        return _record(RoundInfo, self._send("GET", f"/v1/rounds/{round_id}"))

    def answers(self, round_id: str, question: str | None = None) -> Iterator[dict[str, Any]]:
        """Answers in the order of the questions."""
        more = {"limit": 1000} | ({"question": question} if question else {})
        return self._pages(f"/v1/rounds/{round_id}/answers", dict[str, Any], **more)

    def delete_round(self, round_id: str) -> None:
        """Delete a round with everything that was made from it."""
        self._send("DELETE", f"/v1/rounds/{round_id}")

    def ask(
        self,
        round_id: str,
        *,
        questions: Sequence[str] = (),
        themes: Sequence[Mapping[str, Any]] = (),
        llm: str | None = None,
        encoder: str | None = None,
        budget: int | None = None,
    ) -> DraftInfo:
        """Ask for a draft. It is made in the background: `wait` or `follow` it."""
        given = {
            "questions": list(questions),
            "themes": list(themes),
            "llm": llm,
            "encoder": encoder,
            "budget": budget,
        }
        once = {"Idempotency-Key": secrets.token_hex(16)}
        return _record(
            DraftInfo, self._send("POST", f"/v1/rounds/{round_id}/drafts", json=given, headers=once)
        )

    def drafts(self, round_id: str | None = None) -> Iterator[DraftInfo]:
        """Drafts of the key's team, or of one round, the newest first, without their results."""
        return self._pages("/v1/drafts", DraftInfo, **({"round": round_id} if round_id else {}))

    def draft(self, draft_id: str) -> DraftInfo:
        """A draft: where it stands, and its result once it is done."""
        return _record(DraftInfo, self._send("GET", f"/v1/drafts/{draft_id}"))

    def cancel(self, draft_id: str) -> DraftInfo:
        return _record(DraftInfo, self._send("POST", f"/v1/drafts/{draft_id}/cancel"))

    def follow(self, draft_id: str) -> Iterator[EventInfo]:
        """Events until the draft has ended; a broken connection is taken up where it broke."""
        seen, failed = 0, 0
        while True:
            try:
                headers = {"Last-Event-ID": str(seen)}
                with self._http.stream("GET", f"/v1/drafts/{draft_id}/events", headers=headers) as answer:
                    if answer.status_code == 204:
                        return
                    if answer.is_error:
                        answer.read()
                        raise _refused(answer)
                    for event in _events(answer.iter_lines()):
                        seen, failed = event.number, 0
                        yield event
            except httpx.TransportError:
                failed += 1
                if failed >= TRIES:
                    raise
                time.sleep(2.0**failed)

    def wait(self, draft_id: str) -> DraftInfo:
        """The draft once it has ended, well or not: look at its state."""
        for _ in self.follow(draft_id):
            pass
        found = self.draft(draft_id)
        assert found.state in ENDED
        return found

    def set_label(self, draft: DraftInfo, group_id: str, label: str) -> RevisionInfo:
        """Give a group another label, in the version of the draft that was read."""
        return self._change(draft, "PATCH", f"groups/{quote(group_id, safe='')}", {"label": label})

    def set_sentence(self, draft: DraftInfo, question_id: str, sentence: int, text: str) -> RevisionInfo:
        """Write a sentence of a question's synthesis anew."""
        body = {"sentence": sentence, "text": text}
        return self._change(draft, "PATCH", f"questions/{quote(question_id, safe='')}/synthesis", body)

    def merge(
        self, draft: DraftInfo, group_ids: Sequence[str], into: str, label: str | None = None
    ) -> RevisionInfo:
        body = {"group_ids": list(group_ids), "into": into, "label": label}
        return self._change(draft, "POST", "groups/merge", body)

    def split(self, draft: DraftInfo, group_id: str, verbatim_ids: Sequence[str], label: str) -> RevisionInfo:
        body = {"group_id": group_id, "verbatim_ids": list(verbatim_ids), "label": label}
        return self._change(draft, "POST", "groups/split", body)

    def move(self, draft: DraftInfo, verbatim_ids: Sequence[str], to: str | None) -> RevisionInfo:
        """To a level-1 group; None: each becomes an isolated voice."""
        return self._change(draft, "POST", "groups/move", {"verbatim_ids": list(verbatim_ids), "to": to})

    def move_groups(
        self, draft: DraftInfo, group_ids: Sequence[str], to: str | None, label: str | None = None
    ) -> RevisionInfo:
        """Level-1 groups to a level-2 group; None: to a new one of that label."""
        body = {"group_ids": list(group_ids), "to": to, "label": label}
        return self._change(draft, "POST", "groups/move", body)

    def undo(self, draft: DraftInfo, revision: int | None = None) -> RevisionInfo:
        return self._change(draft, "POST", "revisions", {"kind": "undo", "revision": revision})

    def approve(self, draft: DraftInfo, question_id: str | None = None) -> RevisionInfo:
        """One question, or the whole draft."""
        return self._change(draft, "POST", "revisions", {"kind": "approve", "question_id": question_id})

    def revisions(self, draft_id: str) -> Iterator[RevisionInfo]:
        """Who changed what, the oldest first."""
        after: int | None = 0
        while after is not None:
            page = self._send("GET", f"/v1/drafts/{draft_id}/revisions", params={"after": after}).json()
            yield from (_of(RevisionInfo, item) for item in page["items"])
            after = page["next"]

    def export(self, draft_id: str, format_: str) -> bytes:
        """A deliverable: docx, xlsx, html, md, json."""
        return self._send("GET", f"/v1/drafts/{draft_id}/export", params={"format": format_}).content

    def evaluate(
        self,
        *,
        suites: Sequence[str] = (),
        sets: Sequence[str] = (),
        cases: int | None = None,
        llm: str | None = None,
        encoder: str | None = None,
        budget: int | None = None,
    ) -> EvalInfo:
        """Ask for an eval, with a key that has the scope `evaluate`. It runs in the background: look at it with `eval`."""
        given = {
            "suites": list(suites),
            "sets": list(sets),
            "cases": cases,
            "llm": llm,
            "encoder": encoder,
            "budget": budget,
        }
        once = {"Idempotency-Key": secrets.token_hex(16)}
        return _record(EvalInfo, self._send("POST", "/v1/evals", json=given, headers=once))

    def eval(self, eval_id: str) -> EvalInfo:
        """An eval: where it stands, and its figures once it is done."""
        return _record(EvalInfo, self._send("GET", f"/v1/evals/{eval_id}"))

    def _change(
        self, draft: DraftInfo, method: Literal["PATCH", "POST"], where: str, body: Mapping[str, Any]
    ) -> RevisionInfo:
        if_match = {"If-Match": f'"v{draft.version}"'}
        return _record(
            RevisionInfo,
            self._send(method, f"/v1/drafts/{draft.id}/{where}", json=body, headers=if_match, again=False),
        )

    def _pages(self, address: str, kind: type[Record], **more: Any) -> Iterator[Record]:
        cursor: str | None = None
        while True:
            asked = more | ({"cursor": cursor} if cursor else {})
            page = self._send("GET", address, params=asked).json()
            yield from (_of(kind, item) for item in page["items"])
            cursor = page["next"]
            if cursor is None:
                return

    def _send(self, method: str, address: str, *, again: bool = True, **more: Any) -> httpx.Response:
        """again: a request that may have come through may be sent again. Raises ServiceError."""
        for tried in range(1, TRIES + 1):
            last = tried == TRIES
            try:
                answer = self._http.request(method, address, **more)
            except httpx.TransportError:
                if last or not again:
                    raise
                time.sleep(2.0**tried)
                continue
            if answer.status_code in (429, 503) and not last:
                asked = answer.headers.get("Retry-After", "")
                time.sleep(min(float(asked) if asked.isdigit() else 2.0**tried, LONGEST_WAIT))
                continue
            if answer.is_error:
                raise _refused(answer)
            return answer
        raise AssertionError("the last try returns or raises")


def _refused(answer: httpx.Response) -> ServiceError:
    try:
        body = answer.json()
    except ValueError:
        body = {}
    return ServiceError(answer.status_code, body if isinstance(body, dict) else {})


def _record(kind: type[Record], answer: httpx.Response) -> Record:
    return _of(kind, answer.json())


def _of(kind: type[Record], found: object) -> Record:
    adapter: TypeAdapter[Record] = TypeAdapter(kind)
    return adapter.validate_python(found)


def _events(lines: Iterator[str]) -> Iterator[EventInfo]:
    """Server-sent events out of the lines of a stream; comments are left out."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        else:
            if "data" in fields:
                yield EventInfo(
                    number=int(fields["id"]), kind=fields["event"], data=json.loads(fields["data"])
                )
            fields = {}
