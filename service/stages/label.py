"""Label: one short sentence per group, a position and not a topic. From a chat model within checks, or extractive."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import prompts
from service.domain.draft import Failure, Group, Support, Verbatim
from service.domain.steps import Labelled, Topic
from service.domain.wording import typeset
from service.llm.ask import Ask, BadReply, Refused, ask
from service.llm.chat import ChatModel
from service.llm.replies import LabelReply
from service.stages.check import SUPPORTED, Encode, check_label, support
from service.stages.extractive import as_sentence, extractive_label, opposed_sides

MEMBERS_SHOWN = 24
"""Verbatims that a label is made from: all of a group that has no more, else its exemplars and the first others."""

NEIGHBOURS_SHOWN = 3
"""Nearest other groups shown for contrast, by their most central verbatim."""

OPPOSED_EXTRA = 15
"""Words that a label may have more where it must say two positions."""


def label_groups(topic: Topic, *, encode: Encode, chat: ChatModel | None) -> Labelled:
    """A label for every group of a question, in the order of the groups. chat None: extractive.

    A model's label is used only if it passes every check; else the extractive one stands in, with a note that says why.
    """
    verbatims = {v.id: v for v in topic.verbatims}
    made: dict[str, Group] = {}
    for g in (g for g in topic.groups if g.level == 1):
        taken = frozenset(m.label for m in made.values())
        made[g.id] = _extractive(topic, g, verbatims, encode, taken)
    failures: list[Failure] = []
    if chat is not None and made:
        asks: list[Ask[Group]] = [_ask(topic, g, verbatims, encode) for g in made.values()]
        replies = ask(chat, asks)
        for group_id, got in zip(list(made), replies, strict=True):
            if isinstance(got, Refused):
                failures.append(Failure(id=group_id, stage="label", reason=got.reason))
                made[group_id] = _refused(made[group_id], got.reason, topic)
            else:
                made[group_id] = got
    for g in (g for g in topic.groups if g.level == 2):
        made[g.id] = _second(g, list(made.values()))
    return Labelled(
        groups=tuple(made[g.id] for g in topic.groups), fallbacks=len(failures), failures=tuple(failures)
    )


def _members(group: Group, verbatims: Mapping[str, Verbatim]) -> list[Verbatim]:
    """Exemplars first, then the others in their order."""
    ids = dict.fromkeys((*group.exemplar_ids, *group.verbatim_ids))
    return [verbatims[i] for i in ids]


def _extractive(
    topic: Topic, group: Group, verbatims: Mapping[str, Verbatim], encode: Encode, taken: frozenset[str]
) -> Group:
    members = _members(group, verbatims)
    text, at = extractive_label([m.text for m in members], encode, topic.language, taken)
    exemplars = dict.fromkeys((members[at].id, *group.exemplar_ids))
    others = [m.text for k, m in enumerate(members[: MEMBERS_SHOWN + 1]) if k != at]
    score = support(text, others, encode) if others else 1.0
    return replace(
        group,
        label=text,
        exemplar_ids=tuple(exemplars),
        label_support=Support(supported=True, score=score, origin="extractive"),
    )


def _refused(group: Group, reason: str, topic: Topic) -> Group:
    """The extractive group with the reason; a member said its label, so it is supported, with the score it has."""
    note = (
        f"Libellé du modèle refusé ({reason}) ; un verbatim du regroupement le remplace."
        if topic.language == "fr"
        else f"The model's label was refused ({reason}); a verbatim of the group stands in."
    )
    score = group.label_support.score if group.label_support else 0.0
    return replace(
        group,
        label_support=Support(
            supported=True, score=score, origin="extractive", note=typeset(note, topic.language)
        ),
    )


def _ask(topic: Topic, group: Group, verbatims: Mapping[str, Verbatim], encode: Encode) -> Ask[Group]:
    shown = _members(group, verbatims)[:MEMBERS_SHOWN]
    others = _contrast(topic, group, verbatims, encode)
    texts = [m.text for m in shown]

    def check(reply: LabelReply) -> Group:
        ids = {f"v{k}": m.id for k, m in enumerate(shown, start=1)}
        unknown = [e for e in reply.exemplars if e not in ids]
        if unknown or not reply.exemplars:
            raise BadReply(f"exemplars: {unknown or 'none'}; give ids of verbatims of the group, such as v1")
        label = as_sentence(reply.label, topic.language)
        reason = check_label(label, texts, topic.language)
        if reason and not (
            reply.opposed and "words: at most" in reason and len(label.split()) <= 25 + OPPOSED_EXTRA
        ):
            raise BadReply(f"label: {reason}")
        for side in opposed_sides(texts) or ():
            if not reply.opposed or support(label, [texts[i] for i in side], encode) < SUPPORTED:
                contrary = f"v{side[0] + 1}"
                raise BadReply(f"label: verbatims oppose each other; state both positions, {contrary}'s too")
        score = support(label, texts, encode)
        if score < SUPPORTED:
            raise BadReply("label: it says what the verbatims do not say; use their words")
        exemplars = dict.fromkeys((*(ids[e] for e in reply.exemplars), *group.exemplar_ids))
        return replace(
            group,
            label=label,
            stance=reply.stance,
            exemplar_ids=tuple(exemplars),
            label_support=Support(supported=True, score=score, origin="model"),
        )

    return Ask(
        id=group.id,
        prompt=prompts.load("label", topic.language),
        values={
            "question": prompts.fence([topic.question.title], "q"),
            "verbatims": prompts.fence(texts, "v"),
            "others": prompts.fence(others, "o") if others else "–",
        },
        reply=LabelReply,
        check=check,
    )


def _contrast(topic: Topic, group: Group, verbatims: Mapping[str, Verbatim], encode: Encode) -> list[str]:
    others = [g for g in topic.groups if g.level == 1 and g.id != group.id]
    if not others:
        return []
    texts = [verbatims[g.exemplar_ids[0]].text for g in (group, *others)]
    vectors = encode(texts)
    near = (vectors[1:] @ vectors[0]).argsort(kind="stable")[::-1][:NEIGHBOURS_SHOWN]
    return [texts[1 + int(i)] for i in near]


def _second(group: Group, labelled: Sequence[Group]) -> Group:
    """A level-2 group is called by its largest member: one position that is really there, not a blend."""
    lead = next(g for g in labelled if g.parent == group.id)
    return replace(group, label=lead.label, stance=lead.stance, label_support=lead.label_support)
