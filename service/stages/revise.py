"""Revise: a chat model corrects the groups that vectors made. It may move, split, merge, isolate or name a missing group.

It sees groups under opaque ids with their labels and verbatims, in batches of neighbouring groups; each reply is checked and all
replies of a round are applied together, so neither the order of verbatims nor that of batches matters.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

import prompts
from service.domain.draft import Failure, Group
from service.domain.polarity import polarity
from service.domain.steps import Revised, Topic
from service.domain.wordform import fold
from service.llm.ask import Ask, BadReply, Refused, ask
from service.llm.chat import ChatModel
from service.llm.replies import ReviseReply
from service.stages.blocks import Block, show
from service.stages.check import LABEL_WORDS, Encode, one_sentence
from service.stages.membership import Part, part_of, rebuild

BATCH = 9000
"""Characters of verbatims shown in one request: about a hundred and fifty short answers."""

MOST_SHOWN = 400_000
"""Characters of verbatims shown of one question in a round; beyond, those that vectors are least sure of."""

OTHERS_SHOWN = 20
"""Labels of groups of other batches that are shown, the largest."""

SETTLED = 0.05
"""Share of the verbatims shown; where fewer moved, the groups have settled."""

UPSET = 0.2
"""Share of a group's members that came or went from which it is looked at once more."""

Place = Mapping[str, str]
"""Verbatim → key of its group; isolated voices have none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Edits:
    """What one reply changes, in our own ids."""

    moves: Mapping[str, str]
    """Verbatim → key of the group it goes to; "" = isolated."""
    new: tuple[tuple[str, tuple[str, ...]], ...]
    """(label, verbatims)"""
    merges: tuple[frozenset[str], ...]
    seen: frozenset[str]
    """Groups whose verbatims were shown with the request."""
    dropped: int = 0
    """Changes left out because they would have put opposed positions together."""


def revise(topic: Topic, *, encode: Encode, chat: ChatModel, only: frozenset[str] | None = None) -> Revised:
    """One round over the labelled groups of a question. Groups whose members changed come back without a label.

    only: ids of the groups to look at, with the isolated voices; None: all. A reply that is refused twice leaves its groups as
    they are, with a failure.
    """
    batches = _batches(topic, encode, only)
    asks = [_Batch(topic, shown).ask(k) for k, shown in enumerate(batches, start=1)]
    if not asks:
        return Revised(topic=topic)
    got = ask(chat, asks)
    failures = [
        Failure(
            id=topic.question.id, stage="revise", reason=f"{r.id} of {len(asks)} left as it was: {r.reason}"
        )
        for r in got
        if isinstance(r, Refused)
    ]
    edits = [e for e in got if isinstance(e, Edits)]
    parts = _applied(topic, edits)
    before = {frozenset(g.verbatim_ids): g for g in topic.groups if g.level == 1}
    made = [
        replace(p, label="", stance=None, exemplar_ids=(), label_support=None)
        if frozenset(p.verbatim_ids) not in before
        else p
        for p in parts
    ]
    revised = rebuild(topic, made, encode=encode)
    moved = _moved(topic, revised)
    n_shown = sum(len(ids) for shown in batches for _, rows in shown for _, ids in rows)
    return Revised(
        topic=revised,
        moved=moved,
        settled=moved < SETTLED * n_shown,
        upset=_upset(topic, revised),
        dropped=sum(e.dropped for e in edits),
        failures=tuple(failures),
    )


Shown = list[tuple[Group | None, list[tuple[str, tuple[str, ...]]]]]
"""Groups of a batch (None: isolated voices), each with its rows: a text and the verbatims that say it word for word."""


def _batches(topic: Topic, encode: Encode, only: frozenset[str] | None) -> list[Shown]:
    """Neighbouring groups together, each isolated voice with the group it is nearest to."""
    wanted = _within(topic, encode, only)
    near: dict[str, list[str]] = defaultdict(list)
    for one in topic.isolated:
        near[one.near[0] if one.near else ""].append(one.verbatim_id)
    families = {g.id: k for k, g in enumerate(g for g in topic.groups if g.level == 2)}
    groups = sorted(
        (g for g in topic.groups if g.level == 1), key=lambda g: (families.get(g.parent or "", 0), g.id)
    )
    batches: list[Shown] = []
    room = 0
    for group in (*groups, None):
        alone = near[group.id if group else ""]
        for owner, ids in ((group, group.verbatim_ids if group else ()), (None, tuple(alone))):
            for text, same in _rows(topic, [v for v in ids if v in wanted]):
                if room < len(text):
                    batches.append([])
                    room = BATCH
                room -= len(text)
                batch = batches[-1]
                if not any(g is owner for g, _ in batch):
                    batch.append((owner, []))
                next(rows for g, rows in batch if g is owner).append((text, same))
    return batches


def _rows(topic: Topic, ids: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Each text once, with the verbatims that say it: who says the same word for word stays together."""
    texts = {v.id: v.text for v in topic.verbatims}
    same: dict[str, list[str]] = defaultdict(list)
    for v in sorted(ids):
        same[fold(texts[v])].append(v)
    return [(texts[twins[0]], tuple(twins)) for twins in same.values()]


def _within(topic: Topic, encode: Encode, only: frozenset[str] | None) -> frozenset[str]:
    """The verbatims to show: all that are asked for, or the least certain of them as far as MOST_SHOWN allows."""
    groups = [g for g in topic.groups if g.level == 1]
    alone = [one.verbatim_id for one in topic.isolated]
    ids = [*alone, *(v for g in groups if only is None or g.id in only for v in g.verbatim_ids)]
    size = {v.id: len(v.text) for v in topic.verbatims}
    if sum(size[v] for v in ids) <= MOST_SHOWN:
        return frozenset(ids)
    rows = encode([v.text for v in topic.verbatims])
    number = {v.id: i for i, v in enumerate(topic.verbatims)}
    rows = rows - rows.mean(axis=0)
    means = np.stack([rows[[number[v] for v in g.verbatim_ids]].mean(axis=0) for g in groups])
    home = {v: k for k, g in enumerate(groups) for v in g.verbatim_ids}
    sure: dict[str, float] = {}
    for v in ids:
        alike = means @ rows[number[v]]
        own = float(alike[home[v]]) if v in home else -1.0
        sure[v] = own - max((float(a) for k, a in enumerate(alike) if k != home.get(v)), default=0.0)
    chosen, room = [], MOST_SHOWN
    for v in sorted(ids, key=lambda v: (sure[v], v)):
        room -= size[v]
        if room < 0:
            break
        chosen.append(v)
    return frozenset(chosen)


class _Batch:
    """One request and the meaning of its opaque ids."""

    def __init__(self, topic: Topic, shown: Shown) -> None:
        self.topic = topic
        self.shown = shown
        inside = [g for g, _ in shown if g is not None]
        ids = {g.id for g in inside}
        self.others = [g for g in topic.groups if g.level == 1 and g.id not in ids][:OTHERS_SHOWN]
        self.groups = {f"g{k}": g for k, g in enumerate((*inside, *self.others), start=1)}
        self.seen = frozenset(ids)
        self.rows: dict[str, tuple[str, tuple[str, ...]]] = {}
        self.texts = {v.id: v.text for v in topic.verbatims}
        self.tries = 0

    def ask(self, number: int) -> Ask[Edits]:
        names = {g.id: name for name, g in self.groups.items()}
        blocks = []
        for group, rows in self.shown:
            lines = []
            for text, same in rows:
                name = f"v{len(self.rows) + 1}"
                self.rows[name] = (text, same)
                lines.append((name, text))
            head = group.label if group else _alone(self.topic)
            blocks.append(Block(name=names[group.id] if group else "–", head=head, verbatims=tuple(lines)))
        others = [(names[g.id], g.label) for g in self.others]
        return Ask(
            id=f"batch {number}",
            prompt=prompts.load("revise", self.topic.language),
            values={
                "question": prompts.fence([self.topic.question.title], "q"),
                "groups": show(blocks),
                "others": prompts.fence_named(others) if others else "–",
            },
            reply=ReviseReply,
            check=self.check,
        )

    def check(self, reply: ReviseReply) -> Edits:
        """Raises BadReply for what is unknown, named twice or opposed; what is still opposed the second time is left out."""
        self.tries += 1
        named = Counter(
            [
                *(v for m in reply.moves for v in m.verbatims),
                *(v for n in reply.new for v in n.verbatims),
                *reply.isolate,
            ]
        )
        unknown = [v for v in named if v not in self.rows]
        groups = [*(m.to for m in reply.moves), *(g for merge in reply.merges for g in merge)]
        unknown += [g for g in groups if g not in self.groups]
        if unknown:
            raise BadReply(f"{', '.join(unknown[:5])}: not an id that was given")
        twice = [v for v, n in named.items() if n > 1]
        if twice:
            raise BadReply(f"{', '.join(twice[:5])}: named more than once in moves, new and isolate")
        for new in reply.new:
            reason = one_sentence(new.label, LABEL_WORDS)
            if len(new.verbatims) < 2 or reason:
                raise BadReply(f"new « {new.label[:40]} »: {reason or 'a group has two verbatims at least'}")
        return self._edits(reply)

    def _edits(self, reply: ReviseReply) -> Edits:
        opposed: list[str] = []
        moves: dict[str, str] = {}
        for move in reply.moves:
            target = self.groups[move.to]
            said = self._said(target)
            for name in move.verbatims:
                text, same = self.rows[name]
                if target.stance != "mixed" and _against(text, said):
                    opposed.append(f"{name} opposes {move.to}")
                else:
                    moves |= dict.fromkeys(same, target.id)
        moves |= {v: "" for name in reply.isolate for v in self.rows[name][1]}
        new = []
        for group in reply.new:
            texts = [self.rows[v][0] for v in group.verbatims]
            if any(_against(t, texts) for t in texts):
                opposed.append(f"new « {group.label[:40]} » holds opposed positions")
                continue
            new.append((group.label, tuple(v for name in group.verbatims for v in self.rows[name][1])))
        merges = []
        for names in reply.merges:
            together = [t for name in names for t in self._said(self.groups[name])]
            if _sides(together) == {1, -1} and any(
                _sides(self._said(self.groups[n])) != {1, -1} for n in names
            ):
                opposed.append(f"{' and '.join(names)} oppose each other")
                continue
            merges.append(frozenset(self.groups[name].id for name in names))
        if opposed and self.tries == 1:
            raise BadReply(f"opposed positions never go together: {'; '.join(opposed[:5])}")
        return Edits(moves=moves, new=tuple(new), merges=tuple(merges), seen=self.seen, dropped=len(opposed))

    def _said(self, group: Group) -> list[str]:
        return [self.texts[v] for v in group.verbatim_ids]


def _alone(topic: Topic) -> str:
    return "(voix isolées)" if topic.language == "fr" else "(isolated voices)"


def _sides(texts: Sequence[str]) -> set[int]:
    """The sides that at least two texts take, and a third of those that take one."""
    signs = Counter(s for s in map(polarity, texts) if s)
    return {side for side, n in signs.items() if n >= 2 and n >= sum(signs.values()) / 3}


def _against(text: str, texts: Sequence[str]) -> bool:
    """Whether a text takes the side that the others are not on: by the lexicon, where it tells."""
    side = polarity(text)
    return side != 0 and _sides(texts) == {-side}


def _applied(topic: Topic, edits: Sequence[Edits]) -> list[Part]:
    """The parts after all edits of a round. New groups of the same label are one; a group left with a single voice is none."""
    groups = {g.id: g for g in topic.groups if g.level == 1}
    place = {v: g.id for g in groups.values() for v in g.verbatim_ids}
    home = dict(place)
    family = {g.id: g.parent or g.id for g in groups.values()}
    for one in edits:
        place |= one.moves
        for label, ids in one.new:
            key = f"new {fold(label)}"
            came = Counter(family[home[v]] for v in ids if v in home)
            family.setdefault(key, min(came, key=lambda f: (-came[f], f)) if came else key)
            place |= dict.fromkeys(ids, key)
    renamed = _merged(groups, edits)
    members: dict[str, list[str]] = defaultdict(list)
    for v, key in place.items():
        if key:
            members[renamed.get(key, key)].append(v)
    parts = []
    for key, found in members.items():
        ids = tuple(sorted(found))
        if len(ids) < 2 and len({p for v in ids for p in topic.voices.get(v, (v,))}) < 2:
            continue
        same = key in groups and ids == tuple(sorted(groups[key].verbatim_ids))
        parts.append(part_of(groups[key]) if same else Part(verbatim_ids=ids, family=family[key]))
    return parts


def _merged(groups: Mapping[str, Group], edits: Sequence[Edits]) -> dict[str, str]:
    """Group → the one it goes into. A merge counts where half of the batches that showed one of its groups propose it."""
    votes: Counter[frozenset[str]] = Counter(
        frozenset((a, b)) for e in edits for m in set(e.merges) for a in m for b in m if a < b and m & e.seen
    )
    into = {g: g for g in groups}

    def root(g: str) -> str:
        while into[g] != g:
            g = into[g]
        return g

    for pair, n in sorted(votes.items(), key=lambda item: sorted(item[0])):
        informed = sum(bool(pair & e.seen) for e in edits)
        if 2 * n >= informed:
            a, b = sorted(map(root, pair), key=lambda g: (-len(groups[g].verbatim_ids), g))
            into[b] = a
    return {g: root(g) for g in groups if root(g) != g}


def _moved(before: Topic, after: Topic) -> int:
    """Verbatims that are no longer with those they were with: not in the group that most of their old one became."""
    home = {v: g.id for g in after.groups if g.level == 1 for v in g.verbatim_ids}
    moved = sum(1 for one in before.isolated if one.verbatim_id in home)
    for g in (g for g in before.groups if g.level == 1):
        went = Counter(home.get(v, "") for v in g.verbatim_ids)
        moved += len(g.verbatim_ids) - max(went.values())
    return moved


def _upset(before: Topic, after: Topic) -> frozenset[str]:
    """Groups of `after` with many members that came or went."""
    old = [frozenset(g.verbatim_ids) for g in before.groups if g.level == 1]
    found = set()
    for g in (g for g in after.groups if g.level == 1):
        now = frozenset(g.verbatim_ids)
        nearest = max(old, key=lambda o: len(o & now), default=frozenset())
        if len(now ^ nearest) > UPSET * len(now):
            found.add(g.id)
    return frozenset(found)
