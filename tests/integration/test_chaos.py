"""The short form of `make chaos`: real processes, killed at random moments, on both databases."""

import pytest

from tests import chaos
from tests.postgres import binaries


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_killed_processes_lose_nothing(kind: str) -> None:
    if kind == "postgresql" and binaries() is None:
        pytest.skip("no PostgreSQL on this machine (apt-get install postgresql-15)")
    trials = chaos.run(kind, 3, delay=0.1, warm=True)
    assert all(trial.holds for trial in trials), "\n".join(map(str, trials))
    assert sum(trial.kills for trial in trials) >= 3


def test_a_finished_call_that_is_made_again_is_seen() -> None:
    dead = [10.0]
    assert chaos.unexplained([("a", 9.8), ("a", 11.0)], dead, delay=0.1) == 0
    assert chaos.unexplained([("a", 10.1), ("a", 11.0)], dead, delay=0.1) == 0
    assert chaos.unexplained([("a", 9.0), ("a", 11.0)], dead, delay=0.1) == 1
    assert chaos.unexplained([("a", 11.0), ("a", 12.0)], dead, delay=0.1) == 1
