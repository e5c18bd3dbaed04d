"""`polyphonie draft FOLDER`: each file a round, drafted on its own; one that can't be used stops no other."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from service.cli.terminal import ready_folder, say, write_whole
from service.errors import BadInput, PolyphonieError, Stopped

SUMMARY = "summary.json"
Run = dict[str, str | None]
"""What decides a draft: hashes of its files, and the configuration."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of one file."""

    file: str
    out: str
    """Folder of its draft, inside the output folder."""
    state: Literal["drafted", "unchanged", "failed", "stopped", "not begun"]
    problem: str | None = None
    run: Run | None = None


def draft_folder(
    source: Path,
    out: Path,
    *,
    resume: bool,
    run_of: Callable[[Path], Run],
    draft_one: Callable[[Path, Path, int], int],
) -> None:
    """Draft every file of a folder into a sub-folder of its own, and write summary.json.

    resume: a file that was drafted before, with the same configuration, is left as it is. draft_one: input, output folder and
    tokens used by the files before → tokens used. Raises BadInput where files could not be used, Stopped where the run was.
    """
    files = rounds_in(source)
    ready_folder(out)
    before = _before(out) if resume else {}
    names = Counter(_stem(f) for f in files)
    outcomes: list[Outcome] = []
    stopped: str | None = None
    used = 0
    for n, file in enumerate(files, start=1):
        name = _stem(file) if names[_stem(file)] == 1 else file.name
        outcome = Outcome(file=file.name, out=name, state="not begun")
        if stopped is None:
            say(f"[{n}/{len(files)}] {file.name}")
            outcome, tokens = _one(file, out / name, outcome, before.get(file.name), run_of, draft_one, used)
            used += tokens
            stopped = outcome.problem if outcome.state == "stopped" else None
        outcomes.append(outcome)
    _write(out, outcomes)
    _tell(outcomes, out, stopped)


def rounds_in(folder: Path) -> list[Path]:
    """The files of a folder that are rounds, by name; sidecars go with theirs. Raises BadInput."""
    files = sorted(
        f
        for f in folder.iterdir()
        if f.is_file()
        and not f.name.startswith((".", "~$"))
        and f.name != "round.json"
        and not f.name.endswith(".round.json")
    )
    if not files:
        raise BadInput(f"{folder} holds no file of answers. Give CSV, XLSX, JSON or JSON Lines files.")
    return files


def _one(
    file: Path,
    out: Path,
    outcome: Outcome,
    before: Outcome | None,
    run_of: Callable[[Path], Run],
    draft_one: Callable[[Path, Path, int], int],
    used: int,
) -> tuple[Outcome, int]:
    kept = asdict(outcome)
    try:
        kept["run"] = run = run_of(file)
        if before and before.state in ("drafted", "unchanged") and before.run == run and _is_there(out):
            return Outcome(**kept | {"state": "unchanged"}), 0
        tokens = draft_one(file, out, used)
    except Stopped as stop:
        return Outcome(**kept | {"state": "stopped", "problem": str(stop)}), 0
    except PolyphonieError as error:
        say(str(error))
        return Outcome(**kept | {"state": "failed", "problem": str(error)}), 0
    except Exception as error:  # a defect in one round must not cost the night's others
        problem = f"{type(error).__name__}: a defect of Polyphonie, please report it"
        say(problem)
        return Outcome(**kept | {"state": "failed", "problem": problem}), 0
    return Outcome(**kept | {"state": "drafted"}), tokens


def _is_there(out: Path) -> bool:
    return (out / "draft.json").is_file()


def _stem(file: Path) -> str:
    return Path(file.name.removesuffix(".gz")).stem


def _before(out: Path) -> dict[str, Outcome]:
    """What the last run over this folder did, by file; nothing where its summary can't be read."""
    try:
        rows = json.loads((out / SUMMARY).read_text(encoding="utf-8"))["rounds"]
        return {row["file"]: Outcome(**row) for row in rows}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _write(out: Path, outcomes: list[Outcome]) -> None:
    rows = [asdict(o) for o in outcomes]
    write_whole(out / SUMMARY, json.dumps({"rounds": rows}, indent=1, ensure_ascii=False) + "\n")


def _tell(outcomes: list[Outcome], out: Path, stopped: str | None) -> None:
    """The summary on standard output. Raises BadInput and Stopped."""
    print()
    for o in outcomes:
        print(f"  {o.file:<32} {o.state:<10} {o.problem or out / o.out}")
    counts = Counter(o.state for o in outcomes)
    print(f"{len(outcomes)} file(s): " + ", ".join(f"{n} {state}" for state, n in counts.items()))
    print(f"The same as data: {out / SUMMARY}")
    if stopped is not None:
        raise Stopped(stopped)
    failed = [o.file for o in outcomes if o.state == "failed"]
    if failed:
        raise BadInput(f"{len(failed)} of {len(outcomes)} file(s) could not be drafted: {', '.join(failed)}.")
