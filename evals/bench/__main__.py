"""`python -m evals.bench [grouping] [agreement] [encoding] [--sizes 100,1000] [--peer PYTHON | --install-peer]`.

Every figure is kept in out/bench/*.json, a size as soon as it is measured, and docs/benchmarks.md is written anew from all that is
there: a part or size can be run again alone. Where the peer is not installed its columns are missing, and the page says so.
"""

import argparse
import json
import os
import platform
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from embeddings.cache import CachedEncoder
from embeddings.encoder import load_encoder
from evals.bench import peer
from evals.bench.agreement import agreement_table
from evals.bench.corpus import REAL, prepare, read_answers
from evals.bench.encoding import encoding_table
from evals.bench.report import page

PARTS = ("grouping", "agreement", "encoding")
CACHE = Path("~/.cache/polyphonie").expanduser()
REPEATED = 10_000
"""Sizes up to which ours and the peer alternate several times; above, once."""


def measure(command: list[str], most: int | None = None) -> dict[str, Any]:
    """What the command prints last. most: CPU seconds after which it is stopped."""

    def limit() -> None:
        if most is not None:
            resource.setrlimit(resource.RLIMIT_CPU, (most, most))

    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True, preexec_fn=limit)
    if most is not None and done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return {"failed": f"stopped after {most:,} CPU s", "at_least": most}
    if done.returncode:
        return {"failed": f"exit code {done.returncode}"}
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def grouping(
    data: Path, sizes: list[int], real: int, python: Path | None, peer_up_to: int, peer_cpu: int, repeats: int
) -> Iterator[dict[str, Any]]:
    """Ours and the peer in turn on the same vectors, each fit in a process of its own; the median of the repeats of each size."""
    texts = read_answers(data)[:real]
    encoder = CachedEncoder(load_encoder("use", "fr"), CACHE / "vectors.sqlite")
    for size in sizes:
        folder = prepare(texts, size, encoder, CACHE / "bench")
        ours, theirs = [], []
        for _ in range(repeats if size <= REPEATED else 1):
            ours.append(measure([sys.executable, "-m", "evals.bench.ours", str(folder)]))
            if python and size <= peer_up_to:
                timed = [str(python), str(peer.SCRIPT), "time", str(folder / "vectors.npy")]
                theirs.append(measure(timed, peer_cpu))
        row = {
            "size": size,
            "real": min(size, len(texts)),
            "ours": _median(ours),
            "peer": _median(theirs),
            "runs": len(ours),
        }
        print(json.dumps(row), file=sys.stderr)
        yield row


def _median(runs: list[dict[str, Any]]) -> dict[str, Any] | None:
    sound = sorted((r for r in runs if "failed" not in r), key=lambda r: float(r["cpu"]))
    return sound[len(sound) // 2] if sound else (runs[0] if runs else None)


def merge(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sizes measured again replace the old ones; the others stay, and so does the peer's figure where the peer did not run."""
    rows = {row["size"]: row for row in old}
    for row in new:
        kept = rows.get(row["size"], row)["peer"]
        rows[row["size"]] = {**row, "peer": row["peer"] or kept}
    return [rows[size] for size in sorted(rows)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m evals.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("POLYPHONIE_DATA", "../shared/data"))
    )
    parser.add_argument("--sizes", default="100,1000,10000,100000,1000000")
    parser.add_argument(
        "--real", type=int, default=REAL, help="answers encoded; larger sizes are noisy copies of them"
    )
    parser.add_argument("--peer", type=Path, help="a Python with bertopic==0.17.4")
    parser.add_argument("--install-peer", action="store_true", help="make the peer's environment first")
    parser.add_argument("--peer-up-to", type=int, default=100_000)
    parser.add_argument("--peer-cpu", type=int, default=1200, help="CPU seconds after which it is stopped")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each size up to 10,000")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks.md"))
    asked = parser.parse_args()
    if not asked.data.is_dir():
        sys.exit(f"no reference data at {asked.data}: set POLYPHONIE_DATA to its folder")
    home = CACHE / "bench" / "bertopic"
    python = asked.peer
    if asked.install_peer:
        try:
            python = peer.install(home)
        except subprocess.CalledProcessError as error:
            print(f"the peer could not be installed ({error}): its columns stay empty", file=sys.stderr)
    elif python is None and (home / peer.READY).exists():
        python = home / "bin" / "python"
    kept = Path("out/bench")
    kept.mkdir(parents=True, exist_ok=True)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"

    def keep(part: str, rows: list[Any]) -> None:
        when = datetime.now(UTC).strftime("%Y-%m-%d")
        found = {"when": when, "machine": machine, "load": os.getloadavg()[1], "rows": rows}
        (kept / f"{part}.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
        asked.out.write_text(page(_kept(kept)), encoding="utf-8")

    for part in asked.parts:
        if part == "grouping":
            sizes = [int(s) for s in asked.sizes.split(",")]
            limits = asked.peer_up_to, asked.peer_cpu
            for row in grouping(asked.data, sizes, asked.real, python, *limits, asked.repeats):
                keep(part, merge(_kept(kept).get(part, {"rows": []})["rows"], [row]))
        elif part == "agreement":
            keep(part, agreement_table(asked.data, CACHE / "vectors.sqlite", python))
        else:
            keep(part, encoding_table(asked.data))
    print(asked.out.read_text(encoding="utf-8"))


def _kept(folder: Path) -> dict[str, dict[str, Any]]:
    """What was measured, by part."""
    files = {part: folder / f"{part}.json" for part in PARTS}
    return {
        part: json.loads(file.read_text(encoding="utf-8")) for part, file in files.items() if file.exists()
    }


if __name__ == "__main__":
    main()
