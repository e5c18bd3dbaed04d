"""Verbatims of one question put in other groups: what is recounted, and what stands for a group that disappears."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from service.domain.draft import DraftQuestion, Group, Isolated

MOST_EXEMPLARS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Regrouped:
    question: DraftQuestion
    gone: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
    """Group that disappeared → groups, and isolated voices, that now hold what it held."""
    placed: Mapping[str, str]
    """Verbatim that was isolated → the group that now holds it."""
    changed: frozenset[str]
    """Groups of either level whose members are not what they were; those that disappeared included."""


@dataclass(frozen=True, kw_only=True, slots=True)
class People:
    voices: Mapping[str, frozenset[str]]
    """Verbatim → the respondents behind it, those of duplicates of its answer included."""
    categories: Mapping[str, str]

    def count(self, verbatim_ids: Iterable[str]) -> tuple[int, dict[str, int]]:
        """Distinct respondents, and how many of each category, most first, then by name."""
        behind = frozenset().union(*(self.voices.get(v, frozenset()) for v in verbatim_ids))
        counts = Counter(self.categories[p] for p in behind if p in self.categories)
        return len(behind), dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def people_of(questions: Iterable[DraftQuestion]) -> People:
    """Who is behind the verbatims of one question or of joined ones."""
    voices: dict[str, frozenset[str]] = {}
    categories: dict[str, str] = {}
    for q in questions:
        voice = {a.id: a.respondent_id or a.id for a in q.answers}
        categories |= {voice[a.id]: a.category for a in q.answers if a.category is not None}
        behind = {a.id: {voice[a.id]} for a in q.answers if a.state == "with_content"}
        for a in q.answers:
            if a.state == "duplicate" and a.of in behind:
                behind[a.of].add(voice[a.id])
        voices |= {v.id: frozenset(behind.get(v.answer_id, ())) for v in q.verbatims}
    return People(voices=voices, categories=categories)


def regroup(
    question: DraftQuestion,
    *,
    to: Mapping[str, str | None] | None = None,
    parents: Mapping[str, str] | None = None,
    new: Sequence[Group] = (),
) -> Regrouped:
    """to: verbatim → level-1 group, None = isolated; parents: level-1 → level-2 group; new: groups still without members.

    Ids are taken as they are: the caller has checked that they exist.
    """
    moves, adopted = dict(to or {}), dict(parents or {})
    firsts = {g.id: g for g in (*question.groups, *new) if g.level == 1}
    home = {v: g.id for g in firsts.values() for v in g.verbatim_ids}
    now: dict[str, str | None] = {v: moves.get(v, g) for v, g in home.items()} | moves
    members = {g.id: [v for v in g.verbatim_ids if now[v] == g.id] for g in firsts.values()}
    for v, target in moves.items():
        if target is not None and home.get(v) != target:
            members[target].append(v)
    people = people_of([question])
    kept = sorted(
        (
            replace(
                _with_members(firsts[id_], tuple(ids), people), parent=adopted.get(id_, firsts[id_].parent)
            )
            for id_, ids in members.items()
            if ids
        ),
        key=_rank,
    )
    seconds = _seconds([g for g in (*question.groups, *new) if g.level == 2], kept, people)
    places = {id_: [now[v] for v in g.verbatim_ids] for id_, g in firsts.items() if not members[id_]}
    gone = {
        id_: (
            tuple(dict.fromkeys(p for p in held if p is not None)),
            tuple(v for v, p in zip(firsts[id_].verbatim_ids, held, strict=True) if p is None),
        )
        for id_, held in places.items()
    }
    gone |= _gone_seconds(question, kept, seconds, now)
    was = {g.id: (frozenset(g.verbatim_ids), g.parent) for g in question.groups}
    groups = (*kept, *seconds)
    changed = {g.id for g in groups if was.get(g.id, (None, None))[0] != frozenset(g.verbatim_ids)}
    isolation = _isolation(question, now, home, gone)
    return Regrouped(
        question=replace(
            question,
            groups=groups,
            isolation=isolation,
            isolated=tuple(i.verbatim_id for i in isolation),
        ),
        gone=gone,
        placed={v: g for v in question.isolated if (g := now.get(v)) is not None},
        changed=frozenset(changed | gone.keys()),
    )


def _rank(group: Group) -> tuple[int, int, str]:
    return -group.n_respondents, -len(group.verbatim_ids), min(group.verbatim_ids)


def _with_members(group: Group, ids: tuple[str, ...], people: People) -> Group:
    if ids == group.verbatim_ids:
        return group
    n, by_category = people.count(ids)
    inside = set(ids)
    shown = tuple(v for v in group.exemplar_ids if v in inside) or ids[:1]
    return replace(group, verbatim_ids=ids, n_respondents=n, by_category=by_category, exemplar_ids=shown)


def _seconds(old: Sequence[Group], firsts: Sequence[Group], people: People) -> list[Group]:
    children: dict[str, list[Group]] = {}
    for g in firsts:
        if g.parent is not None:
            children.setdefault(g.parent, []).append(g)
    made = []
    for g in (g for g in old if g.id in children):
        family = children[g.id]
        ids = tuple(v for child in family for v in child.verbatim_ids)
        if frozenset(ids) == frozenset(g.verbatim_ids):
            made.append(g)
            continue
        inside = set(ids)
        shown = tuple(v for v in g.exemplar_ids if v in inside)
        shown = shown or tuple(child.exemplar_ids[0] for child in family)[:MOST_EXEMPLARS]
        made.append(_with_members(replace(g, exemplar_ids=shown), ids, people))
    return sorted(made, key=_rank)


def _gone_seconds(
    question: DraftQuestion, firsts: Sequence[Group], seconds: Sequence[Group], now: Mapping[str, str | None]
) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    parent = {g.id: g.parent for g in firsts}
    left = {g.id for g in seconds}
    gone = {}
    for g in question.groups:
        if g.level == 2 and g.id not in left:
            held = [now.get(v) for v in g.verbatim_ids]
            groups = dict.fromkeys(parent[p] or p for p in held if p is not None)
            alone = tuple(v for v, p in zip(g.verbatim_ids, held, strict=True) if p is None)
            gone[g.id] = (tuple(groups), alone)
    return gone


def _isolation(
    question: DraftQuestion,
    now: Mapping[str, str | None],
    home: Mapping[str, str],
    gone: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]],
) -> tuple[Isolated, ...]:
    """Those that stay, and those newly isolated: score 0, they could have been grouped, and were."""
    known = {one.verbatim_id: one for one in question.isolation}
    alone = [v for v in question.isolated if now.get(v) is None]
    staying = set(alone)
    alone += [v for v, group in now.items() if group is None and v not in staying]
    made = []
    for v in alone:
        one = known.get(v) or Isolated(verbatim_id=v, score=0.0, near=(home[v],) if v in home else ())
        near = dict.fromkeys(g for id_ in one.near for g in (gone[id_][0] if id_ in gone else (id_,)))
        made.append(replace(one, near=tuple(near)))
    return tuple(sorted(made, key=lambda one: (-one.score, one.verbatim_id)))
