"""People as judges: a blind sheet of pairs to fill in, read back with the agreement of those who filled it in."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any
from zipfile import BadZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation

from evals.pairs import Pair, agreement, pairs_of, told
from evals.record import Run
from evals.statistics import SEED, alpha
from service.errors import BadInput
from service.exports.sheets import fitted, stored

HEAD = ("id", "question", "text A", "text B", "better: A, B or N (neither)", "remark")
WIDTHS = (12, 30, 70, 70, 16, 40)
BETTER = 5
"""Column, from 1, that people fill in."""
ANSWERS = {"A": 1, "B": 0, "N": 2}


def write_sheet(run: Run, path: Path) -> int:
    """The sheet and beside it its key (which of A and B is the draft), which those who fill it in don't see. Returns the rows."""
    rows = _rows(run)
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = "pairs"
    page.append(list(HEAD))
    for name, (pair, ours_first) in rows.items():
        a, b = (pair.ours, pair.theirs) if ours_first else (pair.theirs, pair.ours)
        texts = (name, pair.title, "\n".join(f"– {t}" for t in a), "\n".join(f"– {t}" for t in b), "", "")
        page.append([fitted(stored(t)) for t in texts])
    for row in page.iter_rows(min_row=2, max_col=len(HEAD)):
        for cell in row:
            if isinstance(cell.value, str):
                cell.data_type = "s"  # never a formula, whatever people wrote
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    for k, width in enumerate(WIDTHS):
        page.column_dimensions["ABCDEF"[k]].width = width
        page["ABCDEF"[k] + "1"].font = Font(bold=True)
    page.freeze_panes = "A2"
    allowed = DataValidation(type="list", formula1='"A,B,N"', allow_blank=True)
    page.add_data_validation(allowed)
    allowed.add(f"E2:E{len(rows) + 1}")
    book.save(path)
    key = {name: {"pair": pair.id, "draft": "A" if first else "B"} for name, (pair, first) in rows.items()}
    key_of(path).write_text(json.dumps(key, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return len(rows)


def key_of(path: Path) -> Path:
    return path.with_suffix(".key.json")


def _rows(run: Run) -> dict[str, tuple[Pair, bool]]:
    """By a name that says nothing, in an order drawn by lot: the pair, and whether the draft is A."""
    found = {}
    for pair in pairs_of(run):
        name = hashlib.blake2b(f"{run.created_at}/{pair.id}".encode(), digest_size=5).hexdigest()
        found[name] = (pair, Random(f"{SEED}/{name}").random() < 0.5)
    names = sorted(found)
    Random(SEED).shuffle(names)
    return {name: found[name] for name in names}


def read_sheets(run: Run, paths: Sequence[Path]) -> Run:
    """The run with what people said of it. Raises BadInput that names sheet, row and remedy."""
    rows = _rows(run)
    raters = [_answers(path, rows) for path in paths]
    worth = {}
    for name, (pair, ours_first) in rows.items():
        said = [r[name] for r in raters if name in r]
        if said:
            values = [0.5 if s == "N" else float((s == "A") == ours_first) for s in said]
            worth[pair.id] = sum(values) / len(values)
    if not worth:
        raise BadInput("nobody filled in column E: A, B or N in each row.")
    a = alpha([[ANSWERS[r[n]] if n in r else None for n in rows] for r in raters])
    pairs = [pair for pair, _ in rows.values()]
    people: dict[str, Any] = {
        "sheets": ", ".join(p.name for p in paths),
        **told(worth, pairs),
        "Krippendorff's alpha": "not defined: no pair was judged twice" if a is None else f"{a:.2f}",
        "not judged": f"{len(rows) - len(worth)} of {len(rows)} pairs",
        **agreement(worth, pairs, run),
        "comparisons": worth,
    }
    return replace(run, people=people)


def _answers(path: Path, rows: Mapping[str, Any]) -> dict[str, str]:
    try:
        page = load_workbook(path)["pairs"]
    except (OSError, KeyError, BadZipFile, InvalidFileException) as error:
        raise BadInput(f"{path} is no sheet of pairs: {error}") from error
    found: dict[str, str] = {}
    for number, row in enumerate(page.iter_rows(min_row=2, max_col=BETTER, values_only=True), start=2):
        name, better = str(row[0] or ""), str(row[BETTER - 1] or "").strip().upper()
        if not name or not better:
            continue
        if name not in rows:
            raise BadInput(
                f"{path} row {number}: {name} is no pair of this run: was the sheet made from another?"
            )
        if better not in ANSWERS:
            raise BadInput(f"{path} row {number}: {better!r} in column E; write A, B or N (neither).")
        found[name] = better
    return found
