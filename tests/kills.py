"""`python -m tests.kills`: `polyphonie draft` is killed with SIGKILL at random moments, then resumed to its end.

Each trial drafts the example round in a folder of its own, with a cache of its own, against a real OpenAI-compatible server on the
loopback address; the command is killed at a moment drawn by a fixed seed, and given again with --resume. Then it is looked at whether
a model call whose reply was kept on disk at the kill was made again, how many that were in flight were, and whether the draft is that
of a run which was left alone.
"""

import argparse
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import tests.warm
from tests.house import PLACES, ROOT, WARM, end
from tests.loopback import ModelServer, model_server

LONGEST = 600.0
"""Seconds that a run may take before it counts as stuck, whatever else the machine does."""

EXAMPLE = ROOT / "examples" / "round" / "answers.csv"


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    moment: float
    """Seconds from the first model call to the kill, as drawn."""
    asked: int
    """Calls that had reached the server when the process was dead."""
    kept: int
    """Those of them whose reply was on disk."""
    resumed: int
    """Calls that the resumed run made."""
    in_flight: int
    """Of these, calls made a second time, their first reply not kept: it was under way, or sent a moment before the kill."""
    finished_repeated: int
    """Of these, calls whose reply had been kept."""
    equal: bool
    """The draft is that of the undisturbed run."""
    ended: bool
    """The run was over before the moment came: no kill."""

    @property
    def holds(self) -> bool:
        return self.equal and not self.finished_repeated and self.in_flight <= PLACES


class Drafts:
    """Runs of `polyphonie draft` on the example round, in a folder and against a server."""

    def __init__(self, server: ModelServer, folder: Path, *, warm: bool = True) -> None:
        """warm: forked from a process that has read the code, with a cheap encoder."""
        self.server = server
        self.folder = folder
        self.warm = warm
        folder.mkdir(parents=True)

    def start(self, *more: str) -> "subprocess.Popen[bytes] | BaseProcess":
        words = ["draft", str(EXAMPLE), "--out", str(self.folder / "out"), "--llm", "openai:m", *more]
        environment = {
            **os.environ,
            "POLYPHONIE_LLM_BASE_URL": self.server.url,
            "POLYPHONIE_LLM_API_KEY": "loopback",
            "POLYPHONIE_LLM_WORKERS": str(PLACES),
            "POLYPHONIE_CACHE_DIR": str(self.folder / "cache"),
        }
        log = self.folder / "log"
        if self.warm:
            process = WARM.Process(target=tests.warm.polyphonie, args=(words, environment, log))
            process.start()
            return process
        with log.open("ab") as out:
            command = [sys.executable, "-m", "service", *words]
            return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)

    def ended(self, *more: str) -> tuple[int | None, str]:
        """Run the command to its end: its exit code, and what it said."""
        log = self.folder / "log"
        before = log.stat().st_size if log.exists() else 0
        code = _code(self.start(*more))
        return code, log.read_bytes()[before:].decode()

    def kept(self) -> int:
        """Replies on disk."""
        path = self.folder / "cache" / "replies.sqlite"
        if not path.exists():
            return 0
        with closing(sqlite3.connect(path, timeout=60)) as db:
            return int(db.execute("SELECT count(*) FROM reply").fetchone()[0])

    def made(self) -> dict[str, Any]:
        """The draft without when and at what cost it was made."""
        found = json.loads((self.folder / "out" / "draft.json").read_text(encoding="utf-8"))
        assert isinstance(found, dict)
        del found["created_at"]
        for name in ("tokens", "calls", "seconds"):
            del found["provenance"][name]
        return found


def _code(process: "subprocess.Popen[bytes] | BaseProcess") -> int | None:
    if isinstance(process, subprocess.Popen):
        return process.wait(LONGEST)
    process.join(LONGEST)
    return process.exitcode


def _runs(process: "subprocess.Popen[bytes] | BaseProcess") -> bool:
    return process.poll() is None if isinstance(process, subprocess.Popen) else process.is_alive()


def undisturbed(runs: Drafts) -> tuple[dict[str, Any], float]:
    """The draft as it should be, and the seconds from its first model call to its end."""
    process = runs.start()
    _first_call(runs.server, process)
    began = time.monotonic()
    assert _code(process) == 0, (runs.folder / "log").read_text()[-3000:]
    took = time.monotonic() - began
    assert not runs.server.repeated()
    return runs.made(), took


def _first_call(server: ModelServer, process: "subprocess.Popen[bytes] | BaseProcess") -> None:
    before = len(server.asked)
    while len(server.asked) == before and _runs(process):
        time.sleep(0.01)


def trial(runs: Drafts, want: dict[str, Any], moment: float) -> Trial:
    """moment: seconds after the first model call."""
    asked = runs.server.asked
    asked.clear()
    process = runs.start()
    _first_call(runs.server, process)
    time.sleep(moment)
    ended = not _runs(process)
    end(process)
    kept = runs.kept()
    while runs.server.at_once:  # what was in flight ends at the server, its reply goes nowhere
        time.sleep(0.01)
    before = list(asked)
    code, said = runs.ended("--resume")
    assert code == 0, said
    after = asked[len(before) :]
    new = runs.kept() - kept
    again = len(asked) - len(set(asked))
    return Trial(
        moment=moment,
        asked=len(before),
        kept=kept,
        resumed=len(after),
        in_flight=again - (len(after) - new),
        finished_repeated=len(after)
        - new,  # a call that was not kept before makes a reply that is new on disk
        equal=runs.made() == want,
        ended=ended,
    )


def run(n: int, *, delay: float, seed: int = 1, warm: bool = True) -> list[Trial]:
    """Trials, each told in a line of the table. delay: seconds of each model call."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="polyphonie-kills-") as name, model_server(delay) as server:
        folder = Path(name)
        want, seconds = undisturbed(Drafts(server, folder / "0", warm=warm))
        print(f"Undisturbed: {len(server.asked)} calls, {seconds:.1f} s from the first to the end.\n")
        print(
            "| trial | killed after | calls before | kept | calls of the resumed run | repeated in flight |",
            end="",
        )
        print(" finished ones repeated | draft |\n|---|---|---|---|---|---|---|---|")
        trials = []
        for k in range(1, n + 1):
            one = trial(Drafts(server, folder / str(k), warm=warm), want, chance.uniform(0.0, seconds))
            trials.append(one)
            print(f"| {k} | {told(one)} |", flush=True)
        return trials


def told(one: Trial) -> str:
    """Its cells of the table."""
    cells = (one.asked, one.kept, one.resumed, one.in_flight, one.finished_repeated)
    moment = f"{one.moment:.2f} s" + (" (it had ended)" if one.ended else "")
    return " | ".join([moment, *map(str, cells), "equal" if one.equal else "DIFFERENT"])


def total(trials: Sequence[Trial]) -> str:
    """The last row."""
    sums = [
        sum(getattr(t, name) for t in trials)
        for name in ("asked", "kept", "resumed", "in_flight", "finished_repeated")
    ]
    kills, equal = sum(not t.ended for t in trials), sum(t.equal for t in trials)
    return f"| {len(trials)} | {kills} kills | {' | '.join(map(str, sums))} | {equal} equal |"


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.kills", description=__doc__)
    options.add_argument("--trials", type=int, default=20)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--delay", type=float, default=0.2, help="seconds of each model call")
    options.add_argument("--cold", action="store_true", help="each run reads its code and its encoder")
    given = options.parse_args()
    trials = run(given.trials, delay=given.delay, seed=given.seed, warm=not given.cold)
    print(total(trials))
    return 0 if all(t.holds for t in trials) else 1


if __name__ == "__main__":
    sys.exit(main())
