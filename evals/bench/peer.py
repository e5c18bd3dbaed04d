"""The peers' environments: BERTopic 0.17.4 and ThemeFinder 0.8.2, each in a virtual environment of its own."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

BERTOPIC = ("torch==2.13.0", "bertopic==0.17.4")
"""Installed in this order: torch first, or the resolver takes the several gigabytes of its CUDA build."""

READY = "ready"
"""File in the environment's folder that says that all packages are in it."""

SCRIPT = Path(__file__).with_name("peer_bertopic.py")


def install(folder: Path, packages: Sequence[str] = BERTOPIC) -> Path:
    """Makes the environment where it is missing; returns its Python. Raises CalledProcessError where a package can't be had."""
    python = folder / "bin" / "python"
    if (folder / READY).exists():
        return python
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    for package in packages:
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", package], check=True)
    (folder / READY).touch()
    return python


def labels(python: Path, vectors: Sequence[NDArray[np.float32]]) -> list[list[int]]:
    """BERTopic's groups of each array, seeded; -1 = left out."""
    with tempfile.TemporaryDirectory() as folder:
        units, out = Path(folder) / "units.npz", Path(folder) / "labels.json"
        arrays: dict[str, Any] = {f"u{i}": v for i, v in enumerate(vectors)}
        np.savez(units, **arrays)
        subprocess.run([str(python), str(SCRIPT), "labels", str(units), str(out)], check=True)
        found: dict[str, list[int]] = json.loads(out.read_text())
    return [found[f"u{i}"] for i in range(len(vectors))]
