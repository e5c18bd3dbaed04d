"""From the kept figures to docs/benchmarks.md."""

from collections.abc import Callable, Mapping, Sequence
from math import log
from typing import Any

HEAD = """# Benchmarks

Written by `python -m evals.bench` (`make bench`); don't edit by hand. Every number is a development figure on sets that were looked
at while the recipe was made.
"""


def page(parts: Mapping[str, Mapping[str, Any]]) -> str:
    """The whole page from what was measured; a part that was not run is named as such."""
    writers: dict[str, Callable[[Any], list[str]]] = {
        "grouping": _grouping,
        "agreement": _agreement,
        "encoding": _encoding,
    }
    lines = [HEAD]
    for name, write in writers.items():
        lines.append(f"## {name.capitalize()}\n")
        if name not in parts:
            lines.append("Not run here.\n")
            continue
        found = parts[name]
        lines.append(
            f"{found['when']}, {found['machine']}; load of the machine at the end {found['load']:.1f}.\n"
        )
        lines += [*write(found["rows"]), ""]
    return "\n".join(lines).rstrip() + "\n"


def _grouping(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = [
        "One question of so many French answers (`grand-debat-scale`), USE vectors, grouping alone. Peer: UMAP and HDBSCAN",
        "as BERTopic 0.17.4 sets them up, on the same vectors, its numba compilation done before the clock starts. Both",
        "alternate, each fit in a process of its own, the median of the runs. CPU seconds count all threads and",
        "child processes. Where fewer are real the others are copies with small noise. Sizes not in the table were not run;",
        "where ours alone was run again the peer's earlier figure stays, and the ratio is of two runs.",
        "",
        "| answers | real | runs | ours: CPU s | wall s | peak GiB | groups | left out "
        "| BERTopic: CPU s | wall s | peak GiB | groups | left out | CPU ratio |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        ours, theirs = row["ours"], row["peer"]
        both = ours and theirs and "cpu" in ours and "cpu" in theirs
        ratio = f"{theirs['cpu'] / ours['cpu']:.1f}" if both else "–"
        if theirs and "at_least" in theirs and "cpu" in ours:
            ratio = f"over {theirs['at_least'] / ours['cpu']:.1f}"
        lines.append(
            f"| {row['size']:,} | {row['real']:,} | {row['runs']} | {_cost(ours)} | {_cost(theirs)} | {ratio} |"
        )
    sound = [(r["size"], r["ours"]["cpu"]) for r in rows if "cpu" in r["ours"] and r["size"] >= 10_000]
    if len(sound) > 1:
        (n0, t0), (n1, t1) = sound[0], sound[-1]
        lines += [
            "",
            f"Growth of our CPU time between {n0:,} and {n1:,}: n^{log(t1 / t0) / log(n1 / n0):.2f}.",
        ]
    lines += ["", "Where our CPU time goes:", ""]
    for row in rows:
        if "steps" in row["ours"]:
            total = sum(row["ours"]["steps"].values()) or 1.0
            shares = ", ".join(f"{step} {spent / total:.0%}" for step, spent in row["ours"]["steps"].items())
            lines.append(f"- {row['size']:,}: {shares}")
    return lines


def _cost(run: Mapping[str, Any] | None) -> str:
    if run is None:
        return "not run | | | | "
    if "failed" in run:
        return f"{run['failed']} | | | | "
    return f"{run['cpu']:.2f} | {run['wall']:.2f} | {run['peak_gib']:.2f} | {run['groups']} | {run['left_out']:.0%}"


def _agreement(rows: Sequence[str]) -> list[str]:
    return [
        "AMI with people's groups, left-out answers as groups of one, mean over units with a bootstrap 95 % interval,",
        "and the paired difference. BERTopic gets the same vectors and a seed; plain HDBSCAN is min_cluster_size 5, raw vectors.",
        "",
        *rows,
    ]


def _encoding(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = [
        "French answers on two threads. The ratios and the cosine are to the plain way above with the same weights.",
        "",
        "| encoder | texts | texts/s | CPU s | times as fast | times less CPU | cosine to fp32 (mean, least) |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        ratios = f"{row['times']:.1f} | {row['cpu_times']:.1f}" if "times" in row else "– | –"
        likeness = f"{row['mean_cosine']:.4f}, {row['least_cosine']:.4f}" if "mean_cosine" in row else "–"
        lines.append(
            f"| {row['name']} | {row['texts']:,} | {row['per_second']:.0f} | {row['cpu']:.1f} | {ratios} | {likeness} |"
        )
    return lines
