"""Themes as a chat model finds and writes them: the two requests, and what their opaque ids mean."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import prompts
from service.domain.draft import DraftQuestion, Section, Sentence, SentenceRef, Theme, ThemeSentence
from service.domain.round import Language
from service.domain.steps import GivenTheme
from service.domain.wordform import fold
from service.domain.wording import typeset
from service.llm.ask import Ask, BadReply
from service.llm.replies import OutlinedReply, OutlineReply, SentenceReply, ThemeReply
from service.stages.check import (
    HEADING_WORDS,
    check_sentence,
    code,
    new_number,
    one_sentence,
    repeats,
)
from service.stages.confirm import Claim, claim, doubt_note
from service.stages.evidence import Cited, Evidence
from service.stages.extractive import as_sentence

MOST_THEMES = 8
"""Themes that an outline may find; three to six are asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """A synthesis sentence that may be cited."""

    ref: SentenceRef
    sentence: Sentence
    labels: tuple[str, ...]
    """Those that it rests on."""

    @property
    def matter(self) -> str:
        """What it says without counts and connectives."""
        return " ".join(self.labels)


Placed = list[tuple[str, list[Item]]]
"""Title and sentences of each theme; a theme that was asked for may have none."""


def _lines(items: Sequence[Item], questions: Mapping[str, int]) -> str:
    return prompts.fence([f"(q{questions[i.ref.question_id]}) {i.sentence.text}" for i in items], "s")


def _numbers(questions: Sequence[DraftQuestion]) -> dict[str, int]:
    return {q.id: k for k, q in enumerate((q for q in questions if q.kind == "open"), start=1)}


class Outline:
    """One request over all sentences: which theme each belongs to."""

    def __init__(
        self,
        items: Sequence[Item],
        questions: Sequence[DraftQuestion],
        language: Language,
        given: tuple[GivenTheme, ...],
    ) -> None:
        self.items = {f"s{k}": item for k, item in enumerate(items, start=1)}
        self.questions = questions
        self.language = language
        self.given = given

    def ask(self) -> Ask[Placed]:
        named = [f"{g.title}. {g.description}".strip(". ") for g in self.given]
        titles = [q.title for q in self.questions if q.kind == "open"]
        return Ask(
            id="themes",
            prompt=prompts.load("outline", self.language),
            values={
                "questions": prompts.fence(titles, "q"),
                "sentences": _lines(list(self.items.values()), _numbers(self.questions)),
                "themes": prompts.fence(named, "t") if named else "–",
            },
            reply=OutlineReply,
            check=self.check,
        )

    def check(self, reply: OutlineReply) -> Placed:
        """Raises BadReply."""
        named = Counter(s for theme in reply.themes for s in theme.sentences)
        wrong = [s for s in named if s not in self.items or named[s] > 1]
        missing = [s for s in self.items if s not in named]
        if wrong or missing:
            raise BadReply(
                f"{', '.join((wrong or missing)[:8])}: every sentence in one theme and only one, no other id"
            )
        themes = [t for t in reply.themes if t.sentences]
        if self.given:
            return self._as_given(themes)
        if not 1 <= len(themes) <= MOST_THEMES:
            raise BadReply(f"{len(themes)} themes: three to six are asked for")
        _check_distinct([t.title for t in themes])
        placed = []
        for theme in themes:
            family = [self.items[s] for s in theme.sentences]
            _check_heading(theme.title, family)
            placed.append((typeset(theme.title.strip().rstrip("."), self.language), family))
        return placed

    def _as_given(self, themes: Sequence[OutlinedReply]) -> Placed:
        known = {fold(g.title): g.title for g in self.given}
        strange = [t.title for t in themes if fold(t.title.strip().rstrip(".")) not in known]
        if strange:
            raise BadReply(f"« {strange[0][:50]} » is not a theme that was asked for: take the given titles")
        found = {fold(t.title.strip().rstrip(".")): t.sentences for t in themes}
        return [(title, [self.items[s] for s in found.get(key, ())]) for key, title in known.items()]


def _check_distinct(headings: Sequence[str]) -> None:
    """Raises BadReply."""
    counts = Counter(fold(h).strip(" .") for h in headings)
    twice = [h for h in headings if counts[fold(h).strip(" .")] > 1]
    if twice:
        raise BadReply(f"« {twice[0][:50]} » stands above {len(twice)} parts: each has a heading of its own")


def _check_heading(heading: str, family: Sequence[Item]) -> None:
    """Raises BadReply. Counts are no part of a label, so a heading has no number that the labels behind it lack."""
    matters = [i.matter for i in family]
    reason = (
        one_sentence(heading, HEADING_WORDS)
        or repeats(heading)
        or code(heading)
        or new_number(heading, matters)
    )
    if reason:
        raise BadReply(f"heading « {heading[:50]} »: {reason}")


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenTheme:
    """A theme as the model wrote it."""

    title: str
    sections: list[tuple[str, list[tuple[Claim, tuple[SentenceRef, ...]]]]]
    """(heading, sentences with what they cite)"""

    @property
    def claims(self) -> list[Claim]:
        return [c for _, sentences in self.sections for c, _ in sentences]


class Writing:
    """One request for one theme and the meaning of its opaque ids."""

    def __init__(
        self,
        title: str,
        items: Sequence[Item],
        questions: Sequence[DraftQuestion],
        language: Language,
        evidence: Evidence,
    ) -> None:
        self.title = title
        self.items = {f"s{k}": item for k, item in enumerate(items, start=1)}
        self.numbers = _numbers(questions)
        self.language = language
        self.answered = {q.id: q.n_respondents for q in questions}
        self.evidence = evidence
        self.length = min(220, 30 + 10 * len(items))
        self.tries = 0

    def ask(self) -> Ask[WrittenTheme]:
        return Ask(
            id=self.title,
            prompt=prompts.load("theme", self.language),
            values={
                "title": prompts.fence([self.title], "t"),
                "sentences": _lines(list(self.items.values()), self.numbers),
                "length": str(self.length),
            },
            reply=ThemeReply,
            check=self.check,
        )

    def check(self, reply: ThemeReply) -> WrittenTheme:
        """Raises BadReply."""
        self.tries += 1
        _check_distinct([s.heading for s in reply.sections if s.sentences and s.heading.strip()])
        sections = []
        for section in (s for s in reply.sections if s.sentences):
            cited = [self.items[c] for s in section.sentences for c in s.cites if c in self.items]
            heading = section.heading.strip().rstrip(".")
            if heading:
                _check_heading(heading, cited)
            sections.append((typeset(heading, self.language), [self._sentence(s) for s in section.sentences]))
        if not sections:
            raise BadReply("no sentence")
        n = sum(len(c.text.split()) for _, sentences in sections for c, _ in sentences)
        if n > 1.5 * self.length:
            raise BadReply(f"{n} words: at most {self.length}")
        return WrittenTheme(title=self.title, sections=sections)

    def _sentence(self, reply: SentenceReply) -> tuple[Claim, tuple[SentenceRef, ...]]:
        unknown = [c for c in reply.cites if c not in self.items]
        if unknown or not reply.cites:
            raise BadReply(
                f"« {reply.text[:60]} » cites {unknown or 'nothing'}: cite ids that are given, such as s1"
            )
        cited = [self.items[c] for c in dict.fromkeys(reply.cites)]
        sources = [i.sentence.text for i in cited]
        n = max(i.sentence.n_respondents or 0 for i in cited)
        total = max(self.answered[i.ref.question_id] for i in cited) if n else 0

        def form(text: str) -> str | None:
            return check_sentence(text, sources, self.language, n=n, total=total) or new_number(
                text,
                [i.matter for i in cited],  # a count of one sentence is not that of several
            )

        made = claim(
            as_sentence(reply.text, self.language),
            [Cited(head=text) for text in sources],
            form,
            self.evidence,
        )
        reason = form(made.text)
        if made.found.hopeless and self.tries == 1:
            reason = (
                reason or "it says what its sentences do not say, or nothing of one of them; use their words"
            )
        if reason:
            raise BadReply(f"« {reply.text[:60]} »: {reason}")
        return made, tuple(i.ref for i in cited)


def finished(written: WrittenTheme, judged: Iterator[Claim], language: Language) -> Theme:
    """The theme, with the judged texts in place of those that the model wrote first."""
    return Theme(
        title=written.title,
        sections=tuple(
            Section(
                heading=heading or None,
                sentences=tuple(
                    ThemeSentence(
                        text=one.text,
                        refs=refs,
                        supported=one.supported,
                        note=doubt_note(one, language),
                        origin="model",
                    )
                    for (_, refs), one in zip(sentences, judged, strict=False)
                ),
            )
            for heading, sentences in written.sections
        ),
    )
