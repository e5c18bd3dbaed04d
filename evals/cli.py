"""`polyphonie evals …`: run, gate, baseline, try, import, compare, rescore, report, table;
`judge`, `sheet` and `people` are in `cli_judges`."""

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from evals import cli_judges
from service.cli.terminal import ready_folder, say, write_whole
from service.errors import BadInput

app = typer.Typer(
    help="Drafts measured against what people wrote by hand, and the gate that holds.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("judge")(cli_judges.judge)
app.command("sheet")(cli_judges.sheet)
app.command("people")(cli_judges.people)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a run.")]
Suites = Annotated[str | None, typer.Option("--suite", help="Only these, parted by commas.", metavar="NAMES")]
Sets = Annotated[
    str | None,
    typer.Option("--set", help="Only these reference sets: example, argkp2021, …", metavar="NAMES"),
]
Data = Annotated[
    Path | None,
    typer.Option(
        "--reference",
        help="Folder of reference sets (POLYPHONIE_DATA, else ../shared/data), or one reference of your own.",
        metavar="DIR",
    ),
]
Llm = Annotated[
    str | None,
    typer.Option(
        help="extractive, local, provider:model or openai:MODEL.", metavar="SPEC", show_default=False
    ),
]
EncoderSpec = Annotated[
    str | None,
    typer.Option(help="local, or a sentence-transformers name or path.", metavar="SPEC", show_default=False),
]

Cases = Annotated[int | None, typer.Option(min=1, help="At most so many cases of each set.", metavar="N")]
Budget = Annotated[int | None, typer.Option(min=0, help="Most tokens that the run may use.", metavar="N")]


def _command() -> str:
    return "polyphonie evals " + shlex.join(sys.argv[2:])


def _names(given: str | None) -> list[str]:
    return [n.strip() for n in (given or "").split(",") if n.strip()]


def _data(given: Path | None) -> Path | None:
    """The folder of reference sets, or None where there is none. Raises BadInput for one that was named and is absent."""
    if given is not None and not given.is_dir():
        raise BadInput(f"--reference {given} is no folder.")
    here = Path(os.environ.get("POLYPHONIE_DATA", Path(__file__).parents[2] / "shared" / "data"))
    return given or (here if here.is_dir() else None)


@app.command("run")
def run_(
    suite: Suites = None,
    sets: Sets = None,
    reference: Data = None,
    llm: Llm = None,
    encoder: EncoderSpec = None,
    cases: Cases = None,
    budget: Budget = None,
    against: Annotated[
        Path | None, typer.Option(help="An earlier run: say what got better or worse.", metavar="DIR")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="Folder for record, page and logs.", metavar="DIR")
    ] = Path("out/evals"),
) -> None:
    """Draft the references' questions, score them, write run.json, report.html and Inspect's logs."""
    from evals import compare as comparing
    from evals import run as running
    from evals.page import page
    from evals.record import read_run
    from service.settings import load_settings

    settings = load_settings(llm=llm, encoder=encoder, budget=budget)
    before = read_run(against) if against else None
    benches, skipped = running.available(_data(reference), _names(suite), _names(sets))
    for name, why in skipped.items():
        say(f"skipped: {name}, {why}")
    if not benches:
        raise BadInput("nothing to measure: no set of that name for that suite is here.")
    ready_folder(out)
    own = reference is not None and (reference / "reference.json").is_file()
    made = running.run(
        benches,
        settings,
        out,
        skipped=skipped,
        selected={
            "suites": _names(suite),
            "sets": sorted({b.set for b in benches}) if own else _names(sets),
            "cases": cases,
        },
        command=_command(),
        say=say,
    )
    write_whole(out / "report.html", page(made, before))
    if before is not None:
        print("\n".join(comparing.lines(comparing.compare(before, made))))
    failed = sum(len(b.failures("draft")) for b in made.benches)
    drafts = sum(len(b.drafters["draft"]) for b in made.benches)
    print(f"{drafts} drafts measured, {failed} failed; {made.seconds:.0f} s, {made.calls} calls")
    print(
        f"Read it:  {out / 'report.html'}\nBuild on: {out / 'run.json'}\nSamples:  inspect view --log-dir {out / 'logs'}"
    )


@app.command("try")
def try_(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="New wordings, as <fr or en>/<name>.v<N>.md; released or not.", metavar="PROMPT…"
        ),
    ],
    suite: Suites = None,
    sets: Sets = None,
    reference: Data = None,
    llm: Llm = None,
    cases: Cases = None,
    budget: Budget = None,
    out: Annotated[
        Path, typer.Option("--out", help="Folder for both runs and the page.", metavar="DIR")
    ] = Path("out/trial"),
) -> None:
    """Is a new wording of a prompt better than the live one? Both on the same cases, compared pair by pair."""
    from evals import compare as comparing
    from evals import run as running
    from evals import trial as trying
    from evals.page import page
    from service.settings import load_settings

    prompts = trying.read_prompts(files)
    suites = _names(suite) or trying.suites_of(prompts)
    benches, skipped = running.available(_data(reference), suites, _names(sets))
    ready_folder(out)
    live, tried = trying.trial(
        prompts,
        benches,
        load_settings(llm=llm, budget=budget),
        out,
        skipped=skipped,
        selected={"suites": suites, "sets": _names(sets), "cases": cases},
        command=_command(),
        say=say,
    )
    write_whole(out / "report.html", page(tried, live))
    print("\n".join(comparing.lines(comparing.compare(live, tried))))
    print(f"Read it:  {out / 'report.html'}")


@app.command("gate")
def gate_(folder: Folder) -> None:
    """Compare a run with the committed baseline of its model; exit 1 on a regression beyond tolerance, and say which."""
    from evals.gate import gate, read_baseline
    from evals.record import read_run

    run = read_run(folder)
    refusals, notes = gate(run, read_baseline(run.llm))
    for note in notes:
        print(f"not held: {note}")
    for refusal in refusals:
        print(f"WORSE  {refusal}")
    if refusals:
        print(
            f"{len(refusals)} figure(s) say no. A better baseline is made with `polyphonie evals baseline`, in a reviewed commit."
        )
        raise typer.Exit(1)
    print(f"The gate holds: {len(run.benches)} suite(s) and set(s) not worse than the baseline of {run.llm}.")


@app.command("baseline")
def baseline_(folder: Folder) -> None:
    """Make a run the baseline of its model: what it measured replaces what there was. Commit it with the report it writes."""
    from evals.gate import FOLDER, as_text, baseline_of, path_for, read_baseline
    from evals.record import read_run
    from evals.table import report

    run = read_run(folder)
    if run.selected.get("cases"):
        raise BadInput("a run over some of the cases is no baseline: run it without --cases.")
    new = baseline_of(run)
    path = path_for(run.llm)
    if path.exists():
        new["benches"] = {**read_baseline(run.llm)["benches"], **new["benches"]}
    write_whole(path, as_text(new))
    beside = FOLDER.parent / "reports" / f"{path.stem}-{run.created_at[:10]}.md"
    write_whole(beside, "\n".join(report(run)) + "\n")
    print(
        f"{path}: {len(new['benches'])} suite(s) and set(s). Look at the difference, commit it with {beside}."
    )


@app.command("import")
def import_(
    report: Annotated[
        Path, typer.Argument(help="The text of a report, as it came out of its PDF.", metavar="TEXT")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for reference.json.", metavar="DIR")],
    title: Annotated[str, typer.Option(help="Of the report.")] = "",
    against: Annotated[
        Path | None, typer.Option(help="A reference made by hand: list the differences.", metavar="DIR")
    ] = None,
) -> None:
    """Turn a report's own labels and syntheses into a reference; docs/references.md says what form is expected."""
    from evals.importing import differences, import_report
    from evals.references import read_reference, write_reference

    try:
        text = report.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{report}: {error}. A text file in UTF-8 is expected.") from error
    made = import_report(text, name=out.resolve().name, title=title or report.stem)
    write_reference(made, out)
    labels = sum(len(q.groups) for q in made.questions)
    syntheses = sum(bool(q.syntheses) for q in made.questions)
    print(
        f"{out / 'reference.json'}: {len(made.questions)} questions, {labels} labels, {syntheses} syntheses"
    )
    if against is not None:
        told = differences(made, read_reference(against))
        print("\n".join([f"{len(told)} difference(s) from {against}:", *(f"- {line}" for line in told)]))
    print(f"Read it through, then: polyphonie evals run --reference {out}")


@app.command("compare")
def compare_(
    old: Annotated[Path, typer.Argument(metavar="OLD")], new: Annotated[Path, typer.Argument(metavar="NEW")]
) -> None:
    """What got better or worse between two runs: paired differences, intervals, tests."""
    from evals.compare import compare, lines
    from evals.record import read_run

    print("\n".join(lines(compare(read_run(old), read_run(new)))))


@app.command("rescore")
def rescore_(folder: Folder, reference: Data = None) -> None:
    """Score a run's drafts again with the present scorers; nothing is drafted again."""
    from evals import run as running
    from evals.page import page
    from service.settings import load_settings

    benches, _ = running.available(_data(reference), [], [])
    made = running.rescore(folder, benches, load_settings(llm="extractive"))
    write_whole(folder / "report.html", page(made, None))
    print(f"{len(made.benches)} suite(s) and set(s) scored again: {folder / 'run.json'}")


@app.command("report")
def report_(
    folder: Folder,
    against: Annotated[
        Path | None, typer.Option(help="An earlier run to compare with.", metavar="DIR")
    ] = None,
) -> None:
    """Write the page of a run anew, with a comparison where an earlier run is given."""
    from evals.page import page
    from evals.record import read_run

    write_whole(folder / "report.html", page(read_run(folder), read_run(against) if against else None))
    print(folder / "report.html")


@app.command("measures")
def measures_() -> None:
    """Every measure with its direction, the gate's tolerance, formula and source, in Markdown."""
    from evals.table import measures

    print("\n".join(measures()))


@app.command("table")
def table_(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR…", help="Runs: the extractive one first.")],
    short: Annotated[bool, typer.Option("--short", help="Only the rows that tell most.")] = False,
    into: Annotated[
        Path | None,
        typer.Option(help="A Markdown file whose table of figures is replaced.", metavar="FILE.md"),
    ] = None,
) -> None:
    """Suite by measure by floor, extractive, models and ceiling, with intervals, in Markdown; a row is over the same cases."""
    from evals.record import read_run
    from evals.table import put_into, table

    made = table([read_run(f) for f in folders], short=short)
    if into is None:
        print("\n".join(made))
        return
    try:
        text = into.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{into}: {error}. A Markdown file in UTF-8 is expected.") from error
    write_whole(into, put_into(text, made))
    print(f"{into}: {len(folders)} run(s)")
