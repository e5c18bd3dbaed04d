"""Forms of a text for comparing. What people wrote is never replaced by them."""

import re
import unicodedata


def word_set(text: str) -> frozenset[str]:
    """The words of a list written as running text."""
    return frozenset(text.split())


NEGATIONS = word_set(
    """
    ne n ni pas non jamais aucun aucune aucuns aucunes nul nulle rien sans contre guere refus refuse refuser
    refusons no not never none nobody nothing nor without against neither cannot dont doesnt didnt isnt arent
    wasnt werent wont cant couldnt wouldnt shouldnt havent hasnt hadnt aint
    """
)
"""Words that turn a statement round, folded (no accents, no apostrophes in English contractions)."""

SMALL = word_set(
    """
    le la les un une des du de et est sont dans pour que qui sur avec plus il elle ils elles on se sa son ses leur
    leurs mais ou en au aux ce cette ces par d l qu s c n y a ont etre avoir faut doit tres aussi comme certains
    certaines autres plusieurs plupart organisation organisations repondants the an and or of to in is are was be
    for with at by from this that it its as some others several most respondents people should would they
    """
)
"""Words that say little of what a text is about, folded."""

STEM = 5
"""Letters that two words share to count as the same: "médecins" and "médecin", not "médecin" and "médiation"."""


class _Bare(dict[int, int | None]):
    """Table for `str.translate` that drops combining marks; four times as fast as asking for each letter."""

    def __missing__(self, code: int) -> int | None:
        self[code] = None if unicodedata.combining(chr(code)) else code
        return self[code]


_BARE = _Bare()


def fold(text: str) -> str:
    """Lower case, no accents, ligatures opened, typographic apostrophes straight, spaces single."""
    text = text.replace("œ", "oe").replace("Œ", "oe").replace("æ", "ae").replace("Æ", "ae").replace("’", "'")
    decomposed = unicodedata.normalize("NFKD", text)
    return " ".join(decomposed.translate(_BARE).casefold().split())


def words(text: str) -> list[str]:
    """The folded words and numbers of a text; English contractions in one piece ("don't" → "dont")."""
    folded = re.sub(r"(?<=[a-z])n't\b", "nt", fold(text))
    return re.findall(r"[^\W_]+", folded)


def stems(text: str) -> list[str]:
    """How the content words of a text begin, in their order: what two texts share tells whether they are about the same."""
    return [w[:STEM] for w in words(text) if w not in SMALL]


def negations(text: str) -> tuple[str, ...]:
    """The words of a text that turn it round, sorted."""
    return tuple(sorted(w for w in words(text) if w in NEGATIONS))
