"""How near a cutter comes to people's cutting: readers of two hand-cut sets, scores, simple baselines.

`python -m evals.segmentation [FOLDER]` prints the table of docs/segment.md. FOLDER holds the two sets
(`POLYPHONIE_DATA`, or ../shared/data beside the repository, where none is given).
"""

import importlib.util
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import segeval

from service.stages.cutting import Span, cut

Cutter = Callable[[str], Sequence[Span]]
Form = Literal["punctuated", "commas", "bare"]
"""Of the spoken French set: as written down; without case and final stops; without any punctuation."""

UNITS = 8
"""Consecutive units of one speaker that make a passage: about 90 words, a long answer."""

FEWEST_WORDS = 3
"""Words below which a spoken unit ("mh, mh", "voilà") is left out: nobody writes it in an answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    id: str
    text: str
    bounds: tuple[int, ...]
    """Code points at which a unit of people's begins; without 0. Empty: one unit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    f1: float
    """Boundaries between words that both have, over all passages together."""
    precision: float
    recall: float
    window_diff: float
    """Mean over the passages (Pevzner and Hearst 2002); 0 is perfect."""
    cut_through: float
    """Share of people's units with a boundary of ours inside."""
    ratio: float
    """Our pieces for each unit of people's."""


def read_rhapsodie(folder: Path, form: Form) -> tuple[Passage, ...]:
    """Up to 8 consecutive units of one speaker joined to a text, as if an answer."""
    made = []
    for line in (folder / "units.jsonl").read_text(encoding="utf-8").splitlines():
        document = json.loads(line)
        for number, turn in enumerate(_turns(document["units"])):
            made.append(_join(f"{document['doc']}/{number}", [_written(u, form) for u in turn]))
    return tuple(made)


def _turns(units: Sequence[dict[str, str]]) -> Iterator[list[str]]:
    """Runs of two to eight units of one speaker."""
    run: list[str] = []
    speaker = ""
    for unit in units:
        if len(re.findall(r"\w+", unit["text"])) < FEWEST_WORDS:
            continue
        if unit["speaker"] != speaker or len(run) == UNITS:
            if len(run) > 1:
                yield run
            run, speaker = [], unit["speaker"]
        run.append(unit["text"])
    if len(run) > 1:
        yield run


def _written(unit: str, form: Form) -> str:
    if form == "punctuated":
        return unit[:1].upper() + unit[1:]
    if form == "commas":
        return unit.lower().rstrip(" .?!…")
    return " ".join(re.sub(r"[.?!…,;:~\"«»]+", " ", unit.lower()).split())


def _join(name: str, units: Sequence[str]) -> Passage:
    text, bounds = "", []
    for unit in units:
        if text:
            text += " "
            bounds.append(len(text))
        text += unit
    return Passage(id=name, text=text, bounds=tuple(bounds))


def read_flaky(folder: Path) -> tuple[Passage, ...]:
    """The answers with the places where a hand-cut segment begins or ends within them.

    The set doesn't say which answer a segment is from: it is the shortest to the same question that holds it.
    """
    rows = [json.loads(line) for line in (folder / "answers.jsonl").read_text(encoding="utf-8").splitlines()]
    texts: list[str] = [row["answer"] for row in rows]
    bounds: list[set[int]] = [set() for _ in rows]
    for line in (folder / "segments.jsonl").read_text(encoding="utf-8").splitlines():
        segment = json.loads(line)
        pattern = re.compile(r"\s+".join(map(re.escape, segment["segment"].split())))
        found = [
            (len(text), number, match.span())
            for number, text in enumerate(texts)
            if rows[number]["question_id"] == segment["question_id"] and (match := pattern.search(text))
        ]
        if found:
            length, number, (start, end) = min(found)
            following = re.compile(r"\w").search(texts[number], end)
            bounds[number] |= {start, following.start() if following else length} - {0, length}
    return tuple(
        Passage(id=f"{row['question_id']}/{number}", text=row["answer"], bounds=tuple(sorted(bounds[number])))
        for number, row in enumerate(rows)
    )


def score(passages: Sequence[Passage], cutter: Cutter) -> Score:
    """Boundaries are compared as numbers of words before them, so that blanks and stops don't count."""
    hits = ours_all = gold_all = units = through = 0
    differences = []
    for passage in passages:
        starts = [m.start() for m in re.finditer(r"\w+", passage.text)]
        gold = boundaries(starts, passage.bounds)
        ours = boundaries(starts, [start for start, _ in cutter(passage.text)])
        hits, ours_all, gold_all = hits + len(gold & ours), ours_all + len(ours), gold_all + len(gold)
        edges = [0, *sorted(gold), len(starts)]
        units += len(edges) - 1
        through += sum(any(a < place < b for place in ours) for a, b in pairwise(edges))
        if len(starts) > 3:
            differences.append(window_diff(ours, gold, len(starts)))
    precision, recall = hits / max(1, ours_all), hits / max(1, gold_all)
    return Score(
        f1=2 * precision * recall / ((precision + recall) or 1),
        precision=precision,
        recall=recall,
        window_diff=sum(differences) / max(1, len(differences)),
        cut_through=through / max(1, units),
        ratio=(ours_all + len(passages)) / max(1, units),
    )


def boundaries(starts: Sequence[int], bounds: Sequence[int]) -> set[int]:
    """Words before each boundary; the beginning and the end of the text are no boundaries."""
    before = {sum(start < bound for start in starts) for bound in bounds}
    return before - {0, len(starts)}


def window_diff(ours: set[int], gold: set[int], words: int) -> float:
    """WindowDiff (Pevzner and Hearst 2002) of two sets of boundaries in a text of so many words."""
    return float(segeval.window_diff(_masses(ours, words), _masses(gold, words)))


def _masses(places: set[int], words: int) -> tuple[int, ...]:
    edges = [0, *sorted(places), words]
    return tuple(b - a for a, b in pairwise(edges))


def whole(text: str) -> list[Span]:
    """The answer as one piece."""
    return [(0, len(text))]


def stops(text: str) -> list[Span]:
    """At line breaks and after . ? ! … followed by a blank."""
    edges = [0, *(m.end() for m in re.finditer(r"[.?!…]+\s+|\n+", text)), len(text)]
    return [(a, b) for a, b in pairwise(edges) if b > a]


def every(text: str, *, words: int = 12) -> list[Span]:
    """Every 12 words: what a cutter that knows nothing gets."""
    edges = [0, *(m.start() for m in list(re.finditer(r"\w+", text))[words::words]), len(text)]
    return list(pairwise(edges))


def _with_spacy(nlp: Any, text: str) -> list[Span]:
    return [(s.start_char, s.end_char) for s in nlp(text).sents]


def _with_pysbd(segmenter: Any, text: str) -> list[Span]:
    return [(s.start, s.end) for s in segmenter.segment(text)]


def cutters(language: str) -> dict[str, Cutter]:
    """Ours, the baselines, and pysbd and spaCy where they are installed (they are no dependencies)."""
    found: dict[str, Cutter] = {"rules (ours)": cut, "whole": whole, "stops": stops, "every 12 words": every}
    if importlib.util.find_spec("pysbd"):
        pysbd = importlib.import_module("pysbd")
        found["pysbd"] = partial(_with_pysbd, pysbd.Segmenter(language=language, clean=False, char_span=True))
    model = {"fr": "fr_core_news_md", "en": "en_core_web_sm"}[language]
    if importlib.util.find_spec(model):
        nlp = importlib.import_module(model).load(disable=["ner", "lemmatizer"])
        found[f"spaCy {model}"] = partial(_with_spacy, nlp)
    return found


def main(folder: Path) -> None:
    sets = {
        "rhapsodie, punctuated": ("fr", read_rhapsodie(folder / "rhapsodie", "punctuated")),
        "rhapsodie, commas only": ("fr", read_rhapsodie(folder / "rhapsodie", "commas")),
        "rhapsodie, bare": ("fr", read_rhapsodie(folder / "rhapsodie", "bare")),
        "flaky-survey": ("en", read_flaky(folder / "flaky-survey")),
    }
    for name, (language, passages) in sets.items():
        units = sum(len(p.bounds) + 1 for p in passages)
        print(f"\n{name}: {len(passages)} passages, {units} units")
        print(f"{'':26}{'F1':>6}{'P':>6}{'R':>6}{'WD':>7}{'through':>9}{'ratio':>7}")
        for cutter_name, cutter in cutters(language).items():
            s = score(passages, cutter)
            print(
                f"{cutter_name:26}{s.f1:6.2f}{s.precision:6.2f}{s.recall:6.2f}"
                f"{s.window_diff:7.3f}{s.cut_through:9.2f}{s.ratio:7.2f}"
            )


if __name__ == "__main__":
    data = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("POLYPHONIE_DATA", "../shared/data"))
    if not data.is_dir():
        sys.exit(f"no reference data at {data}: set POLYPHONIE_DATA to its folder")
    main(data)
