"""The service in this process for tests of its pages: a fake encoder, drafts made in a thread, a browser where there is one."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from embeddings.encoder import HashEncoder
from service.api import create_app
from service.domain.jobs import Jobs
from service.exports import export
from service.pipeline import draft_round
from service.settings import Settings
from service.store import Store, drafts, keys, rounds

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"] + [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class FakeTools:
    encoder = HashEncoder()
    chat = None


@contextmanager
def fake_tools(settings: Settings, language: str, kept: Path | None = None) -> Iterator[FakeTools]:
    yield FakeTools()


class ThreadJobs:
    """Jobs that make a draft at once, in a thread of this process."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.threads: list[threading.Thread] = []

    def submit(self, draft_id: str) -> None:
        self.threads.append(threading.Thread(target=self.make, args=(draft_id,)))
        self.threads[-1].start()

    def cancel(self, draft_id: str) -> None: ...

    def submit_eval(self, eval_id: str) -> None: ...

    def make(self, draft_id: str) -> None:
        with self.store.write() as connection:
            kept = drafts.get(connection, draft_id)
            drafts.start(connection, draft_id)
            found = rounds.load(connection, kept.round_id)

        def progress(stage: str, done: int, total: int) -> None:
            with self.store.write() as writing:
                drafts.tell(writing, draft_id, "progress", {"stage": stage, "done": done, "total": total})

        made = replace(
            draft_round(found, encoder=HashEncoder(), progress=progress), created_at="2026-01-05T09:00:00Z"
        )
        with self.store.write() as connection:
            drafts.finish(connection, draft_id, export(made, "json"))


def fake_app(folder: Path, store: Store, jobs: Jobs, *, llm: str = "extractive", tools=fake_tools) -> FastAPI:
    """The service with a fake encoder."""
    return create_app(Settings(cache_dir=folder / "cache", llm=llm), store=store, jobs=jobs, tools=tools)


@dataclass
class Service:
    store: Store
    address: str

    def key(self, name: str, *scopes: keys.Scope, team: str = "a") -> str:
        with self.store.write() as connection:
            return keys.create(connection, name, team=team, scopes=scopes or keys.SCOPES)[1]


@contextmanager
def served(folder: Path) -> Iterator[Service]:
    """The service on a free port, with a fresh SQLite file."""
    store = Store(f"sqlite:///{folder}/polyphonie.sqlite")
    store.migrate()
    jobs = ThreadJobs(store)
    app = fake_app(folder, store, jobs)
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(64)
    server = uvicorn.Server(
        uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=1
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield Service(store=store, address=f"http://127.0.0.1:{listening.getsockname()[1]}")
    finally:
        server.should_exit = True
        thread.join()
        for made in jobs.threads:
            made.join()
        listening.close()
        store.close()
