"""The group stage: records from a grouping, nothing lost, ids that don't depend on the order."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.encoder import HashEncoder
from service.domain.draft import Verbatim
from service.domain.round import Question
from service.domain.steps import Grouped
from service.stages.group import EXEMPLARS, exemplars, group_verbatims

WORDS = ["bus", "soir", "cantine", "prix", "arbres", "place", "police", "école", "train", "santé"]
SHORT = [
    "Plus de bus le soir",
    "Bus plus tard",
    "Des bus le soir",
    "Cantine trop chère",
    "Prix de la cantine",
    "Cantine moins chère",
    "Des arbres",
    "Planter des arbres",
    "Arbres sur la place",
    "Police de proximité",
    "Plus de police",
    "Police le soir",
    "École fermée",
    "Garder l'école",
    "L'école du village",
    "Trains en retard",
    "Des trains",
    "Un train le matin",
    "Un médecin",
    "Des médecins",
    "Plus de médecins",
    "Moins de bruit",
    "Trop de bruit",
    "La fibre",
    "Un cinéma",
]


def verbatims(texts: list[str]) -> tuple[Verbatim, ...]:
    return tuple(
        Verbatim(id=f"Q1:R{i:03d}.1", answer_id=f"Q1:R{i:03d}", start=0, end=len(t), quote=t, text=t)
        for i, t in enumerate(texts)
    )


def grouped(made: tuple[Verbatim, ...], encoder=None) -> Grouped:
    voices = {v.id: (v.answer_id.split(":")[1],) for v in made}
    categories = {people[0]: "Élus" if n % 2 else "Patients" for n, people in enumerate(voices.values())}
    return group_verbatims(
        Question(id="Q1", title="Que faut-il changer ?"),
        made,
        encoder=encoder or HashEncoder(),
        voices=voices,
        categories=categories,
    )


def level(found: Grouped, number: int):
    return [g for g in found.groups if g.level == number]


def test_twenty_five_short_answers_have_sensible_groups():
    found = grouped(verbatims(SHORT))
    assert 4 <= len(level(found, 1)) <= 12
    assert len(found.isolated) < 10
    assert 1 <= len(level(found, 2)) <= 8


def test_every_verbatim_has_a_place_on_the_map_and_groups_are_apart():
    found = grouped(verbatims(SHORT))
    assert found.map.keys() == {v for g in level(found, 1) for v in g.verbatim_ids} | {
        i.verbatim_id for i in found.isolated
    }
    assert all(-1 <= c <= 1 for place in found.map.values() for c in place)
    spots = {g.id: np.array([found.map[v] for v in g.verbatim_ids]) for g in level(found, 2)}
    inside = np.concatenate([s - s.mean(axis=0) for s in spots.values()])
    assert (inside**2).sum() < (np.array(list(found.map.values())) ** 2).sum() / 2
    assert grouped(tuple(reversed(verbatims(SHORT)))).map == found.map


def test_one_verbatim_or_identical_ones_have_a_place():
    assert grouped(verbatims(["Plus de bus"])).map == {"Q1:R000.1": (0.0, 0.0)}
    assert set(grouped(verbatims(["Plus de bus"] * 4)).map.values()) == {(0.0, 0.0)}


@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join), max_size=30), st.randoms())
@settings(max_examples=10, deadline=None)
def test_nothing_is_lost_and_the_order_makes_no_difference(texts, random):
    made = verbatims(texts)
    found = grouped(made)
    ends = Counter(v for g in level(found, 1) for v in g.verbatim_ids)
    ends.update(i.verbatim_id for i in found.isolated)
    ends.update(f.id for f in found.failures)
    assert ends == Counter(v.id for v in made)
    parents = {g.id: g for g in level(found, 2)}
    for g in level(found, 1):
        assert set(g.verbatim_ids) <= set(parents[g.parent].verbatim_ids)
        assert g.n_respondents == sum(g.by_category.values()) == len(g.verbatim_ids)
        assert set(g.exemplar_ids) <= set(g.verbatim_ids)
    assert sorted(v for g in parents.values() for v in g.verbatim_ids) == sorted(
        v for g in level(found, 1) for v in g.verbatim_ids
    )
    order = list(made)
    random.shuffle(order)
    voices = {v.id: (v.answer_id.split(":")[1],) for v in made}
    categories = {people[0]: "Élus" if n % 2 else "Patients" for n, people in enumerate(voices.values())}
    again = group_verbatims(
        Question(id="Q1", title="Que faut-il changer ?"),
        tuple(order),
        encoder=HashEncoder(),
        voices=voices,
        categories=categories,
    )
    assert again == found


def test_a_blank_verbatim_is_a_failure_with_its_reason():
    found = grouped(verbatims(["Plus de bus", "   ", "Des bus"]))
    assert [(f.id, f.stage) for f in found.failures] == [("Q1:R001.1", "group")]


def test_broken_vectors_fail_alone():
    class Broken(HashEncoder):
        def encode(self, texts):
            rows = super().encode(texts)
            rows[0] = np.nan
            return rows

    found = grouped(verbatims(SHORT), Broken())
    assert [f.id for f in found.failures] == ["Q1:R000.1"]
    assert len(level(found, 1)) >= 4


def test_groups_are_numbered_by_weight():
    sizes = [g.n_respondents for g in level(grouped(verbatims(SHORT)), 1)]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_any_answers(count):
    found = grouped(verbatims(SHORT[:count]))
    assert sum(len(g.verbatim_ids) for g in level(found, 1)) + len(found.isolated) == count


def test_exemplars_begin_with_the_most_central_and_vary():
    rows = HashEncoder().encode(SHORT)
    centrality = np.linspace(0, 1, len(SHORT), dtype=np.float32)
    shown = exemplars(SHORT, rows, centrality, EXEMPLARS)
    assert shown[0] == len(SHORT) - 1
    assert len(set(shown)) == EXEMPLARS


def test_a_text_that_many_gave_is_shown_once():
    texts = ["oui"] * 5 + ["non"] + ["peut-être"] * 2
    shown = exemplars(texts, HashEncoder().encode(texts), np.arange(8, dtype=np.float32), EXEMPLARS)
    assert sorted(texts[i] for i in shown) == ["non", "oui", "peut-être"]


def test_equal_answers_are_one_group():
    found = grouped(verbatims(["oui"] * 50))
    assert [g.n_respondents for g in level(found, 1)] == [50]
    assert found.isolated == ()


def test_a_long_question_is_watched_from_the_encoding_on_and_stops_where_the_watch_raises(monkeypatch):
    monkeypatch.setattr("service.stages.group.LONG", 10)
    steps: list[str] = []

    def watch(step: str) -> None:
        steps.append(step)
        if step == "tree":
            raise InterruptedError

    made = verbatims(SHORT)
    with pytest.raises(InterruptedError):
        group_verbatims(
            Question(id="Q1", title="Que faut-il changer ?"),
            made,
            encoder=HashEncoder(),
            voices={v.id: ("R",) for v in made},
            categories={},
            watch=watch,
        )
    assert steps == ["encode", "encode", "encode", "similarity", "tree"]
