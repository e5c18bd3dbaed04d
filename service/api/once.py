"""Idempotency-Key: a request that is sent again makes nothing again, and is answered with what the first one made."""

import hashlib
from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import Header
from sqlalchemy import Connection

from service.api.callers import Caller
from service.errors import InvalidRequest
from service.store import Store, idempotency

Made = TypeVar("Made")

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Any text of the caller's own. The same key with the same request makes one thing, however often it is sent.",
    ),
]


class _Raced(Exception):
    """Another request with this key was faster by a moment."""


def once(
    store: Store,
    caller: Caller,
    key: str | None,
    request: str,
    *,
    make: Callable[[Connection], tuple[str, Made]],
    find: Callable[[Connection, str], Made | None],
) -> tuple[Made, bool]:
    """What this request makes, or made when it came before; and whether it is new.

    request: everything that the request asks for, as text. make: makes it, and gives its id with it; find: finds it by its id.
    Raises InvalidRequest for a key that came with another request.
    """
    digest = hashlib.sha256(request.encode()).hexdigest()
    while True:
        try:
            with store.write() as connection:
                earlier = None if key is None else idempotency.find(connection, team=caller.team, key=key)
                if earlier is not None:
                    if earlier.request_sha256 != digest:
                        raise InvalidRequest(
                            "this Idempotency-Key came with another request before. Take a new one for each request."
                        )
                    found = find(connection, earlier.target)
                    if found is not None:
                        return found, False
                    idempotency.forget(connection, [earlier.target])
                target, made = make(connection)
                if key is not None and not idempotency.keep(
                    connection, team=caller.team, key=key, request_sha256=digest, target=target
                ):
                    raise _Raced
                return made, True
        except _Raced:
            continue
