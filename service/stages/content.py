"""Content: which answers say something, which repeat another, and which say nothing about the question.

In doubt an answer has content: "Rien", "Aucun", "Non" are positions ("What should improve?" — "Nothing").
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from typing import Literal

from embeddings.near import near_duplicates
from service.domain.round import Answer, Question
from service.domain.steps import Content, Duplicate, NoContent
from service.domain.wordform import negations, word_set, words
from service.stages.nothing import says_nothing

Kind = Literal["exact", "near", "campaign"]

CAMPAIGN_VOICES = 3
"""Respondents from which copies of a long text are a campaign."""

CAMPAIGN_WORDS = 12
"""Words from which a text is long enough to be copied rather than thought of twice."""

TURNING = word_set(
    """
    plus moins trop assez peu tout tous toute toutes plusieurs seulement uniquement toujours parfois
    rarement presque pour contre avec sans avant apres oui deux trois quatre cinq six sept huit neuf dix
    vingt trente cent mille double augmenter augmentation diminuer diminution baisser baisse reduire
    reduction hausse supprimer suppression maintenir maintien developper limiter interdire autoriser
    obligatoire facultatif public prive bon bonne mauvais mauvaise facile difficile satisfait mecontent
    more less fewer too enough all some only always sometimes for with before after yes two three four
    five ten increase decrease raise lower reduce keep remove ban allow public private good bad easy
    difficult happy
    """
)
"""Folded words whose change turns a sentence as much as a negation does; numbers written out among them."""

SIGNS = re.compile(r"[+<>=%€$£]|(?<!\w)-(?= ?(?:d[e'’ ]|\d))")
"""Signs that are said as words: "+ de médecins" is not "- de médecins"."""

HIGH = re.compile(r"[^\x00-\u218f]")
"""Where emoji and other symbols lie."""


def find_content(answers: tuple[Answer, ...], questions: tuple[Question, ...]) -> Content:
    """Sort the answers to one open question into kept, without content, and duplicates of a kept one.

    questions: all open questions in order, to resolve "cf. question 3". The answers may come in any order.
    """
    no_content: list[NoContent] = []
    speaking: list[Answer] = []
    # which copy leads the others, its text says, not its row: the shortest adds nothing, and none in capitals before others
    for answer in sorted(answers, key=lambda a: (len(a.text), a.text.swapcase(), a.id)):
        empty = says_nothing(answer, questions)
        if empty is None:
            speaking.append(answer)
        else:
            no_content.append(empty)
    twins = _twins(speaking)
    duplicates = _duplicates(speaking, twins)
    repeated = {d.answer_id for d in duplicates}
    return Content(
        kept=tuple(sorted((a for a in speaking if a.id not in repeated), key=lambda a: a.id)),
        no_content=tuple(sorted(no_content, key=lambda n: n.answer_id)),
        duplicates=duplicates,
    )


def _twins(answers: list[Answer]) -> list[tuple[int, int]]:
    """Pairs of positions whose texts are the same word for word, or nearly and turn the same way."""
    same: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i, answer in enumerate(answers):
        same[_said(answer.text)].append(i)
    pairs = [(many[0], other) for many in same.values() for other in many[1:]]
    leaders = [many[0] for many in same.values()]
    texts = [answers[i].text for i in leaders]
    found = near_duplicates(texts, keys=[_turns(text) for text in texts])
    return pairs + [(leaders[pair.first], leaders[pair.second]) for pair in found]


def _said(text: str) -> tuple[str, ...]:
    """Words, signs and symbols: the same for two texts that differ in case, accents and punctuation only."""
    symbols = sorted(c for c in HIGH.findall(text) if unicodedata.category(c) == "So")
    return (*words(text), *SIGNS.findall(text), *symbols)


def _turns(text: str) -> tuple[tuple[str, ...], ...]:
    """What a near-duplicate must share exactly: negations, numbers, turning words and signs."""
    turning = tuple(sorted(w for w in words(text) if w in TURNING or any(map(str.isdigit, w))))
    return negations(text), turning, tuple(sorted(SIGNS.findall(text)))


def _duplicates(answers: list[Answer], pairs: Iterable[tuple[int, int]]) -> tuple[Duplicate, ...]:
    head = list(range(len(answers)))

    def find(i: int) -> int:
        while head[i] != i:
            head[i] = head[head[i]]
            i = head[i]
        return i

    for a, b in pairs:
        low, high = sorted((find(a), find(b)))
        head[high] = low
    crowds: dict[int, list[int]] = defaultdict(list)
    for i in range(len(answers)):
        crowds[find(i)].append(i)
    made = []
    for first, crowd in crowds.items():
        if len(crowd) == 1:
            continue
        voices = {answers[i].voice for i in crowd}
        lead = _said(answers[first].text)
        campaign = len(voices) >= CAMPAIGN_VOICES and len(lead) >= CAMPAIGN_WORDS
        for i in crowd:
            if i != first:
                exact = _said(answers[i].text) == lead
                kind: Kind = "campaign" if campaign else "exact" if exact else "near"
                made.append(Duplicate(answer_id=answers[i].id, of=answers[first].id, kind=kind))
    return tuple(sorted(made, key=lambda d: d.answer_id))
