"""`polyphonie evals`: the regression evals, which stand above the service and are not shipped in its image.

The module is named, not imported: docs/adr/0030-evals-command.md says why.
"""

import importlib
from collections.abc import Callable

import typer

from service.errors import MissingPackage

COMMANDS = "evals.cli"

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""Everything behind `evals` is for the evals' own command line, `--help` included."""


def evals(ctx: typer.Context) -> None:
    """Regression evals against human work: run, gate, compare, report (`polyphonie evals --help`)."""
    _commands()(args=ctx.args, prog_name="polyphonie evals")


def _commands() -> Callable[..., object]:
    """Raises MissingPackage where evals or what they need are not installed."""
    try:
        app: Callable[..., object] = importlib.import_module(COMMANDS).app
    except ModuleNotFoundError as error:
        raise MissingPackage(
            f"the evals are not here (no module {error.name}): they come with the repository, not with the image. "
            "Clone it, `make install`, and run `polyphonie evals` there."
        ) from error
    return app
