"""Files that can't be read, and files that are meant to do harm: the command says what is wrong and ends with 1."""

import gzip
import os
import resource
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import Workbook

MEMORY = 2 * 1024**3
"""Address space that a reading may use, in bytes; a file of 200 MB must fit in it."""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
        env={**os.environ, "COLUMNS": "200", "OPENBLAS_NUM_THREADS": "1"},
    )


def workbook(path: Path) -> dict[str, bytes]:
    """The parts of a sound workbook."""
    book = Workbook()
    for row in (["id", "Q1"], ["r1", "un"]):
        book.active.append(row)  # type: ignore[union-attr]
    book.save(path)
    with zipfile.ZipFile(path) as box:
        return {name: box.read(name) for name in box.namelist()}


def packed(path: Path, parts: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as box:
        for name, data in parts.items():
            box.writestr(name, data)


def with_sheet(path: Path, old: bytes, new: bytes, before: bytes = b"") -> None:
    parts = workbook(path)
    sheet = parts["xl/worksheets/sheet1.xml"]
    assert old in sheet
    packed(path, {**parts, "xl/worksheets/sheet1.xml": before + sheet.replace(old, new)})


def entities(count: int) -> bytes:
    """The "billion laughs": entities that grow tenfold `count` times."""
    lines = [f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, count)]
    return f'<!DOCTYPE x [<!ENTITY a0 "aaaaaaaaaa">{"".join(lines)}]>'.encode()


def bomb(path: Path) -> None:
    parts = workbook(path.with_suffix(".xlsx"))
    packed(path, {**parts, "xl/worksheets/sheet1.xml": b"<c/>" * 10_000_000})


def wide_sheet(path: Path) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for _ in range(2):
        sheet.append([f"c{k}" for k in range(10_000)])
    book.save(path)


XML = b"<t>un</t>"
BAD: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "empty": ("a.csv", lambda p: p.touch(), "the file is empty"),
    "binary": ("a.csv", lambda p: p.write_bytes(bytes(range(256)) * 4000), "no text"),
    "NUL bytes": ("a.csv", lambda p: p.write_bytes(b"id,Q1\nr1,a\0\n"), "NUL"),
    "nothing but NUL": ("a.csv", lambda p: p.write_bytes(bytes(50_000_000)), "a line of more than"),
    "200 MB on one line": (
        "a.csv",
        lambda p: p.write_bytes(b"a" * 200_000_000),
        "row 1: a line of more than",
    ),
    "200 MB on the second line": (
        "a.csv",
        lambda p: p.write_bytes(b"id,Q1\nr1," + b"a" * 200_000_000),
        "row 2: a line of more than",
    ),
    "200 MB of JSON on one line": (
        "a.json",
        lambda p: p.write_bytes(b"[" + b"1," * 100_000_000),
        "a line of",
    ),
    "99 MB of numbers": ("a.json", lambda p: p.write_bytes(b"[" + b"1," * 49_000_000 + b"1]"), "answers"),
    "brackets": ("a.json", lambda p: p.write_bytes(b"[" * 30_000_000), "brackets within brackets"),
    "a quote that never closes": (
        "a.csv",
        lambda p: p.write_bytes(b'id,Q1\nr1,"a\n' + b"r2,b\n" * 5_000_000),
        "row 2: a quote opens here and never closes",
    ),
    "10,000 columns": (
        "a.csv",
        lambda p: p.write_text(",".join(f"c{k}" for k in range(10_000)) + "\n" + "x," * 9_999 + "x\n"),
        "row 1: 10,000 columns",
    ),
    "10,000 columns of a workbook": ("a.xlsx", wide_sheet, "row 1: 10,000 columns"),
    "macros": (
        "a.xlsx",
        lambda p: packed(p, {**workbook(p), "xl/vbaProject.bin": b"\xd0\xcf"}),
        "a workbook with macros",
    ),
    "macros by name": ("a.xlsm", lambda p: packed(p, workbook(p.with_suffix(".xlsx"))), "macros"),
    "bomb": ("a.xlsx", bomb, "unpacked it would be"),
    "bomb renamed": ("a.csv", bomb, "unpacked it would be"),
    "packed bomb": (
        "a.csv.gz",
        lambda p: p.write_bytes(gzip.compress(bytes(200_000_000))),
        "unpacked it is more",
    ),
    "a million laughs": (
        "a.xlsx",
        lambda p: with_sheet(p, XML, b"<t>&a9;</t>", entities(10)),
        "damaged workbook",
    ),
    "a file of the machine": (
        "a.xlsx",
        lambda p: with_sheet(
            p, XML, b"<t>&x;</t>", b'<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        ),
        "damaged workbook",
    ),
    "a row far away": (
        "a.xlsx",
        lambda p: with_sheet(p, b'<row r="2">', b'<row r="999999999">'),
        "rows beyond",
    ),
    "a workbook cut short": (
        "a.xlsx",
        lambda p: (workbook(p), p.write_bytes(p.read_bytes()[:3000])),
        "damaged ZIP or XLSX",
    ),
    "an archive": ("a.xlsx", lambda p: packed(p, {"a.csv": b"id,Q1\nr1,a\n"}), "a ZIP archive"),
    "a Word document": ("a.docx", lambda p: packed(p, {"word/document.xml": b"<w/>"}), "a Word document"),
    "a folder": ("a.csv", lambda p: p.mkdir(), "a folder"),
    "missing": ("a.csv", lambda p: None, "can't be read: No such file"),
    "a pipe": ("a.csv", os.mkfifo, "no regular file"),
}


@pytest.mark.parametrize(("name", "make", "message"), BAD.values(), ids=BAD.keys())
def test_a_bad_file_is_refused_in_plain_words(
    tmp_path: Path, name: str, make: Callable[[Path], object], message: str
) -> None:
    make(tmp_path / name)
    done = run("check", str(tmp_path / name))
    shutil.rmtree(tmp_path)
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    assert done.returncode == 1, said
    assert f"error: {name}" in said
    assert message in said
    assert " → " in said


@pytest.mark.parametrize("command", [("draft", "--out", "out"), ("group", "--out", "out.csv")])
def test_no_command_writes_anything_for_a_bad_file(tmp_path: Path, command: tuple[str, ...]) -> None:
    path = tmp_path / "answers.csv"
    path.write_bytes(b"id,Q1\nr1,a\nr1,b\n")
    name, option, out = command
    done = run(name, str(path), option, str(tmp_path / out))
    assert "Traceback" not in done.stdout + done.stderr
    assert done.returncode == 1
    assert "row 3, column id: respondent r1 stands twice (also in row 2)" in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == [path]
