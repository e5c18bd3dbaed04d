"""Real consultations are read whole; skipped where the folder of reference data is absent."""

import csv
import os
import time
from pathlib import Path

import pytest

from service.ingest import read_round

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("POLYPHONIE_DATA") or ROOT.parent / "shared" / "data")

ROWS_A_SECOND = 5_000
"""Least speed of reading; measured 25,000 to 40,000 on one core of 2 shared ones."""


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("argkp2021", "en"),
        ("canada-ai-education", "en"),
        ("grand-debat", "fr"),
        ("grand-debat-coded", "fr"),
        ("nhs-fft", "en"),
        ("opinosis", "en"),
    ],
)
def test_a_real_round_is_read_to_the_last_character(name: str, language: str) -> None:
    path = DATA / name / "answers.csv"
    if not path.is_file():
        pytest.skip(f"no {path}: set POLYPHONIE_DATA to the folder of reference data")
    with path.open(encoding="utf-8", newline="") as file:
        expected = {(row["question_id"], row["answer_id"]): row["text"] for row in csv.DictReader(file)}
    began = time.perf_counter()
    found = read_round(path).round
    assert found is not None
    assert time.perf_counter() - began < 2 + len(expected) / ROWS_A_SECOND
    assert {(a.question_id, a.id): a.text for a in found.answers} == expected
    assert found.language == language
    assert all(q.kind == "open" for q in found.questions)


def test_a_packed_round_is_read() -> None:
    path = DATA / "grand-debat-scale" / "answers.csv.gz"
    if not path.is_file():
        pytest.skip(f"no {path}: set POLYPHONIE_DATA to the folder of reference data")
    found = read_round(path).round
    assert found is not None
    assert len(found.answers) == 120_000


@pytest.mark.parametrize("name", ["round", "small"])
def test_the_examples_are_read_without_a_word(name: str) -> None:
    reading = read_round(ROOT / "examples" / name / "answers.csv")
    assert reading.round is not None
    assert reading.problems == ()
