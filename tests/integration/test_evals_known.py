"""The scorers on texts whose score is known, with the packaged encoder: docs/evals.md prints the same table."""

from collections.abc import Mapping

import pytest

from embeddings.cache import CachedEncoder
from embeddings.encoder import load_encoder
from evals.known import labels, pairs, texts
from evals.scoring.matching import match
from service.stages.check import Encode

pytestmark = pytest.mark.real_model


@pytest.fixture(scope="module")
def encode(tmp_path_factory) -> Encode:
    kept = tmp_path_factory.mktemp("vectors") / "vectors.sqlite"
    return CachedEncoder(load_encoder("local", "fr"), kept).encode


def _by_name(cases) -> Mapping[str, Mapping[str, float]]:
    return {c.name: c.figures for c in cases}


def test_labels_of_known_score(encode: Encode):
    got = _by_name(labels(encode))
    assert got["themselves"] == got["themselves, shuffled"]
    assert all(
        got["themselves"][m] == pytest.approx(1) for m in ("coverage", "precision", "nearness", "rouge_l")
    )
    assert got["themselves"]["contradiction"] == 0
    assert got["in other words"]["coverage"] >= 0.9
    assert got["in other words"]["contradiction"] == 0
    assert got["turned into the contrary"]["coverage"] == 0
    assert got["turned into the contrary"]["contradiction"] >= 0.95
    assert got["of another question"]["coverage"] == 0
    assert got["of another question"]["nearness"] < 0.3
    assert got["in English"]["coverage"] == got["in English"]["language"] == 0
    assert got["themselves and as many of other questions"]["coverage"] == 1
    assert got["themselves and as many of other questions"]["precision"] == pytest.approx(0.5)
    assert got["the first three"]["coverage"] == pytest.approx(3 / 11)
    assert got["one, over and over"]["coverage"] == pytest.approx(1 / 11)


def test_texts_of_known_score(encode: Encode):
    got = _by_name(texts(encode))
    itself = got["the human text"]
    assert itself["coverage"] == itself["matter"] == itself["support"] == 1
    assert itself["contradiction"] == 0
    assert got["its sentences shuffled"]["coverage"] == 1
    contrary = got["its labels turned into the contrary"]
    assert contrary["coverage"] == contrary["support"] == 0
    assert contrary["contradiction"] > 0
    off = got["another question's text"]
    assert off["coverage"] == off["matter"] == off["support"] == 0
    padded = got["the human text and another's"]
    assert padded["coverage"] == 1
    assert padded["support"] < itself["support"]
    assert padded["length"] > 1.5
    short = got["its first paragraph"]
    assert short["coverage"] == short["matter"] < 0.5
    assert short["far"] > itself["far"]
    everything = got["every answer, quoted"]
    assert everything["far"] == 0
    assert everything["length"] > 5
    assert everything["rouge_l"] < 0.2


def test_no_contrary_covers_its_label(encode: Encode):
    for label, contrary in pairs()["contrary"]:
        assert match([label], [contrary], encode, "fr", about="").matches == (), contrary


def test_the_same_in_other_words_is_never_called_contrary(encode: Encode):
    for label, same in pairs()["same"]:
        assert match([label], [same], encode, "fr", about="").contradictions == (), same
