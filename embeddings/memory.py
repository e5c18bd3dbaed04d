"""Whether the machine has the memory for a grouping, asked before it starts."""

from pathlib import Path

PAIRWISE = 40
"""Bytes per pair of texts where all pairs are compared: similarity, its parts and HDBSCAN's float64 copies."""

PER_TEXT = 3_000
"""Bytes per text of a large question beyond its vectors: reduced vectors, neighbours, trees, texts."""

COPIES = 3
"""Copies of the vectors alive at once: the caller's distinct rows, the centred ones, one under way."""


class NotEnoughMemory(MemoryError):
    """The machine has too little free memory for so many texts: take a larger machine, or fewer answers per question."""


def needed(n: int, width: int, *, pairwise: bool) -> int:
    """Bytes that grouping n distinct texts takes beyond what the caller holds, rounded up."""
    vectors = COPIES * 4 * n * width
    return vectors + (PAIRWISE * n * n if pairwise else PER_TEXT * n)


def available() -> int | None:
    """Bytes free on this machine and within the control group's limit; None where neither is told (not Linux)."""
    found = []
    status = Path("/proc/meminfo")
    if status.exists():
        lines = (line.split() for line in status.read_text(encoding="ascii").splitlines())
        found += [1024 * int(words[1]) for words in lines if words[0] == "MemAvailable:"]
    limit, used = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    if limit.exists() and used.exists() and (most := limit.read_text(encoding="ascii").strip()) != "max":
        found.append(int(most) - int(used.read_text(encoding="ascii")))
    return min(found, default=None)


def refuse_beyond_memory(n: int, width: int, *, pairwise: bool) -> None:
    """Raises NotEnoughMemory where the machine has less free than the grouping needs."""
    need, free = needed(n, width, pairwise=pairwise), available()
    if free is not None and need > free:
        raise NotEnoughMemory(
            f"grouping {n:,} different texts takes about {need / 2**30:.1f} GiB of memory and {max(free, 0) / 2**30:.1f} are free: "
            "take a larger machine, or fewer answers per question"
        )
