"""Settings → durable jobs: what a worker drafts with, kept from one draft to the next."""

import os
import secrets
import shutil
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embeddings.cache import CachedEncoder
from embeddings.encoder import Encoder
from service.domain.draft import Tokens
from service.domain.round import Language
from service.errors import MissingPackage, StopAll
from service.exports import export
from service.jobs.evaluating import Command
from service.jobs.making import Order
from service.jobs.queue import DurableJobs, Works
from service.llm.chat import ChatReply, ChatRequest
from service.llm.wrap import Metered, Patient, Usage
from service.operation import metrics
from service.pipeline import draft_round
from service.settings import Settings
from service.store import Store, rounds
from service.wiring import (
    folder_of,
    is_extractive,
    load_encoder_for,
    model_for,
    reply_parameters,
    signed,
    tools_of,
)
from service.wiring.ready import evals_missing

if TYPE_CHECKING:
    from service.domain.jobs import Configuration, EvalConfiguration


def jobs_for(
    settings: Settings,
    store: Store,
    *,
    works: bool,
    stack: ExitStack,
    on_given_up: Callable[[], None] = lambda: None,
) -> DurableJobs:
    """The jobs of this process; `start` and `stop` are the caller's. works: it makes drafts, not only asks for them.

    stack: ends what was started for a model. on_given_up: the other workers took this one for dead.
    """
    bench = Bench(settings, store, stack)
    return DurableJobs(
        store,
        worker_id=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}",
        works=Works(
            make=bench.make,
            call_model=bench.call_model,
            evaluate=lambda configuration, name: eval_command(settings, configuration, name),
            drafts_at_once=settings.drafts_at_once,
            calls_at_once=settings.llm_workers,
            calls_per_minute=settings.llm_calls_per_minute,
            lost_after=settings.worker_lost_after,
        )
        if works
        else None,
        on_given_up=on_given_up,
        on_sweep=bench.sweep,
    )


class Bench:
    """Encoders and models of a worker, loaded when first needed."""

    def __init__(self, settings: Settings, store: Store, stack: ExitStack) -> None:
        self._settings = settings
        self._store = store
        self._stack = stack
        self._encoders: dict[tuple[str, Language], OneAtATime] = {}
        self._models: dict[str, Patient] = {}
        self._lock = threading.Lock()
        self._rounds = settings.cache_dir.expanduser() / "rounds"

    def make(self, order: Order) -> bytes:
        """draft.json of an order. Raises PolyphonieError."""
        settings = configured(self._settings, order.configuration)
        began = time.monotonic()
        with ExitStack() as stack:
            meter = None
            if not is_extractive(settings.llm):
                chat = stack.enter_context(order.chat(settings.llm, reply_parameters(settings)))
                meter = Metered(chat, settings.budget)
            tools = tools_of(settings, self._encoder(settings.encoder, order), meter)
            made = draft_round(
                order.round,
                encoder=tools.encoder,
                chat=tools.chat,
                given_themes=order.configuration.themes,
                revision=settings.revise,
                parameters=tools.parameters,
                progress=order.progress,
            )
        return export(signed(made, tools.usage(), settings, time.monotonic() - began), "json")

    def call_model(self, llm: str, request: ChatRequest) -> ChatReply:
        """One call with its retries. Raises SkipItem, StopAll and BadSetting."""
        model = self._model(llm)
        try:
            reply = model.reply(request)
        except StopAll:
            with (
                self._lock
            ):  # it refuses everything from now on; the next call may find the server well again
                if self._models.get(llm) is model:
                    del self._models[llm]
            raise
        tokens = Tokens(input=reply.input_tokens, output=reply.output_tokens)
        cost = Usage(tokens=tokens).cost(self._settings.llm_price_input, self._settings.llm_price_output)
        metrics.COST.inc(cost or 0.0)
        return reply

    def sweep(self) -> None:
        """Forget what is left of rounds that were deleted."""
        self._store.scrub()
        if not self._rounds.is_dir():
            return
        for folder in self._rounds.iterdir():
            with self._store.read() as connection:
                gone = not rounds.exists(connection, folder.name)
            if gone:
                shutil.rmtree(folder, ignore_errors=True)

    def _encoder(self, spec: str, order: Order) -> Encoder:
        """Vectors are kept by round, so that they go with it."""
        which = (spec, order.round.language)
        with self._lock:
            if which not in self._encoders:
                self._encoders[which] = OneAtATime(load_encoder_for(*which))
            encoder = self._encoders[which]
        return CachedEncoder(encoder, folder_of(self._settings, order.round_id) / "vectors.sqlite")

    def _model(self, llm: str) -> Patient:
        with self._lock:
            if llm not in self._models:
                settings = self._settings.model_copy(update={"llm": llm})
                model = model_for(settings, Path(self._settings.cache_dir).expanduser(), self._stack)
                assert model is not None, "an extractive draft asks for no call"
                self._models[llm] = model
            return self._models[llm]


class OneAtATime:
    """An encoder that several drafts share."""

    def __init__(self, encoder: Encoder) -> None:
        self.name = encoder.name
        self.revision = encoder.revision
        self._encoder = encoder
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        with self._lock:
            return self._encoder.encode(texts)


def configured(settings: Settings, configuration: "Configuration") -> Settings:
    """The settings with what the draft asks for itself."""
    own = {name: getattr(configuration, name) for name in ("llm", "encoder", "budget")}
    return settings.model_copy(update={name: value for name, value in own.items() if value is not None})


def eval_command(settings: Settings, configuration: "EvalConfiguration", name: str) -> Command:
    """`polyphonie evals run` with the settings of this worker, into a folder of that name in data_dir. Raises MissingPackage."""
    missing = evals_missing()
    if missing is not None:
        raise MissingPackage(f"{missing.what}: {missing.remedy}.")
    folder = settings.data_dir.expanduser() / "evals" / name
    options = {
        "suite": ",".join(configuration.suites) or None,
        "set": ",".join(configuration.sets) or None,
        "cases": configuration.cases,
        "llm": configuration.llm or settings.llm,
        "encoder": configuration.encoder or settings.encoder,
        "budget": settings.budget if configuration.budget is None else configuration.budget,
        "out": folder,
    }
    # the module is named, not imported: docs/adr/0030-evals-command.md says why
    words = [sys.executable, "-m", "evals", "run"]
    return Command(
        words=words + [f"--{option}={value}" for option, value in options.items() if value is not None],
        environment=os.environ | {"POLYPHONIE_CACHE_DIR": str(settings.cache_dir.expanduser())},
        folder=folder,
    )
