"""One grouping of ours in a process of its own, as the bench runs it: `python -m evals.bench.ours FOLDER`."""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

from embeddings.grouping import group


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(folder: Path) -> None:
    """Reads vectors.npy and texts.json; prints cost and CPU seconds by step as JSON."""
    vectors = np.load(folder / "vectors.npy")
    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    marks: list[tuple[str, float]] = []

    def watch(step: str) -> None:
        marks.append((step, cpu()))

    before, started = cpu(), time.perf_counter()
    found = group(texts, vectors, watch=watch)
    wall, end = time.perf_counter() - started, cpu()
    steps: dict[str, float] = {}
    for (step, begun), (_, next_) in zip(marks, [*marks[1:], ("end", end)], strict=True):
        steps[step] = steps.get(step, 0.0) + next_ - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        json.dumps(
            {
                "cpu": end - before,
                "wall": wall,
                "peak_gib": peak,
                "groups": len(found.parents),
                "left_out": float((found.labels == -1).mean()),
                "steps": steps,
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
