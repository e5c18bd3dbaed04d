"""Human work in one typed form: groups, labels, syntheses, themes, coding frames. See docs/references.md.

A folder holds `reference.json`, and `answers.csv` (`question_id, answer_id, text, group_ids`) where answers may be shown.
"""

import csv
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from service.domain.round import Language, PanelRow
from service.errors import BadInput


@dataclass(frozen=True, kw_only=True, slots=True)
class ReferenceGroup:
    id: str
    label: str
    parent: str | None = None
    """Id of the broader group of a two-level frame."""
    heading: str | None = None
    """Line under which the report lists the label ("Côté offre")."""
    share_pct: float | None = None
    """Share of contributions in per cent, where a coding frame gives it."""
    coding: str | None = None
    """Who coded, where a question was coded more than once."""
    stance: str | None = None
    answer_ids: tuple[str, ...] = ()
    """Answers with an idea in this group."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReferenceVoice:
    """An idea that people put in no group."""

    answer_id: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReferenceQuestion:
    id: str
    title: str
    groups: tuple[ReferenceGroup, ...] = ()
    isolated: tuple[ReferenceVoice, ...] = ()
    no_content: tuple[str, ...] = ()
    """Ids of answers that say nothing."""
    syntheses: tuple[tuple[str, ...], ...] = ()
    """Alternative syntheses by different people, each its paragraphs; most sets have one or none."""
    closed: Mapping[str, int] = field(default_factory=dict)
    """Counts of a closed part, by option."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReferenceSection:
    heading: str | None
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReferenceTheme:
    id: str
    title: str
    sections: tuple[ReferenceSection, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReferenceAnswer:
    question_id: str
    answer_id: str
    text: str
    codings: tuple[tuple[str, ...], ...]
    """Groups by coding; an empty coding means that the coder found no group that it matches."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    id: str
    title: str
    language: Language
    annotation: str
    """Who made it and how; a figure is only as good as that."""
    licence: str | None = None
    panel: tuple[PanelRow, ...] = ()
    questions: tuple[ReferenceQuestion, ...]
    synthesis: tuple[str, ...] = ()
    """One synthesis of the whole set."""
    themes: tuple[ReferenceTheme, ...] = ()
    sha256: str = ""
    """Of every file of the folder; part of each run's record."""

    def question(self, question_id: str) -> ReferenceQuestion:
        """Raises KeyError."""
        return next(q for q in self.questions if q.id == question_id)


def read_reference(folder: Path) -> Reference:
    """A set of a folder. Raises BadInput with file, question and field."""
    path = folder / "reference.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        return reference_of(raw, folder_hash(folder))
    except FileNotFoundError as error:
        raise BadInput(f"{path} is missing: a reference is a folder with a reference.json.") from error
    except (ValueError, OSError) as error:
        raise BadInput(f"{path}: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise BadInput(
            f"{path}: field {error} is missing or has another form: see docs/references.md."
        ) from error


def reference_of(raw: Mapping[str, Any], sha256: str = "") -> Reference:
    """The typed form of a `reference.json`. Raises KeyError, TypeError, ValueError."""
    return Reference(
        id=raw["id"],
        title=raw["title"],
        language="en" if raw["language"].startswith("en") else "fr",
        annotation=raw["annotation"],
        licence=raw.get("licence"),
        panel=tuple(PanelRow(**row) for row in raw.get("panel", ())),
        questions=tuple(_question(q) for q in raw["questions"]),
        synthesis=tuple(raw.get("synthesis", ())),
        themes=tuple(
            ReferenceTheme(
                id=t["id"], title=t["title"], sections=tuple(ReferenceSection(**s) for s in t["sections"])
            )
            for t in raw.get("themes", ())
        ),
        sha256=sha256,
    )


def write_reference(reference: Reference, folder: Path) -> None:
    """`reference.json` of a folder, as `read_reference` reads it."""
    folder.mkdir(parents=True, exist_ok=True)
    told = {
        "id": reference.id,
        "title": reference.title,
        "language": reference.language,
        "annotation": reference.annotation,
        "licence": reference.licence,
        "panel": [_told(row) for row in reference.panel],
        "questions": [
            _told(q)
            | {"syntheses": [list(s) for s in q.syntheses], "closed": {"counts": dict(q.closed)}}
            | {"groups": [_told(g) for g in q.groups], "isolated": [_told(v) for v in q.isolated]}
            for q in reference.questions
        ],
        "synthesis": list(reference.synthesis),
        "themes": [_told(t) | {"sections": [_told(s) for s in t.sections]} for t in reference.themes],
    }
    text = json.dumps(told, ensure_ascii=False, indent=1)
    (folder / "reference.json").write_text(text + "\n", encoding="utf-8")


def _told(record: Any) -> dict[str, Any]:
    """A record's fields that say something."""
    return {f.name: v for f in fields(record) if (v := getattr(record, f.name)) not in (None, ())}


def _question(raw: Mapping[str, Any]) -> ReferenceQuestion:
    one = raw.get("synthesis")
    alternatives = [s if isinstance(s, list) else [s] for s in raw.get("syntheses", ())]
    groups = tuple(
        ReferenceGroup(**g | {"answer_ids": tuple(g.get("answer_ids", ()))}) for g in raw.get("groups", ())
    )
    ids = [g.id for g in groups]
    if len(ids) != len(set(ids)):
        raise ValueError(f"question {raw['id']}: a group id stands twice")
    return ReferenceQuestion(
        id=raw["id"],
        title=raw["title"],
        groups=groups,
        isolated=tuple(ReferenceVoice(**v) for v in raw.get("isolated", ())),
        no_content=tuple(raw.get("no_content", ())),
        syntheses=tuple(map(tuple, [one] if one else alternatives)),
        closed=dict((raw.get("closed") or {}).get("counts", {})),
    )


def read_answers(folder: Path) -> tuple[ReferenceAnswer, ...]:
    """`answers.csv` of a set, rows in their order; `group_ids` and any further `group_ids_*` are codings."""
    path = folder / "answers.csv"
    if not path.is_file():
        return ()
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        codings = [c for c in rows.fieldnames or () if c == "group_ids" or c.startswith("group_ids_")]
        return tuple(
            ReferenceAnswer(
                question_id=row["question_id"],
                answer_id=row["answer_id"],
                text=row["text"],
                codings=tuple(tuple(g for g in (row[c] or "").split("|") if g) for c in codings),
            )
            for row in rows
        )


def folder_hash(folder: Path) -> str:
    """sha256 over names and bytes of a folder's files: the same data, the same hash."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.iterdir() if p.is_file()):
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
