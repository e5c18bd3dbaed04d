"""`polyphonie export`, `prompts`, `settings`: what needs no run."""

import difflib
from pathlib import Path
from typing import Annotated

import typer

from service.cli.review import read_draft, read_revisions
from service.cli.terminal import ready_folder, say
from service.errors import BadPrompt, BadSetting

prompts = typer.Typer(no_args_is_help=True)


def export(
    source: Annotated[Path, typer.Argument(metavar="DRAFT.json")],
    to: Annotated[str, typer.Option("--to", help="docx, xlsx, html, md, json; several with commas.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder; by default beside the draft.")] = None,
    revisions: Annotated[
        Path | None,
        typer.Option(help="Revisions to apply to the draft, written by import-review.", metavar="FILE"),
    ] = None,
) -> None:
    """Write deliverables from a draft."""
    from service.exports import FORMATS, NO_REVIEW, export, review_of

    wanted = [name.strip() for name in to.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown or not wanted:
        raise BadSetting(f"--to {to}: not a format. Accepted: {', '.join(FORMATS)}.")
    draft = read_draft(source)
    review = NO_REVIEW
    if revisions:
        reviewed = read_revisions(revisions, draft)
        draft, review = reviewed.draft, review_of(reviewed)
    folder = out or source.parent
    ready_folder(folder)
    for name in wanted:
        path = folder / f"{source.stem}.{name}"
        if path.resolve() == source.resolve():
            continue
        path.write_bytes(export(draft, name, review))
        say(str(path))


def settings() -> None:
    """Print the settings in force, secrets masked."""
    from service.settings import Settings, load_settings

    in_force = load_settings()
    for name, field in Settings.model_fields.items():
        print(f"{name} = {getattr(in_force, name)!s:<24} # {field.description}")


@prompts.command("list")
def list_() -> None:
    """Every prompt: name, language, version, hash; the live version is marked, with the eval report that earned it its place."""
    from prompts import is_live, listing, report

    for p in listing():
        live = "*" if is_live(p) else " "
        earned = f" (report: {report(p.name)})" if is_live(p) else ""
        print(f"{live} {p.language} {p.name:<14} v{p.version} {p.sha256[:12]}  {p.purpose}{earned}")


@prompts.command()
def show(name: str, language: str = "fr", version: int | None = None) -> None:
    """Print one prompt as it stands, the live version unless told."""
    print(_text(name, language, version))


@prompts.command()
def diff(name: str, v1: int, v2: int, language: str = "fr") -> None:
    """What changed between two versions."""
    before, after = (_text(name, language, v).splitlines() for v in (v1, v2))
    for line in difflib.unified_diff(before, after, f"{name}.v{v1}", f"{name}.v{v2}", lineterm=""):
        print(line)


@prompts.command()
def verify() -> None:
    """Refuse a released prompt that was edited: exit 1 names it."""
    import prompts as library

    try:
        library.verify()
    except ValueError as error:
        raise BadPrompt(str(error)) from error
    print(f"{len(library.listing())} prompts as released.")


def _text(name: str, language: str, version: int | None) -> str:
    from prompts import load

    try:
        p = load(name, language, version)
    except ValueError as error:
        raise BadPrompt(str(error)) from error
    return f"# {p.name} v{p.version} ({p.language}), reply: {p.reply}\n\n## system\n\n{p.system}\n\n## user\n\n{p.user}"
