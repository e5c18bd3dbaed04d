"""Regroup: a chat model gathers the groups of a question into families, the level-2 groups, each with a sentence of its own."""

from collections import Counter
from dataclasses import replace

import prompts
from service.domain.draft import Failure, Group, Support
from service.domain.steps import Topic
from service.llm.ask import Ask, BadReply, Refused, ask
from service.llm.chat import ChatModel
from service.llm.replies import RegroupReply
from service.stages.check import Encode, check_label
from service.stages.evidence import HARDLY, SUPPORTED, Evidence
from service.stages.extractive import as_sentence
from service.stages.membership import Part, part_of, rebuild

FEWEST, MOST = 5, 60
"""Groups of a question that are gathered by a model; fewer need no families, more keep those that vectors made."""


def regroup(topic: Topic, *, encode: Encode, chat: ChatModel) -> tuple[Topic, tuple[Failure, ...]]:
    """The question with its level-1 groups in families, and the failure where the reply was refused: then those that vectors
    made stay."""
    groups = [g for g in topic.groups if g.level == 1]
    if not FEWEST <= len(groups) <= MOST:
        return topic, ()
    (got,) = ask(chat, [_Request(topic, groups, Evidence([g.label for g in groups], encode)).ask()])
    if isinstance(got, Refused):
        return topic, (Failure(id=topic.question.id, stage="regroup", reason=got.reason),)
    parts, families = got
    return rebuild(topic, parts, encode=encode, families=families), ()


class _Request:
    """One request over the labels of a question and the meaning of its opaque ids."""

    def __init__(self, topic: Topic, groups: list[Group], evidence: Evidence) -> None:
        self.topic = topic
        self.groups = {f"g{k}": g for k, g in enumerate(groups, start=1)}
        self.evidence = evidence
        self.tries = 0

    def ask(self) -> Ask[tuple[list[Part], dict[str, Part]]]:
        return Ask(
            id=self.topic.question.id,
            prompt=prompts.load("regroup", self.topic.language),
            values={
                "question": prompts.fence([self.topic.question.title], "q"),
                "labels": prompts.fence([g.label for g in self.groups.values()], "g"),
            },
            reply=RegroupReply,
            check=self.check,
        )

    def check(self, reply: RegroupReply) -> tuple[list[Part], dict[str, Part]]:
        """Raises BadReply; a family whose sentence is refused twice is called by its largest group."""
        self.tries += 1
        named = Counter(name for family in reply.families for name in family.members)
        wrong = [n for n in named if n not in self.groups or named[n] > 1]
        missing = [n for n in self.groups if n not in named]
        if wrong or missing:
            raise BadReply(
                f"{', '.join((wrong or missing)[:5])}: every group in one family and only one, no other id"
            )
        parts, families = [], {}
        for k, family in enumerate((f for f in reply.families if f.members), start=1):
            key = f"family {k}"
            members = [self.groups[name] for name in family.members]
            families[key] = self._called(family.label, members)
            parts += [replace(part_of(g), family=key) for g in members]
        return parts, families

    def _called(self, said: str, members: list[Group]) -> Part:
        lead = part_of(max(members, key=lambda g: (g.n_respondents, len(g.verbatim_ids))))
        if len(members) == 1:
            return lead
        label = as_sentence(said, self.topic.language)
        labels = [g.label for g in members]
        reason = check_label(label, labels, self.topic.language)
        score = self.evidence.score(label, labels)
        if score < SUPPORTED:
            reason = reason or "its members do not say it; use their words"
        if self.evidence.shared(label, labels) < HARDLY:
            reason = reason or "one of its members alone says it; say what they have in common"
        if reason and self.tries > 1:
            return lead
        if reason:
            raise BadReply(f"« {said[:50]} »: {reason}")
        stances = {g.stance for g in members}
        return Part(
            verbatim_ids=(),
            family="",
            label=label,
            stance=stances.pop() if len(stances) == 1 else "mixed",
            label_support=Support(supported=True, score=score, origin="model"),
        )
