"""How much personal data is found before a text goes to a model elsewhere? Precision and recall on sentences of ours.

`python -m evals.masking [--misses]` prints the tables of docs/privacy.md; the sentences are in `evals/personal/`, invented, with
what is personal marked as `[kind|value]`. Telephone numbers are from the ranges kept
for fiction; numbers with keys have sound ones.
"""

import argparse
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from service.domain.round import Language
from service.llm.masking.coded import Found, Kind
from service.llm.masking.masked import Finder

HERE = Path(__file__).parent / "personal"
MARK = re.compile(r"\[(\w+)\|([^\]]+)\]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sentence:
    language: Language
    number: int
    """Line in its file, from 1. The rules were mended on the odd ones alone."""
    text: str
    personal: tuple[Found, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """One stretch of one sentence: told and found, told and missed, or found and not told."""

    sentence: Sentence
    kind: Kind
    value: str
    told: bool
    found: bool


def read_sentences() -> tuple[Sentence, ...]:
    made: list[Sentence] = []
    for language in get_args(Language):
        lines = (HERE / f"{language}.txt").read_text(encoding="utf-8").splitlines()
        made += [marked(line, language, number) for number, line in enumerate(lines, start=1)]
    return tuple(made)


def marked(line: str, language: Language, number: int) -> Sentence:
    """`Merci [person|Ada].` → the sentence as it was written, and where its personal data is."""
    text, at = "", 0
    personal: list[Found] = []
    for mark in MARK.finditer(line):
        text += line[at : mark.start()]
        personal.append(Found(start=len(text), end=len(text) + len(mark[2]), kind=cast(Kind, mark[1])))
        text, at = text + mark[2], mark.end()
    return Sentence(language=language, number=number, text=text + line[at:], personal=tuple(personal))


def judge(sentences: Sequence[Sentence], finder: Finder) -> tuple[Judged, ...]:
    return tuple(
        one
        for sentence, found in zip(sentences, finder.find([s.text for s in sentences]), strict=True)
        for one in _judged(sentence, found)
    )


def _judged(sentence: Sentence, found: Sequence[Found]) -> Iterator[Judged]:
    """Told is found where none of its letters and digits would leave; found is told where it meets one of its kind."""
    hidden = {k for f in found for k in range(f.start, f.end)}
    for told in sentence.personal:
        value = sentence.text[told.start : told.end]
        shown = [k for k in range(told.start, told.end) if sentence.text[k].isalnum() and k not in hidden]
        yield Judged(sentence=sentence, kind=told.kind, value=value, told=True, found=not shown)
    for f in found:
        if not any(t.kind == f.kind and t.start < f.end and f.start < t.end for t in sentence.personal):
            value = sentence.text[f.start : f.end]
            yield Judged(sentence=sentence, kind=f.kind, value=value, told=False, found=True)


def table(judged: Sequence[Judged], kinds: Sequence[str] = get_args(Kind)) -> str:
    """Markdown: precision and recall per kind, with what they are made of."""
    lines = [
        "| kind | in the sentences | found | recall | found wrongly | precision |",
        "|---|---|---|---|---|---|",
    ]
    for name, some in [(k, [j for j in judged if j.kind == k]) for k in kinds] + [("all", list(judged))]:
        told = [j for j in some if j.told]
        right, wrong = sum(j.found for j in told), sum(not j.told for j in some)
        recall = f"{right / len(told):.3f}" if told else "–"
        precision = f"{right / (right + wrong):.3f}" if right + wrong else "–"
        lines.append(f"| {name} | {len(told)} | {right} | {recall} | {wrong} | {precision} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m evals.masking", description=__doc__)
    parser.add_argument("--misses", action="store_true", help="list what is missed and what is found wrongly")
    asked = parser.parse_args()
    from service.llm.masking.detector import Detector  # loads Presidio

    sentences = read_sentences()
    judged = judge(sentences, Detector())
    for name, some in (
        ("all sentences", judged),
        ("French", [j for j in judged if j.sentence.language == "fr"]),
        ("English", [j for j in judged if j.sentence.language == "en"]),
        ("half that the rules were not mended on", [j for j in judged if j.sentence.number % 2 == 0]),
    ):
        counted = {(j.sentence.language, j.sentence.number) for j in some}
        print(
            f"{name} ({len(counted)} with something told or found, of {len(sentences)})",
            table(some),
            sep="\n\n",
            end="\n\n",
        )
    if asked.misses:
        for j in judged:
            if j.told != j.found:
                what = "missed" if j.told else "wrong"
                print(
                    f"{what} {j.sentence.language}:{j.sentence.number} {j.kind} « {j.value} » in « {j.sentence.text} »"
                )


if __name__ == "__main__":
    main()
