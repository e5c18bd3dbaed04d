"""Settle: from the groups that vectors made to those of the draft. Without a chat model labels alone; with one the groups are
labelled, revised in few rounds, labelled again where they changed, told apart and gathered into families."""

from dataclasses import replace

from service.domain.draft import Failure
from service.domain.steps import Settled, Topic
from service.llm.chat import ChatModel
from service.stages.check import Encode
from service.stages.distinguish import distinguish
from service.stages.label import label_groups
from service.stages.regroup import regroup
from service.stages.revise import revise

ROUNDS = 2
"""Rounds of revision at most: the second looks only at groups that the first upset."""


def settle(topic: Topic, *, encode: Encode, chat: ChatModel | None, revision: bool = True) -> Settled:
    """The groups of one question, labelled and in families. chat None: as vectors made them, with extractive labels.

    Every failure names what stands in the end: a label that was refused and then made anew is none.
    """
    refused: dict[frozenset[str], str] = {}

    def labelled(before: Topic) -> Topic:
        made = label_groups(before, encode=encode, chat=chat)
        members = {g.id: frozenset(g.verbatim_ids) for g in made.groups}
        refused.update({members[f.id]: f.reason for f in made.failures})
        return replace(before, groups=made.groups)

    topic = labelled(topic)
    if chat is None:
        return Settled(topic=topic)
    unrevised = tuple(g.verbatim_ids for g in topic.groups if g.level == 1) if revision else ()
    failures: list[Failure] = []
    moved = 0
    only: frozenset[str] | None = None
    for _ in range(ROUNDS if revision else 0):
        revised = revise(topic, encode=encode, chat=chat, only=only)
        topic = labelled(revised.topic)
        failures += revised.failures
        moved += revised.moved
        only = revised.upset
        if revised.settled:
            break
    for step in (distinguish, regroup):
        topic, skipped = step(topic, encode=encode, chat=chat)
        failures += skipped
    failures += [
        Failure(id=g.id, stage="label", reason=refused[frozenset(g.verbatim_ids)])
        for g in topic.groups
        if g.level == 1 and g.label_support and g.label_support.origin == "extractive"
    ]
    return Settled(
        topic=topic,
        moved=moved,
        unrevised=unrevised,
        fallbacks=sum(f.stage == "label" for f in failures),
        failures=tuple(failures),
    )
