"""Groups shown to a model: each with its label, then verbatims of it, under opaque ids in one fence."""

from collections.abc import Sequence
from dataclasses import dataclass

import prompts


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    name: str
    """Opaque id, such as g1; "–" for verbatims that are in no group."""
    head: str
    """Its label, or what it is."""
    verbatims: tuple[tuple[str, str], ...]
    """(opaque id, text)"""


def show(blocks: Sequence[Block]) -> str:
    """One fence: a line with the label of each block, then a line per verbatim."""
    lines = [line for b in blocks for line in ((b.name, b.head), *b.verbatims)]
    return prompts.fence_named(lines)
