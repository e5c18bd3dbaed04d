"""The only place where a setting becomes an object. Heavy libraries are imported inside the functions:
`polyphonie --help` and `polyphonie check` must not wait for torch or LangChain."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from service.domain.draft import PromptRef, Tokens
from service.errors import BadSetting
from service.settings import Settings

if TYPE_CHECKING:
    from embeddings.encoder import Encoder
    from service.llm.chat import ChatModel
