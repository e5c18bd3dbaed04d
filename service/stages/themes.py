"""Themes: a general synthesis across questions, every sentence citing sentences of question syntheses."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import AgglomerativeClustering
from sklearn.feature_extraction.text import TfidfVectorizer

import prompts
from service.domain.draft import DraftQuestion, Failure, Section, Sentence, SentenceRef, Theme, ThemeSentence
from service.domain.language import ENGLISH, FRENCH
from service.domain.round import Language
from service.domain.steps import GivenTheme, Themed
from service.domain.wordform import fold
from service.domain.wording import typeset
from service.llm.ask import Ask, BadReply, Refused, ask
from service.llm.chat import ChatModel
from service.llm.replies import SentenceReply, ThemeReply, ThemesReply
from service.stages.assemble import standing_alone
from service.stages.check import (
    HEADING_WORDS,
    SMALL,
    STEM,
    SUPPORTED,
    Encode,
    check_sentence,
    new_number,
    one_sentence,
    repeats,
    support,
)
from service.stages.extractive import as_sentence

FEWEST, MOST = 3, 6
"""Themes of a normal round."""

PER_THEME = 6
"""Sentences of an assembled theme, those that most belong to it; the syntheses of the questions have the others."""

SHOWN = 120
"""Sentences shown to the model, those of most respondents first."""

TITLE_WORDS = 3

NAMED = re.compile(
    r"\b(?:l['’]|d['’]|(?:les?|la|une?|des?|du|aux?|ce|cette|ces|leurs?|notre|nos|chaque|the|an?|of|their|our|more|for) )"
    r"(?:[a-zà-ÿ]+ (?=[a-zà-ÿ]{5,}))?([a-zà-ÿœ]{5,})\b",
    re.IGNORECASE,
)
"""A word after an article, as nouns stand: a title is made of those."""

NOUN = 0.6
"""Share of a word's occurrences that must follow an article."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """A synthesis sentence that may be cited."""

    ref: SentenceRef
    sentence: Sentence
    matter: str
    """What it says without counts and connectives: the labels it rests on."""


def find_themes(
    questions: tuple[DraftQuestion, ...],
    *,
    language: Language,
    n_respondents: int,
    given: tuple[GivenTheme, ...] = (),
    encode: Encode,
    chat: ChatModel | None,
) -> Themed:
    """The general synthesis by theme. given: the themes asked for; else they are found. chat None: assembled."""
    items = _items(questions)
    if not items:
        return Themed(themes=())
    assembled = _assembled(items, questions, language, given, encode)
    if chat is None:
        return Themed(themes=assembled)
    (got,) = ask(chat, [_Request(items, questions, language, n_respondents, given, encode).ask()])
    if isinstance(got, Refused):
        failure = Failure(id="themes", stage="themes", reason=got.reason)
        return Themed(themes=assembled, fallbacks=len(assembled), failures=(failure,))
    return Themed(themes=got)


def _items(questions: Sequence[DraftQuestion]) -> list[Item]:
    groups = {g.id: g for q in questions for g in q.groups}
    found = []
    for q in questions:
        for k, s in enumerate(q.synthesis.sentences):
            if s.group_ids and s.supported:
                cited = [groups[g] for g in s.group_ids]
                matter = " ".join(g.label for g in [g for g in cited if g.level == 1] or cited)
                found.append(Item(ref=SentenceRef(question_id=q.id, sentence=k), sentence=s, matter=matter))
    return found


def _weight(item: Item) -> tuple[int, str, int]:
    return -(item.sentence.n_respondents or 0), item.ref.question_id, item.ref.sentence


def _assembled(
    items: Sequence[Item],
    questions: Sequence[DraftQuestion],
    language: Language,
    given: tuple[GivenTheme, ...],
    encode: Encode,
) -> tuple[Theme, ...]:
    placed = _given_places(items, given, encode) if given else _found_places(items, encode)
    families: dict[int, list[Item]] = defaultdict(list)
    for item, place in zip(items, placed, strict=True):
        families[place].append(item)
    titles = {q.id: q.title for q in questions}
    themes = []
    order = range(len(given)) if given else sorted(families, key=lambda f: min(map(_weight, families[f])))
    names = [g.title for g in given] if given else _titles([families[f] for f in order], language)
    for name, family in zip(names, (families[f] for f in order), strict=True):
        themes.append(Theme(title=name, sections=_sections(_core(family, encode), titles, language)))
    return tuple(themes)


def _core(family: Sequence[Item], encode: Encode) -> list[Item]:
    """The sentences that most belong to a theme: near its middle, and with many respondents behind them."""
    if len(family) <= PER_THEME:
        return list(family)
    vectors = encode([i.matter for i in family])
    people = np.array([i.sentence.n_respondents or 1 for i in family])
    score = (vectors @ vectors.mean(axis=0)) * np.log1p(people)
    order = sorted(range(len(family)), key=lambda k: (-round(float(score[k]), 6), _weight(family[k])))
    return [family[k] for k in order[:PER_THEME]]


def _sections(family: Sequence[Item], titles: Mapping[str, str], language: Language) -> tuple[Section, ...]:
    """The sentences of a theme under the questions they come from, questions of most weight first."""
    by_question: dict[str, list[Item]] = defaultdict(list)
    for item in sorted(family, key=_weight):
        by_question[item.ref.question_id].append(item)
    return tuple(
        Section(
            heading=titles[question],
            sentences=tuple(
                ThemeSentence(
                    text=standing_alone(i.sentence.text, language),
                    refs=(i.ref,),
                    supported=i.sentence.supported,
                )
                for i in sorted(some, key=lambda i: i.ref.sentence)
            ),
        )
        for question, some in by_question.items()
    )


def _found_places(items: Sequence[Item], encode: Encode) -> list[int]:
    wanted = int(np.clip(round(np.sqrt(len(items)) * 0.8), FEWEST, MOST))
    if len({i.ref.question_id for i in items}) == 1 or len(items) <= wanted:
        return [0] * len(items)
    vectors = encode([i.matter for i in items]).astype(np.float64)
    vectors -= vectors.mean(axis=0)
    return [int(c) for c in AgglomerativeClustering(n_clusters=wanted, linkage="ward").fit_predict(vectors)]


def _given_places(items: Sequence[Item], given: tuple[GivenTheme, ...], encode: Encode) -> list[int]:
    wanted = encode([f"{g.title}. {g.description}" for g in given])
    alike = encode([i.matter for i in items]) @ wanted.T
    named = {q: k for k, g in enumerate(given) for q in g.question_ids}
    return [named.get(i.ref.question_id, int(row.argmax())) for i, row in zip(items, alike, strict=True)]


def _titles(families: Sequence[Sequence[Item]], language: Language) -> list[str]:
    """A title of the nouns that set a theme apart: it names the matter and claims no position. Where there are fewer than two,
    the labels that most respondents stand behind.

    A noun counts by its TF-IDF over the themes times the sentences of the theme that have it: what recurs, not what is rare.
    """
    matters = [[i.matter.casefold() for i in family] for family in families]
    nouns = _nouns([m for some in matters for m in some])
    words = TfidfVectorizer(token_pattern=r"(?u)\b[^\W\d_]{5,}\b", sublinear_tf=True)
    try:
        table = words.fit_transform(" ".join(some) for some in matters).toarray()
    except ValueError:
        return [("Thème" if language == "fr" else "Theme") + f" {k}" for k in range(1, len(families) + 1)]
    names = [str(name) for name in words.get_feature_names_out()]
    head = "Autour de : " if language == "fr" else "About: "
    titles = []
    for row, family, some in zip(table, families, matters, strict=True):
        score = {
            name: weight * sum(name[:STEM] in m for m in some)
            for name, weight in zip(names, row, strict=True)
            if weight > 0 and name in nouns
        }
        chosen: list[str] = []
        for name in sorted(score, key=lambda n: (-score[n], n)):
            if len(chosen) < TITLE_WORDS and not any(name[:STEM] == c[:STEM] for c in chosen):
                chosen.append(name)
        lead = min(family, key=_weight).matter.rstrip(".")
        titles.append(typeset(head + (", ".join(chosen) if len(chosen) > 1 else lead), language))
    return titles


def _nouns(texts: Sequence[str]) -> frozenset[str]:
    """Words that mostly follow an article, in lower case; common words left out."""
    empty = {fold(w) for w in (*SMALL, *FRENCH, *ENGLISH)}
    seen = Counter(w for t in texts for w in re.findall(r"[a-zà-ÿœ]{5,}", t))
    named = Counter(w for t in texts for w in NAMED.findall(t))
    return frozenset(w for w, n in named.items() if n >= NOUN * seen[w] and fold(w) not in empty)


class _Request:
    """One request over all syntheses and the meaning of its opaque ids."""

    def __init__(
        self,
        items: Sequence[Item],
        questions: Sequence[DraftQuestion],
        language: Language,
        n_respondents: int,
        given: tuple[GivenTheme, ...],
        encode: Encode,
    ) -> None:
        order = {q.id: k for k, q in enumerate(questions)}
        shown = sorted(
            sorted(items, key=_weight)[:SHOWN], key=lambda i: (order[i.ref.question_id], i.ref.sentence)
        )
        self.items = {f"s{k}": item for k, item in enumerate(shown, start=1)}
        self.questions = {q.id: q for q in questions if q.kind == "open"}
        self.language = language
        self.total = n_respondents
        self.given = given
        self.encode = encode

    def ask(self) -> Ask[tuple[Theme, ...]]:
        named = [f"{g.title}. {g.description}".strip(". ") for g in self.given]
        numbers = {q: k for k, q in enumerate(self.questions, start=1)}
        lines = [f"(q{numbers[i.ref.question_id]}) {i.sentence.text}" for i in self.items.values()]
        return Ask(
            id="themes",
            prompt=prompts.load("themes", self.language),
            values={
                "questions": prompts.fence([q.title for q in self.questions.values()], "q"),
                "sentences": prompts.fence(lines, "s"),
                "themes": prompts.fence(named, "t") if named else "–",
                "length": str(min(700, 120 + 8 * len(lines))),
            },
            reply=ThemesReply,
            check=self.check,
        )

    def check(self, reply: ThemesReply) -> tuple[Theme, ...]:
        if not 1 <= len(reply.themes) <= max(MOST + 2, len(self.given)):
            raise BadReply(f"{len(reply.themes)} themes: three to six are asked for")
        themes = []
        for theme in reply.themes:
            sections = tuple(
                Section(
                    heading=section.heading.strip() or None,
                    sentences=tuple(self._sentence(s) for s in section.sentences),
                )
                for section in theme.sections
                if section.sentences
            )
            if not sections:
                raise BadReply(f"theme « {theme.title} » has no sentence")
            self._check_headings(theme)
            themes.append(Theme(title=theme.title.strip().rstrip("."), sections=sections))
        named = {fold(t.title) for t in themes}
        themes += [Theme(title=g.title, sections=()) for g in self.given if fold(g.title) not in named]
        return tuple(themes)

    def _check_headings(self, theme: ThemeReply) -> None:
        """Raises BadReply. Counts are no part of a label, so a heading has no number that the labels behind it lack."""
        for heading, sections in ((theme.title, theme.sections), *((s.heading, [s]) for s in theme.sections)):
            labels = [self.items[c].matter for part in sections for s in part.sentences for c in s.cites]
            reason = (
                one_sentence(heading, HEADING_WORDS) or repeats(heading) or new_number(heading, labels)
                if heading.strip() or heading is theme.title
                else None
            )
            if reason:
                raise BadReply(f"heading « {heading[:50]} »: {reason}")

    def _sentence(self, reply: SentenceReply) -> ThemeSentence:
        unknown = [c for c in reply.cites if c not in self.items]
        if unknown or not reply.cites:
            raise BadReply(
                f"« {reply.text[:60]} » cites {unknown or 'nothing'}: cite ids that are given, such as s1"
            )
        cited = [self.items[c] for c in dict.fromkeys(reply.cites)]
        text = as_sentence(reply.text, self.language)
        sources = [i.sentence.text for i in cited]
        n = max(i.sentence.n_respondents or 0 for i in cited)
        reason = check_sentence(text, sources, self.language, n=n, total=self.total if n else 0)
        if reason:
            raise BadReply(f"« {reply.text[:60]} »: {reason}")
        supported = support(text, [*sources, *(i.matter for i in cited)], self.encode) >= SUPPORTED
        weak = (
            "Appui faible dans les phrases citées."
            if self.language == "fr"
            else "Weak support in the sentences cited."
        )
        return ThemeSentence(
            text=text,
            refs=tuple(i.ref for i in cited),
            supported=supported,
            note=None if supported else weak,
            origin="model",
        )
