"""Vectors kept on disk by encoder, revision and text: what was encoded once is not encoded again."""

import hashlib
import sqlite3
import warnings
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.encoder import Encoder

CHUNK = 500
"""Keys per SQL statement: SQLite's variable limit was once 999."""


class CachedEncoder:
    """An encoder behind a file. Two processes may share the file; a damaged one is put aside with a warning."""

    def __init__(self, encoder: Encoder, path: Path) -> None:
        self.name = encoder.name
        self.revision = encoder.revision
        self._encoder = encoder
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._create()
        except sqlite3.DatabaseError:
            aside = path.with_name(path.name + ".damaged")
            path.replace(aside)
            warnings.warn(
                f"vector cache {path} was damaged: put aside as {aside}, starting anew", stacklevel=2
            )
            self._create()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As the encoder behind it; each distinct text is encoded at most once."""
        keys = [self._key(text) for text in texts]
        known = self._read(sorted(set(keys)))
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if missing:
            fresh = self._encoder.encode(list(missing.values()))
            new = dict(zip(missing, fresh, strict=True))
            self._write(new)
            known |= new
        if not keys:
            return self._encoder.encode([])
        return np.stack([known[key] for key in keys])

    def _key(self, text: str) -> bytes:
        head = f"{self.name}\0{self.revision}\0".encode()
        return hashlib.blake2b(head + text.encode("utf-8", "surrogatepass"), digest_size=16).digest()

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=60)

    def _create(self) -> None:
        with closing(self._connect()) as db, db:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute(
                "CREATE TABLE IF NOT EXISTS vector (key BLOB PRIMARY KEY, row BLOB NOT NULL) WITHOUT ROWID"
            )

    def _read(self, keys: list[bytes]) -> dict[bytes, NDArray[np.float32]]:
        found: dict[bytes, NDArray[np.float32]] = {}
        with closing(self._connect()) as db:
            for start in range(0, len(keys), CHUNK):
                some = keys[start : start + CHUNK]
                marks = ",".join("?" * len(some))
                rows = db.execute(f"SELECT key, row FROM vector WHERE key IN ({marks})", some)
                found |= {key: np.frombuffer(row, dtype=np.float32) for key, row in rows}
        return found

    def _write(self, rows: dict[bytes, NDArray[np.float32]]) -> None:
        with closing(self._connect()) as db, db:
            db.executemany(
                "INSERT OR IGNORE INTO vector VALUES (?, ?)",
                [(key, np.asarray(row, dtype=np.float32).tobytes()) for key, row in rows.items()],
            )
