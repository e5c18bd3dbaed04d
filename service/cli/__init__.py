"""The command line: one file per family of commands, nothing heavy imported before a command runs."""

from typing import Annotated

import typer

from service import __version__
from service.cli import check, compare, draft, estimate, evals, keys, library, parts, review, serve, worker

app = typer.Typer(
    name="polyphonie",
    help="From the open answers of a survey to a draft synthesis an analyst can check line by line.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(show: bool) -> None:
    if show:
        print(f"polyphonie {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


app.command("check")(check.check)
app.command("estimate")(estimate.estimate)
app.command("draft")(draft.draft)
app.command("group")(parts.group)
app.command("label")(parts.label)
app.command("synthesise")(parts.synthesise)
app.command("export")(library.export)
app.command("compare")(compare.compare)
app.command("import-review")(review.import_review)
app.command("evals", context_settings=evals.PASS_ON)(evals.evals)
app.command("settings")(library.settings)
app.command("serve")(serve.serve)
app.command("worker")(worker.worker)
app.add_typer(library.prompts, name="prompts", help="The prompt library.")
app.add_typer(keys.keys, name="keys", help="Who may call the service.")
