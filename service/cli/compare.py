"""`polyphonie compare`: what changed from one draft to another."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.review import read_draft
from service.cli.terminal import ready_file, say, write_whole
from service.errors import BadInput, BadSetting

if TYPE_CHECKING:
    from service.domain.draft import Draft


def compare(
    old: Annotated[
        Path, typer.Argument(metavar="OLD.json", help="The older draft, as `polyphonie draft` wrote it.")
    ],
    new: Annotated[
        Path, typer.Argument(metavar="NEW.json", help="The newer draft: of another round, or of the same.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Write it there, as .md, .json or .txt; by default text on the terminal.", metavar="FILE"
        ),
    ] = None,
    encoder: Annotated[
        str | None, typer.Option(help="Encoder that tells which groups mean the same.", metavar="SPEC")
    ] = None,
) -> None:
    """Compare two drafts (draft.json), of two rounds or of one: themes and groups that appear, grow, shrink, vanish."""
    from service.exports.comparison import FORMATS, comparison_as
    from service.settings import load_settings
    from service.stages.compare import compare as compared
    from service.wiring import encoder_for

    to = out.suffix.lstrip(".").lower() if out else "txt"
    if to not in FORMATS:
        raise BadSetting(f"--out {out}: not a format. End the name in {', '.join('.' + f for f in FORMATS)}.")
    if out:
        ready_file(out)
    before, after = _read(old), _read(new)
    settings = load_settings(encoder=encoder)
    vectors = settings.cache_dir.expanduser() / "vectors.sqlite"
    used = encoder_for(settings, after.round.language, vectors)
    text = comparison_as(compared(before, after, used.encode, f"{used.name}@{used.revision}"), to)
    if out:
        write_whole(out, text)
        say(str(out))
    else:
        sys.stdout.write(text)


def _read(path: Path) -> "Draft":
    try:
        return read_draft(path)
    except BadInput as error:
        said = str(error)
        raise BadInput(said if said.startswith(str(path)) else f"{path}: {said}") from error
