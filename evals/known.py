"""`python -m evals.known`: what the scorers say of texts whose score is known, in Markdown; the same cases are tests.

The texts are made from the reference of the invented example round, and from `known.json`, written by hand.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from embeddings.cache import CachedEncoder
from embeddings.encoder import load_encoder
from evals.references import read_reference
from evals.run import YARDSTICK
from evals.scoring.reach import reach
from evals.scoring.texts import Compared, Written, compare_labels, compare_synthesis
from evals.statistics import ratio
from evals.suites.example import FOLDER
from service.ingest import read_round
from service.stages.check import Encode
from service.stages.cutting import cut

LABELS = ("coverage", "precision", "nearness", "rouge_l", "contradiction", "language")
TEXTS = ("coverage", "matter", "nearness", "contradiction", "rouge_l", "support", "length", "far")


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    name: str
    expected: str
    figures: Mapping[str, float]


def pairs() -> Mapping[str, Sequence[tuple[str, str]]]:
    """`contrary`, `same`, `english`: (label, the label otherwise)."""
    raw = json.loads((Path(__file__).parent / "known.json").read_text(encoding="utf-8"))
    return {name: [(a, b) for a, b in raw[name]] for name in ("contrary", "same", "english")}


def labels(encode: Encode) -> list[Known]:
    """Labels whose score is known, beside the human ones of the first question."""
    questions = read_reference(FOLDER).questions
    human, about = [g.label for g in questions[0].groups], questions[0].title
    other = [g.label for g in questions[5].groups]
    mixed = Random(0).sample(human, len(human))
    padding = [g.label for q in questions[3:] for g in q.groups][: len(human)]
    contrary, same, english = pairs()["contrary"], pairs()["same"], pairs()["english"]
    cases = {
        ("themselves", "all 1, no contradiction"): (human, human),
        ("themselves, shuffled", "the same: order is nothing"): (human, mixed),
        ("in other words", "nearness high, coverage well above off-topic, no contradiction"): _split(same),
        ("turned into the contrary", "coverage 0, contradiction near 1"): _split(contrary),
        ("of another question", "coverage 0, nearness near that of chance"): (human, other),
        ("in English", "coverage 0, language 0"): _split(english),
        ("themselves and as many of other questions", "coverage 1, precision halved"): (human, [*human, *padding]),
        ("the first three", "coverage by their share, precision 1"): (human, human[:3]),
        ("one, over and over", "coverage of one only: one-to-one"): (human, human[:1] * len(human)),
    }  # fmt: skip
    return [
        Known(
            name=name,
            expected=expected,
            figures=_values(compare_labels(gold, ours, encode, "fr", about=about), LABELS),
        )
        for (name, expected), (gold, ours) in cases.items()
    ]


def _split(some: Sequence[tuple[str, str]]) -> tuple[list[str], list[str]]:
    return [a for a, _ in some], [b for _, b in some]


def texts(encode: Encode) -> list[Known]:
    """Syntheses whose score is known, beside the human one of the first question."""
    reference = read_reference(FOLDER)
    question, other = reference.questions[0], reference.questions[5]
    round_ = read_round(FOLDER / "answers.csv").round
    answers = [a.text for a in round_.answers_to(question.id)] if round_ else []
    ideas = [t[a:b] for t in answers for a, b in cut(t)]
    human, source = list(question.syntheses[0]), [g.label for g in question.groups]
    contrary = [b for a, b in pairs()["contrary"] if a in source]
    cases: dict[tuple[str, str], tuple[list[str], list[str]]] = {
        ("the human text", "coverage 1: the ceiling"): (human, source),
        ("its sentences shuffled", "the same coverage"): (human[::-1], source),
        ("its labels turned into the contrary", "coverage 0, contradictions, no support; the matter is there"): (contrary, source),
        ("another question's text", "coverage 0, no matter, no support"): (list(other.syntheses[0]), source),
        ("the human text and another's", "coverage 1, support halved, length double"): ([*human, *other.syntheses[0]], source),
        ("its first paragraph", "coverage by its share, length short, more left out"): (human[:1], source),
        ("every answer, quoted", "reaches everybody, length many times the human's"): (ideas, ideas),
    }  # fmt: skip
    made = []
    for (name, expected), (ours, cited) in cases.items():
        said = [Written(text=s, sources=tuple(cited)) for s in ours]
        figures = _values(compare_synthesis(human, said, encode, "fr", about=question.title), TEXTS)
        far = reach(ideas, [""] * len(ideas), ours, encode)["far"]
        made.append(Known(name=name, expected=expected, figures={**figures, "far": ratio([far])}))
    return made


def _values(compared: Compared, names: Sequence[str]) -> dict[str, float]:
    return {n: ratio([compared.figures[n]]) for n in names if n in compared.figures}


def table(cases: Sequence[Known], names: Sequence[str]) -> list[str]:
    head = f"| text | {' | '.join(names)} | expected |"
    rows = [
        f"| {c.name} | {' | '.join(f'{c.figures[n]:.2f}' if n in c.figures else '–' for n in names)} | {c.expected} |"
        for c in cases
    ]
    return [head, "|---" * (len(names) + 2) + "|", *rows]


def main() -> None:
    cache = Path("~/.cache/polyphonie/vectors.sqlite").expanduser()
    encode = CachedEncoder(load_encoder(YARDSTICK["fr"], "fr"), cache).encode
    print("\n".join([*table(labels(encode), LABELS), "", *table(texts(encode), TEXTS)]))


if __name__ == "__main__":
    main()
