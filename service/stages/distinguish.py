"""Distinguish: labels of one question that read nearly the same are told apart by a chat model, or their groups become one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import prompts
from service.domain.draft import Failure, Group, Support
from service.domain.steps import Topic
from service.domain.wordform import fold, stems
from service.llm.ask import Ask, BadReply, Refused, ask
from service.llm.chat import ChatModel
from service.llm.replies import DistinguishReply
from service.stages.blocks import Block, show
from service.stages.check import Encode, check_label
from service.stages.evidence import HARDLY, Evidence, evidence_of
from service.stages.extractive import as_sentence, opposed_sides
from service.stages.label import MOST_LABELLED
from service.stages.membership import part_of, rebuild

SAME_WORDS = 0.5
"""Share of content words that two labels have in common from which they read nearly the same, whatever their vectors say."""

ALIKE = 0.72
"""Cosine of two labels from which they read nearly the same; of the labels of `grand-debat-coded`, 1 pair in 60 is above."""

TOGETHER = 4
"""Groups in one request at most, the most alike first."""

VERBATIMS_SHOWN = 5
"""Of each group, its exemplars first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What one reply says, in our own ids."""

    same: tuple[frozenset[str], ...]
    labels: dict[str, tuple[str, float]]
    """Group → (label, support score)"""


def distinguish(topic: Topic, *, encode: Encode, chat: ChatModel) -> tuple[Topic, tuple[Failure, ...]]:
    """The question with near-duplicate labels told apart or their groups merged, and what was refused, which stays as it was."""
    firsts = [g for g in topic.groups if g.level == 1]
    largest = sorted(firsts, key=lambda g: (-g.n_respondents, -len(g.verbatim_ids), g.id))[:MOST_LABELLED]
    clusters = near_duplicates([g for g in firsts if g in largest], encode)
    if not clusters:
        return topic, ()
    evidence = evidence_of([topic], encode)
    got = ask(chat, [_Request(topic, cluster, evidence).ask() for cluster in clusters])
    failures = tuple(
        Failure(id=topic.question.id, stage="distinguish", reason=f"{r.id}: {r.reason}")
        for r in got
        if isinstance(r, Refused)
    )
    return _merged(topic, [t for t in got if isinstance(t, Told)], encode), failures


def near_duplicates(groups: Sequence[Group], encode: Encode) -> list[list[Group]]:
    """Groups whose labels read nearly the same, as lists of two to TOGETHER, the most alike first."""
    if len(groups) < 2:
        return []
    rows = encode([g.label for g in groups])
    said = [set(stems(g.label)) for g in groups]
    pairs = []
    for a, b in combinations(range(len(groups)), 2):
        shared = len(said[a] & said[b]) / max(1, min(len(said[a]), len(said[b])))
        cosine = float(rows[a] @ rows[b])
        if cosine >= ALIKE or shared >= SAME_WORDS:
            pairs.append((-max(cosine, shared), a, b))
    clusters: list[set[int]] = []
    for _, a, b in sorted(pairs):
        homes = [c for c in clusters if a in c or b in c]
        joined = set().union({a, b}, *homes)
        if len(joined) <= TOGETHER:
            clusters = [c for c in clusters if c not in homes] + [joined]
    return [[groups[i] for i in sorted(c)] for c in clusters]


class _Request:
    """One request over a few groups and the meaning of its opaque ids."""

    def __init__(self, topic: Topic, groups: Sequence[Group], evidence: Evidence) -> None:
        self.topic = topic
        self.groups = {f"g{k}": g for k, g in enumerate(groups, start=1)}
        texts = {v.id: v.text for v in topic.verbatims}
        self.said = {name: [texts[v] for v in g.verbatim_ids] for name, g in self.groups.items()}
        self.shown = {
            name: [texts[v] for v in dict.fromkeys((*g.exemplar_ids, *g.verbatim_ids))][:VERBATIMS_SHOWN]
            for name, g in self.groups.items()
        }
        self.evidence = evidence

    def ask(self) -> Ask[Told]:
        blocks, n = [], 0
        for name, g in self.groups.items():
            lines = [(f"v{n + k}", t) for k, t in enumerate(self.shown[name], start=1)]
            n += len(lines)
            blocks.append(Block(name=name, head=g.label, verbatims=tuple(lines)))
        return Ask(
            id=" / ".join(g.label[:40] for g in self.groups.values()),
            prompt=prompts.load("distinguish", self.topic.language),
            values={
                "question": prompts.fence([self.topic.question.title], "q"),
                "groups": show(blocks),
            },
            reply=DistinguishReply,
            check=self.check,
        )

    def check(self, reply: DistinguishReply) -> Told:
        """Raises BadReply."""
        if sorted(one.id for one in reply.labels) != sorted(self.groups):
            raise BadReply(f"labels: give each of {', '.join(self.groups)} once, and no other id")
        named = [name for same in reply.same for name in same]
        if len(named) != len(set(named)) or not set(named) <= set(self.groups):
            raise BadReply("same: only given ids, each in one list at most")
        labels = {one.id: as_sentence(one.label, self.topic.language) for one in reply.labels}
        for names in (s for s in reply.same if len(s) > 1):
            said = [t for name in names for t in self.said[name]]
            stances = {self.groups[name].stance for name in names}
            if {"for", "against"} <= stances or opposed_sides(said):
                raise BadReply(f"{' and '.join(names)} oppose each other: they stay apart")
            labels |= dict.fromkeys(names, labels[names[0]])
        homes = {name: min(s) for s in reply.same for name in s}
        kept = {fold(label): homes.get(name, name) for name, label in labels.items()}
        if len(kept) < len({homes.get(name, name) for name in labels}):
            raise BadReply("two groups that are not in `same` have the same label: tell them apart")
        told = {}
        for name, label in labels.items():
            score = self.evidence.score(label, self.said[name])
            if label == self.groups[name].label and self.groups[name].label_support:
                continue
            reason = check_label(label, self.said[name], self.topic.language)
            if reason or min(score, self.evidence.shared(label, self.said[name])) < HARDLY:
                raise BadReply(f"label of {name}: {reason or 'its verbatims do not say it; use their words'}")
            told[self.groups[name].id] = (label, score)
        return Told(
            same=tuple(frozenset(self.groups[n].id for n in s) for s in reply.same if len(s) > 1), labels=told
        )


def _merged(topic: Topic, told: Sequence[Told], encode: Encode) -> Topic:
    groups = {g.id: g for g in topic.groups if g.level == 1}
    for one in told:
        for id_, (label, score) in one.labels.items():
            groups[id_] = replace(
                groups[id_],
                label=label,
                label_support=Support(supported=True, score=score, origin="model"),
            )
    for same in (s for one in told for s in one.same):
        first, *others = sorted(same, key=lambda g: (-len(groups[g].verbatim_ids), g))
        ids = (*groups[first].verbatim_ids, *(v for o in others for v in groups[o].verbatim_ids))
        stances = {groups[g].stance for g in same} - {None}
        groups[first] = replace(
            groups[first], verbatim_ids=ids, stance=stances.pop() if len(stances) == 1 else "mixed"
        )
        for other in others:
            del groups[other]
    families = {g.id: part_of(g) for g in topic.groups if g.level == 2}
    return rebuild(topic, [part_of(g) for g in groups.values()], encode=encode, families=families)
