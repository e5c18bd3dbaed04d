"""How fast the packaged encoders are beside plain sentence-transformers in fp32, and whether an int8 version pays."""

import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from embeddings.encoder import load_encoder
from embeddings.packaged import packaged_model
from evals.bench.corpus import read_answers

TEXTS = 1_000
THREADS = 2
Encode = Callable[[Sequence[str]], NDArray[np.float32]]


def encoding_table(data: Path) -> list[dict[str, Any]]:
    """One row an encoder: French answers per second on two threads, and the cosine to its own fp32 where it has one."""
    torch.set_num_threads(THREADS)
    texts = read_answers(data)[:TEXTS]
    plain, _ = packaged_model("minilm")
    rows, reference = _timed("all-MiniLM-L6-v2, plain sentence-transformers fp32", plain.encode, texts)
    found = [rows]
    found.append(_timed("`minilm`", load_encoder("minilm", "en").encode, texts, reference)[0])
    small, _ = packaged_model("minilm")
    torch.ao.quantization.quantize_dynamic(  # type: ignore[no-untyped-call]
        small, {torch.nn.Linear}, dtype=torch.qint8, inplace=True
    )
    found.append(_timed("`minilm`, torch dynamic int8", small.encode, texts, reference)[0])
    found.append(_timed("`use` (the default for French)", load_encoder("use", "fr").encode, texts)[0])
    found.append(_timed("`e5`, the 4-bit engine", load_encoder("e5", "fr").encode, texts)[0])
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
