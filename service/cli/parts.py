"""`polyphonie group`, `label`, `synthesise`: one part of the method alone, from file to file."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from service.cli import files
from service.cli.draft import EncoderSpec, Llm
from service.cli.terminal import Bars, progress_bars, read_or_stop, ready_file, say, write_whole


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

    ready_file(out)
    settings = load_settings(encoder=encoder, llm="extractive")
    round_ = read_or_stop(source)
    rows: list[Mapping[str, object]] = []
    with tools_for(settings, round_.language) as tools, progress_bars() as bars:
        progress = Bars(bars, "group")
        progress("group", 0, len(round_.open_questions))
        for done, question in enumerate(round_.open_questions, start=1):
            work = group_question(round_, question, encoder=tools.encoder, whole_answers=whole_answers)
            rows += files.group_rows(work)
            progress("group", done, len(round_.open_questions))
    write_whole(out, files.group_file(rows))
    groups = {row["group_id"] for row in rows} - {""}
    say(f"{len(rows)} lines, {len(groups)} groups: {out}")


def label(
    source: Annotated[Path, typer.Argument(metavar="GROUPS", help="CSV written by `group`, or one like it.")],
    out: Annotated[Path, typer.Option("--out", help="JSON Lines to write.", metavar="FILE")],
    llm: Llm = None,
    encoder: EncoderSpec = None,
) -> None:
    """Sum each group up in one sentence: one line per group."""
    from service.domain.language import detect_language
    from service.settings import load_settings
    from service.stages.group import with_exemplars
    from service.stages.label import confirm_labels, label_groups
    from service.wiring import tools_for

    ready_file(out)
    settings = load_settings(llm=llm, encoder=encoder)
    rows = files.read_groups(source)
    language = detect_language([row["text"] for row in rows])
    lines: list[dict[str, object]] = []
    with tools_for(settings, language) as tools:
        encode = tools.encoder.encode
        for topic in (with_exemplars(t, encode) for t in files.topics_of(rows, language)):
            labelled = label_groups(topic, encode=encode, chat=tools.chat)
            failures = labelled.failures
            if tools.chat is not None:
                labelled = confirm_labels(
                    replace(topic, groups=labelled.groups), encode=encode, chat=tools.chat
                )
            for failure in (*failures, *labelled.failures):
                say(f"{failure.id}: {failure.reason}")
            lines += [
                {
                    "question_id": topic.question.id,
                    "question": topic.question.title,
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


def synthesise(
    source: Annotated[
        Path, typer.Argument(metavar="LABELS", help="JSON Lines: question_id, question, labels.")
    ],
    out: Annotated[Path, typer.Option("--out", help="JSON Lines to write.", metavar="FILE")],
    llm: Llm = None,
    encoder: EncoderSpec = None,
) -> None:
    """Write the synthesis of each question from labels: one line per question."""
    from service.domain.language import detect_language
    from service.settings import load_settings
    from service.stages.synthesise import synthesise as write
    from service.wiring import tools_for

    ready_file(out)
    settings = load_settings(llm=llm, encoder=encoder)
    questions = files.read_labels(source)
    language = detect_language([label[1] for _, _, labels in questions for label in labels])
    lines: list[dict[str, object]] = []
    with tools_for(settings, language) as tools:
        for question_id, title, labels in questions:
            topic = files.topic_of_labels(question_id, title, labels, language)
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


def _write_lines(out: Path, lines: list[dict[str, object]]) -> None:
    write_whole(out, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    say(f"{len(lines)} line(s): {out}")
