import sqlite3
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embeddings.cache import CachedEncoder
from embeddings.encoder import HashEncoder, SideBySide, unit
from embeddings.grouping import Grouping, Recipe, group
from embeddings.neighbours import nearest
from embeddings.similarity import Asked, over_neighbours, similarity

TEXTS = [
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


class Counting(HashEncoder):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def encode(self, texts):
        self.seen += texts
        return super().encode(texts)


def test_unit_rows_and_zero_rows():
    rows = unit(np.array([[3, 4], [0, 0], [np.nan, 1]], dtype=np.float32))
    assert np.allclose(np.linalg.norm(rows, axis=1), [1, 0, 1])
    assert np.isfinite(rows).all()


def test_blank_text_has_a_zero_row():
    assert not HashEncoder().encode(["", " "]).any()


def test_cache_encodes_each_text_once_and_keeps_it(tmp_path: Path):
    first = Counting()
    path = tmp_path / "v.sqlite"
    one = CachedEncoder(first, path).encode(["a b", "c", "a b"])
    assert sorted(first.seen) == ["a b", "c"]
    second = Counting()
    two = CachedEncoder(second, path).encode(["c", "a b"])
    assert second.seen == []
    assert np.array_equal(one[[1, 0]], two)


def test_cache_of_another_revision_is_not_used(tmp_path: Path):
    path = tmp_path / "v.sqlite"
    CachedEncoder(Counting(), path).encode(["a"])
    other = Counting()
    other.revision = "2"
    CachedEncoder(other, path).encode(["a"])
    assert other.seen == ["a"]


def test_damaged_cache_is_put_aside(tmp_path: Path):
    path = tmp_path / "v.sqlite"
    path.write_bytes(b"no database at all" * 100)
    with pytest.warns(UserWarning, match="damaged"):
        cached = CachedEncoder(HashEncoder(), path)
    assert cached.encode(["a"]).shape == (1, 256)
    assert (tmp_path / "v.sqlite.damaged").exists()
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM vector").fetchone() == (1,)


def test_encoders_side_by_side_weigh_the_same_and_are_cached_under_both_names(tmp_path: Path):
    wide, narrow = HashEncoder(), HashEncoder(64)
    both = SideBySide([wide, narrow])
    assert (both.name, both.revision) == ("hash+hash", "1+1")
    rows = both.encode([*TEXTS, ""])
    assert rows.shape == (len(TEXTS) + 1, 256 + 64)
    assert not rows[-1].any()
    alike = wide.encode(TEXTS) @ wide.encode(TEXTS).T + narrow.encode(TEXTS) @ narrow.encode(TEXTS).T
    assert np.allclose(rows[:-1] @ rows[:-1].T, alike / 2, atol=1e-6)
    kept = CachedEncoder(both, tmp_path / "v.sqlite").encode(TEXTS)
    assert np.array_equal(kept, rows[:-1])
    assert CachedEncoder(wide, tmp_path / "v.sqlite").encode(TEXTS).shape == (len(TEXTS), 256)


def test_to_repeat_the_question_does_not_make_two_texts_alike():
    texts = ["Il faut des bus gratuits, au marché", "Il faut des bus gratuits, pour les élèves", *TEXTS[3:]]
    encode = HashEncoder().encode
    question = Asked(text="Faut-il des bus gratuits ?", vector=encode(["Faut-il des bus gratuits ?"])[0])
    before = similarity(texts, encode(texts), 0.5)
    after = similarity(texts, encode(texts), 0.5, question)
    assert after[0, 1] < before[0, 1] - 0.2
    assert after[2, 3] == pytest.approx(before[2, 3], abs=0.1)


def test_an_empty_question_changes_nothing():
    nothing = Asked(text="", vector=np.zeros(256, dtype=np.float32))
    rows = HashEncoder().encode(TEXTS)
    assert np.allclose(similarity(TEXTS, rows, 0.5, nothing), similarity(TEXTS, rows, 0.5), atol=1e-6)


@pytest.mark.parametrize("n", [1, 5, 120])
def test_zero_vectors_give_no_nan(n):
    found = group([f"t{i}" for i in range(n)], np.zeros((n, 8), dtype=np.float32))
    assert len(found.labels) == n
    assert np.isfinite(found.isolation).all()
    assert np.isfinite(found.centrality).all()


@pytest.mark.parametrize("large", [4000, 50])
def test_zero_vectors_among_others_give_no_nan(large):
    rng = np.random.default_rng(0)
    rows = unit(rng.normal(size=(120, 60)).astype(np.float32))
    rows[:20] = 0
    found = group([f"t{i}" for i in range(120)], rows, recipe=Recipe(large=large))
    assert np.isfinite(found.isolation).all()
    assert np.isfinite(found.centrality).all()


def test_texts_that_have_nothing_in_common_are_all_isolated():
    n = 60
    found = group([chr(0x4E00 + i) * 3 for i in range(n)], np.eye(n, dtype=np.float32))
    assert (found.labels == -1).all()


def test_nearest_finds_itself_first():
    rows = HashEncoder().encode(TEXTS)
    similarities, numbers = nearest(rows, 3)
    assert numbers[:, 0].tolist() == list(range(len(TEXTS)))
    assert np.allclose(similarities[:, 0], 1, atol=1e-5)


def grouped(texts: list[str], **more) -> Grouping:
    return group(texts, HashEncoder().encode(texts), **more)


def test_alike_texts_are_together_and_the_odd_one_is_isolated():
    found = grouped(TEXTS)
    assert len({*found.labels[:3]}) == len({*found.labels[3:6]}) == len({*found.labels[6:9]}) == 1
    assert len({found.labels[0], found.labels[3], found.labels[6]}) == 3
    assert found.labels[9] == -1
    assert found.isolation[9] > max(found.isolation[:9])


@pytest.mark.parametrize("texts", [[], ["seul"], ["un", "deux"], ["!!!", "???", "..."]])
def test_small_and_wordless_questions_are_defined(texts):
    found = grouped(texts)
    assert len(found.labels) == len(texts)
    assert np.isfinite(found.isolation).all()


def test_all_equal_is_one_group_and_fast():
    found = grouped(["oui"] * 20_000)
    assert set(found.labels) == {0}


def test_a_text_of_several_respondents_is_a_group_of_its_own():
    alone = grouped(TEXTS, weights=[1] * 9 + [3])
    assert alone.labels[9] >= 0
    assert (alone.labels == alone.labels[9]).sum() == 1


def test_opposed_sides_are_kept_apart():
    texts = [
        "pour la taxe locale",
        "pour cette taxe locale",
        "contre la taxe locale",
        "contre cette taxe locale",
    ] + TEXTS
    sides = [1, 1, -1, -1] + [0] * len(TEXTS)
    labels = grouped(texts, sides=sides).labels
    assert not ({*labels[:2]} - {-1}) & ({*labels[2:4]} - {-1})


@given(st.permutations(range(len(TEXTS))))
@settings(max_examples=20, deadline=None)
def test_row_order_does_not_matter(order):
    straight = grouped(TEXTS)
    shuffled = grouped([TEXTS[i] for i in order])
    assert np.array_equal(straight.labels[list(order)], shuffled.labels)
    assert np.array_equal(straight.parents, shuffled.parents)


def test_second_level_is_nested_and_bounded():
    rng = np.random.default_rng(0)
    centres = unit(rng.normal(size=(30, 16)).astype(np.float32))
    vectors = unit(np.repeat(centres, 6, axis=0) + 0.05 * rng.normal(size=(180, 16)).astype(np.float32))
    found = group([f"t{i}" for i in range(180)], vectors, recipe=Recipe(words=0))
    assert len(found.parents) == found.labels.max() + 1
    assert 3 <= len(set(found.parents)) <= 8


@pytest.mark.parametrize("tree", ["hdbscan", "average"])
def test_either_tree_can_be_asked_for_whatever_the_size(tree: Literal["hdbscan", "average"]):
    rng = np.random.default_rng(0)
    centres = np.eye(10, 30, dtype=np.float32)
    rows = unit(np.repeat(centres, 6, axis=0) + 0.05 * rng.normal(size=(60, 30)).astype(np.float32))
    for few in (10, 80):
        found = group([f"t{i:02d}" for i in range(60)], rows, recipe=Recipe(words=0, tree=tree, few=few))
        groups = [np.flatnonzero(found.labels == g) // 6 for g in range(len(found.parents))]
        assert len(groups) >= 10
        assert all(len(set(centre)) == 1 for centre in groups)


def test_below_eighty_texts_the_groups_are_hdbscans_and_from_there_on_averaged_linkages():
    rng = np.random.default_rng(0)
    rows = unit(rng.normal(size=(80, 12)).astype(np.float32))
    texts = [f"t{i:02d}" for i in range(80)]
    for n, tree in ((79, "hdbscan"), (80, "average")):
        asked = group(texts[:n], rows[:n], recipe=Recipe(tree=tree))
        assert np.array_equal(group(texts[:n], rows[:n]).labels, asked.labels)
    other = group(texts, rows, recipe=Recipe(tree="hdbscan"))
    assert not np.array_equal(group(texts, rows).labels, other.labels)


def test_similarities_averaged_over_neighbours_stay_cosines_and_bring_neighbours_together():
    alike = np.asarray([[1, 0.8, 0], [0.8, 1, 0.6], [0, 0.6, 1]], dtype=np.float32)
    assert np.allclose(over_neighbours(alike, 1), alike)
    averaged = over_neighbours(alike, 2)
    assert np.allclose(np.diag(averaged), 1)
    assert np.allclose(averaged, averaged.T)
    assert averaged.max() <= 1 + 1e-6
    assert averaged[0, 1] > 0.8


def test_a_stranger_in_a_group_of_two_is_more_isolated_than_others_of_a_middling_question():
    rng = np.random.default_rng(0)
    many = np.repeat(np.eye(8, 60, dtype=np.float32), 15, axis=0)
    strangers = np.eye(60, dtype=np.float32)[[40, 40]]
    rows = unit(np.concatenate([many, strangers]) + 0.05 * rng.normal(size=(122, 60)).astype(np.float32))
    found = group([f"t{i:03d}" for i in range(122)], rows, recipe=Recipe(words=0))
    assert found.labels[120] == found.labels[121] >= 0
    assert found.isolation[120:].min() > found.isolation[:120].max()


def test_large_questions_go_by_the_neighbour_graph():
    rng = np.random.default_rng(0)
    centres = unit(rng.normal(size=(12, 60)).astype(np.float32))
    vectors = unit(np.repeat(centres, 50, axis=0) + 0.05 * rng.normal(size=(600, 60)).astype(np.float32))
    found = group([f"t{i:04d}" for i in range(600)], vectors, recipe=Recipe(large=100))
    for label in set(found.labels) - {-1}:
        assert len({i // 50 for i in np.flatnonzero(found.labels == label)}) == 1
    assert (found.labels == -1).mean() < 0.1
    assert 12 <= found.labels.max() + 1 <= 48


def test_what_nobody_else_says_in_a_large_question_is_isolated_unless_two_wrote_it():
    rng = np.random.default_rng(0)
    centres = np.eye(12, 60, dtype=np.float32)
    alone = np.eye(60, dtype=np.float32)[40:46]
    many = np.repeat(centres, 50, axis=0) + 0.05 * rng.normal(size=(600, 60)).astype(np.float32)
    vectors = unit(np.concatenate([many, alone]))
    texts = [f"t{i:04d}" for i in range(606)]
    found = group(texts, vectors, weights=[1] * 605 + [2], recipe=Recipe(large=100))
    assert (found.labels[600:605] == -1).all()
    assert found.labels[605] != -1
    assert (found.labels[:600] == -1).mean() < 0.02
    assert found.isolation[600:605].min() > found.isolation[:600].max()
