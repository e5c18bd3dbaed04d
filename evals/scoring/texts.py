"""Labels, syntheses and themes beside the human text: coverage, precision, wording, form, support, quantities, readability."""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rouge_score import rouge_scorer
from sacrebleu.metrics import CHRF

from evals.scoring.contradiction import contradicts
from evals.scoring.matching import THRESHOLDS, Match, likeness, match
from evals.scoring.support import support
from evals.statistics import Part
from service.domain.language import detect_language, is_surely_other
from service.domain.round import Language
from service.domain.wording import CLAIMS, ORDER, overclaim
from service.stages.check import Encode, one_sentence, turned
from service.stages.cutting import stops
from service.stages.extractive import VERB

LABEL_WORDS = 25
FEWEST_PIECE_WORDS = 3
CARRIED = 0.35
"""Support (`evals.scoring.support`) from which a sentence counts as carried.

Of people's sentences 88 % reach it with their own labels, 8 % with those of another question (`python -m evals.calibrate`)."""

TOGETHER = 3
"""Sentences of ours that may say together what people said in one."""

MATTER = 0.40
"""Support from which they do: of people's own sentences 75 % reach it with their labels, 2 % with those of another question
(`python -m evals.calibrate`)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """One sentence of a draft with what it rests on."""

    text: str
    sources: tuple[str, ...] = ()
    """Labels that it cites."""
    n: int | None = None
    """Respondents behind it; None where nobody counted."""
    total: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """A text of ours beside the human one: what is counted, and what a reader of the report sees."""

    figures: Mapping[str, Part]
    human: tuple[str, ...] = ()
    ours: tuple[str, ...] = ()
    matches: tuple[Match, ...] = ()
    contradictions: tuple[tuple[int, int], ...] = field(default=())


def compare_labels(
    human: Sequence[str],
    ours: Sequence[str],
    encode: Encode,
    language: Language,
    *,
    about: str,
    paired: bool = False,
    refused: int = 0,
) -> Compared:
    """Labels of one question, whose title is about. paired: ours[i] was written for the group whose human label is human[i].

    refused: labels for which a model's text was refused. No human label raises ValueError: nothing can be measured.
    """
    if not human:
        raise ValueError("the reference has no label")
    if not any(t.strip() for t in ours):
        raise ValueError("the draft has no label")
    own = ["" if in_other_language(t, language) else t for t in ours]
    found = match(human, own, encode, language, about=about)
    partner = _partners(human, own, encode, about, paired)
    # people oppose each other: who agrees with one of them contradicts another
    settled = {m.ours for m in found.matches}
    contrary = {j for _, j in found.contradictions if j not in settled}
    if paired:
        contrary |= {i for i, (h, o) in enumerate(zip(human, ours, strict=True)) if contradicts(h, o)}
    near = [
        0.0 if j is None or contradicts(human[i], ours[j]) else _alike(human[i], own[j], encode, about)
        for i, j in partner
    ]
    return Compared(
        figures={
            "coverage": (len(found.matches), len(human)),
            "precision": (len(found.matches), len(ours)),
            "nearness": (sum(near), len(human)),
            "rouge_l": (sum(_rouge_l(human[i], ours[j]) for i, j in partner if j is not None), len(human)),
            "chrf": (sum(_chrf(human[i], ours[j]) for i, j in partner if j is not None), len(human)),
            "words": (sum(_n_words(t) for t in ours), len(ours)),
            "form": (sum(_is_position(t) for t in ours), len(ours)),
            "language": (sum(not in_other_language(t, language) for t in ours), len(ours)),
            "contradiction": (len(contrary), len(ours)),
            "refused": (refused, len(ours)),
        },
        human=tuple(human),
        ours=tuple(ours),
        matches=found.matches,
        contradictions=found.contradictions,
    )


def _partners(
    human: Sequence[str], ours: Sequence[str], encode: Encode, about: str, paired: bool
) -> list[tuple[int, int | None]]:
    """The label of ours that each human one is compared with: its group's, else the nearest."""
    if paired:
        return [(i, i) for i in range(len(human))]
    alike = likeness(human, ours, encode, about)
    return [(i, int(row.argmax())) for i, row in enumerate(alike)]


def _alike(human: str, ours: str, encode: Encode, about: str) -> float:
    return float(likeness([human], [ours], encode, about)[0, 0])


def compare_synthesis(
    human: Sequence[str],
    ours: Sequence[Written],
    encode: Encode,
    language: Language,
    *,
    about: str,
    source: Sequence[str] = (),
    refused: int = 0,
) -> Compared:
    """A synthesis (or a theme) beside the human paragraphs. about: its question's title, "" where it is about several;
    source: the labels that both were written from.

    Raises ValueError where one of them has no sentence.
    """
    theirs = sentences(human)
    written = [w for w in ours if w.text.strip()]
    if not theirs or not written:
        raise ValueError(f"{'the reference' if not theirs else 'the draft'} has no sentence")
    texts = [w.text for w in written]
    near, matches, contrary = _nearest(theirs, texts, encode, language, about)
    whole, text = " ".join(human), " ".join(texts)
    figures: dict[str, Part] = {
        "coverage": (len(matches), len(theirs)),
        "nearness": (sum(near), len(theirs)),
        "matter": (sum(matter(h, texts, encode, language, about) >= MATTER for h in theirs), len(theirs)),
        "rouge_l": (_rouge_l(whole, text), 1),
        "chrf": (_chrf(whole, text), 1),
        "contradiction": (len({j for _, j in contrary}), len(texts)),
        "length": (_n_words(text), _n_words(whole)),
        "readability": (readability(text, language), 1),
        "refused": (refused, len(texts)),
        "quantities": _quantities(written),
    }
    if source:
        figures["compression"] = (_n_words(text), sum(map(_n_words, source)))
    if any(w.sources for w in written):
        figures["support"] = (sum(_carried(w, encode) for w in written), len(written))
    return Compared(
        figures=figures, human=tuple(theirs), ours=tuple(texts), matches=matches, contradictions=contrary
    )


def _nearest(
    human: Sequence[str], ours: Sequence[str], encode: Encode, language: Language, about: str
) -> tuple[list[float], tuple[Match, ...], tuple[tuple[int, int], ...]]:
    """For each human sentence its likeness to the nearest piece of ours that does not contradict it; the pairs at the
    threshold; the pairs (human, ours) that contradict."""
    parts = [
        (j, piece)
        for j, text in enumerate(ours)
        for piece in pieces(text)
        if not in_other_language(piece, language)
    ]
    if not parts:
        return [0.0] * len(human), (), ()
    alike = likeness(human, [p for _, p in parts], encode, about)
    near: list[float] = []
    matches, contrary = [], set()
    for i, row in enumerate(alike):
        best = 0.0
        for k in sorted(range(len(parts)), key=lambda k: (-row[k], k)):
            if best or row[k] == 0:
                break
            j, piece = parts[k]
            if not contradicts(human[i], piece):
                best = float(row[k])
                if best >= THRESHOLDS[language]:
                    matches.append(Match(human=i, ours=j, likeness=round(best, 4)))
            elif row[k] >= THRESHOLDS[language]:
                contrary.add((i, j))
        near.append(best)
    settled = {m.ours for m in matches}
    return near, tuple(matches), tuple(sorted(pair for pair in contrary if pair[1] not in settled))


def matter(human: str, ours: Sequence[str], encode: Encode, language: Language, about: str) -> float:
    """How well the few sentences of ours that are likest to a human one carry it together, 0 to 1.

    People sum up in one sentence what a draft says in two or three: each of these alone is too unlike it to cover it. Sentences
    that surely turn it round are left aside, but of a long sentence that is seldom sure: it tells the matter, not the side.
    """
    own = [
        text
        for text in sentences(ours)
        if not in_other_language(text, language)
        and not contradicts(human, text)
        and not turned(text, [human])
    ]
    if not own:
        return 0.0
    alike = likeness([human], own, encode, about)[0]
    likest = [own[j] for j in sorted(range(len(own)), key=lambda j: (-alike[j], j))[:TOGETHER]]
    return 0.0 if turned(human, likest) else support(human, likest, encode)


def in_other_language(text: str, language: Language) -> bool:
    """Surely, or a French text with more English than French function words: a translation covers nothing."""
    return is_surely_other(text, language) or (language == "fr" and detect_language([text]) == "en")


def sentences(paragraphs: Sequence[str]) -> list[str]:
    """The sentences of a text."""
    found: list[str] = []
    for paragraph in paragraphs:
        edges = [0, *stops(paragraph), len(paragraph)]
        found += [paragraph[a:b].strip() for a, b in itertools.pairwise(edges)]
    return [s for s in found if re.search(r"\w", s)]


def pieces(text: str) -> list[str]:
    """A sentence, and the parts of it that say something of their own: quotations, and what semicolons and colons part."""
    parts = [*sentences([text]), *(p.strip(" ,.") for p in re.split(r"[;:«»“”()]", text))]
    bare = text.strip(" ,.")
    return [text, *(p for p in parts if _n_words(p) >= FEWEST_PIECE_WORDS and p.strip(" ,.") != bare)]


def _carried(written: Written, encode: Encode) -> bool:
    """Its words and meaning are in what it cites, it denies nothing that nobody denied, and of the piece of it and the source
    that are most alike none is the other's contrary."""
    if not written.sources or support(written.text, written.sources, encode) < CARRIED:
        return False
    parts = pieces(written.text)
    alike = likeness(parts, written.sources, encode)
    piece, source = divmod(int(alike.argmax()), len(written.sources))
    return turned(written.text, written.sources) is None and not contradicts(
        parts[piece], written.sources[source]
    )


def _quantities(said: Sequence[Written]) -> Part:
    """Of the sentences with a word of quantity of their own and known counts: those whose count carries the word."""
    own = [(re.sub(r"«[^»]*»|“[^”]*”", "", w.text), w) for w in said]
    counted = [(text, w) for text, w in own if w.n is not None and w.total and quantity(text)]
    return sum(overclaim(text, w.n or 0, w.total) is None for text, w in counted), len(counted)


def quantity(text: str) -> str | None:
    """The strongest class of quantity that a text claims, one of `wording.ORDER`, or None."""
    said = [name for name, pattern in CLAIMS if re.search(pattern, text, re.IGNORECASE)]
    return max(said, key=ORDER.index, default=None)


_CHRF = CHRF(word_order=0)


class _Words:
    """rouge-score's own tokenizer drops every letter with an accent; this one keeps them."""

    def tokenize(self, text: str) -> list[str]:
        return re.findall(r"\w+", text.casefold())


_ROUGE = rouge_scorer.RougeScorer(["rougeL"], tokenizer=_Words())


def _rouge_l(human: str, ours: str) -> float:
    return float(_ROUGE.score(human, ours)["rougeL"].fmeasure)


def _chrf(human: str, ours: str) -> float:
    return float(_CHRF.sentence_score(ours, [human]).score) / 100


def _n_words(text: str) -> int:
    return len(re.findall(r"\w+(?:['’-]\w+)*", text))


def _is_position(text: str) -> bool:
    """One sentence of 4 to 25 words with a verb."""
    return one_sentence(text, LABEL_WORDS) is None and _n_words(text) >= 4 and bool(VERB.search(text))


def readability(text: str, language: Language) -> float:
    """Reading ease: French after Kandel and Moles (1958), 207 - 1.015 words per sentence - 73.6 syllables per word;
    English after Flesch (1948), 206.835 - 1.015 … - 84.6 …. Syllables are runs of vowels, a mute final e not counted."""
    said = re.findall(r"[^\W\d_]+", text.casefold())
    if not said:
        return 0.0
    per_sentence = len(said) / max(1, len(sentences([text])))
    per_word = sum(map(_syllables, said)) / len(said)
    if language == "fr":
        return 207 - 1.015 * per_sentence - 73.6 * per_word
    return 206.835 - 1.015 * per_sentence - 84.6 * per_word


def _syllables(word: str) -> int:
    runs = len(re.findall(r"[aeiouyàâäéèêëîïôöùûüœæ]+", word))
    mute = bool(re.search(r"[^aeiouyéèê](?:e|es|ent)$", word)) and runs > 1
    return max(1, runs - mute)
