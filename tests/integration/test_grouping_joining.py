"""New answers join, memory is asked first, steps can be watched and stopped."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings import memory
from embeddings.encoder import HashEncoder, unit
from embeddings.grouping import Recipe, group
from embeddings.joining import Joined, join
from embeddings.memory import NotEnoughMemory, needed
from embeddings.similarity import Asked

OLD = [
    "Plus de bus le soir",
    "Des bus plus tard le soir",
    "Le bus passe trop rarement le soir",
    "Baisser le prix de la cantine",
    "La cantine est trop chère",
    "Une cantine moins chère",
    "Planter des arbres sur la place",
    "Des arbres et de l'ombre",
    "Plus d'arbres dans la cour",
    "Supprimer la police municipale",
]
NEW = [
    "Davantage de bus le soir",
    "La cantine moins chère",
    "Zzyzx qwfp 42",
    "Supprimer la police municipale",
]


def joined(new: list[str], recipe: Recipe = Recipe(), asked: Asked | None = None) -> Joined:
    encode = HashEncoder().encode
    found = group(OLD, encode(OLD), asked=asked, recipe=recipe)
    return join(new, encode(new), texts=OLD, vectors=encode(OLD), grouping=found, asked=asked, recipe=recipe)


def test_new_answers_go_where_their_like_are_and_strangers_stay_out():
    labels = group(OLD, HashEncoder().encode(OLD)).labels
    found = joined(NEW)
    assert found.labels[0] == labels[0]
    assert found.labels[1] == labels[4]
    assert found.labels[2] == -1
    assert found.isolation[2] > max(found.isolation[:2])
    assert found.near[0, 0] == labels[0]


def test_the_words_of_an_old_answer_go_where_it_is():
    labels = group(OLD, HashEncoder().encode(OLD)).labels
    assert joined(OLD).labels.tolist() == labels.tolist()


def test_what_new_answers_share_with_the_question_does_not_place_them():
    random_ = np.random.default_rng(0)
    axes = np.eye(4, dtype=np.float32)
    places = np.repeat([0, 1], 60)
    rows = unit(axes[1 + places] + 5 * random_.normal(size=(120, 1)).astype(np.float32) * axes[0])
    texts = [f"t{i:03d}" for i in range(120)]
    asked, recipe = Asked(text="", vector=axes[0]), Recipe(words=0)
    old, new = np.arange(120) % 6 > 0, np.arange(120) % 6 == 0
    some = [t for t, kept in zip(texts, old, strict=True) if kept]
    found = group(some, rows[old], asked=asked, recipe=recipe)
    right = []
    for question in (asked, None):
        joins = join(
            ["n"] * 20,
            rows[new],
            texts=some,
            vectors=rows[old],
            grouping=found,
            asked=question,
            recipe=recipe,
        )
        right.append(
            [
                set(places[old][found.labels == k]) == {p}
                for k, p in zip(joins.labels, places[new], strict=True)
            ]
        )
    assert all(right[0])
    assert not all(right[1])


@given(st.permutations(range(len(NEW))))
@settings(max_examples=10, deadline=None)
def test_each_new_answer_is_placed_by_itself(order):
    straight, shuffled = joined(NEW), joined([NEW[i] for i in order])
    assert np.array_equal(straight.labels[list(order)], shuffled.labels)
    assert joined([NEW[0]]).labels[0] == straight.labels[0]


@pytest.mark.parametrize("new", [[], [""], ["!!!"]])
def test_joining_nothing_is_defined(new):
    found = joined(new)
    assert found.labels.shape == (len(new),)
    assert np.isfinite(found.isolation).all()


def test_joining_no_groups_leaves_everybody_out():
    encode = HashEncoder().encode
    none = group(["seul"], encode(["seul"]))
    found = join(["seule"], encode(["seule"]), texts=["seul"], vectors=encode(["seul"]), grouping=none)
    assert found.labels.tolist() == [-1]
    assert found.near.tolist() == [[-1, -1]]


def test_a_large_question_is_joined_by_centroids():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(6, 60)).astype(np.float32)
    rows = np.repeat(centres, 40, axis=0) + 0.05 * rng.normal(size=(240, 60)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    texts, recipe = [f"t{i:03d}" for i in range(240)], Recipe(large=100)
    found = group(texts, rows, recipe=recipe)
    new = join(["n"], rows[45:46], texts=texts, vectors=rows, grouping=found, recipe=recipe)
    assert new.labels[0] == found.labels[45]


def test_too_little_memory_is_said_before_starting(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 1000)
    steps: list[str] = []
    with pytest.raises(NotEnoughMemory, match=r"10 different texts.*larger machine"):
        group(OLD, HashEncoder().encode(OLD), watch=steps.append)
    assert steps == []


def test_memory_that_nobody_tells_stops_nothing(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: None)
    assert len(group(OLD, HashEncoder().encode(OLD)).labels) == len(OLD)


def test_a_million_texts_are_thought_to_fit_in_24_gib():
    assert needed(1_000_000, 512, pairwise=False) < 24 * 2**30


def test_a_grouping_can_be_stopped_at_a_step():
    def stop(step: str) -> None:
        if step == "tree":
            raise InterruptedError

    with pytest.raises(InterruptedError):
        group(OLD, HashEncoder().encode(OLD), watch=stop)


def test_zero_and_broken_vectors_give_no_nan():
    rows = np.zeros((len(OLD), 8), dtype=np.float32)
    found = group(OLD, rows)
    assert np.isfinite(found.isolation).all()
    assert np.isfinite(found.centrality).all()


def test_a_repeated_answer_of_a_large_question_joins_its_like_before_it_stands_alone():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(6, 60)).astype(np.float32)
    rows = np.repeat(centres, 40, axis=0) + 0.2 * rng.normal(size=(240, 60)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    texts = [f"t{i:03d}" for i in range(240)]
    once = group(texts, rows, recipe=Recipe(large=100))
    twice = group(texts, rows, weights=[2] * 240, recipe=Recipe(large=100))
    assert np.array_equal(once.labels, twice.labels)
