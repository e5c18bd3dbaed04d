"""`polyphonie evals judge`, `sheet`, `people`: what a model or people say of a run's texts, kept with the run."""

from pathlib import Path
from typing import Annotated

import typer

from service.cli.terminal import write_whole
from service.errors import BadInput

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run.")]


def judge(
    folder: Folder,
    llm: Annotated[str, typer.Option(help="The judge: another model than the drafts'.", metavar="SPEC")],
) -> None:
    """Ask a model which is better, draft or human text, draft or floor; both orders, and how far it agrees with the measures."""
    from evals import judge as judging
    from evals.record import read_run, write_run
    from service.settings import load_settings
    from service.wiring import tools_for

    run = read_run(folder)
    if llm == run.llm:
        raise BadInput(f"{llm} wrote these drafts: name another model as judge.")
    with tools_for(load_settings(llm=llm), "fr") as tools:
        if tools.chat is None:
            raise BadInput("the extractive drafter judges nothing: name a model with --llm.")
        made = judging.judge(run, tools.chat)
    write_run(made, folder)
    _tell(folder, dict(made.judge or {}))


def sheet(
    folder: Folder,
    out: Annotated[
        Path, typer.Option("--out", help="The sheet; its key is written beside it.", metavar="FILE.xlsx")
    ],
) -> None:
    """A blind sheet of pairs, draft beside human text and beside floor, for people to fill in."""
    from evals import people as asking
    from evals.record import read_run

    rows = asking.write_sheet(read_run(folder), out)
    print(f"{out}: {rows} pairs. Give each person a copy; keep {asking.key_of(out).name} to yourself.")
    print(f"Read them back with: polyphonie evals people {folder} FILE.xlsx…")


def people(
    folder: Folder,
    sheets: Annotated[list[Path], typer.Argument(help="Sheets filled in.", metavar="FILE.xlsx…")],
) -> None:
    """Read filled sheets back: how often people prefer the draft, and how far they agree (Krippendorff's alpha)."""
    from evals import people as asking
    from evals.record import read_run, write_run

    made = asking.read_sheets(read_run(folder), sheets)
    write_run(made, folder)
    _tell(folder, dict(made.people or {}))


def _tell(folder: Path, found: dict[str, object]) -> None:
    from evals.page import page
    from evals.record import read_run

    write_whole(folder / "report.html", page(read_run(folder), None))
    print("\n".join(f"{name}: {value}" for name, value in found.items() if isinstance(value, str)))
    print(f"Read it:  {folder / 'report.html'}")
