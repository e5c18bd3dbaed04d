"""Forms of a text for comparing. What people wrote is never replaced by them."""

import re
import unicodedata

NEGATIONS = frozenset(
    "ne n ni pas non jamais aucun aucune aucuns aucunes nul nulle rien sans contre guère refus refuse refusons "
    "no not never none nobody nothing nor without against neither cannot dont doesnt didnt isnt arent wasnt wont cant shouldnt".split()
)
"""Words that turn a statement round, folded (no accents, no apostrophes in English contractions)."""


def fold(text: str) -> str:
    """Lower case, no accents, ligatures opened, typographic apostrophes straight, spaces single."""
    text = text.replace("œ", "oe").replace("Œ", "oe").replace("æ", "ae").replace("Æ", "ae").replace("’", "'")
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return re.sub(r"\s+", " ", bare.casefold()).strip()


def words(text: str) -> list[str]:
    """The folded words and numbers of a text; English contractions in one piece ("don't" → "dont")."""
    folded = re.sub(r"(?<=[a-z])n't\b", "nt", fold(text))
    return re.findall(r"[^\W_]+", folded)


def negations(text: str) -> tuple[str, ...]:
    """The words of a text that turn it round, sorted."""
    return tuple(sorted(w for w in words(text) if w in NEGATIONS))
