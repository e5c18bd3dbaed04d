"""Who is behind what: distinct respondents and their categories, over any verbatims."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from service.domain.steps import Topic


def count_people(
    ids: Iterable[str], voices: Mapping[str, tuple[str, ...]], categories: Mapping[str, str]
) -> tuple[int, dict[str, int]]:
    """Distinct respondents behind verbatims, and how many of each category, most first, then by name."""
    people = {voice for v in ids for voice in voices[v]}
    counts = Counter(categories[p] for p in people if p in categories)
    return len(people), dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def behind(topics: Sequence[Topic], ids: Iterable[str]) -> tuple[int, dict[str, int]]:
    """The same over the verbatims of one question or of joined ones."""
    voices = {v: people for t in topics for v, people in t.voices.items()}
    categories = {p: c for t in topics for p, c in t.categories.items()}
    return count_people(ids, voices, categories)
