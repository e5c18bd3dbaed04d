"""A folder of rounds drafted in one run."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli import app
from service.errors import BadInput, Stopped

CSV = "respondent_id,question_id,answer\n" + "".join(
    f"{n},Q1,{text}\n"
    for n, text in enumerate(["Trop loin.", "C'est trop loin.", "Le prix est trop élevé."] * 2)
)


@pytest.fixture
def waves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POLYPHONIE_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "waves"
    folder.mkdir()
    (folder / "a.csv").write_text(CSV)
    (folder / "b.csv").write_text("respondent_id,question_id,answer\n1,Q1,une\n1,Q1,deux fois\n")
    (folder / "c.csv").write_text(CSV)
    (folder / "c.round.json").write_text(json.dumps({"title": "La vague c"}))
    (folder / "c.xlsx").write_bytes(b"%PDF")
    return folder


def states(out: Path) -> dict[str, str]:
    return {r["file"]: r["state"] for r in json.loads((out / "summary.json").read_text())["rounds"]}


def test_one_bad_file_stops_no_other_and_is_named(waves: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["draft", str(waves), "--out", str(out)])
    assert isinstance(done.exception, BadInput)
    assert "b.csv, c.xlsx" in str(done.exception)
    assert states(out) == {"a.csv": "drafted", "b.csv": "failed", "c.csv": "drafted", "c.xlsx": "failed"}
    assert json.loads((out / "c.csv" / "draft.json").read_text())["round"]["title"] == "La vague c"
    assert (out / "a" / "draft.html").is_file()

    (waves / "a.csv").write_text(CSV + "9,Q1,Le bus.\n")
    (waves / "b.csv").unlink()
    (waves / "c.xlsx").unlink()
    again = CliRunner().invoke(app, ["draft", str(waves), "--out", str(out), "--resume"])
    assert again.exception is None, again.output
    assert states(out)["a.csv"] == "drafted"
    (waves / "c.csv").rename(waves / "d.csv")
    assert CliRunner().invoke(app, ["draft", str(waves), "--out", str(out), "--resume"]).exit_code == 0
    assert states(out) == {"a.csv": "unchanged", "d.csv": "drafted"}


def test_a_run_that_is_stopped_says_what_was_not_begun(
    waves: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise Stopped("the budget is used up")

    monkeypatch.setattr("service.cli.draft._draft_one", stop)
    done = CliRunner().invoke(app, ["draft", str(waves), "--out", str(tmp_path / "out")])
    assert isinstance(done.exception, Stopped)
    assert set(states(tmp_path / "out").values()) == {"stopped", "not begun"}


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["draft", str(tmp_path), "--out", str(tmp_path / "out")])
    assert isinstance(done.exception, BadInput)
