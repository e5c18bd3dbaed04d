"""A PostgreSQL of the tests' own: Debian's binaries, a temporary folder, a socket in it, no port; gone at the end."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text

DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
"""The server refuses to run as root."""


def binaries() -> Path | None:
    """Where initdb and postgres are; None where there is no PostgreSQL."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    return DEBIAN[-1] if DEBIAN else None


@contextmanager
def postgres() -> Iterator[str]:
    """A running server; the address of its first database, `postgresql://…`."""
    where = binaries()
    if where is None:
        raise FileNotFoundError("no PostgreSQL on this machine: apt-get install postgresql-15")
    as_user = NOBODY if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="polyphonie-pg-"))
    data = folder / "data"
    if as_user:
        shutil.chown(folder, "nobody", "nogroup")
    try:
        _run(
            [
                *as_user,
                where / "initdb",
                "-D",
                data,
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-sync",
            ]
        )
        options = (
            f"-c listen_addresses='' -k {folder} -c fsync=off -c max_connections=200 -c shared_buffers=32MB"
        )
        _run([*as_user, where / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "-o", options, "start"])
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            _run([*as_user, where / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_database(server: str, name: str, template: str = "template1") -> str:
    """Make a database on that server and return its address."""
    engine = create_engine(server.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    engine.dispose()
    return server.replace("/postgres?", f"/{name}?")


def _run(command: list[str | Path]) -> None:
    done = subprocess.run(
        [str(c) for c in command], cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stderr.decode()}")
