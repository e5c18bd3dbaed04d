"""Revisions of a draft: append-only, each with who, when, what was before and what it became."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, insert, select, update

from service.store import events
from service.store.database import lock, now
from service.store.prepared import Prepared
from service.store.tables import DRAFTS, REVISED, REVISIONS

OF_DRAFT = Prepared(
    select(REVISIONS)
    .where(REVISIONS.c.draft_id == bindparam("draft_id"), REVISIONS.c.version > bindparam("after"))
    .order_by(REVISIONS.c.version)
    .limit(bindparam("most"))
)

MOST = 2**31 - 1
"""All of them: more than a draft can have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Revision:
    draft_id: str
    version: int
    """1 for the first: the draft's version once it is applied."""
    at: str
    who: str
    """Name of the key."""
    action: str
    """What was done: one word of `service.domain.revision`."""
    target: str
    """Id of the group or question that was changed."""
    edit: Mapping[str, Any]
    """What was asked for: enough to do it again on the version before."""
    before: Any
    after: Any


def add(
    connection: Connection,
    draft_id: str,
    *,
    version: int,
    who: str,
    action: str,
    target: str,
    edit: Mapping[str, Any],
    before: Any,
    after: Any,
    revised: bytes,
) -> Revision | None:
    """Append a revision that makes `version` out of the one before it; None where somebody else was faster.

    revised: draft.json with this revision applied.
    """
    lock(connection, "drafts", draft_id)
    expected = and_(DRAFTS.c.id == draft_id, DRAFTS.c.state == "done", DRAFTS.c.version == version - 1)
    if connection.execute(update(DRAFTS).where(expected).values(version=version)).rowcount == 0:
        return None
    made = Revision(
        draft_id=draft_id,
        version=version,
        at=now(),
        who=who,
        action=action,
        target=target,
        edit=edit,
        before=before,
        after=after,
    )
    row = {field: getattr(made, field) for field in Revision.__slots__}
    connection.execute(insert(REVISIONS).values(row | {"edit": dict(edit)}))
    connection.execute(delete(REVISED).where(REVISED.c.draft_id == draft_id))
    connection.execute(insert(REVISED).values(draft_id=draft_id, version=version, json=revised))
    events.append(connection, draft_id, "revision", {"version": version, "action": action, "target": target})
    return made


def of_draft(
    connection: Connection, draft_id: str, *, after: int = 0, limit: int | None = None
) -> tuple[Revision, ...]:
    """Revisions in order, those after a version."""
    asked = {"draft_id": draft_id, "after": after, "most": limit if limit is not None else MOST}
    return tuple(Revision(**row) for row in OF_DRAFT.rows(connection, asked))
