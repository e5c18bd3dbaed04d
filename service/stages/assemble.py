"""A synthesis without a model: labels in the order of their weight, quoted, joined by connectives and counts.

It reads as sentences and claims nothing of its own: what is between quotation marks is a label, the rest is counting. A label
that is one member's words is said to illustrate its group: not every member wrote that.
"""

from collections.abc import Sequence

from service.domain.draft import Group, Sentence, Synthesis
from service.domain.steps import Topic
from service.domain.wording import categories, count, people, quoted, typeset
from service.stages.voices import behind

MOST_SENTENCES = 14
"""Sentences that quote groups; further groups are listed as left out."""

OWN_SENTENCE = 3
"""Respondents from which a group has a sentence of its own; smaller ones of a paragraph share one."""

SHARED = 3
"""Groups that share a sentence, at most."""

VOICES = 3
"""Isolated voices quoted; the others are counted and listed in the deliverable."""

Planned = tuple[Topic, tuple[Group, ...]]
"""One sentence to come: a group alone, or small ones together."""


def assemble(topics: tuple[Topic, ...]) -> Synthesis:
    """The synthesis of one question or of joined ones: closed counts, then groups by level-2 paragraph, then isolated voices."""
    sentences: list[Sentence] = []
    paragraphs: list[tuple[int, ...]] = []

    def add(new: Sequence[Sentence]) -> None:
        if new:
            paragraphs.append(tuple(range(len(sentences), len(sentences) + len(new))))
            sentences.extend(new)

    add([s for s in map(closed_sentence, topics) if s])
    plan = _plan(topics)
    shown, left = _within(plan)
    largest = _largest(topics)
    for paragraph in shown:
        add([_sentence(topics, topic, groups, largest=largest) for topic, groups in paragraph])
    add([s for s in map(_voices, topics) if s])
    return Synthesis(sentences=tuple(sentences), paragraphs=tuple(paragraphs), left_out=left)


def _plan(topics: tuple[Topic, ...]) -> list[list[Planned]]:
    """Paragraphs by level-2 group, the one with the largest level-1 group first."""
    families: dict[str, tuple[Topic, list[Group]]] = {}
    for topic in topics:
        for g in (g for g in topic.groups if g.level == 1):
            families.setdefault(g.parent or g.id, (topic, []))[1].append(g)
    for _, children in families.values():
        children.sort(key=lambda g: -g.n_respondents)  # stable: else as the grouping has them
    order = sorted(
        families.items(), key=lambda f: (-f[1][1][0].n_respondents, -len(f[1][1][0].verbatim_ids), f[0])
    )
    plan = []
    for _, (topic, children) in order:
        small = [g for g in children if 0 < g.n_respondents < OWN_SENTENCE]
        paragraph: list[Planned] = [(topic, (g,)) for g in children if g not in small]
        paragraph += [(topic, tuple(small[i : i + SHARED])) for i in range(0, len(small), SHARED)]
        plan.append(paragraph)
    return plan


def _largest(topics: tuple[Topic, ...]) -> str | None:
    """The level-1 group with more respondents than every other, where there is one."""
    sizes = sorted(((g.n_respondents, g.id) for t in topics for g in t.groups if g.level == 1), reverse=True)
    return sizes[0][1] if len(sizes) > 1 and sizes[0][0] > sizes[1][0] else None


def _within(plan: list[list[Planned]]) -> tuple[list[list[Planned]], tuple[str, ...]]:
    """The plan cut to the most sentences, each paragraph keeping its first; and the groups that fall out."""
    room = max(0, MOST_SENTENCES - len(plan))
    shown, left = [], []
    for k, paragraph in enumerate(plan):
        if k >= MOST_SENTENCES:
            keep = 0
        else:
            keep = 1 + min(room, len(paragraph) - 1)
            room -= keep - 1
        shown.append(paragraph[:keep])
        left += [g.id for _, groups in paragraph[keep:] for g in groups]
    return [p for p in shown if p], tuple(sorted(left))


def _sentence(
    topics: tuple[Topic, ...], topic: Topic, groups: tuple[Group, ...], *, largest: str | None
) -> Sentence:
    n, by_category = behind(topics, [v for g in groups for v in g.verbatim_ids])
    text = (
        _several(topic, groups)
        if len(groups) > 1
        else _one(topic, groups[0], largest=groups[0].id == largest)
    )
    return Sentence(
        text=typeset(text, topic.language),
        group_ids=tuple(g.id for g in groups),
        n_respondents=n or None,
        by_category=by_category,
    )


def _one(topic: Topic, group: Group, *, largest: bool) -> str:
    """A sentence that stands alone: it is also read outside its paragraph, in a theme."""
    label = quoted(group.label, topic.language)
    verb = _verb([group], topic)
    said = (
        count(group.n_respondents, topic.n_respondents, topic.unit, topic.language)
        if group.n_respondents
        else ""
    )
    if largest:
        more = categories(group.by_category, topic.language)
        lead = f"{said}, {more}" if more else said
        if topic.language == "fr":
            return f"Le regroupement le plus large ({lead}) {verb} : {label}."
        return f"The largest group ({lead}) {verb}: {label}."
    if topic.language == "fr":
        of = f" d’{said}" if said.startswith("un") else f" de {said}" if said else ""
        return f"Un regroupement{of} {verb} : {label}."
    return f"A group{f' of {said}' if said else ''} {verb}: {label}."


def _several(topic: Topic, groups: tuple[Group, ...]) -> str:
    parts = [
        f"{quoted(g.label, topic.language)} ({people(g.n_respondents, topic.unit, topic.language)})"
        for g in groups
    ]
    verb = _verb(groups, topic)
    if topic.language == "fr":
        return f"De petits regroupements {verb} : {' ; '.join(parts)}."
    return f"Small groups {verb}: {'; '.join(parts)}."


def _verb(groups: Sequence[Group], topic: Topic) -> str:
    """A label taken from a member illustrates its group; one that was written for the group, or given, sums it up."""
    taken = any(g.label_support is not None and g.label_support.origin == "extractive" for g in groups)
    one = len(groups) == 1
    if topic.language == "fr":
        return (
            ("s’illustre ainsi" if one else "s’illustrent ainsi")
            if taken
            else ("se résume ainsi" if one else "se résument ainsi")
        )
    return (
        ("is illustrated by" if one else "are illustrated by")
        if taken
        else ("is summed up as" if one else "are summed up as")
    )


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
            else f"{len(ids)} voix isolées, venant d{'’' if n == 1 else 'e '}{who}{some}"
        )
        text = f"{head} : {' ; '.join(shown)}."
    else:
        some = ", among them" if len(ids) > len(shown) else ""
        head = "One isolated voice" if len(ids) == 1 else f"{len(ids)} isolated voices, from {who}{some}"
        text = f"{head}: {'; '.join(shown)}."
    return Sentence(
        text=typeset(text, topic.language), verbatim_ids=ids, n_respondents=n, by_category=by_category
    )


def _brief(text: str, most: int = 30) -> str:
    said = text.split()
    return text if len(said) <= most else " ".join(said[:most]).rstrip(",;:") + "…"
