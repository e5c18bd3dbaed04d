"""Sessions of browsers: a cookie in place of a key, for some hours; the store holds its hash. A revoked key ends its sessions."""

import secrets
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from service.store.database import now
from service.store.keys import Key, fingerprint, key_of
from service.store.tables import KEYS, SESSIONS

LASTS = timedelta(hours=12)


def start(connection: Connection, key: Key) -> str:
    """Begin a session with a key, and return the secret that goes into the cookie. Old ones are swept away."""
    connection.execute(delete(SESSIONS).where(SESSIONS.c.expires_at < now()))
    secret = secrets.token_urlsafe(32)
    expires = (datetime.now(UTC) + LASTS).isoformat(timespec="microseconds")
    row = {"sha256": fingerprint(secret), "key_id": key.id, "expires_at": expires}
    connection.execute(insert(SESSIONS).values(row))
    return secret


def find(connection: Connection, secret: str) -> Key | None:
    """The key behind a session; None where it has ended, or its key is revoked."""
    query = (
        select(KEYS)
        .join(SESSIONS, SESSIONS.c.key_id == KEYS.c.id)
        .where(SESSIONS.c.sha256 == fingerprint(secret), SESSIONS.c.expires_at > now())
        .where(KEYS.c.revoked_at.is_(None))
    )
    row = connection.execute(query).mappings().first()
    return None if row is None else key_of(row)


def end(connection: Connection, secret: str) -> None:
    """End a session."""
    connection.execute(delete(SESSIONS).where(SESSIONS.c.sha256 == fingerprint(secret)))
