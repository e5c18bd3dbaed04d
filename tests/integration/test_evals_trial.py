"""`polyphonie evals try`: which prompt each of the two runs sees, and what is refused. No model is asked."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import prompts
from evals import trial as trying
from evals.suites import Bench, example
from service.errors import BadInput
from service.settings import Settings

SETTINGS = Settings(llm="openai:fake")


def new_wording(folder: Path, name: str = "label", language: str = "fr") -> Path:
    """The live prompt with one word changed, in a folder that says whose it is."""
    live = prompts.load(name, language)
    text = (prompts.library.HERE / language / f"{name}.v{live.version}.md").read_text(encoding="utf-8")
    file = folder / language / f"{name}.v{live.version + 1}.md"
    file.parent.mkdir()
    file.write_text(text.replace("## user\n", "## user\nBien. "), encoding="utf-8")
    return file


class Seen:
    """Stands in for a run: notes the live prompt of each."""

    def __init__(self, used: bool = True) -> None:
        self.sha256: list[str] = []
        self.benches: Sequence[Bench] = ()
        self.used = used

    def run(self, benches: Sequence[Bench], settings: Settings, out: Path, **more: Any) -> Any:
        self.sha256.append(prompts.load("label", "fr").sha256)
        self.benches = benches
        seen = ({"sha256": self.sha256[-1]},) if self.used else ()
        return type("Record", (), {"prompts": seen})


def tried(monkeypatch: pytest.MonkeyPatch, seen: Seen, file: Path, settings: Settings = SETTINGS) -> None:
    monkeypatch.setattr(trying.running, "run", seen.run)
    trying.trial(
        trying.read_prompts([file]),
        example.benches(),
        settings,
        file.parent,
        skipped={},
        selected={},
        command="",
        say=lambda _: None,
    )


def test_the_second_run_sees_the_new_wording_and_nothing_after_it_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    before, seen = prompts.load("label", "fr"), Seen()
    file = new_wording(tmp_path)
    tried(monkeypatch, seen, file)
    assert seen.sha256 == [before.sha256, prompts.read(file).sha256]
    assert len(set(seen.sha256)) == 2
    assert prompts.load("label", "fr") == before
    assert all(b.uses_model and b.language == "fr" for b in seen.benches)


def test_what_can_teach_nothing_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    file = new_wording(tmp_path)
    with pytest.raises(BadInput, match="nothing that was measured asks with label"):
        tried(monkeypatch, Seen(used=False), file)
    with pytest.raises(BadInput, match="reads no prompt"):
        tried(monkeypatch, Seen(), file, Settings(llm="extractive"))
    with pytest.raises(BadInput, match="no set in en"):
        tried(monkeypatch, Seen(), new_wording(tmp_path, language="en"))


def test_a_file_that_is_no_prompt_is_told_by_name(tmp_path: Path):
    with pytest.raises(BadInput, match=r"label\.v9\.md is missing"):
        trying.read_prompts([tmp_path / "label.v9.md"])
    bad = tmp_path / "label.v9.md"
    bad.write_text("+++\nvariables = []\n+++\n\n## system\nx\n## user\ny\n")
    with pytest.raises(BadInput, match="the front matter lacks 'purpose'"):
        trying.read_prompts([bad])
    file = new_wording(tmp_path)
    moved = file.rename(tmp_path / file.name)
    with pytest.raises(BadInput, match="a folder named fr or en"):
        trying.read_prompts([moved])


def test_suites_follow_from_the_prompt():
    label = prompts.load("label", "fr")
    assert trying.suites_of([label]) == ["labels"]
    assert trying.suites_of([label, replace(label, name="repair")]) == []
    assert trying.SUITES.keys() <= {p.name for p in prompts.listing()}
