"""Reading a round: any usual file of answers becomes a `Round`, or problems with row, column and remedy."""

import json
from collections import Counter
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.domain.selection import misfits, select
from service.domain.steps import GivenTheme
from service.errors import BadInput
from service.ingest.files import read_table
from service.ingest.problems import Limits, Log, Problem, Reading, Unreadable
from service.ingest.rounds import build_round
from service.ingest.sidecar import read_sidecar, sidecar_of, stem

__all__ = ["Limits", "Problem", "Reading", "read_round", "read_themes", "sidecar_of"]


USUAL = Limits()


def read_round(path: Path, *, limits: Limits = USUAL, questions: tuple[str, ...] = ()) -> Reading:
    """Read a round. Never raises for what is in the file: everything is in the problems.

    questions: which open questions to keep; "Q4+Q12" joins two. None given: all, as the sidecar joins them.
    """
    log = Log(path.name)
    try:
        table = read_table(path, limits, log)
        found = build_round(table, read_sidecar(path, table, log), stem(path), log)
        if found is not None and questions:
            for misfit in misfits(found, questions):
                log.add(
                    "error",
                    "not_selected",
                    column=misfit.question_id,
                    why=misfit.message,
                    what_to_do=misfit.remedy,
                )
            found = select(found, questions)
    except Unreadable as stop:
        return Reading(round=None, problems=(*log.problems, stop.problem), complete=False)
    return Reading(round=None if log.has_errors else found, problems=log.problems, complete=log.complete)


def read_themes(path: Path) -> tuple[GivenTheme, ...]:
    """Themes of a file: a title a line, or JSON [{title, description?, question_ids?}]. Raises BadInput."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} can't be read as UTF-8 text: {error}.") from error
    themes = (
        _json_themes(path, text)
        if text.lstrip().startswith(("[", "{"))
        else tuple(GivenTheme(title=line.strip()) for line in text.splitlines() if line.strip())
    )
    if not themes:
        raise BadInput(f"{path} holds no theme. One title a line, or a JSON list.")
    twice = [t for t, n in Counter(theme.title for theme in themes).items() if n > 1]
    if twice:
        raise BadInput(f"{path}: theme « {twice[0]} » stands twice. Name each theme once.")
    return themes


class _Theme(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: str = Field(min_length=1)
    description: str = ""
    question_ids: list[str] = []


def _json_themes(path: Path, text: str) -> tuple[GivenTheme, ...]:
    shape = 'A JSON theme file is a list of {"title", "description"?, "question_ids"?: […]} or of titles.'
    try:
        loaded = json.loads(text)
        listed = loaded["themes"] if isinstance(loaded, dict) and "themes" in loaded else loaded
        if not isinstance(listed, list):
            raise BadInput(f"{path} is no list. {shape}")
        noted = [_Theme.model_validate({"title": t} if isinstance(t, str) else t) for t in listed]
    except ValidationError as error:
        first = error.errors()[0]
        raise BadInput(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}. {shape}") from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path}: {error}. {shape}") from error
    return tuple(
        GivenTheme(title=t.title, description=t.description, question_ids=tuple(t.question_ids))
        for t in noted
    )
