"""The files between the one-part commands: group files (CSV) and label files (JSON Lines), to records and back."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.domain.draft import Group, Support, Verbatim
from service.domain.round import Language, Question
from service.domain.steps import Topic
from service.errors import BadInput

if TYPE_CHECKING:
    from service.pipeline import Worked

COLUMNS = (
    "question_id",
    "answer_id",
    "verbatim_id",
    "start",
    "end",
    "text",
    "group_id",
    "group2_id",
    "state",
    "respondent_id",
    "category",
    "question",
)


def group_file(rows: Iterable[Mapping[str, object]]) -> str:
    """The text of a group file."""
    table = io.StringIO()
    writer = csv.DictWriter(table, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return table.getvalue()


def group_rows(work: "Worked") -> Iterable[Mapping[str, object]]:
    """One line per verbatim; then one per answer that has none, or per group that a duplicate shares."""
    answers = {a.id: a for a in work.answers}
    groups = {v: g for g in work.grouped.groups if g.level == 1 for v in g.verbatim_ids}
    failed = {f.id for f in work.grouped.failures}
    duplicates = {d.answer_id: d.of for d in work.content.duplicates}
    groups_of: dict[str, list[Group | None]] = defaultdict(list)

    def row(answer_id: str, state: str, group: Group | None, **more: object) -> Mapping[str, object]:
        answer = answers[answer_id]
        return {
            "question_id": work.question.id,
            "answer_id": answer.id,
            "group_id": group.id if group else "",
            "group2_id": (group.parent or "") if group else "",
            "state": state,
            "respondent_id": answer.respondent_id or "",
            "category": answer.category or "",
            "question": work.question.title,
            **more,
        }

    for v in work.segmented.verbatims:
        found = groups.get(v.id)
        groups_of[v.answer_id].append(found)
        state = "failed" if v.id in failed else "grouped" if found else "isolated"
        yield row(v.answer_id, state, found, verbatim_id=v.id, start=v.start, end=v.end, text=v.text)
    spoken = set(groups_of)
    for answer in work.answers:
        if answer.id in spoken:
            continue
        whole = {"verbatim_id": "", "start": 0, "end": len(answer.text), "text": answer.text}
        if answer.id in duplicates:  # the same ideas again: one line for each group its twin is in
            twins = {g.id: g for g in groups_of[duplicates[answer.id]] if g}
            for twin in twins.values() or (None,):
                yield row(answer.id, "duplicate", twin, **whole)
        else:
            empty = any(n.answer_id == answer.id for n in work.content.no_content)
            yield row(answer.id, "no_content" if empty else "failed", None, **whole)


def read_groups(source: Path) -> list[dict[str, str]]:
    try:
        text = source.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{source} can't be read as UTF-8 text: {error}. Write it with `polyphonie group`."
        ) from error
    reader = csv.DictReader(io.StringIO(text, newline=""))
    missing = {"question_id", "answer_id", "text", "group_id"} - set(reader.fieldnames or ())
    if missing:
        raise BadInput(
            f"{source}, row 1: no column {', '.join(sorted(missing))}. "
            "A group file has question_id, answer_id, text and group_id."
        )
    return [{k: v or "" for k, v in row.items() if k is not None} for row in reader]


def topics_of(rows: list[dict[str, str]], language: Language) -> Iterable[Topic]:
    """One topic per question of a group file, groups in the order of the file."""
    questions: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        questions[row["question_id"]].append(row)
    for question_id, mine in questions.items():
        verbatims, members, voices = _members(mine)
        groups = tuple(
            Group(
                id=group_id,
                level=1,
                verbatim_ids=tuple(ids),
                n_respondents=len({voice for v in ids for voice in voices[v]}),
            )
            for group_id, ids in members.items()
        )
        yield Topic(
            question=Question(id=question_id, title=mine[0].get("question") or question_id),
            language=language,
            unit="respondent",
            verbatims=verbatims,
            groups=groups,
            voices=voices,
            n_respondents=len({voice for some in voices.values() for voice in some}),
        )


def _members(
    rows: list[dict[str, str]],
) -> tuple[tuple[Verbatim, ...], dict[str, list[str]], dict[str, tuple[str, ...]]]:
    """Verbatims, their ids by group, and who is behind each; a duplicate is one more voice behind its group's first."""
    verbatims: list[Verbatim] = []
    members: dict[str, list[str]] = defaultdict(list)
    voices: dict[str, tuple[str, ...]] = {}
    for number, row in enumerate(rows, start=1):
        if row["group_id"] and row["text"].strip() and row.get("state") != "duplicate":
            made = Verbatim(
                id=row.get("verbatim_id") or f"{row['answer_id']}.{number}",
                answer_id=row["answer_id"],
                respondent_id=row.get("respondent_id") or None,
                category=row.get("category") or None,
                start=0,
                end=len(row["text"]),
                quote=row["text"],
                text=row["text"],
            )
            verbatims.append(made)
            members[row["group_id"]].append(made.id)
            voices[made.id] = (row.get("respondent_id") or row["answer_id"],)
    for row in rows:
        if row.get("state") == "duplicate" and row["group_id"] in members:
            first = members[row["group_id"]][0]
            voices[first] = (*voices[first], row.get("respondent_id") or row["answer_id"])
    return tuple(verbatims), members, voices


Label = tuple[str, str, int | None, bool]
"""id, text, respondents, and whether the text is one member's own words"""

Labels = tuple[str, str, list[Label]]
"""question id, question, labels"""

LABEL_LINE = 'A line is {"question_id", "question", "labels": [{"id", "text", "size"?}]}, or one that `polyphonie label` wrote.'


def read_labels(source: Path) -> list[Labels]:
    """Labels by question, in the order of the file. Raises BadInput."""
    questions: dict[str, Labels] = {}
    try:
        lines = source.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{source} can't be read as UTF-8 text: {error}.") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            question_id, title, labels = _labels(json.loads(line))
        except KeyError as error:
            raise BadInput(f"{source}, line {number}: no {error.args[0]}. {LABEL_LINE}") from error
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise BadInput(f"{source}, line {number}: {error}. {LABEL_LINE}") from error
        known = questions.setdefault(question_id, (question_id, title, []))[2]
        ids = {label[0] for label in known}
        for label in labels:
            id_ = label[0]
            if id_ in ids:
                raise BadInput(f"{source}, line {number}: label id {id_} stands twice. Ids are unique.")
            ids.add(id_)
            known.append(label)
    if not questions:
        raise BadInput(f"{source} holds no labels. {LABEL_LINE}")
    return list(questions.values())


def _labels(row: dict[str, Any]) -> Labels:
    """One line. Raises KeyError, ValueError, TypeError, AttributeError."""
    # not with the module: it brings pydantic, and --help is quick
    from service.ingest.tables import find_damaged

    if find_damaged("line", row):
        raise ValueError("half a character (a lone surrogate) or a NUL: this text is damaged")
    if "labels" not in row and "label" in row:  # what `polyphonie label` writes: a line a group
        row = row | {
            "labels": [{"id": row["group_id"], "text": row["label"], "size": row.get("n_respondents")}]
        }
    taken = row.get("model") == "extractive"
    labels: list[Label] = []
    for x in row["labels"]:
        id_, text, size = str(x["id"]), x["text"], x.get("size")
        if not isinstance(x["id"], (str, int)):
            raise ValueError(f"a label has the id {x['id']!r}: a text or a number")
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"label {id_} has no text")
        if size is not None and (type(size) is not int or size < 1):
            raise ValueError(f"label {id_} has size {size!r}: a whole number of respondents, 1 or more")
        labels.append((id_, text, size, taken))
    return str(row["question_id"]), str(row.get("question") or row["question_id"]), labels


def topic_of_labels(question_id: str, title: str, labels: list[Label], language: Language) -> Topic:
    """Labels as groups of one verbatim each. How many answered the question is not known (n_respondents 0); where a size
    is not given, nothing is said of the number of that group."""
    verbatims, groups, voices = [], [], {}
    for id_, text, size, taken in labels:
        verbatim = Verbatim(id=f"{id_}.1", answer_id=id_, start=0, end=len(text), quote=text, text=text)
        verbatims.append(verbatim)
        voices[verbatim.id] = tuple(f"{id_}.{k}" for k in range(size or 0))
        groups.append(
            Group(
                id=id_,
                level=1,
                verbatim_ids=(verbatim.id,),
                label=text,
                n_respondents=size or 0,
                label_support=Support(score=1.0, supported=True, origin="extractive") if taken else None,
            )
        )
    return Topic(
        question=Question(id=question_id, title=title),
        language=language,
        unit="respondent",
        verbatims=tuple(verbatims),
        groups=tuple(groups),
        voices=voices,
    )
