"""`polyphonie serve`, `polyphonie keys` and the client, as an operator and a script use them: real processes on loopback."""

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli import app
from service.client import Client, ServiceError
from service.errors import BadSetting
from tests.postgres import new_database

DOCUMENT = Path("docs/api.md")

ROUND = {
    "id": "vague",
    "language": "fr",
    "questions": [{"id": "Q1", "title": "Qu'est-ce qui freine ?"}],
    "answers": [
        {"question_id": "Q1", "respondent_id": str(n), "answer": text}
        for n, text in enumerate(["Trop loin.", "C'est trop loin.", "Le prix.", "Le prix est élevé."] * 3)
    ],
}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return os.environ | {
        "POLYPHONIE_DATA_DIR": str(tmp_path / "data"),
        "POLYPHONIE_CACHE_DIR": str(tmp_path / "cache"),
    }


def polyphonie(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "service", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


@contextmanager
def served(environment: dict[str, str], log: Path, *options: str) -> Iterator[str]:
    """The address of a service that ends well when it is told to. log: where its standard error goes."""
    command = [sys.executable, "-m", "service", "serve", "--port", "0", *options]
    with log.open("w") as stream, subprocess.Popen(command, env=environment, stderr=stream) as process:
        try:
            while (found := re.search(r"on (http://\S+)", log.read_text())) is None:
                assert process.poll() is None, log.read_text()
                time.sleep(0.1)
            yield found[1]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=300)
    assert process.returncode == 0


@contextmanager
def worker(environment: dict[str, str], log: Path) -> Iterator[None]:
    """A worker that ends well when it is told to."""
    command = [sys.executable, "-m", "service", "worker"]
    with log.open("w") as stream, subprocess.Popen(command, env=environment, stderr=stream) as process:
        try:
            while "jobs.started" not in log.read_text():
                assert process.poll() is None, log.read_text()
                time.sleep(0.1)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
    assert process.returncode == 0, log.read_text()


def everything(folder: Path) -> str:
    """What all files under a folder hold."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return "\n".join(path.read_bytes().decode("utf-8", "replace") for path in files)


@pytest.mark.parametrize("hands", ["the service alone", "two workers on PostgreSQL"])
def test_the_lines_of_the_document_do_what_it_says_and_the_log_holds_no_text(
    environment: dict[str, str], tmp_path: Path, hands: str, request: pytest.FixtureRequest
) -> None:
    lines = "\n".join(re.findall(r"^```sh\n(.*?)^```", DOCUMENT.read_text(), re.S | re.M))
    room, log = tmp_path / "room", tmp_path / "log"
    # the small example in the place of the larger one: seconds instead of a minute
    shutil.copytree("examples/small", room / "examples" / "round")
    shutil.copytree("examples/small", room / "examples" / "small")
    command = room / ".venv" / "bin" / "polyphonie"
    command.parent.mkdir(parents=True)
    command.write_text(f'#!/bin/sh\nPYTHONPATH={Path.cwd()} exec {sys.executable} -m service "$@"\n')
    command.chmod(0o755)
    environment |= {"POLYPHONIE_LOG_LEVEL": "DEBUG", "POLYPHONIE_DATA_DIR": str(tmp_path / "data")}
    options = []
    with ExitStack() as stack:
        if hands != "the service alone":
            server = request.getfixturevalue("postgres_server")
            environment["POLYPHONIE_DATABASE_URL"] = new_database(server, "curl", "migrated")
            for name in ("one", "two"):
                stack.enter_context(worker(environment, tmp_path / f"log-{name}"))
            options = ["--no-worker"]
        address = stack.enter_context(served(environment, log, *options))
        script = "set -eu\n" + lines.replace("http://127.0.0.1:8000", address) + '\necho "$KEY" >key\n'
        done = subprocess.run(
            ["bash", "-c", script], cwd=room, env=environment, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"state": "done"' in done.stdout, "the draft was followed to its end"
    assert {path.name for path in room.iterdir()} == {".venv", "examples", "out"}, "nothing litters the clone"
    made = room / "out" / "api"
    assert "Les délais reviennent le plus souvent." in (made / "report.md").read_text()
    for name in ("report.docx", "report.xlsx"):
        assert (made / name).read_bytes().startswith(b"PK")
    answers = list(csv.DictReader(Path("examples/small/answers.csv").read_text().splitlines()))
    logged = "".join(path.read_text() for path in tmp_path.glob("log*"))
    assert len(logged.splitlines()) > 10
    for said in [a["answer"] for a in answers if len(a["answer"]) > 10] + [
        (made / "key").read_text().strip()
    ]:
        assert said not in logged


def test_from_a_key_to_an_export_and_a_revoked_key(environment: dict[str, str], tmp_path: Path) -> None:
    key = polyphonie(environment, "keys", "create", "analyste").stdout.strip()
    with served(environment, tmp_path / "log") as address, Client(address, key) as service:
        round_ = service.upload(ROUND)
        assert next(a["text"] for a in service.answers(round_.id)) == "Trop loin."
        asked = service.ask(round_.id, llm="extractive")
        kinds = [event.kind for event in service.follow(asked.id)]
        assert kinds[0] == kinds[-1] == "state"
        draft = service.wait(asked.id)
        assert draft.state == "done", draft.error
        assert draft.draft is not None
        group = draft.draft.questions[0].groups[0].id
        revision = service.set_label(draft, group, "La distance décourage.")
        assert (revision.who, revision.version) == ("analyste", 1)
        with pytest.raises(ServiceError) as outdated:
            service.set_label(draft, group, "Encore autre chose.")
        assert outdated.value.code == "Outdated"
        assert b"La distance d\xc3\xa9courage." in service.export(draft.id, "json")
        assert [r.action for r in service.revisions(draft.id)] == ["set_label"]
        assert "Trop loin." in everything(tmp_path)
        service.delete_round(round_.id)
        kept = everything(tmp_path)
        assert [
            said for said in ("Trop loin.", "Le prix", "Qu'est-ce qui", "La distance") if said in kept
        ] == []
        assert polyphonie(environment, "keys", "revoke", "analyste").returncode == 0
        with pytest.raises(ServiceError) as revoked:
            service.round(round_.id)
        assert revoked.value.code == "NoKey"
    listed = polyphonie(environment, "keys", "list").stdout
    assert "revoked" in listed
    assert key not in listed


def test_the_service_is_never_open_to_other_machines(environment: dict[str, str]) -> None:
    refused = polyphonie(environment, "serve", "--host", "0.0.0.0", "--port", "0")
    assert refused.returncode == 2
    assert "keys create" in refused.stderr


@pytest.mark.parametrize(
    "words", [("x", "--scopes", "root"), ("x", "--scopes", ","), (" ",), ("x", "--team", "")]
)
def test_a_key_that_makes_no_sense_is_not_made(
    environment: dict[str, str], words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYPHONIE_DATA_DIR", environment["POLYPHONIE_DATA_DIR"])
    refused = CliRunner().invoke(app, ["keys", "create", *words])
    assert isinstance(refused.exception, BadSetting)
    assert CliRunner().invoke(app, ["keys", "list"]).stdout == ""
