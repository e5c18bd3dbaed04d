"""Suite *themes*: a general synthesis across questions beside people's, from the human syntheses of the questions."""

from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from evals.references import Reference, ReferenceTheme, read_reference
from evals.scoring.matching import likeness
from evals.scoring.texts import Compared, Written, compare_synthesis, sentences
from evals.statistics import Part
from evals.suites import Bench, Case, Desk, Draft, Made
from evals.suites.material import question_of_sentences, shuffled
from service.domain.draft import Theme
from service.stages.check import Encode
from service.stages.themes import find_themes


def benches(data: Path) -> list[Bench]:
    return [from_human_syntheses(data / "esante-2020")] if (data / "esante-2020").is_dir() else []


def from_human_syntheses(folder: Path) -> Bench:
    """A folder with syntheses of questions and themes: the themes are written from people's syntheses."""
    reference = read_reference(folder)
    questions = tuple(
        question_of_sentences(q.id, q.title, sentences(q.syntheses[0]))
        for q in reference.questions
        if q.syntheses
    )

    def ours(case: Case, desk: Desk) -> Made:
        return desk.once(("themes", folder), lambda: _made(desk))

    def _made(desk: Desk) -> Made:
        themed = find_themes(
            questions,
            language=reference.language,
            encode=desk.encoder(reference.language).encode,
            chat=desk.chat,
        )
        return as_json(themed.themes, themed.fallbacks)

    return bench_of(
        reference,
        name=folder.name,
        draft=ours,
        sources=lambda _: [[s.text for s in q.synthesis.sentences] for q in questions],
    )


def bench_of(
    reference: Reference, *, name: str, draft: Draft, sources: Callable[[Desk], list[list[str]]]
) -> Bench:
    """A case is a human theme; the draft is the same for all of them. sources: sentences of the question syntheses that
    the draft is made from, by question."""

    def first(case: Case, desk: Desk) -> Made:
        """The first sentence of each question, as one theme a question."""
        return {"themes": [some[:1] for some in sources(desk) if some], "refused": 0}

    def by_lot(case: Case, desk: Desk) -> Made:
        """Sentences dealt out to as many themes as people made."""
        mixed = shuffled([s for some in sources(desk) for s in some], name)
        n = len(reference.themes)
        return {"themes": [mixed[k::n] for k in range(n)], "refused": 0}

    return Bench(
        suite="themes",
        set=name,
        language=reference.language,
        sha256=reference.sha256,
        cases=tuple(
            Case(id=t.id, title=t.title, language=reference.language, data=None, gold=(t, reference.themes))
            for t in reference.themes
        ),
        drafters={"draft": draft, "first": first, "random": by_lot},
        score=_score,
        stated={"ceiling": "one general synthesis: no human-human figure exists"},
    )


def as_json(themes: Sequence[Theme], refused: int) -> dict[str, Any]:
    return {
        "themes": [
            [s.text for section in t.sections for s in section.sentences] for t in themes if t.sections
        ],
        "refused": refused,
    }


def _score(case: Case, made: Made, desk: Desk) -> Compared:
    theme, all_themes = case.gold
    encode = desk.encode(case.language)
    human = [section.text for section in theme.sections]
    ours = [text for some in made["themes"] for text in some]
    compared = compare_synthesis(human, [Written(text=t) for t in ours], encode, case.language, about="")
    whole = [section.text for t in all_themes for section in t.sections]
    figures: dict[str, Part] = {
        name: part
        for name, part in compared.figures.items()
        if name in ("coverage", "matter", "nearness", "contradiction", "readability")
    }
    against_all = compare_synthesis(
        whole, [Written(text=t) for t in ours], encode, case.language, about=""
    ).figures
    figures |= {name: against_all[name] for name in ("rouge_l", "chrf", "length")}
    figures["together"] = _together(theme, all_themes, made["themes"], encode)
    figures["refused"] = (made["refused"], max(1, len(ours)))
    return Compared(
        figures=figures,
        human=compared.human,
        ours=compared.ours,
        matches=compared.matches,
        contradictions=compared.contradictions,
    )


def _together(
    theme: ReferenceTheme, all_themes: Sequence[ReferenceTheme], ours: Sequence[Sequence[str]], encode: Encode
) -> Part:
    """Rand index (Rand 1971) over pairs with a sentence of this theme: same or different theme, for people and for us."""
    said = [(t.id, s) for t in all_themes for section in t.sections for s in sentences([section.text])]
    placed = [(k, text) for k, some in enumerate(ours) for text in some]
    alike = likeness([s for _, s in said], [text for _, text in placed], encode)
    where = [placed[int(row.argmax())][0] for row in alike]
    pairs = [
        (said[i][0] == said[j][0]) == (where[i] == where[j])
        for i, j in combinations(range(len(said)), 2)
        if theme.id in (said[i][0], said[j][0])
    ]
    return sum(pairs), len(pairs)
