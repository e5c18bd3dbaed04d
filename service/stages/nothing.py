"""Answers that surely say nothing: blank, "RAS", "sans objet", "NSP", "cf. question 3", "idem", misspelt kin.

In doubt an answer has content: "Rien", "Non", "Nothing", "Pas de réponse" (of an office?) are positions.
"""

import re
import unicodedata
from collections import defaultdict
from functools import lru_cache

from service.domain.round import Answer, Question
from service.domain.steps import NoContent, NoContentReason
from service.domain.wordform import fold, word_set, words


def _phrases(text: str) -> frozenset[str]:
    return frozenset(phrase.strip() for phrase in text.split("|"))


SAYS_NOTHING: dict[NoContentReason, frozenset[str]] = {
    "nothing_said": _phrases(
        """
        ras|r a s|rien a signaler|rien a dire|rien a ajouter|pas de commentaire|pas de commentaires|
        aucun commentaire|sans commentaire|sans commentaires|pas de remarque|pas de remarques|aucune remarque|
        sans reponse|no comment|no comments|nothing to add|nothing to say|nothing to report|no answer|
        x|xx|xxx|xxxx|test|neant|null|nr|blah|blah blah|bla bla|asdf|azerty|qwerty|qsdf
        """
    ),
    "not_concerned": _phrases(
        """
        sans objet|s o|so|n a|na|nc|n c|non applicable|non concerne|non concernee|non concernes|
        non concernees|pas concerne|pas concernee|pas concernes|non pas concerne|plus concerne|
        plus concernee|je ne suis pas concerne|je ne suis pas concernee|je ne suis plus concerne|
        je ne suis plus concernee|je suis pas concerne|je suis pas concernee|
        nous ne sommes pas concernes|nous ne sommes pas concernees|pas mon cas|ce n est pas mon cas|
        not applicable|not concerned|does not apply|doesnt apply|does not apply to me|doesnt apply to me
        """
    ),
    "no_opinion": _phrases(
        """
        nsp|nspp|ne sait pas|ne sais pas|je ne sais pas|je sais pas|je ne sais|nous ne savons pas|
        sais pas|sans opinion|sans avis|pas d avis|pas d opinion|aucun avis|aucune opinion|aucune idee|
        je n ai pas d avis|je n ai aucun avis|je n ai pas d opinion|je n ai aucune idee|
        nous n avons pas d avis|pas d idee|pas d idees|je n ai pas d idee|je n ai pas d idees|
        ne se prononce pas|ne se prononcent pas|je ne me prononce pas|je ne sais pas repondre|
        ne sais pas repondre|je ne sais pas quoi repondre|je ne sais pas quoi dire|je ne sais plus|
        je ne vois pas|je ne vois rien|rien en tete|rien ne me vient|rien ne me vient a l esprit|
        pas d exemple|pas d exemples|aucun exemple|je n ai pas d exemple|je n ai pas d exemples|
        je n ai aucun exemple|no example|no examples|i have no example|i have no examples|
        i dont know|dont know|do not know|i do not know|no opinion|i have no opinion|no idea|
        i have no idea|not sure|im not sure|i m not sure|i am not sure|unsure|idk|dk|no clue|dunno|
        i dunno
        """
    ),
}

EXACT: dict[str, NoContentReason] = {p: reason for reason, many in SAYS_NOTHING.items() for p in sorted(many)}

BY_LETTERS: dict[tuple[str, int], list[tuple[str, NoContentReason]]] = defaultdict(list)
"""The patterns by first letter and number of letters."""
for _pattern, _reason_ in EXACT.items():
    BY_LETTERS[_pattern[0], len(_pattern.replace(" ", ""))].append((_pattern, _reason_))

ONE_LETTER = re.compile(r"([a-mp-xz])\1*")
"""A letter, or one over and over: a slip of the hand. "O", "N" and "Y" are yes and no."""

MISSPELT_FROM = 6
"""Letters from which one wrong letter is forgiven; shorter words are too near to others ("sans" / "dans")."""

OTHER_WORDS = word_set(
    """
        suis fait fais vais vait avait avis amis amie ami abri abris lire rire pure cure pay play stay
    lay     aid and projet idees sens dans fans une un uns concert concerte concertes conserve consterne
    sore
    """
)
"""Real words one letter away from a word of a pattern: "pas d'amis" is not a misspelt "pas d'avis"."""

FLUFF = re.compile(
    r"\b(?:pour (?:moi|nous|ma part|notre part|l instant|le moment)|"
    r"a (?:ce jour|ma connaissance|cette question)|"
    r"actuellement|personnellement|directement|recemment|merci|desolee?|helas|malheureusement|vraiment|trop|"
    r"du tout|franchement|sur (?:ce sujet|ce point|la question|cette question|le sujet)|"
    r"(?:comme ca |la )?(?:en tete|a l esprit)|qui me vien(?:t|nent)|a ce moment|a l instant|"
    r"immediatement|spontanement|a titre personnel|"
    r"(?:dans|en) (?:mon|notre) cas|particuli(?:er|ere)|precise?|non plus|de ma part|thanks?(?: you)?|sorry|"
    r"really|honestly|at (?:this time|the moment|present)|for (?:me|now|us)|to me|right now|on this|"
    r"i m afraid)\b"
)
"""Words around a "no content" that add nothing: "RAS pour l'instant", "pas d'avis sur la question"."""

POINTS = word_set(
    """
        voir voire cf cfr see refer idem ibid id meme memes same ditto deja already answered as comme
    """
)
"""Words one of which an answer holds that only points elsewhere."""

PLACES = word_set(
    """
        dessus dessous cidessus cidessous haut bas supra infra precedent precedente precedents
    precedentes     precedemment suivante suivantes repondu question questions reponse reponses above
    below previous     previously prior earlier answer answers response responses q item point
    paragraphe
    """
)
"""Words for where it points to."""

ALONE = word_set(
    """
        idem ibid ditto same
    """
)
"""Words that point to the answer before without naming a place."""

FILLING = word_set(
    """
        ci si au a aux de du d des en la le les l ma mes mon notre nos je j ai avons que qu pour et ou
    cette     ce cela plus n no num numero premiere derniere chose merci dit indique indiquee traite
    evoque     exprime aborde ecrit donnee donnees mention mentionne mentionnee commentaire commentaires
    remarque     remarques texte se referer reporter avant apres the my our to in and or i we ve have
    has been please     per again this that first last comment comments noted stated mentioned described
    given covered said premier dernier dans cadre encadre case rubrique questionnaire formulaire
    svp stp s il vous plait form box section please re e er st nd rd th eme ere 1er 1ere fait
    """
)
"""Words that an answer which only points elsewhere may hold besides."""

NUMBERED = re.compile(
    r"\b(?:questions?|q|reponses?|answers?|responses?|n|no|num|numero|point|item|"
    r"cf|voir|see|idem|paragraphe)\b ?"
    r"(?:n |no |numero |a la |to |la |question |q |que )*?q?(?P<number>\d{1,3})\b"
    r"(?! (?:questions|reponses|answers|lignes|cases))"
)
FIRST = re.compile(r"\b(?:premiere|1ere|1re|first|1st) (?:question|reponse|answer|response)\b")
BEFORE = re.compile(
    r"\b(?:(?:question|reponse|answer|response) (?:precedente|d avant)|"
    r"(?:previous|prior|last) (?:question|answer|response))\b"
)


def says_nothing(answer: Answer, questions: tuple[Question, ...] = ()) -> NoContent | None:
    """Why an answer has no content, or None if it has.

    questions: all open questions in order, to resolve "cf. question 3" and "question précédente".
    """
    if len(answer.text) > 200:
        return None if any(c.isalnum() for c in answer.text) else _blank(answer)
    plain = " ".join(words(answer.text))
    if not plain:
        return _blank(answer)
    reason = _reason(plain) or _reason_by_parts(answer.text)
    if reason is not None:
        return NoContent(answer_id=answer.id, reason=reason)
    if _only_points(plain):
        names = bool(NUMBERED.search(_spaced(plain)) or re.search(r"\bquestions?\b", plain))
        return NoContent(
            answer_id=answer.id,
            reason="refers" if names else "same_as_above",
            see=_pointed_at(_spaced(plain), answer, questions),
        )
    return None


def _blank(answer: Answer) -> NoContent | None:
    """Blanks and punctuation; but an answer of one emoji ("👍") says something."""
    if any(unicodedata.category(c) == "So" and c not in "°©®™|¦►●■□☐☑▪" for c in answer.text):
        return None
    return NoContent(answer_id=answer.id, reason="empty")


@lru_cache(maxsize=50_000)
def _reason(plain: str) -> NoContentReason | None:
    if ONE_LETTER.fullmatch(plain):
        return "nothing_said"
    for text in (plain, " ".join(FLUFF.sub(" ", plain).split())):
        if text in EXACT:
            return EXACT[text]
        letters = len(text.replace(" ", ""))
        for near in (letters, letters - 1, letters + 1):
            for pattern, reason in BY_LETTERS.get((text[:1], near), ()):
                if _misspelt(text, pattern):
                    return reason
    return None


def _reason_by_parts(text: str) -> NoContentReason | None:
    """ "RAS, sans objet", "NSP (ne sais pas)": the reason of the first part if every part says nothing."""
    parts = [" ".join(words(part)) for part in re.split(r"[,;:.!?()/\n\[\]]+|\s[-–—]+\s", text)]
    found: list[NoContentReason] = []
    for part in filter(None, parts):
        reason = _reason(part)
        if reason is not None:
            found.append(reason)
        elif FLUFF.sub("", part).strip():
            return None
    return found[0] if found else None


def _misspelt(text: str, pattern: str) -> bool:
    """One letter wrong, missing, added or swapped with its neighbour, in a pattern that is long enough."""
    a, b = text.replace(" ", ""), pattern.replace(" ", "")
    if len(b) < MISSPELT_FROM or abs(len(a) - len(b)) > 1 or a[:1] != b[:1]:
        return a == b and len(b) >= 3
    if a == b:
        return True
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rest_a, rest_b = a[start:], b[start:]
    near = (
        rest_a[1:] == rest_b[1:]
        or rest_a[1:] == rest_b
        or rest_a == rest_b[1:]
        or (rest_a[:2] == rest_b[1::-1] and rest_a[2:] == rest_b[2:])
    )
    return near and not any(w in OTHER_WORDS for w in set(text.split()) - set(pattern.split()))


def _only_points(plain: str) -> bool:
    """True if every word only points elsewhere: an opening word, a place or a number, and filling."""
    said = _spaced(plain).split()
    if len(said) > 14:
        return False
    opens = [w for w in said if w in POINTS]
    if not opens or any(w not in POINTS | PLACES | FILLING and not w.isdigit() and not _kin(w) for w in said):
        return False
    placed = any(w in PLACES or w.isdigit() or _kin(w) for w in said)
    if set(opens) <= {"comme", "as", "id"}:  # "as before", "comme il faut": a place must follow
        return placed and said[0] in opens
    alone = set(said) <= ALONE | FILLING and bool(ALONE & set(said))
    return placed or alone or " ".join(said) in ("meme chose", "id")


def _kin(word: str) -> bool:
    """A misspelt place: "precedante", "desus"; or one with letters run together, "ci-dessu"."""
    return len(word) >= 5 and any(len(p) >= 5 and _misspelt(word, p) for p in PLACES)


def _spaced(plain: str) -> str:
    """Numbers set apart from the letters before them: "q3" → "q 3", "question2" → "question 2"."""
    return re.sub(r"\b(questions?|reponses?|answers?|q|n|no)(\d{1,3})\b", r"\1 \2", plain)


def _pointed_at(plain: str, answer: Answer, questions: tuple[Question, ...]) -> str | None:
    number = NUMBERED.search(plain)
    if number:
        return question_named(number["number"], questions)
    if FIRST.search(plain):
        return questions[0].id if questions else None
    if BEFORE.search(plain):
        places = [i for i, q in enumerate(questions) if q.id == answer.question_id]
        return questions[places[0] - 1].id if places and places[0] > 0 else None
    return None


def question_named(number: str, questions: tuple[Question, ...]) -> str | None:
    """The id of the question that "3" names: "3", "Q3", "question_3", "q3_access", else the third question.

    Where the ids are such numbers the place is not tried: "question 2" of Q1, Q4, Q12 doesn't exist.
    """
    wanted = int(number)
    numbers = {q.id: re.match(r"(?:q|question)?[ _.-]*0*(\d+)(?!\d)", fold(q.id)) for q in questions}
    named = [name for name, found in numbers.items() if found and int(found[1]) == wanted]
    if named or (questions and all(numbers.values())):
        return named[0] if named else None
    return questions[wanted - 1].id if 0 < wanted <= len(questions) else None
