"""`polyphonie serve`, `polyphonie keys` and the client, as an operator and a script use them: real processes on loopback."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli import app
from service.client import Client, ServiceError
from service.errors import BadSetting

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
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


@contextmanager
def served(environment: dict[str, str]) -> Iterator[str]:
    """The address of a service that ends well when it is told to."""
    command = [sys.executable, "-m", "service", "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            address = next(m[1] for line in process.stderr if (m := re.search(r"on (http://\S+)", line)))
            yield address
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
    assert process.returncode == 0


def test_from_a_key_to_an_export_and_a_revoked_key(environment: dict[str, str]) -> None:
    key = polyphonie(environment, "keys", "create", "analyste").stdout.strip()
    with served(environment) as address, Client(address, key) as service:
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
