"""`polyphonie` in a process forked from one that has read the code already: what a start costs beside is reading code and weights."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import langchain_openai  # noqa: F401  what a worker reads on its first draft
import uvicorn  # noqa: F401

import service.api
import service.wiring.jobs
import service.worker
from embeddings.encoder import Encoder, HashEncoder
from service.cli import app


def polyphonie(words: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
    """Run a command to its end, its output added to a file."""
    os.environ.update(environment)
    with log.open("ab") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
    for module in (service.wiring, service.wiring.jobs):
        module.load_encoder_for = lambda *_: cheap()  # type: ignore[assignment]
    app(list(words))


def cheap() -> Encoder:
    return HashEncoder()
