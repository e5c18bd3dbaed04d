"""The short form of `make chaos`: real processes, killed at random moments, on both databases."""

import pytest

from tests import chaos
from tests.postgres import binaries


# the trial's own sockets, to processes that were killed
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_killed_processes_lose_nothing(kind: str) -> None:
    if kind == "postgresql" and binaries() is None:
        pytest.skip("no PostgreSQL on this machine (apt-get install postgresql-15)")
    trials = chaos.run(kind, 3, delay=0.1, warm=True)
    assert all(trial.holds for trial in trials), "\n".join(map(str, trials))
    assert sum(trial.kills for trial in trials) >= 3
