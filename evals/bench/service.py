"""The service under load: `python -m evals.bench.service [reads drafts memory large]` (`make bench-service`).

`polyphonie serve` runs as a process of its own on loopback with an empty database in a temporary folder; `wrk` and this process
ask. Times of a shared machine say little, so reads are told as a share of an empty FastAPI route's in the same run, in turn.
"""

import argparse
import csv
import gzip
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

PARTS = ("reads", "drafts", "memory", "large")
ROUNDS, SECONDS = 3, 4
"""Turns of each address, and seconds of each."""

AT_ONCE = 8
"""Connections of wrk."""

LEAST_SHARE = 0.5
"""Of an empty route's rate, that a read must reach."""

FLAT = 1.01
"""Most growth of the memory over the last fifth of the reads and uploads."""

EMPTY = """
import socket, uvicorn
from fastapi import FastAPI
app = FastAPI()
@app.get("/")
async def nothing() -> dict[str, str]:
    return {"status": "alive"}
listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
listening.bind(("127.0.0.1", 0))
listening.listen(512)
print(f"on http://127.0.0.1:{listening.getsockname()[1]} ", flush=True)
uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, server_header=False)).run(sockets=[listening])
"""


@contextmanager
def process(command: list[str], **environment: str) -> Iterator[tuple[str, int]]:
    """Address and process id of a server that says `on http://…` first."""
    with (
        tempfile.NamedTemporaryFile("w+") as log,
        subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=log) as made,
    ):
        try:
            while (
                found := re.search(r"on (http://[\d.:]+)", said := Path(log.name).read_text("utf-8"))
            ) is None:
                if made.poll() is not None:
                    raise RuntimeError(said)
                time.sleep(0.1)
            yield found[1], made.pid
        finally:
            made.send_signal(signal.SIGTERM)
            made.wait()


@contextmanager
def service(*options: str) -> Iterator[tuple[httpx.Client, int, str]]:
    """A client with a key, the process id, the key."""
    with tempfile.TemporaryDirectory() as folder:
        own = {
            "POLYPHONIE_DATA_DIR": f"{folder}/data",
            "POLYPHONIE_CACHE_DIR": f"{folder}/cache",
            "POLYPHONIE_RATE_LIMIT": "0",
        }
        create = [sys.executable, "-m", "service", "keys", "create", "bench"]
        done = subprocess.run(create, env=os.environ | own, check=True, capture_output=True, text=True)
        key = done.stdout.strip()
        serve = [sys.executable, "-m", "service", "serve", "--port", "0", *options]
        with process(serve, **own) as (address, pid):
            headers = {"Authorization": f"Bearer {key}"}
            with httpx.Client(base_url=address, headers=headers, timeout=600) as client:
                yield client, pid, key


def memory_of(pid: int, what: str) -> float:
    """MiB. what: VmRSS now, VmHWM at most so far."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(rf"{what}:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def small(n: int = 12) -> bytes:
    """An invented round."""
    said = (
        "Trop loin, il faudrait un bus.",
        "C'est trop cher.",
        "Les délais sont trop longs.",
        "Le bus du soir.",
    )
    lines = [f'{k},Q1,"{said[k % 4]} Idée {k}."' for k in range(n)]
    return "\n".join(["respondent_id,question_id,answer", *lines]).encode()


def verdict(what: str, holds: bool) -> bool:
    """Say whether it holds."""
    print(f"{what}: {'holds' if holds else 'DOES NOT HOLD'}", flush=True)
    return holds


def upload(client: httpx.Client, data: bytes) -> str:
    answer = client.post("/v1/rounds", files={"file": ("round.csv", data)})
    answer.raise_for_status()
    return str(answer.json()["id"])


def processor(pid: int) -> float:
    """Seconds that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wrk(url: str, pid: int, key: str | None = None) -> tuple[float, float]:
    """Requests a second, and milliseconds of the server's processor for each; raises where any was refused."""
    before = processor(pid)
    header = ["-H", f"Authorization: Bearer {key}"] if key else []
    command = ["wrk", "-t1", f"-c{AT_ONCE}", f"-d{SECONDS}s", *header, url]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(said)
    n = int(re.search(r"(\d+) requests in", said)[1])  # type: ignore[index]
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])  # type: ignore[index]
    return rate, 1000 * (processor(pid) - before) / n


def reads() -> bool:
    """Rate of each kind of read as a share of an empty route's, and what both cost; the median of the turns. Whether it holds."""
    with service() as (client, pid, key), process([sys.executable, "-c", EMPTY]) as (empty, empty_pid):
        round_id = upload(client, small())
        draft = client.post(f"/v1/rounds/{round_id}/drafts", json={}).json()["id"]
        while client.get(f"/v1/drafts/{draft}").json()["state"] in ("queued", "running"):
            time.sleep(0.5)
        places = {
            "a round": f"/v1/rounds/{round_id}",
            "the list of rounds": "/v1/rounds",
            "a page of 12 answers": f"/v1/rounds/{round_id}/answers",
            "the list of drafts": "/v1/drafts",
            "a draft with its result": f"/v1/drafts/{draft}",
            "its revisions": f"/v1/drafts/{draft}/revisions",
        }
        base = str(client.base_url).rstrip("/")
        wrk(empty + "/", empty_pid)
        turns: dict[str, list[tuple[float, float, float, float]]] = {name: [] for name in places}
        for _ in range(ROUNDS):
            for name, place in places.items():
                nothing, ours = wrk(empty + "/", empty_pid), wrk(base + place, pid, key)
                turns[name].append((*ours, *nothing))
    print(
        "| read | a second | share of an empty route | lowest turn | CPU ms | of the empty route |\n|---|---|---|---|---|---|"
    )
    least = []
    for name, some in turns.items():
        rate, cost, _, nothing_cost = (statistics.median(t[k] for t in some) for k in range(4))
        shares = [ours / nothing for ours, _, nothing, _ in some]
        least.append(statistics.median(shares))
        print(
            f"| {name} | {rate:.0f} | {least[-1]:.2f} | {min(shares):.2f} | {cost:.2f} | {nothing_cost:.2f} |"
        )
    return verdict(f"each at least {LEAST_SHARE} of an empty route", min(least) >= LEAST_SHARE)


def drafts(n: int = 50) -> bool:
    """Drafts asked for in one go."""
    with service() as (client, pid, _):
        round_id = upload(client, small())
        began = time.monotonic()
        asked = [client.post(f"/v1/rounds/{round_id}/drafts", json={}).json()["id"] for _ in range(n)]
        while True:
            states = [d["state"] for d in client.get("/v1/drafts", params={"limit": 100}).json()["items"]]
            if not {"queued", "running"} & set(states):
                break
            time.sleep(1)
        results = {client.get(f"/v1/drafts/{d}").json()["draft"]["id"] for d in asked}
        print(
            f"{n} drafts asked for at once: {states.count('done')} done, {len(results)} different result(s), "
            f"{time.monotonic() - began:.0f} s, {memory_of(pid, 'VmHWM'):.0f} MiB at most"
        )
    return verdict("all complete", states.count("done") == n)


def memory(n_reads: int = 10_000, n_uploads: int = 200) -> bool:
    """What the process holds before and after. Flat: the last fifth adds at most a hundredth; the first ones fill caches."""
    with service("--no-worker") as (client, pid, _):
        data = small(1_000)

        def work(reads_: int, uploads: int) -> None:
            for _ in range(uploads):
                round_id = upload(client, data)
                for _ in range(reads_ // uploads // 2):
                    client.get(f"/v1/rounds/{round_id}").raise_for_status()
                    client.get(f"/v1/rounds/{round_id}/answers", params={"limit": 20}).raise_for_status()

        print("| uploads of 1,000 answers | reads | MiB |\n|---|---|---|")
        held = []
        for part in range(6):
            done = part * n_uploads // 5
            held.append(memory_of(pid, "VmRSS"))
            print(f"| {done} | {part * n_reads // 5} | {held[-1]:.1f} |", flush=True)
            if part < 5:
                work(n_reads // 5, n_uploads // 5)
        return verdict(f"flat, within {FLAT - 1:.0%} over the last fifth", held[-1] <= FLAT * held[-2])


def large(data: Path, n: int = 250_000) -> bool:
    """A round of real answers, repeated with changes, uploaded and read page by page."""
    with gzip.open(data / "grand-debat-scale" / "answers.csv.gz", "rt", encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    with tempfile.TemporaryDirectory() as folder, service("--no-worker") as (client, pid, _):
        path = Path(folder) / "large.csv"
        with path.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(("respondent_id", "question_id", "answer"))
            for k in range(n):
                again = f" ({k // len(texts)})" if k >= len(texts) else ""
                writer.writerow((f"R{k}", "Q1", texts[k % len(texts)] + again))
        del texts
        idle = memory_of(pid, "VmRSS")
        began = time.monotonic()
        with path.open("rb") as stream:
            made = client.post("/v1/rounds", files={"file": ("large.csv", stream)})
        made.raise_for_status()
        uploaded, at_upload = time.monotonic() - began, memory_of(pid, "VmHWM")
        began = time.monotonic()
        address, cursor, read = f"/v1/rounds/{made.json()['id']}/answers", None, 0
        while True:
            asked = {"limit": "1000"} | ({"cursor": cursor} if cursor else {})
            page = client.get(address, params=asked).json()
            read += len(page["items"])
            cursor = page["next"]
            if cursor is None:
                break
        print(
            f"{n:,} answers, {path.stat().st_size / 1e6:.0f} MB: uploaded in {uploaded:.0f} s, {read:,} read back in "
            f"{time.monotonic() - began:.0f} s; the service held {idle:.0f} MiB before, {at_upload:.0f} MiB at most while "
            f"uploading, {memory_of(pid, 'VmHWM'):.0f} MiB at most in all"
        )
        return verdict("all read back under 1 GiB", read == n and memory_of(pid, "VmHWM") < 1024)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m evals.bench.service", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=PARTS, default=PARTS)
    given = Path(os.environ.get("POLYPHONIE_DATA", "../shared/data"))
    parser.add_argument("--data", type=Path, default=given)
    asked = parser.parse_args()
    if "reads" in asked.parts and shutil.which("wrk") is None:
        sys.exit("no wrk on this machine: apt-get install wrk")
    work: dict[str, Callable[[], bool]] = {
        "reads": reads,
        "drafts": drafts,
        "memory": memory,
        "large": lambda: large(asked.data),
    }
    held = []
    for part in asked.parts:
        print(f"\n{part} (load of the machine {os.getloadavg()[0]:.1f})\n", flush=True)
        held.append(work[part]())
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
