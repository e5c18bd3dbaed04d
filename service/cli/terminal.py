"""What every command shares: reading the round or saying why not, progress on stderr, files written whole or not at all."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from service.domain.round import Round
from service.errors import BadInput, BadSetting

if TYPE_CHECKING:
    from rich.progress import Progress

    from service.ingest import Reading

STAGES = {
    "group": "Cutting and grouping",
    "label": "Labelling groups",
    "synthesise": "Writing syntheses",
    "themes": "Finding themes",
}

MOST_PROBLEMS = 50
"""Problems printed one by one; the rest is counted."""


def say(text: str = "") -> None:
    """Print for a person, on stderr, so that stdout stays for data."""
    print(text, file=sys.stderr, flush=True)


def selection(questions: str | None) -> tuple[str, ...]:
    """`Q1,Q4+Q12` → ("Q1", "Q4+Q12")."""
    return tuple(part.strip() for part in (questions or "").split(",") if part.strip())


def read_or_stop(path: Path, questions: str | None = None) -> Round:
    """Read a round, print every problem, and raise BadInput if it can't be used."""
    from service.ingest import read_round

    reading = read_round(path, questions=selection(questions))
    print_problems(reading)
    if reading.round is None:
        raise BadInput(f"{path} can't be used as it stands: see the errors above. Nothing was written.")
    return reading.round


def print_problems(reading: "Reading") -> None:
    for problem in reading.problems[:MOST_PROBLEMS]:
        say(str(problem))
    if len(reading.problems) > MOST_PROBLEMS:
        say(f"… and {len(reading.problems) - MOST_PROBLEMS} more of the same kinds.")


@contextmanager
def progress_bars() -> Iterator["Progress"]:
    """Bars on a terminal; on anything else one plain line a stage is enough (rich does that by itself)."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        yield bars


class Bars:
    """The pipeline's progress, drawn."""

    def __init__(self, bars: "Progress", *stages: str) -> None:
        """stages: those that will run; none named: all."""
        self._bars = bars
        self._tasks = {s: bars.add_task(STAGES[s], total=None, start=False) for s in stages or STAGES}

    def __call__(self, stage: str, done: int, total: int) -> None:
        if done == 0:
            self._bars.start_task(self._tasks[stage])
        self._bars.update(self._tasks[stage], total=total, completed=done)


def ready_folder(folder: Path) -> None:
    """Make the output folder, before anything is spent on what it shall hold. Raises BadSetting."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, "not writable")
    except OSError as error:
        raise BadSetting(f"--out {folder}: {error.strerror}. Give a folder that can be written.") from error


def ready_file(path: Path) -> None:
    """See that a file can be written there, before the work whose result it shall hold. Raises BadSetting."""
    if path.is_dir():
        raise BadSetting(f"--out {path} is a folder. Give the name of a file.")
    ready_folder(path.parent)


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old one or the new one, never a half; a device or a pipe is written to."""
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8", newline="")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(path.name + ".part")
    half.write_text(text, encoding="utf-8", newline="")
    os.replace(half, path)  # noqa: PTH105 - atomic on every system, which Path.rename is not
