"""The command against a real OpenAI-compatible server on this machine: budget, kill, resume, and no call made twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import kills
from tests.loopback import ModelServer, model_server


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as running:
        yield running


def test_budget_then_resume_then_again(server: ModelServer, tmp_path: Path):
    runs = kills.Drafts(server, tmp_path / "runs", warm=False)
    draft = runs.folder / "out" / "draft.json"
    code, said = runs.ended("--budget", "12000")
    assert code == 3, said
    assert "--budget" in said
    assert "--resume" in said
    assert not draft.exists()
    paid = len(server.answered)
    assert paid

    code, said = runs.ended("--resume", "--questions", "Q1")
    assert code == 1
    assert "questions" in said

    code, said = runs.ended("--resume")
    assert code == 0, said
    assert len(server.answered) > paid
    assert not server.repeated()
    assert not (runs.folder / "out" / "stopped.json").exists()
    first = runs.made()

    calls = len(server.answered)
    code, said = runs.ended()
    assert code == 0, said
    assert len(server.answered) == calls, "a second identical run makes no call"
    assert runs.made() == first


def test_a_killed_run_repeats_no_finished_call():
    """The short form of `python -m tests.kills`."""
    trials = kills.run(2, delay=0.1)
    assert all(trial.holds for trial in trials), "\n".join(map(str, trials))
    assert any(trial.kept and trial.resumed for trial in trials), "none was killed midway"
