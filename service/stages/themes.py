"""Themes: a general synthesis across questions, every sentence citing sentences of question syntheses."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.cluster import AgglomerativeClustering
from sklearn.feature_extraction.text import TfidfVectorizer

from service.domain.draft import DraftQuestion, Failure, Section, SentenceRef, Theme, ThemeSentence
from service.domain.language import ENGLISH, FRENCH
from service.domain.round import Language
from service.domain.steps import GivenTheme, Themed
from service.domain.wordform import fold
from service.domain.wording import typeset
from service.llm.ask import Ask, Refused, ask
from service.llm.chat import ChatModel
from service.stages.assemble import standing_alone
from service.stages.check import SMALL, STEM, Encode
from service.stages.confirm import confirm
from service.stages.evidence import Evidence
from service.stages.written_themes import Item, Outline, Placed, Writing, WrittenTheme, finished

FEWEST, MOST = 3, 6
"""Themes of a normal round."""

PER_THEME = 6
"""Sentences of an assembled theme, those that most belong to it; the syntheses of the questions have the others."""

SHOWN = 200
"""Sentences shown to the model, those of most respondents first; the others stay in the syntheses of their questions."""

TITLE_WORDS = 3

NAMED = re.compile(
    r"\b(?:l['’]|d['’]|(?:les?|la|une?|des?|du|aux?|ce|cette|ces|leurs?|notre|nos|chaque|the|an?|of|their|our|more|for) )"
    r"(?:[a-zà-ÿ]+ (?=[a-zà-ÿ]{5,}))?([a-zà-ÿœ]{5,})\b",
    re.IGNORECASE,
)
"""A word after an article, as nouns stand: a title is made of those."""

NOUN = 0.6
"""Share of a word's occurrences that must follow an article."""


def find_themes(
    questions: tuple[DraftQuestion, ...],
    *,
    language: Language,
    given: tuple[GivenTheme, ...] = (),
    encode: Encode,
    chat: ChatModel | None,
) -> Themed:
    """The general synthesis by theme. given: the themes asked for; else they are found. chat None: assembled."""
    items = _items(questions)
    if not items:
        return Themed(themes=())
    if chat is None:
        return Themed(themes=_assembled(items, questions, language, given, encode))
    order = {q.id: k for k, q in enumerate(questions)}
    items = sorted(
        sorted(items, key=_weight)[:SHOWN], key=lambda i: (order[i.ref.question_id], i.ref.sentence)
    )
    failures: list[Failure] = []
    evidence = Evidence([i.matter for i in items], encode)
    (outlined,) = ask(chat, [Outline(items, questions, language, given, evidence).ask()])
    if isinstance(outlined, Refused):
        failures.append(Failure(id="themes", stage="outline", reason=outlined.reason))
        placed = _placed(items, language, given, encode)
    else:
        placed = outlined
    asks: list[Ask[WrittenTheme]] = [
        Writing(title, family, questions, language, evidence).ask() for title, family in placed if family
    ]
    replies = ask(chat, asks)
    claims = [c for got in replies if not isinstance(got, Refused) for c in got.claims]
    confirmed, skipped = confirm(claims, id_="themes", language=language, evidence=evidence, chat=chat)
    judged = iter(confirmed)
    written = iter(replies)
    themes: list[Theme] = []
    for title, family in placed:
        if not family:
            themes.append(Theme(title=title, sections=()))
            continue
        got = next(written)
        if isinstance(got, Refused):
            failures.append(Failure(id=title, stage="themes", reason=got.reason))
            titles = {q.id: q.title for q in questions}
            themes.append(Theme(title=title, sections=_sections(_core(family, encode), titles, language)))
        else:
            themes.append(finished(got, judged, language))
    return Themed(themes=tuple(themes), fallbacks=len(failures), failures=(*failures, *skipped))


def _items(questions: Sequence[DraftQuestion]) -> list[Item]:
    groups = {g.id: g for q in questions for g in q.groups}
    voices = {v.id: v.text for q in questions for v in q.verbatims}
    found = []
    for q in questions:
        for k, s in enumerate(q.synthesis.sentences):
            # an assembled sentence of isolated voices only lists them; a written one is a position like another
            if s.supported and (s.group_ids or (s.verbatim_ids and s.origin == "model")):
                cited = [groups[g] for g in s.group_ids]
                labels = tuple(g.label for g in [g for g in cited if g.level == 1] or cited)
                labels += tuple(voices[v] for v in s.verbatim_ids)
                found.append(Item(ref=SentenceRef(question_id=q.id, sentence=k), sentence=s, labels=labels))
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
    titles = {q.id: q.title for q in questions}
    return tuple(
        Theme(title=name, sections=_sections(_core(family, encode), titles, language))
        for name, family in _placed(items, language, given, encode)
    )


def _placed(
    items: Sequence[Item], language: Language, given: tuple[GivenTheme, ...], encode: Encode
) -> Placed:
    """The sentences by theme, by their vectors alone."""
    places = _given_places(items, given, encode) if given else _found_places(items, encode)
    families: dict[int, list[Item]] = defaultdict(list)
    for item, place in zip(items, places, strict=True):
        families[place].append(item)
    order = range(len(given)) if given else sorted(families, key=lambda f: min(map(_weight, families[f])))
    names = [g.title for g in given] if given else _titles([families[f] for f in order], language)
    return list(zip(names, (families[f] for f in order), strict=True))


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
