"""Both databases: a test that takes `store` or `database_url` runs once on SQLite and once on PostgreSQL."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.store import Store
from tests.postgres import binaries, new_database, postgres

COUNT = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Address of a server whose database `migrated` holds the tables, empty."""
    if binaries() is None:
        pytest.skip("no PostgreSQL on this machine (apt-get install postgresql-15)")
    with postgres() as server:
        store = Store(new_database(server, "migrated"), connections=1)
        store.migrate()
        store.close()
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of a fresh database; on PostgreSQL the tables are there already."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/polyphonie.sqlite"
    return new_database(request.getfixturevalue("postgres_server"), f"test{next(COUNT)}", "migrated")


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    opened = Store(database_url)
    opened.migrate()
    yield opened
    opened.close()
