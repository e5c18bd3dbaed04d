"""Edits of groups: move, merge, split, gather. Citations follow; labels and sentences whose members changed are marked."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace

from service.domain.draft import DraftQuestion, Group, Sentence, SentenceRef, Stance, Support
from service.domain.review.regroup import Regrouped, people_of, regroup
from service.domain.review.state import (
    UNDER,
    Changed,
    State,
    Touch,
    clean,
    mark,
    recounted,
    reopened,
    settled,
    with_left_out,
    with_questions,
)
from service.domain.revision import (
    GroupRef,
    MergeGroups,
    MoveGroups,
    MoveVerbatims,
    NewGroup,
    Place,
    SplitGroup,
    Was,
)
from service.domain.wording import LARGEST
from service.errors import BadEdit, NotInDraft

PERSON = Support(supported=True, score=1.0, origin="person")


def _target(state: State, q: DraftQuestion, group_id: str, level: int, instead: str, *, why: str) -> Group:
    """The group that takes what is moved. One of another level is refused: what it holds instead, and why's code.

    Raises BadEdit.
    """
    home, target = state.group(group_id)
    if home is not q:
        raise BadEdit(
            f"group {target.id} belongs to question {home.id}, what is moved to {q.id}",
            why="other_question",
            group=target.id,
        )
    if target.level != level:
        raise BadEdit(f"group {target.id} holds {instead}", why=why, group=target.id)
    return target


def move(state: State, edit: MoveVerbatims, by: Touch) -> Changed:
    q, home = _homes(state, edit.verbatim_ids)
    if edit.to is not None:
        instead = "groups, not verbatims: move them to one of its groups"
        _target(state, q, edit.to, 1, instead, why="level_1_needed")
    there = set(q.isolated) if edit.to is None else {v for v, g in home.items() if g == edit.to}
    moved = tuple(v for v in dict.fromkeys(edit.verbatim_ids) if v not in there)
    if not moved:
        raise BadEdit("the verbatims are there already", why="verbatims_there")
    made = regroup(q, to=dict.fromkeys(moved, edit.to))
    return _regrouped(state, q, made, by), tuple(Was(id=v, value=home.get(v, "")) for v in moved)


def move_groups(state: State, edit: MoveGroups, by: Touch) -> Changed:
    if not edit.group_ids:
        raise BadEdit("no group is named: choose one at least", why="no_group")
    q, _ = state.group(edit.group_ids[0])
    moved = [state.group(id_) for id_ in dict.fromkeys(edit.group_ids)]
    for home, g in moved:
        if home is not q:
            raise BadEdit(
                f"group {g.id} belongs to question {home.id}, {edit.group_ids[0]} to {q.id}",
                why="other_question",
                group=g.id,
            )
        if g.level != 1:
            raise BadEdit(
                f"group {g.id} holds groups: move those, or merge it with another level-2 group",
                why="groups_inside",
                group=g.id,
            )
    groups = [g for _, g in moved if g.parent is None or g.parent != edit.to]
    if not groups:
        raise BadEdit("the groups are there already", why="groups_there")
    was = tuple(Was(id=g.id + UNDER, value=g.parent or "") for g in groups)
    if edit.to is None:
        above = _above(q, by, edit.label or "", {g.stance for g in groups})
        made = regroup(q, parents={g.id: above.id for g in groups}, new=[above])
        return settled(_regrouped(state, q, made, by), GroupRef(group_id=above.id), by), was
    instead = "verbatims, not groups: name a level-2 group, or merge the two"
    target = _target(state, q, edit.to, 2, instead, why="level_2_needed")
    made = regroup(q, parents={g.id: target.id for g in groups})
    return _under_one_label(state, q, made, target, groups, None, by), was


def merge(state: State, edit: MergeGroups, by: Touch) -> Changed:
    q, into = state.group(edit.into)
    others = [state.group(id_) for id_ in dict.fromkeys(edit.group_ids) if id_ != edit.into]
    if not others:
        raise BadEdit("merging takes two groups at least: name one more", why="merge_two")
    for other_question, g in others:
        if other_question is not q or g.level != into.level:
            raise BadEdit(
                f"group {g.id} is of another question or level than {into.id}: they can't be merged",
                why="merge_unlike",
                group=g.id,
                into=into.id,
            )
    merged = [g for _, g in others]
    if into.level == 1:
        made = regroup(q, to={v: into.id for g in merged for v in g.verbatim_ids})
    else:
        inside = {g.id for g in merged}
        made = regroup(q, parents={g.id: into.id for g in q.groups if g.parent in inside})
    label = None if edit.label is None else clean(edit.label, "the label")
    state = _under_one_label(state, q, made, into, merged, label, by)
    return state, tuple(Was(id=g.id, value=g.label) for g in (into, *merged))


def _under_one_label(
    state: State,
    q: DraftQuestion,
    made: Regrouped,
    head: Group,
    joining: Sequence[Group],
    label: str | None,
    by: Touch,
) -> State:
    """The groups put under the label of `head`, or under a new one. Opposed sides under a label that stays are marked."""
    opposed = {"for", "against"} <= {g.stance for g in (head, *joining)}

    def renewed(g: Group) -> Group:
        if g.id != head.id:
            return g
        g = replace(g, stance="mixed") if opposed else g
        return g if label is None else replace(g, label=label, label_support=PERSON)

    made = replace(made, question=replace(made.question, groups=tuple(map(renewed, made.question.groups))))
    state = _regrouped(state, q, made, by)
    if label is not None:
        return settled(state, GroupRef(group_id=head.id), by)
    return mark(state, [GroupRef(group_id=head.id)], "opposed", by) if opposed else state


def split(state: State, edit: SplitGroup, by: Touch) -> Changed:
    q, group = state.group(edit.group_id)
    ids = tuple(dict.fromkeys(edit.verbatim_ids))
    if group.level != 1:
        raise BadEdit(
            f"group {group.id} holds groups, not verbatims: split one of its groups",
            why="level_1_needed",
            group=group.id,
        )
    strangers = [v for v in ids if v not in set(group.verbatim_ids)]
    if strangers:
        _exist(state, strangers)
        raise BadEdit(
            f"verbatim {strangers[0]} is not in group {group.id}",
            why="not_in_group",
            verbatim=strangers[0],
            group=group.id,
        )
    if not ids or len(ids) == len(group.verbatim_ids):
        raise BadEdit(
            f"a split takes some verbatims of {group.id} and leaves some: take 1 to {len(group.verbatim_ids) - 1}",
            why="split_some",
        )
    new = _new(q, by, edit.label, group.parent)
    state = _gathered(state, q, ids, [new], by)
    return state, tuple(Was(id=v, value=group.id) for v in ids)


def new_group(state: State, edit: NewGroup, by: Touch) -> Changed:
    q, home = _homes(state, edit.verbatim_ids)
    if state.question(edit.question_id) is not q:
        raise BadEdit(
            f"verbatim {edit.verbatim_ids[0]} belongs to question {q.id}, not to {edit.question_id}",
            why="verbatim_elsewhere",
            verbatim=edit.verbatim_ids[0],
            question=edit.question_id,
        )
    ids = tuple(dict.fromkeys(edit.verbatim_ids))
    if edit.parent is None:
        above = _above(q, by, edit.label, {None})
        new = [_new(q, by, edit.label, above.id), above]
    else:
        parent_question, parent = state.group(edit.parent)
        if parent_question is not q or parent.level != 2:
            raise BadEdit(
                f"group {parent.id} is no level-2 group of question {q.id}",
                why="no_level_2_here",
                group=parent.id,
                question=q.id,
            )
        new = [_new(q, by, edit.label, parent.id)]
    state = _gathered(state, q, ids, new, by)
    return state, tuple(Was(id=v, value=home.get(v, "")) for v in ids)


def _above(q: DraftQuestion, by: Touch, label: str, stances: Set[Stance | None]) -> Group:
    """A level-2 group that has no member yet. stances: of the groups that it will hold."""
    return Group(
        id=f"{q.id}.p{by.revision}",
        level=2,
        verbatim_ids=(),
        label=clean(label, "the label of the new level-2 group"),
        stance=next(iter(stances)) if len(stances) == 1 else "mixed",
        n_respondents=0,
        label_support=PERSON,
    )


def _new(q: DraftQuestion, by: Touch, label: str, parent: str | None) -> Group:
    """A level-1 group that has no member yet; a revision's number is never used twice, so neither is the id."""
    return Group(
        id=f"{q.id}.n{by.revision}",
        level=1,
        parent=parent,
        verbatim_ids=(),
        label=clean(label, "the label"),
        n_respondents=0,
        label_support=PERSON,
    )


def _gathered(state: State, q: DraftQuestion, ids: Sequence[str], new: Sequence[Group], by: Touch) -> State:
    state = _regrouped(state, q, regroup(q, to=dict.fromkeys(ids, new[0].id), new=new), by)
    for g in new:
        state = settled(state, GroupRef(group_id=g.id), by)
    return state


def _homes(state: State, ids: Sequence[str]) -> tuple[DraftQuestion, Mapping[str, str]]:
    """The one question that has all these verbatims, and the level-1 group of each that is in one. Raises BadEdit."""
    if not ids:
        raise BadEdit("no verbatim is named: choose one at least", why="no_verbatim")
    _exist(state, ids)
    wanted = set(ids)
    q = next(q for q in state.draft.questions if any(v.id in wanted for v in q.verbatims))
    known = wanted & {v.id for v in q.verbatims}
    if known != wanted:
        raise BadEdit(
            f"verbatim {min(wanted - known)} is not of question {q.id}, as {min(known)} is",
            why="verbatim_elsewhere",
            verbatim=min(wanted - known),
            question=q.id,
        )
    return q, {v: g.id for g in q.groups if g.level == 1 for v in g.verbatim_ids}


def _exist(state: State, ids: Iterable[str]) -> None:
    """Raises NotInDraft for the first verbatim that the draft does not have."""
    there = {v.id for q in state.draft.questions for v in q.verbatims}
    for id_ in ids:
        if id_ not in there:
            raise NotInDraft(
                f"verbatim {id_} does not exist in this draft", why="no_such_verbatim", verbatim=id_
            )


def _regrouped(state: State, before: DraftQuestion, made: Regrouped, by: Touch) -> State:
    """The question put in place; citations re-pointed and counted; texts whose members changed marked."""
    alone_before = set(before.isolated)
    state = with_questions(state, made.question)
    leader = state.leader(made.question)
    joined = state.joined(made.question)
    groups = {g.id: g for q in joined for g in q.groups}
    people = people_of(joined)
    sentences, marks = [], list[tuple[Place, str]]()
    for k, s in enumerate(leader.synthesis.sentences):
        at = SentenceRef(question_id=leader.id, sentence=k)
        if made.gone.keys() & set(s.group_ids):
            marks.append((at, "group_gone"))
        elif (
            made.changed & set(s.group_ids)
            or made.placed.keys() & set(s.verbatim_ids)
            or (
                s.origin == "extractive"
                and alone_before & set(s.verbatim_ids)
                and alone_before != set(made.question.isolated)
            )
        ):
            marks.append((at, "members_changed"))
        sentences.append(recounted(_repointed(s, made), groups, people))
    synthesis = with_left_out(replace(leader.synthesis, sentences=tuple(sentences)), joined)
    state = with_questions(state, replace(leader, synthesis=synthesis))
    state = _without(state, made.gone)
    labels = [GroupRef(group_id=g) for g in sorted(made.changed - made.gone.keys())]
    state = mark(
        state, [*labels, *(at for at, why in marks if why == "members_changed")], "members_changed", by
    )
    state = mark(state, [at for at, why in marks if why == "group_gone"], "group_gone", by)
    wrong = [
        SentenceRef(question_id=leader.id, sentence=k)
        for k, s in enumerate(sentences)
        if s.origin == "extractive" and s.text.startswith(LARGEST) and not _is_largest(s, groups)
    ]
    state = mark(state, wrong, "largest_changed", by)
    return reopened(state, made.question)


def _repointed(s: Sentence, made: Regrouped) -> Sentence:
    groups = [g for id_ in s.group_ids for g in (made.gone[id_][0] if id_ in made.gone else (id_,))]
    alone = [v for id_ in s.group_ids if id_ in made.gone for v in made.gone[id_][1]]
    groups += [made.placed[v] for v in s.verbatim_ids if v in made.placed]
    voices = [*(v for v in s.verbatim_ids if v not in made.placed), *alone]
    return replace(s, group_ids=tuple(dict.fromkeys(groups)), verbatim_ids=tuple(dict.fromkeys(voices)))


def _without(state: State, gone: Iterable[str]) -> State:
    """Marks and touches of labels that are no more are dropped."""
    places = {GroupRef(group_id=id_) for id_ in gone}
    return replace(
        state,
        marks={p: m for p, m in state.marks.items() if p not in places},
        touched={p: t for p, t in state.touched.items() if p not in places},
    )


def _is_largest(s: Sentence, groups: Mapping[str, Group]) -> bool:
    """Whether what it cites is the one level-2 group with most respondents."""
    heads = [g for g in groups.values() if g.level == 2]
    most = max(g.n_respondents for g in heads) if heads else 0
    cited = {v for id_ in s.group_ids for v in groups[id_].verbatim_ids}
    return [set(g.verbatim_ids) for g in heads if g.n_respondents == most] == [cited]
