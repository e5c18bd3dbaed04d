"""What a draft's records cost: `python -m evals.bench.records [--answers 25000,100000]`. Bytes, CPU seconds, memory.

The draft is the invented one of `evals.bench.pages`; each size is measured in a process of its own.
"""

import argparse
import multiprocessing
import resource
import time
from itertools import pairwise

from evals.bench.pages import draft_of
from service.domain.review import apply, revise
from service.domain.revision import SetLabel
from service.exports import export
from service.exports.draft_json import from_json

SHEET_UP_TO = 25_000
"""Answers of which a workbook is written too: it is by far the slowest."""


def main() -> None:
    """Print one line a size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", default="25000,100000")
    print(
        "| answers | draft.json | written | read | a label corrected | XLSX | peak memory |\n|---|---|---|---|---|---|---|"
    )
    for size in parser.parse_args().answers.split(","):
        one = multiprocessing.get_context("spawn").Process(target=_measure, args=(int(size),))
        one.start()
        one.join()


def _measure(n: int) -> None:
    draft, _ = draft_of(n)
    clock = [time.process_time()]
    data = export(draft, "json")
    clock.append(time.process_time())
    read = from_json(data.decode())
    clock.append(time.process_time())
    revise(apply(read, ()), SetLabel(group_id="Q1.g1", text="Autre."), who="bench", at="")
    clock.append(time.process_time())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sheet = "not run"
    if n <= SHEET_UP_TO:
        export(read, "xlsx")
        sheet = f"{time.process_time() - clock[-1]:.0f} s"
    written, back, changed = (f"{b - a:.1f} s" for a, b in pairwise(clock))
    print(
        f"| {n:,} | {len(data) / 1e6:.0f} MB | {written} | {back} | {changed} | {sheet} | {peak:,.0f} MiB |",
        flush=True,
    )


if __name__ == "__main__":
    main()
