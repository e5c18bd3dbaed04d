"""Settle: from the groups that vectors made to those of the draft. Without a chat model labels alone; with one the groups are
revised in few rounds, labelled, told apart, their labels confirmed, and gathered into families."""

from dataclasses import replace

from service.domain.draft import Failure
from service.domain.steps import Labelled, Revised, Settled, Topic
from service.llm.chat import ChatModel
from service.stages.check import Encode
from service.stages.distinguish import distinguish
from service.stages.label import MOST_LABELLED, confirm_labels, label_groups
from service.stages.regroup import regroup
from service.stages.revise import revise

ROUNDS = 2
"""Rounds of revision at most: the second looks only at groups that the first upset."""


def settle(topic: Topic, *, encode: Encode, chat: ChatModel | None, revision: bool = True) -> Settled:
    """The groups of one question, labelled and in families. chat None: as vectors made them, with extractive labels.

    Every failure names what stands in the end. Labels are asked for once, when the groups are settled: until then the extractive
    ones stand for them.
    """
    if chat is None:
        return Settled(topic=_provisional(topic, encode))
    unrevised = tuple(g.verbatim_ids for g in topic.groups if g.level == 1) if revision else ()
    revised = revise_in_rounds(topic, encode=encode, chat=chat) if revision else Revised(topic=topic)
    topic = revised.topic
    failures = list(revised.failures)
    labelled = label_groups(topic, encode=encode, chat=chat, most=MOST_LABELLED)
    refused = _refused(labelled)
    topic, skipped = distinguish(replace(topic, groups=labelled.groups), encode=encode, chat=chat)
    failures += skipped
    confirmed = confirm_labels(topic, encode=encode, chat=chat)
    refused |= _refused(confirmed)
    failures += [f for f in confirmed.failures if f.stage != "label"]
    topic, skipped = regroup(replace(topic, groups=confirmed.groups), encode=encode, chat=chat)
    failures += skipped
    failures += [
        Failure(id=g.id, stage="label", reason=refused[frozenset(g.verbatim_ids)])
        for g in topic.groups
        if g.level == 1
        and g.label_support
        and g.label_support.origin == "extractive"
        and frozenset(g.verbatim_ids) in refused
    ]
    return Settled(
        topic=topic,
        moved=revised.moved,
        unrevised=unrevised,
        fallbacks=sum(f.stage == "label" for f in failures),
        failures=tuple(failures),
    )


def revise_in_rounds(topic: Topic, *, encode: Encode, chat: ChatModel) -> Revised:
    """The groups of a question corrected until little moves, ROUNDS times at most; without labels."""
    made = Revised(topic=topic)
    only: frozenset[str] | None = None
    for _ in range(ROUNDS):
        one = revise(_provisional(made.topic, encode), encode=encode, chat=chat, only=only)
        made = replace(
            one,
            topic=_bare(one.topic),
            moved=made.moved + one.moved,
            dropped=made.dropped + one.dropped,
            failures=(*made.failures, *one.failures),
        )
        only = one.upset
        if one.settled:
            break
    return made


def _provisional(topic: Topic, encode: Encode) -> Topic:
    """With extractive labels where there are none."""
    return replace(topic, groups=label_groups(topic, encode=encode, chat=None).groups)


def _bare(topic: Topic) -> Topic:
    groups = (replace(g, label="", stance=None, label_support=None) for g in topic.groups)
    return replace(topic, groups=tuple(groups))


def _refused(labelled: Labelled) -> dict[frozenset[str], str]:
    """Members of the groups whose label was refused, whatever their ids become, and why."""
    members = {g.id: frozenset(g.verbatim_ids) for g in labelled.groups}
    return {members[f.id]: f.reason for f in labelled.failures if f.stage == "label"}
