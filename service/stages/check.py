"""Checks of one text before it is accepted: form, language, numbers, quantities, polarity, support. Each gives a reason or None.

Reasons are written for the model that is asked again, and for the analyst who reads the note.
"""

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from service.domain.language import is_surely_other
from service.domain.round import Language
from service.domain.wordform import NEGATIONS, negations, word_set, words
from service.domain.wording import overclaim
from service.stages.cutting import stops

Encode = Callable[[Sequence[str]], NDArray[np.float32]]

CODE = re.compile(r"https?://|\bwww\.|(?<![\w.])/\w+/\w|[<>{}\\|]|\w@\w|\w\(\)")
"""An address, a path, markup or a call."""

LACK = re.compile(r"\b(?:pas assez|pas suffi\w+|not enough|not suffi\w+|n['’]t enough)\b", re.IGNORECASE)
"""Negations that say that something is missing, and deny nothing."""

LABEL_WORDS = 25
SENTENCE_WORDS = 45
HEADING_WORDS = 16

DENIALS = word_set(
    """
    pas jamais aucun aucune rien ni non nul nulle guere not no never none nobody nothing nor cannot
    """
)
AUXILIARIES = word_set("do does did is are was were wo ca would should could has have had")


def one_sentence(text: str, most_words: int) -> str | None:
    """Reason why a text is not one sentence of at most so many words, or None."""
    n = len(re.findall(r"\w+(?:['’-]\w+)*", text))
    if n == 0:
        return "the text is empty"
    if n > most_words:
        return f"{n} words: at most {most_words}"
    inside = re.sub(r"[«“\"][^»”\"]*[»”\"]", "x", text.strip())
    if stops(inside) or "\n" in text.strip():
        return "more than one sentence"
    return None


def wrong_language(text: str, language: Language) -> str | None:
    if is_surely_other(text, language):
        return "écris en français" if language == "fr" else "write in English"
    return None


def new_number(text: str, sources: Sequence[str]) -> str | None:
    """A number that none of the sources has."""
    known = {n for source in sources for n in re.findall(r"\d+", source)}
    new = [n for n in re.findall(r"\d+", text) if n not in known]
    return f"the number {new[0]} is in nothing that is cited: write no numbers" if new else None


def repeats(text: str) -> str | None:
    """A model caught in a loop: the same four words three times."""
    said = words(text)
    fours = [tuple(said[i : i + 4]) for i in range(len(said) - 3)]
    if any(fours.count(f) >= 3 for f in set(fours)):
        return "the text repeats itself"
    return None


def code(text: str) -> str | None:
    """An address, a path or markup: words of a machine's, which no position needs."""
    return "an address, a path or markup: write words" if CODE.search(text) else None


def turned(text: str, sources: Sequence[str]) -> str | None:
    """A denial that the sources lack, or one that each of several has and the text dropped."""
    denies = _denies(text)
    turn = [_denies(s) or any(w in NEGATIONS for w in words(s)) for s in sources]
    if denies and sources and not any(turn):
        return "the text denies something that no cited text denies"
    if not denies and len(sources) > 1 and all(map(_denies, sources)) and not negations(text):
        return "every cited text denies something and this one does not: keep the negation"
    return None


def _denies(text: str) -> bool:
    """A full negation: "ne" alone may be an expletive ("je crains qu'il ne parte"), "pas assez" tells of a lack."""
    text = LACK.sub(" ", text)
    contracted = re.search(r"n['’]t\b", text) is not None  # else "dont" is French
    return any(
        w in DENIALS or (contracted and w.endswith("nt") and w[:-2] in AUXILIARIES) for w in words(text)
    )


def check_label(text: str, sources: Sequence[str], language: Language) -> str | None:
    """The first reason to refuse a model's label, or None."""
    return (
        one_sentence(text, LABEL_WORDS)
        or wrong_language(text, language)
        or new_number(text, sources)
        or repeats(text)
        or code(text)
        or (_topic(text))
        or turned(text, sources)
    )


def check_sentence(
    text: str, sources: Sequence[str], language: Language, *, n: int, total: int
) -> str | None:
    """The first reason to refuse a model's synthesis sentence, or None. n, total: see `overclaim`."""
    claim = overclaim(text, n, total)
    return (
        one_sentence(text, SENTENCE_WORDS)
        or wrong_language(text, language)
        or new_number(text, sources)
        or repeats(text)
        or code(text)
        or (f"« {claim} » says more than the {n} of {total} respondents cited" if claim else None)
    )


def _topic(text: str) -> str | None:
    """A label of a word or two is a topic, whatever its grammar."""
    return "a topic, not a position: write a sentence with a verb" if len(words(text)) < 4 else None
