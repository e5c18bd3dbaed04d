"""Themes: a general synthesis across questions, every sentence citing sentences of question syntheses."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.cluster import AgglomerativeClustering

from service.domain.draft import DraftQuestion, Failure, Section, SentenceRef, Theme, ThemeSentence
from service.domain.round import Language
from service.domain.steps import GivenTheme, Themed
from service.domain.wording import ONE_SYNTHESIS, quoted, typeset
from service.llm.ask import Ask, Refused, ask
from service.llm.chat import ChatModel
from service.stages.assemble import standing_alone
from service.stages.check import Encode
from service.stages.confirm import confirm
from service.stages.evidence import Evidence
from service.stages.written_themes import Item, Outline, Placed, Writing, WrittenTheme, finished

FEWEST, MOST = 3, 6
"""Themes of a normal round."""

PER_THEME = 6
"""Sentences of an assembled theme, those that most belong to it; the syntheses of the questions have the others."""

SHOWN = 200
"""Sentences shown to the model, those of most respondents first; the others stay in the syntheses of their questions."""

TITLE_LENGTH = 110
"""Characters of a label in a title; a longer one ends with an ellipsis."""


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
    if chat is None and not given and sum(bool(q.synthesis.sentences) for q in questions) == 1:
        return Themed(themes=(_only_one(items, questions, language),))
    if chat is None:
        return Themed(themes=_assembled(items, questions, language, given, encode))
    order = {q.id: k for k, q in enumerate(questions)}
    items = sorted(
        sorted(items, key=_weight)[:SHOWN], key=lambda i: (order[i.ref.question_id], i.ref.sentence)
    )
    failures: list[Failure] = []
    (outlined,) = ask(chat, [Outline(items, questions, language, given).ask()])
    if isinstance(outlined, Refused):
        failures.append(Failure(id="themes", stage="outline", reason=outlined.reason))
        placed = _placed(items, language, given, encode)
    else:
        placed = outlined
    evidence = Evidence([i.matter for i in items], encode)
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


def _only_one(items: Sequence[Item], questions: Sequence[DraftQuestion], language: Language) -> Theme:
    """Where there is one synthesis, it is the general one too: said, not repeated."""
    open_ones = [q for q in questions if q.kind == "open"]
    sentence = ThemeSentence(
        text=ONE_SYNTHESIS[language][len(open_ones) > 1], refs=tuple(i.ref for i in items)
    )
    title = next(q.title for q in open_ones if q.id == items[0].ref.question_id)
    return Theme(title=title, sections=(Section(heading=None, sentences=(sentence,)),))


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
    """A title for each theme: around the label that most respondents of it stand behind, in its members' words.

    It names what the theme is around, quoted, and claims no position for the whole of it.
    """
    titles: list[str] = []
    for family in families:
        labels = dict.fromkeys(label for item in sorted(family, key=_weight) for label in item.labels)
        said = [_around(label, language) for label in labels]
        titles.append(next((one for one in said if one not in titles), said[0]))
    return titles


def _around(label: str, language: Language) -> str:
    words = (
        label if len(label) <= TITLE_LENGTH else label[:TITLE_LENGTH].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"
    )
    return ("Autour de " if language == "fr" else "Around ") + quoted(typeset(words, language), language)
