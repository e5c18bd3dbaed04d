"""How well sources carry a text, by a measure that is not the check a draft was written to pass."""

from collections.abc import Sequence

import numpy as np

from service.domain.wordform import stems
from service.stages.check import Encode


def support(text: str, sources: Sequence[str], encode: Encode) -> float:
    """0 to 1: half the share of its content words that the sources have, half its greatest cosine to one of them or to all."""
    if not sources:
        return 0.0
    known = {stem for s in sources for stem in stems(s)}
    said = stems(text)
    lexical = sum(stem in known for stem in said) / len(said) if said else 0.0
    vectors = encode([text, *sources])
    nearest = float((vectors[1:] @ vectors[0]).max())
    whole = vectors[1:].sum(axis=0)
    length = float(np.linalg.norm(whole))
    together = float(vectors[0] @ whole) / length if length else 0.0
    return round(0.5 * lexical + 0.5 * max(0.0, nearest, together), 4)
