"""The lines of docs/backup.md: what was kept is there again after a restore, on both databases."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.api import create_app
from service.api.reviews import Author, Reviews
from service.domain.jobs import Configuration, HeldJobs
from service.domain.revision import SetLabel
from service.exports import export
from service.settings import Settings
from service.store import Store, drafts, keys, rounds
from tests.drafts import small_draft
from tests.postgres import binaries, new_database

DOCUMENT = Path("docs/backup.md")


def lines(mark: str) -> str:
    """The line of the document, continued lines joined, that has this in it."""
    text = DOCUMENT.read_text().replace(" \\\n     ", "")
    return next(m[1] for m in re.finditer(r"^ {4}(.*)$", text, re.M) if mark in m[1])


def run(command: str, **environment: str) -> None:
    done = subprocess.run(
        ["bash", "-euc", command], env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def filled(store: Store) -> tuple[str, str]:
    """A store with a round, a draft that was corrected, and a key: its secret, and the id of the draft."""
    draft, round_ = small_draft()
    with store.write() as connection:
        _, secret = keys.create(connection, "analyste", team="a", scopes=keys.SCOPES)
        kept = rounds.add(connection, round_, team="a", created_by="analyste", sha256="0" * 64)
        asked = drafts.add(
            connection, round_id=kept.id, team="a", created_by="analyste", configuration=Configuration()
        )
        drafts.start(connection, asked.id)
        drafts.finish(connection, asked.id, export(draft, "json"))
    group = draft.questions[0].groups[0].id
    edit = SetLabel(group_id=group, text="Un libellé corrigé.")
    Reviews(store).change(asked.id, edit, seen=0, author=Author(team="a", who="analyste"))
    return secret, asked.id


def everything(store: Store, secret: str, draft_id: str) -> list[object]:
    app = TestClient(create_app(Settings(), store=store, jobs=HeldJobs()))
    app.headers["Authorization"] = f"Bearer {secret}"
    found = []
    draft = app.get(f"/v1/drafts/{draft_id}").json()
    answers = app.get(f"/v1/rounds/{draft['round_id']}/answers")
    for answer in (answers, app.get(f"/v1/drafts/{draft_id}/revisions"), app.get("/v1/rounds")):
        assert answer.status_code == 200
        found.append(answer.json())
    assert "Un libellé corrigé." in str(draft)
    return [draft, *found]


@pytest.mark.parametrize("mark", ["sqlite3 ~", ".venv/bin/python"])
def test_sqlite_is_backed_up_while_it_is_used(tmp_path: Path, mark: str) -> None:
    if mark == "sqlite3 ~" and shutil.which("sqlite3") is None:
        pytest.skip("no sqlite3 on this machine")
    home, backup = tmp_path / "home", tmp_path / "backup"
    file = home / ".local" / "share" / "polyphonie" / "polyphonie.sqlite"
    backup.mkdir()
    store = Store(f"sqlite:///{file}")
    store.migrate()
    secret, draft_id = filled(store)
    before = everything(store, secret, draft_id)
    own = {".venv/bin/python": sys.executable, " /backup": f" {backup}"}

    def said(mark: str) -> str:
        found = lines(mark)
        for written, here in own.items():
            found = found.replace(written, here)
        return found

    with store.write():  # somebody is in the middle of something
        run(said(mark), HOME=str(home))
    with store.write() as connection:
        rounds.remove(connection, before[0]["round_id"], team="a")
    store.close()
    run(said("rm -f"), HOME=str(home))
    run(said("cp /backup"), HOME=str(home))
    restored = Store(f"sqlite:///{file}")
    restored.migrate()
    assert everything(restored, secret, draft_id) == before
    restored.close()


def test_postgresql_is_dumped_and_restored(postgres_server: str, tmp_path: Path) -> None:
    url = new_database(postgres_server, "saved", "migrated")
    new_database(postgres_server, "restored")
    store = Store(url)
    secret, draft_id = filled(store)
    before = everything(store, secret, draft_id)
    path = f"{binaries()}:{os.environ['PATH']}"
    run(lines("pg_dump").replace("/backup", str(tmp_path)), PATH=path, POLYPHONIE_DATABASE_URL=url)
    store.close()
    target = postgres_server.replace("/postgres?", "/restored?")
    restore = lines("pg_restore").replace("/backup", str(tmp_path))
    run(restore.replace("postgresql:///polyphonie_restored", target), PATH=path)
    restored = Store(target)
    restored.migrate()
    assert everything(restored, secret, draft_id) == before
    restored.close()
