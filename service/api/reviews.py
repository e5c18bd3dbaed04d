"""Drafts under review: read from the store, kept in memory between requests, changed by one revision at a time.

The API and the pages change a draft through `Reviews.change` alone: whoever is second on the same thing is told.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Discriminator, TypeAdapter
from sqlalchemy import Connection

from service.domain.review import Reviewed, apply, check_seen, extend, name, revise
from service.domain.revision import (
    Approve,
    Confirm,
    Edit,
    MergeGroups,
    MoveGroups,
    MoveVerbatims,
    NewGroup,
    Redraft,
    RemoveSentence,
    Revision,
    SetLabel,
    SetSentence,
    SplitGroup,
    Unapprove,
    Undo,
    Was,
)
from service.errors import Outdated
from service.exports.draft_json import from_json, to_json
from service.store import Store, audit, drafts, revisions
from service.store.audit import Entry
from service.store.database import now

EDIT: TypeAdapter[Edit] = TypeAdapter(Annotated[Edit, Discriminator("kind")])
WAS = TypeAdapter(tuple[Was, ...])

REMEMBERED = 8
"""Reviews kept in memory, versions of one draft counted apart: a page that was read at the version before is compared with it."""

TRIES = 5
"""How often a change is tried again because somebody changed something else in between."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Author:
    team: str
    who: str
    """Name of the key."""


class Reviews:
    """Reviews by draft and version. Safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        """Held while one is read: who asks for the same draft meanwhile waits for it and does not read it once more."""
        self._kept: OrderedDict[tuple[str, int], Reviewed] = OrderedDict()
        self.on_forget: list[Callable[[str], None]] = []
        """Told of each draft that is forgotten: who keeps more of it."""

    def load(self, connection: Connection, draft_id: str, version: int) -> Reviewed | None:
        """The draft of the store after that many revisions; None where it has no result (yet)."""
        kept = self._known(draft_id, version)
        if kept is not None:
            return kept
        with self._reading:
            return self._known(draft_id, version) or self._read(connection, draft_id, version)

    def _known(self, draft_id: str, version: int) -> Reviewed | None:
        with self._lock:
            kept = self._kept.get((draft_id, version))
            if kept is not None:
                self._kept.move_to_end((draft_id, version))
            return kept

    def _read(self, connection: Connection, draft_id: str, version: int) -> Reviewed | None:
        with self._lock:
            earlier = max((v for d, v in self._kept if d == draft_id and v < version), default=None)
            base = None if earlier is None else self._kept[draft_id, earlier]
        if base is None:
            made = drafts.result(connection, draft_id)
            if made is None:
                return None
            base = apply(from_json(made.decode()), ())
        stored = revisions.of_draft(connection, draft_id, after=base.version)
        found = extend(base, [revision_of(r) for r in stored if r.version <= version])
        self._keep(draft_id, found)
        return found

    def change(
        self, draft_id: str, edit: Edit, *, seen: int | None, author: Author, strict: bool = False
    ) -> tuple[Reviewed, revisions.Revision]:
        """Make one revision, as `change_all` does."""
        after, made = self.change_all(draft_id, (edit,), seen=seen, author=author, strict=strict)
        return after, made[-1]

    def change_all(
        self, draft_id: str, edits: Sequence[Edit], *, seen: int | None, author: Author, strict: bool = False
    ) -> tuple[Reviewed, tuple[revisions.Revision, ...]]:
        """Make a revision of each edit, at least one, or none. seen: the version that the author read; None: the one that is.

        strict: nothing at all may have changed since; else only not what the edits are about.
        Raises Outdated, and BadEdit where one does not fit.
        """
        for _ in range(TRIES):
            with self._store.read() as connection:
                stored = drafts.get(connection, draft_id, team=author.team)
                current = self.load(connection, draft_id, stored.version) if stored else None
                if current is None:
                    raise Outdated(f"draft {draft_id} is not there any more, or not done")
                at = current.version if seen is None else seen
                if not 0 <= at <= current.version:
                    raise Outdated(f"draft {draft_id} has no version {seen} to change")
                if strict and at != current.version:
                    raise Outdated(f"you read version {at}, now it is {current.version}")
                then = self.load(connection, draft_id, at)
            after = current
            for edit in edits:
                if then is not None:
                    check_seen(then, current, edit)
                after = revise(after, edit, who=author.who, at=now())
            added = self._add(draft_id, after, len(edits), author)
            if added is not None:
                self._keep(draft_id, extend(current, [revision_of(one) for one in added]))
                return after, added
        raise Outdated("others change this draft all the time: try again")

    def forget(self, draft_id: str) -> None:
        """The draft was deleted with its round."""
        with self._lock:
            for key in [k for k in self._kept if k[0] == draft_id]:
                del self._kept[key]
        for told in self.on_forget:
            told(draft_id)

    def _keep(self, draft_id: str, reviewed: Reviewed) -> None:
        with self._lock:
            self._kept[draft_id, reviewed.version] = reviewed
            while len(self._kept) > REMEMBERED:
                self._kept.popitem(last=False)

    def _add(
        self, draft_id: str, after: Reviewed, number: int, author: Author
    ) -> tuple[revisions.Revision, ...] | None:
        """Store the last ones, all in one transaction; None where somebody else was faster."""
        revised = to_json(after.draft).encode()
        stored = []
        with self._store.write() as connection:
            for made in after.revisions[-number:]:
                added = revisions.add(
                    connection,
                    draft_id,
                    version=made.number,
                    who=made.who,
                    action=made.edit.kind,
                    target=target(made.edit),
                    edit=EDIT.dump_python(made.edit, mode="json"),
                    before=WAS.dump_python(made.before, mode="json"),
                    after=WAS.dump_python(made.after, mode="json"),
                    revised=revised,
                )
                if added is None:  # the first: the draft is locked from then on
                    return None
                told = Entry(
                    at=added.at, team=author.team, who=author.who, action="revision.create", target=draft_id
                )
                audit.append(connection, [told])
                stored.append(added)
        return tuple(stored)


def revision_of(stored: revisions.Revision) -> Revision:
    """A row of the store as the record of the domain."""
    return Revision(
        number=stored.version,
        who=stored.who,
        at=stored.at,
        edit=EDIT.validate_python(stored.edit),
        before=WAS.validate_python(stored.before or ()),
        after=WAS.validate_python(stored.after or ()),
    )


def target(edit: Edit) -> str:  # noqa: PLR0911 - one case an edit
    """Id of what an edit is about: a group, a sentence, a question, a revision; empty for the whole draft."""
    match edit:
        case SetLabel(group_id=id_) | SplitGroup(group_id=id_):
            return id_
        case SetSentence(at=at) | RemoveSentence(at=at) | Confirm(at=at):
            return name(at)
        case MoveVerbatims(verbatim_ids=ids, to=to):
            return to or (ids[0] if ids else "")
        case MoveGroups(group_ids=ids, to=to):
            return to or (ids[0] if ids else "")
        case MergeGroups(into=id_):
            return id_
        case NewGroup(question_id=id_) | Redraft(question_id=id_):
            return id_
        case Approve(question_id=id_) | Unapprove(question_id=id_):
            return id_ or ""
        case Undo(revision=n):
            return str(n or "")
