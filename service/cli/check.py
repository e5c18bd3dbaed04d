"""`polyphonie check`: what a round holds, and everything that is wrong with it."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from service.cli.terminal import print_problems, say
from service.domain.round import Round


def check(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="CSV, XLSX, JSON or JSON Lines.")],
) -> None:
    """Validate a round: print what it holds and every problem with row, column and remedy. Exit 1 on errors."""
    from service.ingest import read_round

    reading = read_round(source)
    print_problems(reading)
    errors = sum(1 for p in reading.problems if p.severity == "error")
    if reading.round is None:
        say(f"{source}: {errors} error(s). Nothing can be drafted before they are mended.")
        if not reading.complete:
            say("Further checks follow once these are mended.")
        raise typer.Exit(1)
    for line in describe(reading.round):
        print(line)
    warnings = len(reading.problems)
    print(f"No error, {warnings} warning(s)." if warnings else "No problem found.")


def describe(round_: Round) -> list[str]:
    """Lines that say what a round holds."""
    lines = [
        f"{round_.title} ({round_.id}), language: {round_.language}",
        f"{len(round_.open_questions)} open question(s), "
        f"{len(round_.questions) - len(round_.open_questions)} closed, {round_.n_respondents} respondent(s)",
    ]
    answers = Counter(a.question_id for a in round_.answers)
    blank = Counter(a.question_id for a in round_.answers if not a.text.strip())
    for q in round_.questions:
        extra = f", joined with {'+'.join(q.joined_with)}" if q.joined_with else ""
        extra += f", closed part of {q.closed_part_of}" if q.closed_part_of else ""
        counts = " — " + ", ".join(f"{o}: {n}" for o, n in q.counts.items()) if q.kind == "closed" else ""
        lines.append(
            f"  {q.id} [{q.kind}{extra}] {answers[q.id]} answer(s), of which {blank[q.id]} blank: {q.title[:90]}{counts}"
        )
    if round_.panel:
        lines.append("Panel (consulted / responded):")
        lines += [
            f"  {row.category}: {'?' if row.consulted is None else row.consulted} / {row.responded}"
            for row in round_.panel
        ]
    return lines
