"""`polyphonie group`, `label`, `synthesise`: one part of the method alone, from file to file."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.draft import EncoderSpec, Llm
from service.cli.terminal import Bars, progress_bars, read_or_stop, say, write_whole
from service.domain.draft import Group, Verbatim
from service.domain.round import Question
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


def group(
    source: Annotated[Path, typer.Argument(metavar="ANSWERS", help="CSV, XLSX, JSON or JSON Lines.")],
    out: Annotated[Path, typer.Option("--out", help="CSV to write.", metavar="FILE")],
    encoder: EncoderSpec = None,
    whole_answers: Annotated[
        bool, typer.Option("--whole-answers", help="Take each answer as one verbatim.")
    ] = False,
) -> None:
    """Cut answers into ideas and group them, no chat model: one line per verbatim, and per answer that has none."""
    from service.pipeline import group_question
    from service.settings import load_settings
    from service.wiring import tools_for

    settings = load_settings(encoder=encoder, llm="extractive")
    round_ = read_or_stop(source)
    rows: list[Mapping[str, object]] = []
    with tools_for(settings, round_.language) as tools, progress_bars() as bars:
        progress = Bars(bars)
        progress("group", 0, len(round_.open_questions))
        for done, question in enumerate(round_.open_questions, start=1):
            work = group_question(round_, question, encoder=tools.encoder, whole_answers=whole_answers)
            rows += _rows(work)
            progress("group", done, len(round_.open_questions))
    table = io.StringIO()
    writer = csv.DictWriter(table, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(out, table.getvalue())
    groups = {row["group_id"] for row in rows} - {""}
    say(f"{len(rows)} lines, {len(groups)} groups: {out}")


def _rows(work: "Worked") -> Iterable[Mapping[str, object]]:
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


def label(
    source: Annotated[Path, typer.Argument(metavar="GROUPS", help="CSV written by `group`, or one like it.")],
    out: Annotated[Path, typer.Option("--out", help="JSON Lines to write.", metavar="FILE")],
    llm: Llm = None,
    encoder: EncoderSpec = None,
) -> None:
    """Sum each group up in one sentence: one line per group."""
    from service.domain.language import detect_language
    from service.stages.exemplars import with_exemplars
    from service.stages.label import label_groups
    from service.settings import load_settings
    from service.wiring import tools_for

    settings = load_settings(llm=llm, encoder=encoder)
    rows = _read_groups(source)
    language = detect_language([row["text"] for row in rows])
    lines = []
    with tools_for(settings, language) as tools:
        for topic in _topics(rows, language):
            encode = tools.encoder.encode
            labelled = label_groups(with_exemplars(topic, encode), encode=encode, chat=tools.chat)
            for failure in labelled.failures:
                say(f"{failure.id}: {failure.reason}")
            lines += [
                {
                    "question_id": topic.question.id,
                    "group_id": g.id,
                    "label": g.label,
                    "exemplars": list(g.exemplar_ids),
                    "size": len(g.verbatim_ids),
                    "n_respondents": g.n_respondents,
                    "stance": g.stance,
                    "supported": g.label_support.supported if g.label_support else True,
                    **tools.made_by("label", g.label_support.origin if g.label_support else "extractive"),
                }
                for g in labelled.groups
                if g.level == 1
            ]
    _write_lines(out, lines)


def _read_groups(source: Path) -> list[dict[str, str]]:
    try:
        text = source.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{source} can't be read as UTF-8 text: {error}. Write it with `polyphonie group`.") from error
    reader = csv.DictReader(io.StringIO(text, newline=""))
    missing = {"question_id", "answer_id", "text", "group_id"} - set(reader.fieldnames or ())
    if missing:
        raise BadInput(
            f"{source}, row 1: no column {', '.join(sorted(missing))}. "
            "A group file has question_id, answer_id, text and group_id."
        )
    return [{k: v or "" for k, v in row.items() if k is not None} for row in reader]


def _topics(rows: list[dict[str, str]], language: str) -> Iterable[Topic]:
    """One topic per question of a group file, groups in the order of the file."""
    questions: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        questions[row["question_id"]].append(row)
    for question_id, mine in questions.items():
        verbatims: dict[str, Verbatim] = {}
        members: dict[str, list[str]] = defaultdict(list)
        voices: dict[str, tuple[str, ...]] = {}
        repeats: dict[str, list[str]] = defaultdict(list)
        for number, row in enumerate(mine, start=1):
            voice = row.get("respondent_id") or row["answer_id"]
            if row.get("state") == "duplicate":
                repeats[row["group_id"]].append(voice)
                continue
            if not row["group_id"] or not row["text"].strip():
                continue
            verbatim = Verbatim(
                id=row.get("verbatim_id") or f"{row['answer_id']}.{number}",
                answer_id=row["answer_id"],
                respondent_id=row.get("respondent_id") or None,
                category=row.get("category") or None,
                start=0,
                end=len(row["text"]),
                quote=row["text"],
                text=row["text"],
            )
            verbatims[verbatim.id] = verbatim
            members[row["group_id"]].append(verbatim.id)
            voices[verbatim.id] = (voice,)
        for group_id, more in repeats.items():
            if members[group_id]:
                first = members[group_id][0]
                voices[first] = (*voices[first], *more)
        groups = tuple(
            Group(
                id=group_id,
                level=1,
                verbatim_ids=tuple(ids),
                n_respondents=len({voice for v in ids for voice in voices[v]}),
            )
            for group_id, ids in members.items()
            if ids
        )
        yield Topic(
            question=Question(id=question_id, title=mine[0].get("question") or question_id),
            language=language,  # type: ignore[arg-type]
            unit="respondent",
            verbatims=tuple(verbatims.values()),
            groups=groups,
            voices=voices,
            n_respondents=len({voice for mine_ in voices.values() for voice in mine_}),
        )


def synthesise(
    source: Annotated[Path, typer.Argument(metavar="LABELS", help="JSON Lines: question_id, question, labels.")],
    out: Annotated[Path, typer.Option("--out", help="JSON Lines to write.", metavar="FILE")],
    llm: Llm = None,
    encoder: EncoderSpec = None,
) -> None:
    """Write the synthesis of each question from labels: one line per question."""
    from service.domain.language import detect_language
    from service.stages.synthesise import synthesise as write
    from service.settings import load_settings
    from service.wiring import tools_for

    settings = load_settings(llm=llm, encoder=encoder)
    questions = _read_labels(source)
    language = detect_language([text for _, _, labels in questions for _, text, _ in labels])
    lines = []
    with tools_for(settings, language) as tools:
        for question_id, title, labels in questions:
            topic = _topic_of_labels(question_id, title, labels, language)
            made = write((topic,), encode=tools.encoder.encode, chat=tools.chat)
            for failure in made.failures:
                say(f"{failure.id}: {failure.reason}")
            sentences = made.synthesis.sentences
            origin = "model" if any(s.origin == "model" for s in sentences) else "extractive"
            lines.append(
                {
                    "question_id": question_id,
                    "sentences": [
                        {"text": s.text, "label_ids": list(s.group_ids), "supported": s.supported}
                        for s in sentences
                    ],
                    "paragraphs": [list(p) for p in made.synthesis.paragraphs],
                    "left_out": list(made.synthesis.left_out),
                    **tools.made_by("synthesis", origin),
                }
            )
    _write_lines(out, lines)


Labels = tuple[str, str, list[tuple[str, str, int | None]]]
"""question id, question, labels as (id, text, respondents)"""


def _read_labels(source: Path) -> list[Labels]:
    questions: list[Labels] = []
    try:
        lines = source.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{source} can't be read as UTF-8 text: {error}.") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            labels = [(str(x["id"]), str(x["text"]), x.get("size")) for x in row["labels"]]
            questions.append((str(row["question_id"]), str(row.get("question") or row["question_id"]), labels))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadInput(
                f"{source}, line {number}: {error!r}. "
                'A line is {"question_id", "question", "labels": [{"id", "text", "size"?}]}.'
            ) from error
        twice = {i for i, _, _ in labels if [x for x, _, _ in labels].count(i) > 1}
        if twice:
            raise BadInput(f"{source}, line {number}: label id {sorted(twice)[0]} stands twice. Ids are unique.")
    return questions


def _topic_of_labels(
    question_id: str, title: str, labels: list[tuple[str, str, int | None]], language: str
) -> Topic:
    """Labels as groups of one verbatim each; without sizes nothing is said of numbers (n_respondents 0)."""
    verbatims, groups, voices = [], [], {}
    for id_, text, size in labels:
        verbatim = Verbatim(
            id=f"{id_}.1", answer_id=id_, start=0, end=len(text), quote=text, text=text
        )
        verbatims.append(verbatim)
        voices[verbatim.id] = tuple(f"{id_}.{k}" for k in range(size or 1))
        groups.append(
            Group(id=id_, level=1, verbatim_ids=(verbatim.id,), label=text, n_respondents=size or 1)
        )
    known = all(size is not None for _, _, size in labels)
    return Topic(
        question=Question(id=question_id, title=title),
        language=language,  # type: ignore[arg-type]
        unit="respondent",
        verbatims=tuple(verbatims),
        groups=tuple(groups),
        voices=voices,
        n_respondents=sum(g.n_respondents for g in groups) if known else 0,
    )


def _write_lines(out: Path, lines: list[dict[str, object]]) -> None:
    write_whole(out, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    say(f"{len(lines)} line(s): {out}")
