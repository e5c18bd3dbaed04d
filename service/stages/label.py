"""Label: one short sentence per group, a position and not a topic. From a chat model within checks, or extractive."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import prompts
from service.domain.draft import Failure, Group, Support, Verbatim
from service.domain.round import Language
from service.domain.steps import Labelled, Topic
from service.domain.wording import typeset
from service.llm.ask import Ask, BadReply, Refused, ask
from service.llm.chat import ChatModel
from service.llm.replies import LabelReply
from service.stages.check import LABEL_WORDS, Encode, check_label
from service.stages.confirm import claim, confirm
from service.stages.evidence import HARDLY, Cited, Evidence, evidence_of
from service.stages.extractive import as_sentence, both_sides, extractive_label, oppose, opposed_sides
from service.stages.sample import View, views

MEMBERS_SHOWN = 24
"""Verbatims that a label is made from: all of a group that has no more, else central, varied and border ones (`sample`)."""

MOST_LABELLED = 24
"""Groups of a question of a draft whose labels a model writes, the largest: the cost follows what is read most. Smaller ones
keep a verbatim of theirs as label, with a note that says so."""

NEIGHBOURS_SHOWN = 3
"""Nearest other groups shown for contrast, by their most central verbatim."""

OPPOSED_EXTRA = 15
"""Words that a label may have more where it must say two positions."""


def label_groups(
    topic: Topic, *, encode: Encode, chat: ChatModel | None, most: int | None = None
) -> Labelled:
    """A label for every group of a question that has none, in the order of the groups. chat None: extractive.

    A model's label is used only if it passes every check; else the extractive one stands in, with a note that says why.
    most: the largest groups that the model is asked about; None: all.
    """
    verbatims = {v.id: v for v in topic.verbatims}
    made = {g.id: g for g in topic.groups if g.level == 1}
    bare = [g for g in made.values() if not g.label]
    evidence = evidence_of([topic], encode)
    for g in bare:
        taken = frozenset(m.label for m in made.values() if m.label)
        made[g.id] = _extractive(topic, g, verbatims, encode, evidence, taken)
    failures: list[Failure] = []
    if chat is not None and bare:
        largest = sorted(made.values(), key=lambda g: (-g.n_respondents, -len(g.verbatim_ids)))
        within = {g.id for g in largest[:most]}
        asked = [g for g in bare if g.id in within]
        shown = views(topic, encode, most=MEMBERS_SHOWN, neighbours=NEIGHBOURS_SHOWN)
        asks = [_LabelRequest(topic, made[g.id], shown, evidence).ask() for g in asked]
        for g in bare:
            if g.id not in within:
                made[g.id] = _noted(made[g.id], _not_asked(len(within), topic.language), topic.language)
        replies = ask(chat, asks)
        for group_id, got in zip([g.id for g in asked], replies, strict=True):
            if isinstance(got, Refused):
                failures.append(Failure(id=group_id, stage="label", reason=got.reason))
                made[group_id] = _refused(made[group_id], got.reason, topic)
            else:
                made[group_id] = got
    for g in (g for g in topic.groups if g.level == 2):
        made[g.id] = g if g.label and not bare else _second(g, list(made.values()), topic.language)
    return Labelled(
        groups=tuple(made[g.id] for g in topic.groups), fallbacks=len(failures), failures=tuple(failures)
    )


def confirm_labels(topic: Topic, *, encode: Encode, chat: ChatModel) -> Labelled:
    """A second opinion on the level-1 labels that a model wrote and whose evidence is in doubt: kept, rewritten, or replaced by
    the extractive label."""
    verbatims = {v.id: v for v in topic.verbatims}
    evidence = evidence_of([topic], encode)
    written = [
        g for g in topic.groups if g.level == 1 and g.label_support and g.label_support.origin == "model"
    ]
    claims = []
    for g in written:
        texts = [m.text for m in _members(g, verbatims)[:MEMBERS_SHOWN]]

        def form(text: str, texts: list[str] = texts) -> str | None:
            return check_label(text, texts, topic.language)

        claims.append(claim(g.label, [Cited(verbatims=tuple(texts))], form, evidence))
    judged, failures = confirm(
        claims, id_=topic.question.id, language=topic.language, evidence=evidence, chat=chat
    )
    made = {g.id: g for g in topic.groups}
    refused = []
    for g, one in zip(written, judged, strict=True):
        if one.supported:
            support = Support(supported=True, score=one.found.score, origin="model")
            made[g.id] = replace(g, label=one.text, label_support=support)
        else:
            refused.append(Failure(id=g.id, stage="label", reason=one.doubt))
            made[g.id] = _refused(
                _extractive(topic, replace(g, label=""), verbatims, encode, evidence), one.doubt, topic
            )
    for second in (g for g in topic.groups if g.level == 2):
        made[second.id] = _second(second, list(made.values()), topic.language)
    return Labelled(groups=tuple(made.values()), fallbacks=len(refused), failures=(*refused, *failures))


def _members(group: Group, verbatims: Mapping[str, Verbatim]) -> list[Verbatim]:
    """Exemplars first, then the others in their order."""
    ids = dict.fromkeys((*group.exemplar_ids, *group.verbatim_ids))
    return [verbatims[i] for i in ids]


def _extractive(
    topic: Topic,
    group: Group,
    verbatims: Mapping[str, Verbatim],
    encode: Encode,
    evidence: Evidence,
    taken: frozenset[str] = frozenset(),
) -> Group:
    members = _members(group, verbatims)
    text, at = extractive_label([m.text for m in members], encode, topic.language, taken)
    exemplars = dict.fromkeys((members[at].id, *group.exemplar_ids))
    others = [m.text for k, m in enumerate(members[: MEMBERS_SHOWN + 1]) if k != at]
    score = evidence.score(text, others) if others else 1.0
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
    return _noted(group, note, topic.language)


def _not_asked(most: int, language: Language) -> str:
    if language == "fr":
        return f"Verbatim d'un membre : le modèle n'écrit que les libellés des {most} plus grands regroupements de la question."
    return (
        f"A member's verbatim: the model writes the labels of the {most} largest groups of the question only."
    )


def _noted(group: Group, note: str, language: Language) -> Group:
    score = group.label_support.score if group.label_support else 0.0
    support = Support(supported=True, score=score, origin="extractive", note=typeset(note, language))
    return replace(group, label_support=support)


class _LabelRequest:
    """One request for a label and the meaning of its opaque ids."""

    def __init__(self, topic: Topic, group: Group, shown: Mapping[str, View], evidence: Evidence) -> None:
        self.topic = topic
        self.group = group
        self.members = {f"v{k}": m for k, m in enumerate(shown[group.id].members, start=1)}
        self.texts = [m.text for m in self.members.values()]
        self.others = [shown[g].members[0].text for g in shown[group.id].nearest]
        self.evidence = evidence

    def ask(self) -> Ask[Group]:
        return Ask(
            id=self.group.id,
            prompt=prompts.load("label", self.topic.language),
            values={
                "question": prompts.fence([self.topic.question.title], "q"),
                "verbatims": prompts.fence(self.texts, "v"),
                "others": prompts.fence(self.others, "o") if self.others else "–",
            },
            reply=LabelReply,
            check=self.check,
        )

    def check(self, reply: LabelReply) -> Group:
        """Raises BadReply."""
        unknown = [e for e in reply.exemplars if e not in self.members]
        if unknown or not reply.exemplars:
            raise BadReply(f"exemplars: {unknown or 'none'}; give ids of verbatims of the group, such as v1")
        label = as_sentence(reply.label, self.topic.language)
        reason = check_label(label, self.texts, self.topic.language)
        if reason and not (
            reply.opposed and "words: at most" in reason and len(label.split()) <= LABEL_WORDS + OPPOSED_EXTRA
        ):
            raise BadReply(f"label: {reason}")
        for side in opposed_sides(self.texts) or ():
            said = self.evidence.score(label, [self.texts[i] for i in side])
            if not reply.opposed or said < HARDLY:
                contrary = f"v{side[0] + 1}"
                raise BadReply(f"label: verbatims oppose each other; state both positions, {contrary}'s too")
        score = self.evidence.score(label, self.texts)
        if score < HARDLY:
            raise BadReply("label: it says what the verbatims do not say; use their words")
        if self.evidence.shared(label, self.texts) < HARDLY:
            raise BadReply("label: one verbatim alone says this; say what is common to the others too")
        exemplars = dict.fromkeys((*(self.members[e].id for e in reply.exemplars), *self.group.exemplar_ids))
        return replace(
            self.group,
            label=label,
            stance=reply.stance,
            exemplar_ids=tuple(exemplars),
            label_support=Support(supported=True, score=score, origin="model"),
        )


def _second(group: Group, labelled: Sequence[Group], language: Language) -> Group:
    """A level-2 group is called by its largest member: one position that is really there, not a blend; where another member
    takes the other side, both are said."""
    lead, *others = (g for g in labelled if g.parent == group.id)
    contrary = next((g for g in others if oppose(lead.label, g.label)), None)
    if contrary is not None:
        said = both_sides([lead.label, contrary.label], language)
        return replace(group, label=said, stance="mixed", label_support=lead.label_support)
    return replace(group, label=lead.label, stance=lead.stance, label_support=lead.label_support)
