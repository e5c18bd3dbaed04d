"""A synthesis without a model: labels in the order of their weight, quoted, joined by connectives and counts.

It reads as sentences and claims nothing of its own: what is between quotation marks is a label, the rest is counting. A label
that is one member's words is said to illustrate its group: not every member wrote that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.domain.draft import Group, Sentence, Synthesis
from service.domain.polarity import polarity
from service.domain.round import Language
from service.domain.steps import Topic
from service.domain.wording import LARGEST, categories, count, number, people, quoted, typeset
from service.stages.extractive import oppose
from service.stages.voices import behind

QUOTED = 3
"""Labels that one sentence quotes, at most."""

MOST_SENTENCES = 14
"""Sentences that quote groups; groups that no sentence quotes are listed as left out."""

SMALL = 3
"""Respondents below which a group that stands alone at level 2 shares a sentence with others like it."""

VOICES = 3
"""Isolated voices quoted; the others are counted and listed in the deliverable."""

CONNECTIVES: Mapping[Language, Mapping[str, str]] = {
    "fr": {
        "equal": "À égalité, ",
        "next": "Ensuite, ",
        "then": "Puis ",
        "last": "Enfin, ",
        "same": "De la même famille, ",
    },
    "en": {
        "equal": "Equally large, ",
        "next": "Next, ",
        "then": "Then ",
        "last": "Lastly, ",
        "same": "In the same family, ",
    },
}
"""First words that join a sentence to the one before it; outside its synthesis a sentence goes without."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """A level-2 group and the level-1 groups in it."""

    topic: Topic
    head: Group
    """The level-2 group, or the only level-1 group of it."""
    groups: tuple[Group, ...]
    """Level 1, most respondents first."""


def assemble(topics: tuple[Topic, ...]) -> Synthesis:
    """The synthesis of one question or of joined ones: closed counts, labels that oppose openly, level-2 groups in the order
    of their weight, small ones together, isolated voices."""
    families = _families(topics)
    alone = [f for k, f in enumerate(families) if len(f.groups) == 1 and _is_small(f.head, first=k == 0)]
    small = alone if len(alone) > 1 else []
    large = [f for f in families if f not in small]
    paragraphs = [_paragraph(topics, families, f, last=not small and f is large[-1]) for f in large]
    if small:
        paragraphs.append(
            [s for t in topics for s in _together(topics, t, [f.head for f in small if f.topic is t])]
        )
    paragraphs = _within(paragraphs)
    paragraphs.insert(0, [s for t in topics for s in (closed_sentence(t), _opposed(topics, t)) if s])
    paragraphs.append([s for s in map(_voices, topics) if s])
    sentences = tuple(s for paragraph in paragraphs for s in paragraph)
    cited = {id_ for s in sentences for id_ in s.group_ids}
    numbers = iter(range(len(sentences)))
    return Synthesis(
        sentences=sentences,
        paragraphs=tuple(tuple(next(numbers) for _ in p) for p in paragraphs if p),
        left_out=tuple(sorted(g.id for f in families for g in f.groups if g.id not in cited)),
    )


def standing_alone(text: str, language: Language) -> str:
    """A sentence of `assemble` without the connective that joins it to the one before."""
    for connective in CONNECTIVES[language].values():
        if text.startswith(connective):
            rest = text.removeprefix(connective)
            return rest[:1].upper() + rest[1:]
    return text


def _families(topics: tuple[Topic, ...]) -> list[Family]:
    """Level-2 groups by weight: respondents, then verbatims, then as the labels stand."""
    families = []
    for topic in topics:
        heads = {g.id: g for g in topic.groups if g.level == 2}
        children: dict[str, list[Group]] = {}
        for g in (g for g in topic.groups if g.level == 1):
            children.setdefault(g.parent or g.id, []).append(g)
        for id_, members in children.items():
            members.sort(key=lambda g: -g.n_respondents)  # stable: else as the grouping has them
            head = members[0] if len(members) == 1 else heads[id_]
            families.append(Family(topic=topic, head=head, groups=tuple(members)))
    return sorted(families, key=lambda f: (-f.head.n_respondents, -len(f.head.verbatim_ids)))


def _within(paragraphs: list[list[Sentence]]) -> list[list[Sentence]]:
    """At most so many sentences: the first of each paragraph, then the second of each, and so on."""
    ranks = sorted((k, n) for n, paragraph in enumerate(paragraphs) for k in range(len(paragraph)))
    kept = set(ranks[:MOST_SENTENCES])
    return [[s for k, s in enumerate(p) if (k, n) in kept] for n, p in enumerate(paragraphs)]


def _is_small(group: Group, *, first: bool) -> bool:
    """True for a group that may share its sentence; the first of a question has its own, where sizes are known."""
    return group.n_respondents < SMALL and not (first and group.n_respondents)


def _paragraph(
    topics: tuple[Topic, ...], families: Sequence[Family], family: Family, *, last: bool
) -> list[Sentence]:
    topic, head, groups = family.topic, family.head, family.groups
    rank, n = families.index(family), [f.head.n_respondents for f in families]
    connectives = CONNECTIVES[topic.language]
    joined = ""
    if rank and n[rank] and (last or rank == 1 or rank % 2 == 0):  # "Puis … Puis … Puis" is no prose
        equal = n[rank] == n[rank - 1]
        joined = connectives["last" if last else "equal" if equal else "next" if rank == 1 else "then"]
    largest = rank == 0 and len(n) > 1 and n[0] > n[1]
    summed_up = head.level == 2 and head.label_support is not None and head.label_support.origin == "person"
    own = groups[: QUOTED - 1] if summed_up else groups[:QUOTED]
    # what a person wrote of the whole family is said before what some of it says
    said = (head, *own) if summed_up else own
    first = _sentence(topics, topic, _head(topics, family, largest=largest), said, head, joined)
    return [first, *_together(topics, topic, groups[len(own) :], connectives["same"])]


def _head(topics: tuple[Topic, ...], family: Family, *, largest: bool) -> str:
    topic, head = family.topic, family.head
    french = topic.language == "fr"
    if not head.n_respondents:
        return f"{'Un regroupement' if french else 'A group'} {_verb(family.groups[:QUOTED], topic.language, one=True)}"
    said = count(head.n_respondents, topic.n_respondents, topic.unit, topic.language)
    if head.n_respondents == 1 and len(head.verbatim_ids) > 1:
        said = f"{len(head.verbatim_ids)} " + (f"idées d’{said}" if french else f"ideas from {said}")
    if len(topics) > 1:
        said += f" à la question {topic.question.id}" if french else f" to question {topic.question.id}"
    verb = _verb(family.groups[:QUOTED], topic.language, one=True)
    if largest:
        more = categories(head.by_category, topic.language)
        lead = f"{said}, {more}" if more else said
        lead = f", {lead}," if "(" in said else f" ({lead})"
        return f"{LARGEST[0 if french else 1]}{lead} {verb}"
    if not french:
        return f"A group of {said} {verb}"
    return f"Un regroupement {'d’' if said.startswith('un') else 'de '}{said} {verb}"


def _together(
    topics: tuple[Topic, ...], topic: Topic, groups: Sequence[Group], connective: str = ""
) -> list[Sentence]:
    """Groups that share sentences, without a word on them as a whole; the last one by itself has its own."""
    written = []
    for some in (tuple(groups[i : i + QUOTED]) for i in range(0, len(groups), QUOTED)):
        if len(some) == 1:
            head = _head(topics, Family(topic=topic, head=some[0], groups=some), largest=False)
        else:
            small = all(0 < g.n_respondents < SMALL for g in some)
            french = ("De petits" if small else "Des") + " regroupements"
            name = french if topic.language == "fr" else "Small groups" if small else "Groups"
            head = f"{name} {_verb(some, topic.language, one=False)}"
        written.append(_sentence(topics, topic, head, some, some[0] if len(some) == 1 else None, connective))
    return written


def _sentence(
    topics: tuple[Topic, ...],
    topic: Topic,
    head: str,
    groups: Sequence[Group],
    whole: Group | None,
    connective: str,
) -> Sentence:
    """whole: the group that the head counts; with several groups in it, each is followed by its own size."""
    sized = whole is None or whole.level == 2
    labels = " ; ".join(_said(topic, g, sized=sized) for g in groups)
    text = f"{head} : {labels}." if topic.language == "fr" else f"{head}: {labels.replace(' ; ', '; ')}."
    if connective:
        text = connective + text[:1].lower() + text[1:]
    ids = [g.id for g in groups] if whole is None or whole.level == 1 else [whole.id, *(g.id for g in groups)]
    ids = list(dict.fromkeys(ids))
    return _cited(topics, topic, text, ids, [*(whole.verbatim_ids if whole else ()), *_members(groups)])


def _members(groups: Sequence[Group]) -> list[str]:
    return [v for g in groups for v in g.verbatim_ids]


def _cited(
    topics: tuple[Topic, ...], topic: Topic, text: str, ids: Sequence[str], verbatims: Sequence[str]
) -> Sentence:
    n, by_category = behind(topics, verbatims)
    return Sentence(
        text=typeset(text, topic.language),
        group_ids=tuple(ids),
        n_respondents=n or None,
        by_category=by_category,
    )


def _said(topic: Topic, group: Group, *, sized: bool) -> str:
    """The label with whose words it is: a member's do not become those of the whole group, a person's nobody's who answered."""
    origin = group.label_support.origin if group.label_support else None
    french, n = topic.language == "fr", group.n_respondents
    notes = [("libellé corrigé" if french else "corrected label")] if origin == "person" else []
    if sized and n:
        grouped = origin == "extractive" and n > 1
        size = people(n, topic.unit, topic.language)
        notes.append((f"regroupement de {size}" if french else f"group of {size}") if grouped else size)
    label = quoted(group.label, topic.language)
    return f"{label} ({', '.join(notes)})" if notes else label


def _opposed(topics: tuple[Topic, ...], topic: Topic) -> Sentence | None:
    """The largest groups whose labels say openly that they are for and that they are against the same thing, as a word that
    both have tells; None where a side is missing."""
    firsts = sorted((g for g in topic.groups if g.level == 1), key=lambda g: -g.n_respondents)
    favours, against = ([g for g in firsts if polarity(g.label) == side] for side in (1, -1))
    pairs = [(f, a) for f in favours for a in against if oppose(f.label, a.label)]
    if not pairs:
        return None
    groups = min(pairs, key=lambda pair: -sum(g.n_respondents for g in pair))
    one, other = (_said(topic, g, sized=True) for g in groups)
    text = (
        f"Des avis s’opposent : {one} et, à l’inverse, {other}."
        if topic.language == "fr"
        else f"Views oppose each other: {one} and, on the contrary, {other}."
    )
    return _cited(topics, topic, text, [g.id for g in groups], _members(groups))


def _verb(groups: Sequence[Group], language: Language, *, one: bool) -> str:
    """A label taken from a member illustrates its group; one that was written for the group, or given, sums it up."""
    taken = any(g.label_support is not None and g.label_support.origin == "extractive" for g in groups)
    if language == "fr":
        return (
            ("s’illustre ainsi" if one else "s’illustrent ainsi")
            if taken
            else ("se résume ainsi" if one else "se résument ainsi")
        )
    return ("is " if one else "are ") + ("illustrated by" if taken else "summed up as")


def closed_sentence(topic: Topic) -> Sentence | None:
    """The counts of a question's closed part, told; written by us, with a model or without."""
    if topic.closed is None or not topic.closed.counts:
        return None
    total = sum(topic.closed.counts.values())
    counts = ", ".join(f"{quoted(option, topic.language)} {n}" for option, n in topic.closed.counts.items())
    title = quoted(topic.closed.title.rstrip(" ?\u00a0"), topic.language)
    if topic.language == "fr":
        text = f"À la question {title}, {people(total, topic.unit, 'fr')} {'répond' if total == 1 else 'répondent'} : {counts}."
    else:
        text = f"To the question {title}, {people(total, topic.unit, 'en')} answered: {counts}."
    return Sentence(text=typeset(text, topic.language), closed_ids=(topic.question.id,), n_respondents=total)


def _voices(topic: Topic) -> Sentence | None:
    """The isolated voices of a question: the most isolated quoted, the others counted; all are cited."""
    if not topic.isolated:
        return None
    texts = {v.id: v.text for v in topic.verbatims}
    ids = tuple(one.verbatim_id for one in topic.isolated)
    shown = [quoted(_brief(texts[i]), topic.language) for i in ids[:VOICES]]
    n, by_category = behind((topic,), ids)
    who = people(n, topic.unit, topic.language)
    if topic.language == "fr":
        some = ", dont" if len(ids) > len(shown) else ""
        head = (
            "Une voix isolée"
            if len(ids) == 1
            else f"{number(len(ids), 'fr')} voix isolées, venant d{'’' if n == 1 else 'e '}{who}{some}"
        )
        text = f"{head} : {' ; '.join(shown)}."
    else:
        some = ", among them" if len(ids) > len(shown) else ""
        head = (
            "One isolated voice"
            if len(ids) == 1
            else f"{number(len(ids), 'en')} isolated voices, from {who}{some}"
        )
        text = f"{head}: {'; '.join(shown)}."
    return Sentence(
        text=typeset(text, topic.language), verbatim_ids=ids, n_respondents=n, by_category=by_category
    )


def _brief(text: str, most: int = 30) -> str:
    said = text.split()
    return text if len(said) <= most else " ".join(said[:most]).rstrip(",;:") + "…"
