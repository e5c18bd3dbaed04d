"""Content: which answers say something, which repeat another, and which say nothing about the question.

In doubt an answer has content: "Rien", "Aucun", "Non" are positions ("What should improve?" — "Nothing").
"""

import re
from collections import defaultdict
from collections.abc import Iterable

from embeddings.near import near_duplicates
from service.domain.round import Answer, Question
from service.domain.steps import Content, Duplicate, NoContent, NoContentReason
from service.domain.wordform import fold, negations, words

CAMPAIGN_VOICES = 3
"""Respondents from which copies of a long text are a campaign."""

CAMPAIGN_WORDS = 12
"""Words from which a text is long enough to be copied rather than thought of twice."""

COMPARATIVES = frozenset("plus moins trop assez peu tout tous toute toutes more less fewer too enough all some".split())
"""Words whose change turns a sentence as much as a negation does."""

SAYS_NOTHING: dict[NoContentReason, frozenset[str]] = {
    "nothing_said": frozenset(
        "ras|r a s|rien a signaler|rien a dire|rien a ajouter|rien de plus|rien de particulier|pas de commentaire|"
        "pas de commentaires|aucun commentaire|sans commentaire|pas de remarque|pas de remarques|aucune remarque|"
        "pas de reponse|sans reponse|aucune reponse|no comment|no comments|nothing to add|nothing to say|"
        "nothing to report|no answer|no response|x|xx|xxx|test|neant|null|nil".split("|")
    ),
    "not_concerned": frozenset(
        "sans objet|s o|so|n a|na|non applicable|non concerne|non concernee|non concernes|pas concerne|pas concernee|"
        "je ne suis pas concerne|je ne suis pas concernee|nous ne sommes pas concernes|not applicable|not concerned|"
        "does not apply|doesnt apply".split("|")
    ),
    "no_opinion": frozenset(
        "nsp|ne sait pas|ne sais pas|je ne sais pas|je sais pas|nous ne savons pas|sais pas|sans opinion|sans avis|"
        "pas d avis|pas d opinion|aucun avis|aucune opinion|aucune idee|je n ai pas d avis|je n ai pas d opinion|"
        "nous n avons pas d avis|pas d idee|je n ai pas d idee|ne se prononce pas|ne se prononcent pas|nspp|"
        "i dont know|dont know|do not know|i do not know|no opinion|no idea|not sure|unsure|idk|dk".split("|")
    ),
    "same_as_above": frozenset(
        "idem|id|ibid|ditto|meme reponse|meme chose|voir ci dessus|cf ci dessus|voir plus haut|cf supra|"
        "voir reponse precedente|voir ma reponse precedente|cf reponse precedente|same|same as above|see above|"
        "same answer|as above".split("|")
    ),
}

MISSPELT_FROM = 6
"""Letters from which one wrong letter is forgiven; shorter words are too near to others ("sans" / "dans")."""

REFERS = re.compile(
    r"^(?:idem (?:que )?(?:a )?|(?:cf|cfr|voir|se referer a|se reporter a|voir ma|voir notre|voir la|deja repondu|"
    r"meme reponse (?:que )?(?:a )?|see|see my|see our|see the|same as|refer to|as in) ?)"
    r"(?:ma |notre |la |my |our |the )?(?:reponse |answer |response )?"
    r"(?:en |a |au |aux |de |in |to )?(?:la |les )?"
    r"(?:questions?|q|n|no|num|numero|point|item)? ?(?:n |no |numero )?(?P<number>[a-z]{0,2}\d{1,3})"
    r"(?: ?(?:et|and|&) ?[a-z]{0,2}\d{1,3})?$"
)


def find_content(answers: tuple[Answer, ...], questions: tuple[Question, ...]) -> Content:
    """Sort the answers to one open question into kept, without content, and duplicates of a kept one.

    questions: all open questions in order, to resolve "cf. question 3". The order of the answers does not matter.
    """
    no_content: list[NoContent] = []
    speaking: list[Answer] = []
    for answer in sorted(answers, key=lambda a: a.id):
        empty = says_nothing(answer, questions)
        if empty is None:
            speaking.append(answer)
        else:
            no_content.append(empty)
    twins = _twins(speaking)
    duplicates = _duplicates(speaking, twins)
    repeated = {d.answer_id for d in duplicates}
    return Content(
        kept=tuple(a for a in speaking if a.id not in repeated),
        no_content=tuple(no_content),
        duplicates=duplicates,
    )


def says_nothing(answer: Answer, questions: tuple[Question, ...] = ()) -> NoContent | None:
    """Why an answer has no content, or None if it has."""
    said = words(answer.text)
    if not said:
        return None if _has_symbol(answer.text) else NoContent(answer_id=answer.id, reason="empty")
    if len(said) > 9:
        return None
    plain = " ".join(said)
    refers = REFERS.match(plain)
    if refers:
        return NoContent(
            answer_id=answer.id, reason="refers", see=_question_named(refers["number"], questions)
        )
    for reason, patterns in SAYS_NOTHING.items():
        if plain in patterns or any(_misspelt(plain, p) for p in patterns):
            return NoContent(answer_id=answer.id, reason=reason)
    return None


def _has_symbol(text: str) -> bool:
    """An answer of one emoji ("👍") says something; punctuation and blanks do not."""
    return any(ord(c) > 0x2190 and not c.isspace() and c not in "⁇⁈⁉…。、️​‍﻿" for c in text)


def _misspelt(text: str, pattern: str) -> bool:
    """One letter wrong, missing, added or swapped with its neighbour, in a pattern that is long enough."""
    a, b = text.replace(" ", ""), pattern.replace(" ", "")
    if len(b) < MISSPELT_FROM or abs(len(a) - len(b)) > 1 or a[:1] != b[:1]:
        return a == b and len(b) >= 3
    if a == b:
        return True
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rest_a, rest_b = a[start:], b[start:]
    return (
        rest_a[1:] == rest_b[1:]
        or rest_a[1:] == rest_b
        or rest_a == rest_b[1:]
        or (rest_a[:2] == rest_b[1::-1] and rest_a[2:] == rest_b[2:])
    )


def _question_named(number: str, questions: tuple[Question, ...]) -> str | None:
    """The id of the question that "3" or "q3" names: its id, its id's digits, or its place."""
    digits = re.sub(r"\D", "", number)
    for q in questions:
        if fold(q.id) in (number, f"q{digits}", digits):
            return q.id
    place = int(digits) - 1
    return questions[place].id if 0 <= place < len(questions) else None


def _twins(answers: list[Answer]) -> list[tuple[int, int]]:
    """Pairs of positions whose texts are the same word for word, or nearly, with the same negations and numbers."""
    same: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i, answer in enumerate(answers):
        same[tuple(words(answer.text)) or (answer.text.strip(),)].append(i)
    pairs = [(many[0], other) for many in same.values() for other in many[1:]]
    leaders = [many[0] for many in same.values()]
    for pair in near_duplicates([answers[i].text for i in leaders]):
        a, b = leaders[pair.first], leaders[pair.second]
        if _turns(answers[a].text) == _turns(answers[b].text):
            pairs.append((a, b))
    return pairs


def _turns(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a near-duplicate must share exactly: negations, numbers and comparatives."""
    return negations(text), tuple(sorted(w for w in words(text) if w.isdigit() or w in COMPARATIVES))


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
        voices = {answers[i].voice for i in crowd}
        lead = words(answers[first].text)
        campaign = len(voices) >= CAMPAIGN_VOICES and len(lead) >= CAMPAIGN_WORDS
        for i in crowd:
            if i != first:
                exact = words(answers[i].text) == lead
                kind = "campaign" if campaign else "exact" if exact else "near"
                made.append(Duplicate(answer_id=answers[i].id, of=answers[first].id, kind=kind))  # type: ignore[arg-type]
    return tuple(sorted(made, key=lambda d: d.answer_id))
