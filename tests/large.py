"""A large draft made without an encoder: one question, any number of short answers, for tests and benchmarks of size."""

import random
from dataclasses import replace

from service.domain.draft import (
    Draft,
    DraftAnswer,
    DraftQuestion,
    Group,
    Isolated,
    Sentence,
    Synthesis,
    Verbatim,
)
from tests.drafts import small_draft

WORDS = [
    "bus",
    "train",
    "soir",
    "matin",
    "prix",
    "école",
    "place",
    "arbres",
    "santé",
    "médecin",
    "route",
    "vélo",
    "gare",
    "quartier",
    "mairie",
    "jeunes",
]


def large_draft(answers: int = 25_000, groups: int = 300) -> Draft:
    """Every answer is one verbatim; a tenth are isolated voices."""
    chance = random.Random(7)
    given, verbatims, members, alone = [], [], [list[str]() for _ in range(groups)], []
    places: dict[str, tuple[float, float]] = {}
    for k in range(answers):
        text = f"Il faut {' '.join(chance.choices(WORDS, k=12))}, c’est le point {k}."
        id_ = f"Q1:R{k:06d}"
        category = f"Catégorie {k % 9}"
        given.append(
            DraftAnswer(id=id_, respondent_id=f"R{k}", category=category, text=text, state="with_content")
        )
        v = Verbatim(
            id=f"{id_}.1",
            answer_id=id_,
            respondent_id=f"R{k}",
            category=category,
            start=0,
            end=len(text),
            quote=text,
            text=text,
        )
        verbatims.append(v)
        number = int(groups * chance.random() ** 2)
        (alone if k % 10 == 0 else members[number]).append(v.id)
        x, y = chance.gauss((number % 17) / 10 - 0.8, 0.1), chance.gauss((number // 17) / 10 - 0.8, 0.1)
        places[v.id] = (round(max(-1, min(1, x)), 3), round(max(-1, min(1, y)), 3))
    firsts = [
        Group(
            id=f"Q1.g{k + 1}",
            level=1,
            parent=f"Q1.r{k // 6 + 1}",
            verbatim_ids=tuple(ids),
            label=f"Il faut {WORDS[k % 16]} et {WORDS[k // 16 % 16]} ({k}).",
            n_respondents=len(ids),
            by_category={f"Catégorie {c}": (len(ids) + c) // 9 for c in range(8, -1, -1)},
            exemplar_ids=tuple(ids[:1]),
        )
        for k, ids in enumerate(members)
        if ids
    ]
    seconds = []
    for name in dict.fromkeys(g.parent for g in firsts):
        mine = [g for g in firsts if g.parent == name]
        ids = tuple(v for g in mine for v in g.verbatim_ids)
        seconds.append(
            replace(mine[0], id=str(name), level=2, parent=None, verbatim_ids=ids, n_respondents=len(ids))
        )
    sentences = tuple(
        Sentence(text=f"On veut {g.label[8:]}", group_ids=(g.id,), n_respondents=g.n_respondents)
        for g in firsts[:40]
    )
    question = DraftQuestion(
        id="Q1",
        title="Que faut-il changer ?",
        answers=tuple(given),
        verbatims=tuple(verbatims),
        groups=(*firsts, *seconds),
        isolated=tuple(alone),
        isolation=tuple(Isolated(verbatim_id=v, score=0.5, near=(firsts[0].id,)) for v in alone),
        map=places,
        n_respondents=answers,
        synthesis=Synthesis(
            sentences=sentences,
            paragraphs=tuple(
                tuple(range(k, min(k + 4, len(sentences)))) for k in range(0, len(sentences), 4)
            ),
        ),
    )
    small, _ = small_draft()
    return replace(small, questions=(question,), themes=(), round=replace(small.round, n_respondents=answers))
