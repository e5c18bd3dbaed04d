"""How long pages of a large question take, over HTTP on loopback: `python -m evals.bench.pages [--answers 25000]`.

The draft is built from invented sentences, one idea an answer, six in seven of them grouped; what is measured is the service,
not the grouping.
"""

import argparse
import math
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import uvicorn

from embeddings.encoder import HashEncoder
from service.api import create_app
from service.domain.draft import (
    AnswerCounts,
    Draft,
    DraftAnswer,
    DraftQuestion,
    DraftRound,
    Group,
    Isolated,
    Ledger,
    Provenance,
    Sentence,
    Support,
    Synthesis,
    Verbatim,
    VerbatimCounts,
)
from service.domain.jobs import Configuration, HeldJobs
from service.domain.round import Answer, Language, Question, Round
from service.exports import export
from service.settings import Settings
from service.store import Store, drafts, keys, rounds
from service.wiring import Tools

THINGS = [
    "bus",
    "train",
    "vélo",
    "trottoir",
    "école",
    "médecin",
    "pharmacie",
    "marché",
    "parc",
    "bruit",
    "lumière",
    "eau",
    "déchet",
    "impôt",
    "logement",
]
WISHES = [
    "plus souvent",
    "moins cher",
    "mieux entretenu",
    "le soir",
    "le dimanche",
    "près de chez nous",
    "pour les enfants",
    "sans voiture",
]
GROUP = 40
"""Verbatims of a group."""


def draft_of(n: int) -> tuple[Draft, Round]:
    """One question with n answers."""
    texts = [
        f"Il faudrait un {THINGS[i % len(THINGS)]} {WISHES[(i // len(THINGS)) % len(WISHES)]}, idée {i}."
        for i in range(n)
    ]
    ids = [f"Q1:R{i:06d}" for i in range(n)]
    verbatims = tuple(
        Verbatim(id=f"{a}.1", answer_id=a, respondent_id=a[3:], start=0, end=len(t), quote=t, text=t)
        for a, t in zip(ids, texts, strict=True)
    )
    n_groups = n * 6 // 7 // GROUP
    firsts = [
        _group(f"Q1.g{k + 1}", 1, verbatims[k * GROUP : (k + 1) * GROUP], parent=f"Q1.r{k // 8 + 1}")
        for k in range(n_groups)
    ]
    seconds = [
        _group(f"Q1.r{k + 1}", 2, verbatims[k * 8 * GROUP : min((k + 1) * 8 * GROUP, n_groups * GROUP)])
        for k in range(-(-n_groups // 8))
    ]
    alone = tuple(
        Isolated(verbatim_id=v.id, score=0.5, near=("Q1.g1",)) for v in verbatims[n_groups * GROUP :]
    )
    sentences = tuple(
        Sentence(text=f"{g.label} Et {h.label.lower()}", group_ids=(g.id, h.id), n_respondents=2 * GROUP)
        for g, h in zip(firsts[:14], firsts[14:28], strict=True)
    )
    question = DraftQuestion(
        id="Q1",
        title="Que faut-il changer ?",
        answers=tuple(
            DraftAnswer(id=a, respondent_id=a[3:], text=t, state="with_content")
            for a, t in zip(ids, texts, strict=True)
        ),
        verbatims=verbatims,
        groups=(*firsts, *seconds),
        isolated=tuple(i.verbatim_id for i in alone),
        isolation=alone,
        map={v.id: (math.sin(i), math.cos(i / 7)) for i, v in enumerate(verbatims)},
        n_respondents=n,
        synthesis=Synthesis(
            sentences=sentences,
            paragraphs=(tuple(range(len(sentences))),),
            left_out=tuple(g.id for g in firsts[28:]),
        ),
    )
    round_ = Round(
        id="large",
        title="Grande consultation inventée",
        language="fr",
        questions=(Question(id="Q1", title=question.title),),
        answers=tuple(
            Answer(id=a, question_id="Q1", text=t, respondent_id=a[3:])
            for a, t in zip(ids, texts, strict=True)
        ),
        n_respondents=n,
    )
    draft = Draft(
        id="large",
        created_at="2026-01-05T09:00:00Z",
        round=DraftRound(id="large", title=round_.title, language="fr", unit="respondent", n_respondents=n),
        provenance=Provenance(code="0", encoder="hash@1", llm="extractive"),
        ledger=Ledger(
            answers=AnswerCounts(total=n, with_content=n, no_content=0, duplicate=0, failed=0),
            verbatims=VerbatimCounts(total=n, grouped=n - len(alone), isolated=len(alone), failed=0),
        ),
        questions=(question,),
    )
    return draft, round_


def _group(id_: str, level: int, members: tuple[Verbatim, ...], parent: str | None = None) -> Group:
    return Group(
        id=id_,
        level=1 if level == 1 else 2,
        parent=parent,
        verbatim_ids=tuple(v.id for v in members),
        label=members[0].text,
        n_respondents=len(members),
        exemplar_ids=tuple(v.id for v in members[:8]),
        label_support=Support(supported=True, score=1.0, origin="extractive"),
    )


@contextmanager
def _hash_tools(settings: Settings, language: Language, kept: Path | None = None) -> Iterator[Tools]:  # noqa: ARG001
    """A quick encoder: it is not what is measured."""
    yield Tools(encoder=HashEncoder(), chat=None, meter=None, parameters={})


@contextmanager
def _served(n: int) -> Iterator[tuple[httpx.Client, str]]:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/polyphonie.sqlite")
        store.migrate()
        draft, round_ = draft_of(n)
        with store.write() as connection:
            _, secret = keys.create(connection, "bench", team="a", scopes=keys.SCOPES)
            kept = rounds.add(connection, round_, team="a", created_by="bench", sha256="0" * 64)
            asked = drafts.add(
                connection, round_id=kept.id, team="a", created_by="bench", configuration=Configuration()
            )
            drafts.start(connection, asked.id)
            drafts.finish(connection, asked.id, export(draft, "json"))
        settings = Settings(cache_dir=Path(folder), rate_limit=0)
        app = create_app(settings, store=store, jobs=HeldJobs(), tools=_hash_tools)
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        headers = {"Authorization": f"Bearer {secret}"}
        with httpx.Client(base_url=address, headers=headers, timeout=120) as client:
            while not server.started:
                time.sleep(0.02)
            yield client, asked.id
        server.should_exit = True
        thread.join()
        store.close()


def _timed(said: str, call: Callable[[], httpx.Response], times: int = 5) -> None:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        answer = call()
        taken.append(time.perf_counter() - began)
        answer.raise_for_status()
    taken.sort()
    print(
        f"| {said} | {1000 * taken[len(taken) // 2]:.0f} ms | {1000 * taken[-1]:.0f} ms | {len(answer.content) / 1000:.0f} kB |"
    )


def main() -> None:
    """Print one line a page: median, slowest, bytes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=25_000)
    n = parser.parse_args().answers
    print(f"{n:,} answers to one question\n\n| page | median | slowest | size |\n|---|---|---|---|")
    with _served(n) as (client, draft_id):
        base = f"/drafts/{draft_id}"
        _timed("question, the first time after a start", lambda: client.get(f"{base}/questions/1"), times=1)
        _timed("question", lambda: client.get(f"{base}/questions/1"))
        _timed(
            "question, page 5 of the labels, page 50 of the voices",
            lambda: client.get(f"{base}/questions/1?page=5&voices=50"),
        )
        _timed("a sentence traced", lambda: client.get(f"{base}/questions/1?at=s:1:Q1&part=trace"))
        _timed("draft", lambda: client.get(base))
        _timed("map", lambda: client.get(f"{base}/questions/1/map"))
        _timed("points of the map", lambda: client.get(f"{base}/questions/1/points"))
        _timed("group", lambda: client.get(f"{base}/groups?id=Q1.g5"))
        _timed("search by words, the first time", lambda: client.get(f"{base}/search?q=bus+soir"), times=1)
        _timed("search by words", lambda: client.get(f"{base}/search?q=bus+soir"))
        _timed(
            "search by meaning, the first time (encodes)",
            lambda: client.get(f"{base}/search?q=bus+soir&how=meaning"),
            times=1,
        )
        _timed("search by meaning", lambda: client.get(f"{base}/search?q=bus+soir&how=meaning"))
        label = f"/v1{base}/groups/Q1.g5"
        _timed(
            "a label corrected",
            lambda: client.patch(label, json={"label": "Un autre libellé."}, headers={"If-Match": "*"}),
        )
        moved = iter(range(1, 6))
        _timed(
            "a verbatim moved",
            lambda: client.post(
                f"/v1{base}/groups/move",
                json={"verbatim_ids": [f"Q1:R{next(moved):06d}.1"], "to": "Q1.g9"},
                headers={"If-Match": "*"},
            ),
        )


if __name__ == "__main__":
    main()
