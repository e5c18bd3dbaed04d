"""Segment: answers cut into ideas, each with its exact span and a simplified wording.

Rules do the cutting (`cutting`) and the wording (`simplify`); a chat model is asked only about long answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import prompts
from service.domain.draft import Failure, Verbatim
from service.domain.round import Answer, Language
from service.domain.steps import Segmented
from service.domain.wordform import negations, words
from service.llm.ask import Ask, BadReply, Refused, ask
from service.llm.chat import ChatModel
from service.llm.replies import IdeasReply
from service.stages.cutting import Span, cut, word_count
from service.stages.simplify import simplify

LONG_ANSWER = 80
"""Words from which a chat model is asked about an answer, where there is one: 1 in 20 in a citizens' round."""


OWN_WORDS = 0.6
"""Share of a model's wording that must be words of the quote; the rest are endings and joints."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Idea:
    span: Span
    text: str


def segment(
    answers: tuple[Answer, ...], language: Language, *, chat: ChatModel | None = None, whole: bool = False
) -> Segmented:
    """Cut the kept answers of one question. Every answer has at least one verbatim or one failure.

    whole: each answer is one verbatim, as it stands but for outer blanks. With a chat model, long answers are
    refined: it merges and rewords the rule-cut pieces, within checks; where a reply is refused the rules' cut
    stands and a failure of that answer says why. A failure without verbatims is an answer that can't be cut.
    """
    ideas = {a.id: _whole(a.text) if whole else _ruled(a.text) for a in answers}
    failures = [
        Failure(id=a.id, stage="segment", reason="no letter or digit to cut an idea from")
        for a in answers
        if not ideas[a.id]
    ]
    if chat is not None and not whole:
        refined, refused = _refine(
            [a for a in answers if word_count(a.text) >= LONG_ANSWER], ideas, language, chat
        )
        ideas |= refined
        failures += refused
    verbatims = tuple(
        Verbatim(
            id=f"{a.id}.{k}",
            answer_id=a.id,
            respondent_id=a.respondent_id,
            category=a.category,
            start=idea.span[0],
            end=idea.span[1],
            quote=a.text[idea.span[0] : idea.span[1]],
            text=idea.text,
        )
        for a in answers
        for k, idea in enumerate(ideas[a.id], start=1)
    )
    return Segmented(verbatims=verbatims, failures=tuple(failures))


def _whole(text: str) -> list[Idea]:
    start = len(text) - len(text.lstrip())
    end = len(text.rstrip())
    return [Idea(span=(start, end), text=" ".join(text.split()))] if end > start else []


def _ruled(text: str) -> list[Idea]:
    """By rule; an answer of symbols alone ("👍") is one idea as it stands."""
    spans = cut(text)
    if not spans:
        return _whole(text)
    return [Idea(span=span, text=simplify(text[slice(*span)])) for span in spans]


def _refine(
    answers: Sequence[Answer], ideas: dict[str, list[Idea]], language: Language, chat: ChatModel
) -> tuple[dict[str, list[Idea]], list[Failure]]:
    several = [a for a in answers if len(ideas[a.id]) > 1]
    asks = [_ask(a, ideas[a.id], language) for a in several]
    refined: dict[str, list[Idea]] = {}
    refused: list[Failure] = []
    replies = ask(chat, asks)
    for answer, got in zip(several, replies, strict=True):
        if isinstance(got, Refused):
            refused.append(Failure(id=answer.id, stage="segment", reason=f"cut by rule: {got.reason}"))
        else:
            refined[answer.id] = got
    return refined, refused


def _ask(answer: Answer, pieces: list[Idea], language: Language) -> Ask[list[Idea]]:
    def check(reply: IdeasReply) -> list[Idea]:
        return merged(answer.text, pieces, reply)

    quotes = [answer.text[slice(*p.span)] for p in pieces]
    return Ask(
        id=answer.id,
        prompt=prompts.load("ideas", language),
        values={"pieces": prompts.fence(quotes, "p")},
        reply=IdeasReply,
        check=check,
    )


def merged(text: str, pieces: list[Idea], reply: IdeasReply) -> list[Idea]:
    """The pieces merged as the reply says.

    Raises BadReply unless the ideas cover all pieces once, in order, and each wording is mostly the quote's words,
    with no number of its own, and denies something if and only if the quote does.
    """
    made: list[Idea] = []
    expected = 1
    for idea in reply.ideas:
        name = f"idea p{idea.first}–p{idea.last}"
        if idea.first != expected or not idea.first <= idea.last <= len(pieces):
            raise BadReply(f"{name}: the ideas must cover p1 to p{len(pieces)} in order, each piece once")
        expected = idea.last + 1
        span = (pieces[idea.first - 1].span[0], pieces[idea.last - 1].span[1])
        made.append(Idea(span=span, text=_worded(idea.text.strip(), text[slice(*span)], name)))
    if expected != len(pieces) + 1:
        raise BadReply(f"pieces p{expected} to p{len(pieces)} are in no idea; every piece belongs to one")
    return made


def _worded(wording: str, quote: str, name: str) -> str:
    """The wording, if it says what the quote says. Raises BadReply."""
    said, wrote = set(words(quote)), words(wording)
    if not wrote or sum(w in said for w in wrote) < OWN_WORDS * len(wrote):
        raise BadReply(f"{name}: use the respondent's own words, nothing new")
    if any(any(map(str.isdigit, w)) and w not in said for w in wrote):
        raise BadReply(f"{name}: a number that the respondent did not write")
    denies = bool(negations(wording))
    if denies != bool(negations(quote)) and negations(wording) != negations(simplify(quote)):
        raise BadReply(f"{name}: keep the negation as the respondent put it")
    return wording
