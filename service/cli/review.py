"""`polyphonie import-review`: a corrected workbook becomes revisions of its draft."""

import getpass
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.terminal import ready_folder, write_whole
from service.errors import BadEdit, BadInput

if TYPE_CHECKING:
    from service.domain.draft import Draft
    from service.domain.review import Reviewed
    from service.domain.revision import Edit

PEOPLES = re.compile(r"\.[np]\d+$")
"""How the id of a group that a person made ends."""


def import_review(
    source: Annotated[Path, typer.Argument(metavar="DRAFT.json", help="The draft that was exported.")],
    sheet: Annotated[Path, typer.Argument(metavar="SHEET.xlsx", help="Its workbook, corrected.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the revised draft.", metavar="DIR")],
    who: Annotated[
        str | None, typer.Option(help="Who corrected it; by default the name you are signed in with.")
    ] = None,
    revisions: Annotated[
        Path | None,
        typer.Option(help="Revisions made before, which the workbook had seen already.", metavar="FILE"),
    ] = None,
) -> None:
    """Take over labels, group moves and sentences corrected in a workbook: draft.json, revisions.json and report.txt."""
    from service.domain.review import apply
    from service.exports import export
    from service.exports.corrections import read_corrections
    from service.exports.review import told_to_look_at
    from service.exports.revisions_json import revisions_to_json

    draft = read_draft(source)
    if not revisions and any(PEOPLES.search(g.id) for q in draft.questions for g in q.groups):
        raise BadInput(
            f"{source} holds groups that people made. Give the draft as it was made, and its revisions with --revisions."
        )
    before = read_revisions(revisions, draft) if revisions else apply(draft, ())
    try:
        data = sheet.read_bytes()
    except OSError as error:
        raise BadInput(
            f"{sheet} can't be read: {error.strerror}. Give a workbook that `export` wrote."
        ) from error
    try:
        found = read_corrections(data, before.draft)
    except BadInput as error:
        raise BadInput(f"{sheet}: {error}") from error
    if found.version not in (None, before.version):
        raise BadInput(
            f"{sheet} was exported at version {found.version} of the draft, this is version {before.version}. "
            "Give the revisions.json of that version with --revisions."
        )
    after = _revised(before, found.edits, who or getpass.getuser(), sheet)
    report = [
        *found.report,
        f"{len(found.edits)} revision(s), {len(after.to_look_at)} text(s) to look at again"
        + (":" if after.to_look_at else "."),
        *(f"- {line}" for line in told_to_look_at(after)),
    ]
    ready_folder(out)
    write_whole(out / "draft.json", export(after.draft, "json").decode())
    write_whole(out / "revisions.json", revisions_to_json(after))
    write_whole(out / "report.txt", "".join(f"{line}\n" for line in report))
    for line in report:
        print(line)
    print(f"Revised draft: {out / 'draft.json'}")
    made = f"--out {out} --revisions {out / 'revisions.json'}"
    print(f"Deliverables that mark these texts: polyphonie export {source} --to docx,xlsx {made}")


def read_draft(source: Path) -> "Draft":
    """A draft.json whose citations and spans hold. Raises BadInput."""
    from service.exports import from_json
    from service.stages.final_check import check_places

    try:
        text = source.read_bytes().decode()
    except OSError as error:
        raise BadInput(f"{source} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        text = ""
    if not text.lstrip().startswith("{"):  # a file of answers, say
        raise BadInput(
            f"{source} is no draft.json: run `polyphonie draft` first, and give the file it writes."
        )
    draft = from_json(text)
    if found := check_places(draft):
        raise BadInput(
            f"{source} does not hold together: {found[0]}. Give the file as `polyphonie draft` or `import-review` wrote it."
        )
    return draft


def read_revisions(source: Path, draft: "Draft") -> "Reviewed":
    """The draft with a revisions.json over it. Raises BadInput."""
    from service.exports.revisions_json import revisions_from_json

    return revisions_from_json(_text(source), draft)


def _text(source: Path) -> str:
    try:
        return source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{source} can't be read: {error}.") from error


def _revised(before: "Reviewed", edits: "tuple[Edit, ...]", who: str, sheet: Path) -> "Reviewed":
    from service.domain.review import revise

    at = datetime.now(UTC).isoformat(timespec="seconds")
    after = before
    for edit in edits:
        try:
            after = revise(after, edit, who=who, at=at)
        except BadEdit as error:
            raise BadInput(f"{sheet}: {edit.kind}: {error}. Nothing was written.") from error
    return after
