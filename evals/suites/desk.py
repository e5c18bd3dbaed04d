"""What drafters and scorers work with: the run's encoder and model, and the scorers' own fixed encoder."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Encoder
from service.domain.round import Language
from service.llm.chat import ChatModel

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Desk:
    encoder: Callable[[Language], Encoder]
    """The run's encoder, which drafts are made with."""
    yardstick: Callable[[Language], Encoder]
    """The scorers' encoder: always the packaged one, so that figures of runs with different encoders compare."""
    chat: ChatModel | None
    """None: the extractive drafter."""
    _kept: dict[Hashable, Any] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def encode(self, language: Language) -> Callable[[Sequence[str]], NDArray[np.float32]]:
        return self.yardstick(language).encode

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Work that several suites share is done once in a run."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = make()
            made: T = self._kept[key]
            return made
