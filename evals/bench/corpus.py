"""Real answers and their vectors for the bench: prefixes of one shuffled list, then noisy copies where the answers run out."""

import csv
import gzip
import json
import random
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Encoder, unit

REAL = 100_000
"""Real answers used unless fewer are asked for; larger sizes repeat their vectors with noise."""

NOISE = 0.02
"""Standard deviation of the noise per dimension of a copied vector: its cosine to the original is about 0.91 at 512 dimensions."""


def read_answers(data: Path) -> list[str]:
    """Answers of grand-debat-scale, shuffled with a fixed seed."""
    with gzip.open(data / "grand-debat-scale" / "answers.csv.gz", "rt", encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    random.Random(0).shuffle(texts)
    return texts[:REAL]


def prepare(texts: list[str], size: int, encoder: Encoder, folder: Path) -> Path:
    """Writes texts.json and vectors.npy of one size; texts are encoded 2,000 at a time. Returns their folder."""
    place = folder / f"{size}-of-{len(texts)}"
    if (place / "texts.json").exists():
        return place
    place.mkdir(parents=True, exist_ok=True)
    some = texts[:size]
    rows = np.concatenate([encoder.encode(some[a : a + 2000]) for a in range(0, len(some), 2000)])
    if size > len(some):
        some, rows = _copied(some, rows, size)
    np.save(place / "vectors.npy", rows)
    (place / "texts.json").write_text(json.dumps(some), encoding="utf-8")
    return place


def _copied(texts: list[str], rows: NDArray[np.float32], size: int) -> tuple[list[str], NDArray[np.float32]]:
    made = np.empty((size, rows.shape[1]), dtype=np.float32)
    random_ = np.random.default_rng(0)
    for start in range(0, size, len(rows)):
        part = made[start : start + len(rows)]
        noise = random_.standard_normal(part.shape, dtype=np.float32) * np.float32(NOISE)
        part[:] = unit(rows[: len(part)] + noise)
    return [f"{texts[i % len(texts)]} ({i // len(texts)})" for i in range(size)], made
