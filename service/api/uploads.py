"""From a request to files on disk, and from a file to a round: nothing is held in memory while it arrives."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException

from service.api.problems import Refused, Trouble
from service.domain.round import Round
from service.errors import BadInput, InvalidRequest, UnsupportedMedia
from service.ingest import Limits, Problem, read_round

MOST_FILES = 1_000
BATCH = 1 << 20
SIDECAR = ".round.json"
JSON_NAME = "upload.json"
"""What a body of JSON is called in messages."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload:
    """What arrived, on disk."""

    files: tuple[Path, ...]
    """Files of answers, in the order in which they came; a sidecar lies beside its own."""
    fields: dict[str, str]
    """The other fields of a form."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """A round out of an upload."""

    round: Round
    sha256: str
    """Of the file, and of its sidecar behind it."""
    warnings: tuple[Trouble, ...]


@contextmanager
def folder() -> Iterator[Path]:
    """A folder for one request, gone with it."""
    with TemporaryDirectory(prefix="polyphonie-upload-") as made:
        yield Path(made)


async def receive(request: Request, into: Path, *, most_files: int = 1) -> Upload:
    """Write what the request brings into a folder. Raises UnsupportedMedia and InvalidRequest."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        file = into / JSON_NAME
        with file.open("wb") as out:
            async for chunk in request.stream():
                out.write(chunk)
        return Upload(files=(file,), fields={})
    if kind == "multipart/form-data":
        return await _receive_form(request, into, most_files)
    raise UnsupportedMedia(
        f"a body of type {kind or 'none'} is not read here. Send JSON, or multipart/form-data."
    )


async def _receive_form(request: Request, into: Path, most_files: int) -> Upload:
    files: list[Path] = []
    sidecars: list[UploadFile] = []
    fields: dict[str, str] = {}
    try:
        form = await request.form(max_files=2 * most_files, max_fields=20)
    except MultiPartException as error:
        raise InvalidRequest(f"the form can't be read: {error.message}") from error
    try:
        for name, value in form.multi_items():
            if not isinstance(value, UploadFile):
                fields[name] = value
            elif not value.filename and not value.size:
                continue  # what a browser sends for a field that was left empty
            elif name == "sidecar" or (value.filename or "").endswith(SIDECAR):
                sidecars.append(value)
            elif name == "file":
                files.append(await _save(value, into / _plain(value.filename)))
            else:
                raise _wrong_field(name)
        if not files:
            raise _wrong_field("file", "no file came. Send it as the field `file`.")
        if len(files) > most_files:
            raise _wrong_field(
                "file",
                f"{len(files)} files, more than {most_files:,}. Send "
                + ("many to /v1/rounds/batch." if most_files == 1 else "the others in another request."),
            )
        for sidecar in sidecars:
            beside = files[0].with_name(_stem(files[0].name) + SIDECAR) if len(files) == 1 else None
            await _save(sidecar, beside or into / _plain(sidecar.filename))
    finally:
        await form.close()
    return Upload(files=tuple(files), fields=fields)


async def _save(upload: UploadFile, to: Path) -> Path:
    if to.exists():
        raise _wrong_field("file", f"two files are called {to.name}. Give each a name of its own.")

    def copy() -> None:
        with to.open("wb") as out:
            shutil.copyfileobj(upload.file, out, BATCH)

    await run_in_threadpool(copy)
    return to


def read(file: Path) -> Read:
    """The round in a file. Raises Refused with every problem: file, row, column, remedy."""
    reading = read_round(file, limits=Limits())
    problems = [trouble(p) for p in reading.problems]
    if reading.round is None:
        raise Refused(BadInput(f"{file.name} can't be used as it stands: see problems."), problems=problems)
    return Read(round=reading.round, sha256=_sha256(file), warnings=tuple(problems))


def trouble(found: Problem) -> Trouble:
    """A problem of a file as the API tells it."""
    return Trouble(
        severity=found.severity,
        file=found.file,
        row=found.row,
        column=found.column,
        message=found.message,
        remedy=found.remedy,
        code=found.code,
        said=dict(found.said),
    )


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    beside = file.with_name(_stem(file.name) + SIDECAR)
    for one in (file, beside) if beside.exists() else (file,):
        with one.open("rb") as stream:
            while chunk := stream.read(BATCH):
                digest.update(chunk)
    return digest.hexdigest()


def _plain(name: str | None) -> str:
    """A file name of the sender made safe for our disk: its last part, without control characters, not too long."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    kept = "".join(c for c in last if c.isprintable() and not "\ud800" <= c <= "\udfff").strip().lstrip(".")
    return kept.encode()[-200:].decode(errors="ignore") or "answers"


def _stem(name: str) -> str:
    return Path(name.removesuffix(".gz")).stem


def _wrong_field(name: str, message: str = "no such field. Known: file, sidecar.") -> Refused:
    return Refused(InvalidRequest(message), problems=[Trouble(field=f"body.{name}", message=message)])
