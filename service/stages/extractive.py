"""The drafter without a model: a group's label is one of its verbatims, chosen and cut, never written.

What is chosen: near the centre of the group, a full clause, of a readable length, without anecdote, example or name.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from service.domain.polarity import polarity
from service.domain.round import Language
from service.domain.wordform import NEGATIONS, SMALL, STEM, negations, word_set, words
from service.domain.wording import quoted, typeset
from service.stages.check import LABEL_WORDS, Encode
from service.stages.cutting import stops

OPPOSED_WORDS = 12
"""Words of each side in a label that says that people oppose."""

VERB = re.compile(
    r"\b(?:est|sont|était|sera|serait|soit|a|ont|avait|aura|faut|faudrait|doit|doivent|devrait|devraient|peut|peuvent|pourrait|"
    r"manque|manquent|reste|restent|permet|permettent|demande|demandons|souhaite|souhaitons|veut|voulons|refuse|refusons|"
    r"mérite|coûte|coûtent|freine|aide|aident|sert|vient|va|vont|fait|font|met|mettent|prend|rend|"
    r"is|are|was|were|be|has|have|had|should|must|need|needs|can|could|will|would|do|does|want|make|makes|take|takes)\b"
    r"|^\W*\w{2,}(?:er|ir|re|oir)\b|\b\w{3,}(?:ons|ez|aient|èrent)\b|\bne \w+ pas\b|^(?:no|not|don't|stop|give|keep|let|make)\b",
    re.IGNORECASE,
)
ANECDOTE = re.compile(
    r"\b(?:j['’]ai|je suis|j['’]étais|mon|ma|mes|moi|notre|nos|chez nous|l['’]an dernier|hier|i am|i was|i had|my|me)\b",
    re.IGNORECASE,
)
DANGLING = re.compile(
    r"^(?:cela|ceci|ça|ce qui|ils|elles|celui|celle|ceux|là|y|en|c['’]est|this|that|these|they|it|which|who)\b",
    re.IGNORECASE,
)
LOOSE = re.compile(
    r"^(?:qui|dont|et|or|donc|alors|puis|and|so|then|also)\b|\b(?:et|ou|mais|de|du|des|à|au|le|la|les|pour|que|qui|ne|"
    r"and|or|but|of|to|the|for|with)\W*$",
    re.IGNORECASE,
)
"""A text that begins or ends in the middle of a sentence."""
CONDITION = re.compile(
    r"\b(?:si|sauf|sous réserve|à condition|à moins|tant que|sans|uniquement|seulement|mais|if|unless|except|only|provided|but|without)\b",
    re.IGNORECASE,
)
SUBORDINATE = re.compile(
    r"^(?:et |and )?(?:s['’]il|si|quand|lorsqu|dès qu|dès lors qu|tant qu|puisqu|comme|bien qu|même si|en cas d|"
    r"if|when|once|as soon as|as long as|while|although|because|since|unless)\w*\b",
    re.IGNORECASE,
)
"""What begins a clause that says nothing without the one that follows it."""

CLAUSE = re.compile(
    r"\s*[;:–—]\s+|,\s+|\s+\((?=[^)]*\)\W*$)|\s+(?=(?:parce que|car|afin de|afin que|pour que|because|so that)\b)"
)
COMMON = word_set(
    """
    sommes notre votre avons avoir serait faudrait doivent devons pouvoir toute toutes encore chaque autre
    would their there about those which every other being
    """
)
"""Longer words that say nothing of what a label is about."""

NAME = re.compile(r"(?<=[\w,;] )[A-ZÀÉÈ][a-zà-ÿ]{2,}")


def opposed_sides(texts: Sequence[str]) -> tuple[list[int], list[int]] | None:
    """Positions of the texts for and against, where both sides are at least a third of those that take one."""
    signs = [polarity(t) for t in texts]
    favours = [i for i, s in enumerate(signs) if s > 0]
    against = [i for i, s in enumerate(signs) if s < 0]
    least = max(1.0, (len(favours) + len(against)) / 3)
    if len(favours) >= least and len(against) >= least and len(favours) + len(against) >= len(texts) / 2:
        return favours, against
    return None


def short_form(text: str, most: int = LABEL_WORDS) -> str | None:
    """A text cut at a clause boundary to at most so many words; None if that would drop a negation or a condition."""
    text = text.strip()
    end = next(iter(stops(text)), len(text))
    sentence, rest = text[:end].strip(), text[end:].lstrip()
    if CONDITION.match(rest):
        return text if len(words(text)) <= most else None
    if len(words(sentence)) <= most:
        return sentence
    ends = [m.start() for m in CLAUSE.finditer(sentence)]
    for end in reversed(ends):
        head, tail = sentence[:end].rstrip(" ,;:–—"), sentence[end:]
        if 5 <= len(words(head)) <= most and not CONDITION.search(tail) and not negations(tail):
            if SUBORDINATE.match(re.split(r"[,;:–—(]\s*", head)[-1]):
                continue
            return head
    return None


def choose(
    texts: Sequence[str], vectors: NDArray[np.float32], taken: frozenset[str] = frozenset()
) -> tuple[str, int]:
    """The text that stands best for all, in its short form, and its position. Where none can be cut whole, the most central
    one is cut after the last word that fits and ends with "…"."""
    mean = vectors.mean(axis=0)
    length = float(np.linalg.norm(mean)) or 1.0
    central = vectors @ (mean / length)
    best: tuple[float, int, str] | None = None
    for i, text in enumerate(texts):
        short = short_form(text)
        if short is None or short in taken:
            continue
        score = 2 * float(central[i]) + _form(short, cut=short != text)
        if best is None or score > best[0] + 1e-9:
            best = (score, i, short)
    if best is not None:
        return best[2], best[1]
    i = int(np.argmax(central))
    return _cut_short(texts[i]), i


def _form(text: str, *, cut: bool) -> float:
    """How well a text reads as a position, beside twice its cosine to the group's mean."""
    said = words(text)
    score = 0.25 if VERB.search(text) else 0.0
    score += 0.15 if 6 <= len(said) <= 20 else 0.05 if 4 <= len(said) <= 25 else -0.3
    score -= 0.3 * (len(said) < 3) + 0.4 * bool(LOOSE.search(text))  # "Voyons…"; "Et malheureusement il…"
    score -= 0.15 * bool(ANECDOTE.search(text)) + 0.2 * bool(DANGLING.search(text)) + 0.1 * cut
    score -= 0.1 * bool(NAME.search(text)) + 0.1 * any(w.isdigit() for w in said)
    score -= (
        0.15 * text.rstrip().endswith("?")
        + 0.15 * (text.isupper())
        + 0.1 * text.count("(")
        + 0.05 * text.count("!")
    )
    return score


def _cut_short(text: str) -> str:
    cut = re.match(rf"(?:\S+\s+){{0,{LABEL_WORDS - 1}}}\S+", text.strip())
    return (cut[0] if cut else text.strip()).rstrip(" ,;:.") + "…"


def as_sentence(text: str, language: Language) -> str:
    """Capital, full stop, typography."""
    bare = re.sub(r"(?<!\.)\.\.$", ".", " ".join(text.split()).strip(" -–—•;,:/").lstrip(".… "))
    if not bare.endswith(("…", "!", "?", ".")):
        bare += "."
    return typeset(bare[:1].upper() + bare[1:], language)


def extractive_label(
    texts: Sequence[str], encode: Encode, language: Language, taken: frozenset[str] = frozenset()
) -> tuple[str, int]:
    """Label of a group from its members' texts, and the position of the one that gave it."""
    vectors = encode(list(texts))
    sides = opposed_sides(texts) if len(texts) > 1 else None
    if sides is not None:
        halves = []
        for side in sides:
            one, at = choose([texts[i] for i in side], vectors[side])
            halves.append((one, side[at]))
        return both_sides([h for h, _ in halves], language), halves[0][1]
    signs = [polarity(t) for t in texts]
    lean = int(np.sign(sum(signs)))
    told = [i for i, s in enumerate(signs) if s != -lean or not lean]  # never a word of the smaller side
    text, at = choose([texts[i] for i in told], vectors[told], taken)
    return as_sentence(text, language), told[at]


def both_sides(sides: Sequence[str], language: Language) -> str:
    """A label that says that people oppose, and how."""
    head = "Les avis s’opposent : " if language == "fr" else "Views oppose each other: "
    short = [short_form(one, OPPOSED_WORDS) or _head(one) for one in sides]
    return as_sentence(head + " / ".join(quoted(one, language) for one in short), language)


def oppose(one: str, other: str) -> bool:
    """Whether two labels take opposite sides of the same thing: a word that both have tells, or they are a bare yes and no."""
    if polarity(one) * polarity(other) >= 0:
        return False
    return bool(_stems(one) & _stems(other)) or max(len(words(one)), len(words(other))) <= 2


@lru_cache(maxsize=10_000)
def _stems(text: str) -> frozenset[str]:
    """How its words begin that may name what it is about."""
    return frozenset(w[:STEM] for w in words(text) if len(w) >= STEM and w not in SMALL | NEGATIONS | COMMON)


def _head(text: str) -> str:
    return " ".join(text.split()[:OPPOSED_WORDS]) + "…"
