"""Which of the languages of the house a text is in, by its most frequent words."""

import re
from collections.abc import Iterable

from service.domain.round import Language

FRENCH = frozenset(
    [
        "le",
        "la",
        "les",
        "un",
        "une",
        "des",
        "du",
        "de",
        "et",
        "est",
        "sont",
        "dans",
        "pour",
        "pas",
        "ne",
        "que",
        "qui",
        "sur",
        "avec",
        "plus",
        "nous",
        "vous",
        "ce",
        "cette",
        "ces",
        "au",
        "aux",
        "par",
        "il",
        "elle",
        "ils",
        "elles",
        "on",
        "je",
        "se",
        "sa",
        "son",
        "ses",
        "leur",
        "leurs",
        "mais",
        "ou",
        "où",
        "en",
        "à",
        "être",
        "avoir",
        "fait",
        "faut",
        "trop",
        "sans",
        "comme",
        "tout",
        "tous",
        "très",
        "aussi",
        "l",
        "d",
        "qu",
        "n",
        "j",
        "c",
        "s",
        "m",
        "y",
        "ont",
        "été",
        "doit",
        "peut",
        "même",
        "entre",
        "chez",
    ]
)
ENGLISH = frozenset(
    [
        "the",
        "a",
        "an",
        "and",
        "or",
        "of",
        "to",
        "in",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "for",
        "not",
        "no",
        "with",
        "on",
        "at",
        "by",
        "from",
        "this",
        "that",
        "these",
        "those",
        "it",
        "its",
        "we",
        "you",
        "they",
        "he",
        "she",
        "i",
        "my",
        "our",
        "your",
        "their",
        "more",
        "should",
        "would",
        "could",
        "have",
        "has",
        "had",
        "do",
        "does",
        "did",
        "there",
        "which",
        "who",
        "what",
        "when",
        "as",
        "but",
        "if",
        "so",
        "than",
        "too",
        "very",
        "all",
        "can",
        "will",
        "about",
    ]
)
ENOUGH = 4
"""Function words below which a single text is not judged."""


def _hits(text: str) -> tuple[int, int]:
    words = re.findall(r"[^\W\d_]+", text.casefold())
    return sum(w in FRENCH for w in words), sum(w in ENGLISH for w in words)


def detect_language(texts: Iterable[str]) -> Language:
    """The language of most function words in the texts; French where nothing tells."""
    french = english = 0
    for text in texts:
        f, e = _hits(text)
        french, english = french + f, english + e
    return "en" if english > french else "fr"


def is_surely_other(text: str, language: Language) -> bool:
    """True if a text is clearly in the other language: enough function words, and twice as many as of its own."""
    french, english = _hits(text)
    own, other = (french, english) if language == "fr" else (english, french)
    return other >= ENOUGH and other > 2 * own
