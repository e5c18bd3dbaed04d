"""`python -m tests.chaos`: drafts are made while their processes are killed with SIGKILL at random moments.

On SQLite the service works alone; on PostgreSQL a worker helps it. Each trial uploads the same round, asks for a draft, kills once
or twice a process chosen at random and starts it again, waits for the draft, then looks whether it equals the undisturbed
one, whether a finished model call was made again, and whether anything is left open. The round is deleted after each trial, and
the replies with it, so every trial pays for all its calls.
"""

import argparse
import random
import secrets
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from service.client import Client
from tests.house import LONGEST, PLACES, ROOT, House, database, free_port, house

SMALL = ROOT / "examples" / "small" / "answers.csv"
LOST_AFTER = 3.0
"""Seconds without a sign of life after which a worker is given up: less than by default, so that trials are short."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    kills: int
    seconds: float
    state: str
    equal: bool
    calls: int
    """Model calls that the server answered."""
    repeated: int
    """Answered again."""
    finished_repeated: int
    """Answered again although the first reply had been kept: more than the calls that were begun again while open."""
    left_open: dict[str, int]

    @property
    def holds(self) -> bool:
        return (
            self.state == "done"
            and self.equal
            and not self.finished_repeated
            and self.repeated <= PLACES * self.kills
            and not any(self.left_open.values())
        )

    def __str__(self) -> str:
        return (
            f"{self.kills} kill(s), {self.seconds:5.1f} s, {self.state}, {'equal' if self.equal else 'DIFFERENT'}, "
            f"{self.calls} calls, {self.repeated} repeated in flight, {self.finished_repeated} finished ones repeated, "
            f"left open: {sum(self.left_open.values())}"
            f"{'' if self.holds else '   <-- DOES NOT HOLD ' + str(self.left_open)}"
        )


class Caller:
    """Uses the service over HTTP however often it is killed."""

    def __init__(self, port: int) -> None:
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
        self._client = Client("", http=self._http)

    def close(self) -> None:
        self._http.close()

    def upload(self) -> str:
        self._sent("GET", "/livez")
        return self._client.upload(SMALL).id

    def ask(self, round_id: str) -> str:
        once = {"Idempotency-Key": secrets.token_hex(16)}
        asked = self._sent("POST", f"/v1/rounds/{round_id}/drafts", json={"questions": []}, headers=once)
        return str(asked.raise_for_status().json()["id"])

    def delete(self, round_id: str) -> None:
        self._sent("GET", "/livez")
        self._client.delete_round(round_id)

    def _sent(self, method: str, address: str, **more: Any) -> httpx.Response:
        """Sent again, with the same key, as long as the service is away."""
        until = time.monotonic() + LONGEST
        while True:
            try:
                return self._http.request(method, address, **more)
            except httpx.TransportError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)


def undisturbed(at: House, caller: Caller) -> tuple[dict[str, Any], float, int]:
    """The draft as it should be, the seconds it takes, its calls."""
    round_id = caller.upload()
    draft_id = caller.ask(round_id)
    while at.state(draft_id) == "queued":
        time.sleep(0.02)
    began = time.monotonic()
    at.wait(draft_id)
    seconds = time.monotonic() - began
    made = at.made(draft_id)
    calls = len(at.server.answered)
    assert not at.server.repeated()
    caller.delete(round_id)
    return made, seconds, calls


def trial(at: House, caller: Caller, want: dict[str, Any], seconds: float, chance: random.Random) -> Trial:
    """seconds: of the undisturbed draft; the kills fall into them and a little later."""
    at.server.answered.clear()
    round_id = caller.upload()
    began = time.monotonic()
    moments = sorted(chance.uniform(0.0, seconds * 1.1) for _ in range(chance.choice((1, 1, 2))))
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(caller.ask, round_id)
        for moment in moments:
            time.sleep(max(0.0, began + moment - time.monotonic()))
            place = chance.randrange(len(at.processes))
            at.kill(place)
            at.start(place)
        draft_id = asked.result()
    state = at.wait(draft_id)
    took = time.monotonic() - began
    left = at.settled()
    repeated = sum(n - 1 for n in at.server.repeated().values())
    result = Trial(
        kills=len(moments),
        seconds=took,
        state=state,
        equal=state == "done" and at.made(draft_id) == want,
        calls=len(at.server.answered),
        repeated=repeated,
        finished_repeated=max(0, repeated - at.begun_again()),
        left_open=left,
    )
    caller.delete(round_id)
    return result


def run(kind: str, n: int, *, delay: float = 0.2, seed: int = 1, warm: bool = False) -> list[Trial]:
    """Trials on one kind of database, each told in a line. warm: as `House` says."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="polyphonie-chaos-") as name, ExitStack() as stack:
        folder, port = Path(name), free_port()
        commands = [["serve", "--port", str(port)], ["worker"]][: 1 if kind == "sqlite" else 2]
        url = stack.enter_context(database(kind, folder))
        at = stack.enter_context(
            house(url, folder, commands=commands, delay=delay, lost_after=LOST_AFTER, warm=warm)
        )
        caller = stack.enter_context(closing(Caller(port)))
        want, seconds, calls = undisturbed(at, caller)
        print(f"{kind}, {len(commands)} process(es), undisturbed: {calls} calls, {seconds:.1f} s", flush=True)
        trials = []
        for k in range(1, n + 1):
            one = trial(at, caller, want, seconds, chance)
            trials.append(one)
            print(f"{kind} {k:3}: {one}", flush=True)
            if not one.holds:
                print(at.log.read_text()[-6000:], file=sys.stderr)
        return trials


def table(kind: str, trials: Sequence[Trial]) -> str:
    """A row of the table that `main` prints."""
    figures = [
        len(trials),
        sum(t.kills for t in trials),
        sum(t.state == "done" for t in trials),
        sum(t.equal for t in trials),
        sum(t.calls for t in trials),
        sum(t.repeated for t in trials),
        sum(t.finished_repeated for t in trials),
        sum(any(t.left_open.values()) for t in trials),
    ]
    who = "sqlite, the service alone" if kind == "sqlite" else "postgresql, the service and a worker"
    return f"| {who} | " + " | ".join(map(str, figures)) + " |"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--trials", type=int, default=50, help="on each database")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--delay", type=float, default=0.2, help="seconds of each model call")
    options.add_argument(
        "--cold",
        action="store_true",
        help="each process reads its code and its encoder: 9 s of processor a start, not half a second",
    )
    options.add_argument("--only", choices=["sqlite", "postgresql"])
    given = options.parse_args()
    rows, holds = [], True
    for kind in ("sqlite", "postgresql"):
        if given.only in (None, kind):
            trials = run(kind, given.trials, delay=given.delay, seed=given.seed, warm=not given.cold)
            rows.append(table(kind, trials))
            holds = holds and all(t.holds for t in trials)
    print(
        "\n| processes | trials | kills | completed | equal | calls | repeated in flight | finished repeated | left open |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    print("\n".join(rows))
    print("holds" if holds else "DOES NOT HOLD")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
