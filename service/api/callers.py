"""Who calls: the key behind a request, what it may do, and how fast it may ask.

A key that was found is trusted for a second, so that reading costs no query for it; `polyphonie keys revoke` waits that second
before it says that the key is revoked.
"""

import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, TypeAlias
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from service.api.context import Context
from service.api.problems import Refused
from service.errors import MissingScope, NoKey, TooManyRequests
from service.settings import Settings
from service.store import Store, audit, keys, sessions
from service.store.audit import Entry
from service.store.database import now
from service.store.keys import SCOPES, Key, Scope

COOKIE = "polyphonie_session"

MOST_REMEMBERED = 10_000
"""Keys and buckets kept in memory; beyond it they are forgotten and made anew."""

LOOPBACK_NAMES = {"localhost", "127.0.0.1", "::1", "testserver"}
SAFE = {"GET", "HEAD", "OPTIONS"}

NOBODY = Key(id="", name="local", team="default", scopes=SCOPES, created_at="")
"""Who calls a service that is open: whoever sits at the machine."""


class KeyRing:
    """Keys and sessions by their secret, remembered for a second."""

    def __init__(self, store: Store, *, open_: bool) -> None:
        """open_: as long as no key was ever made, whoever reaches the service may use it."""
        self._store = store
        self._open = open_
        self._known: dict[tuple[str, str], tuple[float, Key]] = {}
        self._noted: dict[str, str] = {}

    def remembered(self, kind: str, secret: str) -> Key | None:
        """The key, if it was found within the last second."""
        found = self._known.get((kind, secret))
        return found[1] if found and found[0] > time.monotonic() else None

    def find(self, kind: str, secret: str) -> Key | None:
        """The key of a `bearer` or `session` secret; None where it is not in force. Notes the use, once a minute."""
        with self._store.read() as connection:
            key = keys.find(connection, secret) if kind == "bearer" else sessions.find(connection, secret)
        if key is None:
            self._known.pop((kind, secret), None)
            return None
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        self._known[kind, secret] = (time.monotonic() + keys.TRUSTED_SECONDS, key)
        minute = now()[:16]
        if self._noted.get(key.id) != minute:
            self._noted[key.id] = minute
            with self._store.write() as connection:
                keys.used(connection, key.id, minute + "Z")
        return key

    def forget(self, kind: str, secret: str) -> None:
        """A session was ended: it is not trusted for the rest of the second."""
        self._known.pop((kind, secret), None)

    def is_open(self) -> bool:
        """Whether nobody needs a key: allowed at the start, and no key was ever made."""
        if self._open:
            with self._store.read() as connection:
                self._open = not keys.any_made(connection)
        return self._open


class Buckets:
    """A bucket of tokens for each key: it fills evenly, and holds a minute's worth at most."""

    def __init__(self, per_minute: int) -> None:
        """per_minute: 0 for no limit."""
        self._rate = per_minute / 60
        self._most = float(per_minute)
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, key_id: str) -> float:
        """Take a token; 0, or the seconds until there is one."""
        if not self._rate:
            return 0.0
        at = time.monotonic()
        with self._lock:
            if len(self._buckets) >= MOST_REMEMBERED:
                self._buckets.clear()
            tokens, since = self._buckets.get(key_id, (self._most, at))
            tokens = min(self._most, tokens + (at - since) * self._rate)
            enough = tokens >= 1
            self._buckets[key_id] = (tokens - 1 if enough else tokens, at)
        return 0.0 if enough else (1 - tokens) / self._rate


@dataclass(frozen=True, kw_only=True, slots=True)
class Gate:
    """Lets callers in."""

    ring: KeyRing
    reads: Buckets
    costly: Buckets
    local: bool
    """The service listens on the loopback address alone."""

    @classmethod
    def of(cls, settings: Settings, store: Store, *, open_: bool) -> "Gate":
        """The gate that the settings ask for."""
        return cls(
            ring=KeyRing(store, open_=open_),
            reads=Buckets(settings.read_limit),
            costly=Buckets(settings.rate_limit),
            local=open_,
        )

    async def caller(self, request: Request) -> Key:
        """The key behind a request. Raises NoKey and MissingScope."""
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and secret.strip():
            return await self._key("bearer", secret.strip())
        if scheme:
            raise _no_key("this header Authorization is none of ours. Send `Authorization: Bearer KEY`.")
        cookie = request.cookies.get(COOKIE)
        if cookie:
            _same_origin(request)
            return await self._key("session", cookie)
        if await run_in_threadpool(self.ring.is_open):
            if urlsplit(f"//{request.headers.get('host', '')}").hostname not in LOOPBACK_NAMES:
                raise _no_key("without keys the service answers to its loopback address alone.")
            _same_origin(request)
            return NOBODY
        raise _no_key(
            "no key was sent. Send `Authorization: Bearer KEY`; `polyphonie keys create NAME` makes one."
        )

    async def admit(self, request: Request, scope: Scope | None) -> Key:
        """The caller, who must have that scope. Raises NoKey and MissingScope."""
        caller = await self.caller(request)
        if scope is not None and scope not in caller.scopes:
            raise MissingScope(
                f"key {caller.name} has no scope {scope}; it has {', '.join(caller.scopes) or 'none'}."
            )
        return caller

    async def _key(self, kind: str, secret: str) -> Key:
        found = self.ring.remembered(kind, secret)
        if found is None:
            found = await run_in_threadpool(self.ring.find, kind, secret)
        if found is None:
            raise _no_key("this key is not in force: it never was, or it is revoked.")
        return found


Caller: TypeAlias = Key


def may(scope: Scope | None, *, costly: bool = False) -> Callable[[Request], Awaitable[Caller]]:
    """A dependency: the caller, who must have that scope (None: any) and not be too fast. costly: `rate_limit` counts it."""

    async def check(request: Request) -> Caller:
        gate: Gate = request.app.state.gate
        caller = await gate.admit(request, scope)
        wait = max(gate.reads.take(caller.id), gate.costly.take(caller.id) if costly else 0.0)
        if wait > 0:
            seconds = int(wait) + 1
            raise Refused(
                TooManyRequests(f"key {caller.name} asks too fast: wait {seconds} s."),
                headers={"Retry-After": str(seconds)},
            )
        return caller

    check.scope = scope or "any"  # type: ignore[attr-defined]  # read when the OpenAPI document is made
    return check


AnyKey = Annotated[Caller, Depends(may(None, costly=True))]
Reader = Annotated[Caller, Depends(may("read"))]
Exporter = Annotated[Caller, Depends(may("read", costly=True))]
Drafter = Annotated[Caller, Depends(may("draft", costly=True))]
Reviewer = Annotated[Caller, Depends(may("review", costly=True))]
Evaluator = Annotated[Caller, Depends(may("evaluate", costly=True))]
EvalReader = Annotated[Caller, Depends(may("evaluate"))]
Admin = Annotated[Caller, Depends(may("admin"))]


def did(caller: Caller, action: str, target: str, **detail: object) -> Entry:
    """An entry of the audit log for what this caller does, to be written in the transaction that does it."""
    return audit.entry(team=caller.team, who=caller.name, action=action, target=target, detail=detail or None)


def noted_read(context: Context, caller: Caller, action: str, target: str) -> None:
    """Tell the audit log of a read."""
    context.reads.note(team=caller.team, who=caller.name, action=action, target=target)


def _no_key(text: str) -> Refused:
    return Refused(NoKey(text), headers={"WWW-Authenticate": "Bearer"})


def _same_origin(request: Request) -> None:
    """A page of another site shall not act with the cookie, or the place, of whoever looks at it. Raises MissingScope."""
    if request.method in SAFE:
        return
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site", "same-origin")
    if site not in ("same-origin", "none") or (
        origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    ):
        raise MissingScope("a page of another site may not do this. Call with a key.")
