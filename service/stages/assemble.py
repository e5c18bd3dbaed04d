"""A synthesis without a model: labels in the order of their weight, quoted, joined by connectives and counts.

It reads as sentences and claims nothing of its own: what is between quotation marks is a label, the rest is counting. A label
here is one member's words, so it is said to illustrate its group: not every member wrote that.
"""

from collections.abc import Sequence

from service.domain.draft import Group, Sentence, Synthesis
from service.domain.polarity import polarity
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
"""One sentence to come: a large group alone, or small ones together."""


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
    lead = True
    for paragraph in shown:
        made = []
        for k, (topic, groups) in enumerate(paragraph):
            made.append(_sentence(topics, topic, groups, first=lead, opens=k == 0, before=paragraph[:k]))
            lead = False
        add(made)
    add([s for s in map(_voices, topics) if s])
    return Synthesis(sentences=tuple(sentences), paragraphs=tuple(paragraphs), left_out=left)


def _plan(topics: tuple[Topic, ...]) -> list[list[Planned]]:
    """Paragraphs by level-2 group, most respondents first over all topics."""
    families = [
        (topic, parent, [g for g in topic.groups if g.parent == parent.id])
        for topic in topics
        for parent in topic.groups
        if parent.level == 2
    ]
    families += [(t, g, [g]) for t in topics for g in t.groups if g.level == 1 and g.parent is None]
    families.sort(key=lambda f: (-f[1].n_respondents, f[1].id))
    plan = []
    for topic, _, children in families:
        large = [g for g in children if g.n_respondents >= OWN_SENTENCE]
        small = [g for g in children if g.n_respondents < OWN_SENTENCE]
        paragraph: list[Planned] = [(topic, (g,)) for g in large]
        paragraph += [(topic, tuple(small[i : i + SHARED])) for i in range(0, len(small), SHARED)]
        plan.append(paragraph)
    return plan


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
    topics: tuple[Topic, ...],
    topic: Topic,
    groups: tuple[Group, ...],
    *,
    first: bool,
    opens: bool,
    before: Sequence[Planned],
) -> Sentence:
    n, by_category = behind(topics, [v for g in groups for v in g.verbatim_ids])
    if len(groups) == 1:
        text = _one(topic, groups[0], first=first, opens=opens, before=before)
    else:
        text = _several(topic, groups, opens=opens)
    return Sentence(
        text=typeset(text, topic.language),
        group_ids=tuple(g.id for g in groups),
        n_respondents=n if topic.n_respondents else None,
        by_category=by_category,
    )


def _one(topic: Topic, group: Group, *, first: bool, opens: bool, before: Sequence[Planned]) -> str:
    label = quoted(group.label, topic.language)
    french = topic.language == "fr"
    if not topic.n_respondents:  # sizes unknown: nothing is said of numbers
        head = (
            ("Une idée est avancée" if opens else "S’y ajoute")
            if french
            else ("One idea" if opens else "Another")
        )
        return f"{head} : {label}." if french else f"{head}: {label}."
    said = count(group.n_respondents, topic.n_respondents, topic.unit, topic.language)
    more = categories(group.by_category, topic.language)
    if first:
        lead = f"{said}, {more}" if more else said
        return (
            f"Le regroupement le plus large ({lead}) s’illustre ainsi : {label}."
            if french
            else f"The largest group ({lead}) is shown by: {label}."
        )
    sign = polarity(group.label)
    contrary = sign and any(polarity(g.label) == -sign for _, groups in before for g in groups)
    if french:
        head = (
            "À l’inverse, un regroupement de"
            if contrary
            else "Un regroupement de"
            if opens
            else "Un autre, de"
        )
        return f"{head} {said} : {label}."
    head = "On the contrary, a group of" if contrary else "A group of" if opens else "Another, of"
    return f"{head} {said}: {label}."


def _several(topic: Topic, groups: tuple[Group, ...], *, opens: bool) -> str:
    french = topic.language == "fr"
    head = (
        ("De plus petits" if opens else "D’autres, plus petits")
        if french
        else ("Smaller ones" if opens else "Others, smaller")
    )
    parts = []
    for g in groups:
        n = f" ({people(g.n_respondents, topic.unit, topic.language)})" if topic.n_respondents else ""
        parts.append(quoted(g.label, topic.language) + n)
    return f"{head} : {' ; '.join(parts)}." if french else f"{head}: {'; '.join(parts)}."


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
    rest = len(ids) - len(shown)
    if topic.language == "fr":
        head = (
            "Une voix isolée"
            if len(ids) == 1
            else f"{len(ids)} voix isolées, dont"
            if rest
            else f"{len(ids)} voix isolées"
        )
        text = f"{head} : {' ; '.join(shown)}."
    else:
        head = (
            "One isolated voice"
            if len(ids) == 1
            else f"{len(ids)} isolated voices, among them"
            if rest
            else f"{len(ids)} isolated voices"
        )
        text = f"{head}: {'; '.join(shown)}."
    n, by_category = behind((topic,), ids)
    return Sentence(
        text=typeset(text, topic.language), verbatim_ids=ids, n_respondents=n, by_category=by_category
    )


def _brief(text: str, most: int = 30) -> str:
    said = text.split()
    return text if len(said) <= most else " ".join(said[:most]).rstrip(",;:") + "…"
