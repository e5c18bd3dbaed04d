"""API keys. The store holds a hash, never the key.

A key is 256 random bits, so one round of SHA-256 is enough: there is nothing to guess with a dictionary, which is what slow
hashes such as scrypt are for, and every request pays for the hash.
"""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Literal, get_args

from sqlalchemy import Connection, RowMapping, insert, or_, select, update

from service.errors import BadInput
from service.store.database import new_id, now
from service.store.tables import KEYS

Scope = Literal["read", "draft", "review", "evaluate", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

TRUSTED_SECONDS = 1.0
"""How long a service that found a key does not look it up again: so long a revoked one may still be answered."""

PREFIX = "pk_"
"""So that a key that leaked into a text is found by a search."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    id: str
    name: str
    """Who: what audit log and revisions say."""
    team: str
    """Whose rounds it sees, with all that is derived from them."""
    scopes: tuple[Scope, ...]
    created_at: str
    used_at: str | None = None
    """Last use, to the minute."""
    revoked_at: str | None = None


def create(connection: Connection, name: str, *, team: str, scopes: tuple[Scope, ...]) -> tuple[Key, str]:
    """A new key, and the secret that is shown this once. Raises BadInput where the name is taken."""
    if connection.execute(select(KEYS.c.id).where(KEYS.c.name == name)).first():
        raise BadInput(
            f"a key named {name} exists, revoked or not. Give another name: the audit log tells keys by it."
        )
    secret = PREFIX + secrets.token_urlsafe(32)
    made = Key(id=new_id("k"), name=name, team=team, scopes=scopes, created_at=now())
    row = {field: getattr(made, field) for field in Key.__slots__}
    connection.execute(insert(KEYS).values(row | {"scopes": list(scopes), "sha256": fingerprint(secret)}))
    return made, secret


def find(connection: Connection, secret: str) -> Key | None:
    """The key with this secret; None where there is none or it is revoked."""
    query = select(KEYS).where(KEYS.c.sha256 == fingerprint(secret), KEYS.c.revoked_at.is_(None))
    row = connection.execute(query).mappings().first()
    return None if row is None else key_of(row)


def any_made(connection: Connection) -> bool:
    """Whether a key was ever made, revoked ones included: from then on nobody comes in without one."""
    return connection.execute(select(KEYS.c.id).limit(1)).first() is not None


def listing(connection: Connection) -> tuple[Key, ...]:
    """All keys, revoked ones included, by name."""
    return tuple(key_of(row) for row in connection.execute(select(KEYS).order_by(KEYS.c.name)).mappings())


def revoke(connection: Connection, name_or_id: str) -> bool:
    """No request with this key is answered any more; False where no such key is in force."""
    which = or_(KEYS.c.name == name_or_id, KEYS.c.id == name_or_id)
    gone = connection.execute(update(KEYS).where(which, KEYS.c.revoked_at.is_(None)).values(revoked_at=now()))
    return gone.rowcount > 0


def used(connection: Connection, key_id: str, at: str) -> None:
    """Note the last use."""
    connection.execute(update(KEYS).where(KEYS.c.id == key_id).values(used_at=at))


def fingerprint(secret: str) -> str:
    """What the store knows of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def key_of(row: RowMapping) -> Key:
    """The key that a row of the table tells of."""
    return Key(**{f: row[f] for f in Key.__slots__} | {"scopes": tuple(row["scopes"])})
