"""`polyphonie draft`: the main job."""

import hashlib
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.folder import draft_folder
from service.cli.terminal import Bars, progress_bars, read_or_stop, ready_folder, say, write_whole
from service.domain.draft import Draft
from service.domain.round import Round
from service.domain.steps import GivenTheme
from service.errors import BadInput, Stopped

if TYPE_CHECKING:
    from service.settings import Settings

STOPPED = "stopped.json"
"""Left in the output folder by a run that was stopped: what --resume must be given again."""

Source = Annotated[
    Path, typer.Argument(metavar="INPUT", help="CSV, XLSX, JSON or JSON Lines, or a folder of such.")
]
Questions = Annotated[str | None, typer.Option(help="Only these, joined by +: Q1,Q4+Q12.", metavar="IDS")]
Themes = Annotated[
    Path | None,
    typer.Option(help="Themes of the general synthesis: one title a line, or JSON.", metavar="FILE"),
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

NoRevise = Annotated[
    bool, typer.Option("--no-revise", help="Keep the groups as vectors made them; fewer calls.")
]


def draft(
    source: Source,
    out: Annotated[Path, typer.Option("--out", help="Folder for the draft.", metavar="DIR")],
    questions: Questions = None,
    themes: Themes = None,
    llm: Llm = None,
    encoder: EncoderSpec = None,
    budget: Annotated[int | None, typer.Option(help="Most tokens that the run may use.", metavar="N")] = None,
    no_revise: NoRevise = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run that stopped in DIR.")] = False,
) -> None:
    """Draft the synthesis of a round: draft.json and a page to read, draft.html. Of a folder: of each file in it."""
    from service.settings import load_settings

    settings = load_settings(llm=llm, encoder=encoder, budget=budget, revise=False if no_revise else None)
    if not source.is_dir():
        _draft_one(source, out, questions=questions, themes=themes, settings=settings, resume=resume)
        return

    def one(file: Path, into: Path, used: int) -> int:
        left = None if settings.budget is None else max(0, settings.budget - used)
        own = settings.model_copy(update={"budget": left})
        made = _draft_one(file, into, questions=questions, themes=themes, settings=own, resume=resume)
        return made.provenance.tokens.input + made.provenance.tokens.output

    draft_folder(
        source,
        out,
        resume=resume,
        run_of=lambda file: _fingerprint(file, questions, themes, settings),
        draft_one=one,
    )


def _draft_one(
    source: Path,
    out: Path,
    *,
    questions: str | None,
    themes: Path | None,
    settings: "Settings",
    resume: bool,
) -> Draft:
    """One round. Raises PolyphonieError."""
    from service.exports import export
    from service.pipeline import draft_round
    from service.wiring import signed, tools_for

    round_ = read_or_stop(source, questions)
    given = given_themes(themes, round_, source)
    run = _fingerprint(source, questions, themes, settings)
    _check_resume(out, run, resume)
    began = time.monotonic()
    with tools_for(settings, round_.language) as tools, progress_bars() as bars:
        ready_folder(out)
        try:
            made = draft_round(
                round_,
                encoder=tools.encoder,
                chat=tools.chat,
                given_themes=given,
                revision=settings.revise,
                parameters=tools.parameters,
                progress=Bars(bars),
            )
        except (Stopped, KeyboardInterrupt) as stop:
            write_whole(out / STOPPED, json.dumps(run, indent=1) + "\n")
            reason = str(stop) or "Interrupted."
            raise Stopped(
                f"{reason} What was finished is kept; the same command with --resume goes on."
            ) from stop
        usage = tools.usage()
    made = signed(made, usage, settings, time.monotonic() - began)
    write_whole(out / "draft.json", export(made, "json").decode())
    write_whole(out / "draft.html", export(made, "html").decode())
    (out / STOPPED).unlink(missing_ok=True)
    for line in summary(made, out):
        print(line)
    return made


def given_themes(file: Path | None, round_: Round, source: Path) -> tuple[GivenTheme, ...]:
    """The themes asked for. Raises BadInput where they name a question that the round has not."""
    from service.ingest import read_themes

    given = read_themes(file) if file else ()
    known = {q.id for q in round_.questions}
    for unknown in (i for theme in given for i in theme.question_ids if i not in known):
        raise BadInput(f"{file}: no question {unknown} in {source}; it has {', '.join(sorted(known))}.")
    return given


def summary(made: Draft, out: Path) -> list[str]:
    """What was made and where to look, in plain words."""
    answers, verbatims = made.ledger.answers, made.ledger.verbatims
    groups = sum(1 for q in made.questions for g in q.groups if g.level == 1)
    syntheses = sum(1 for q in made.questions if q.synthesis.sentences)
    how = (
        "assembled from people's own words, without a language model"
        if made.provenance.llm == "extractive"
        else f"written with {made.provenance.llm}"
    )
    return [
        "",
        f"Draft of « {made.round.title} », {how}:",
        f"  {answers.total} answers = {answers.with_content} with content + {answers.no_content} without "
        f"+ {answers.duplicate} duplicates + {answers.failed} failed",
        f"  {verbatims.total} verbatims = {verbatims.grouped} in {groups} groups + {verbatims.isolated} isolated voices "
        f"+ {verbatims.failed} failed",
        f"  syntheses of questions: {syntheses}, themes: {len(made.themes)}; "
        f"{made.ledger.unsupported} text(s) marked unsupported, {made.ledger.fallbacks} model text(s) refused",
        f"  {made.provenance.calls} model call(s), {made.provenance.tokens.input + made.provenance.tokens.output} tokens, "
        f"{made.provenance.seconds:.0f} s",
        f"Read it:   {out / 'draft.html'}   (open in a browser; click a sentence to see who said it)",
        f"Build on it: {out / 'draft.json'}",
    ]


def _fingerprint(
    source: Path, questions: str | None, themes: Path | None, settings: "Settings"
) -> dict[str, str | None]:
    """What must be the same for a run to be resumed."""
    from service.ingest import sidecar_of

    said = sidecar_of(source)
    return {
        "input_sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
        "questions": questions,
        "themes": None if themes is None else hashlib.sha256(themes.read_bytes()).hexdigest(),
        "sidecar": None if said is None else hashlib.sha256(said.read_bytes()).hexdigest(),
        "llm": settings.llm,
        "llm_base_url": hashlib.sha256((settings.llm_base_url or "").encode()).hexdigest(),
        "encoder": settings.encoder,
        "mask": settings.mask,
        "revise": str(settings.revise),
    }


def _check_resume(out: Path, run: dict[str, str | None], resume: bool) -> None:
    """A stopped run goes on only with the same input and configuration. Raises BadInput."""
    stopped = out / STOPPED
    if not stopped.exists():
        if resume:
            say(
                f"Nothing was stopped in {out}: starting from the beginning (finished model calls are not repeated)."
            )
        return
    try:
        before = json.loads(stopped.read_text(encoding="utf-8"))
    except ValueError:
        before = {}
    changed = [name for name, value in run.items() if before.get(name) != value]
    if resume and changed:
        raise BadInput(
            f"{out} holds a run stopped with other {', '.join(changed)}. "
            "Give the same again, or start anew without --resume."
        )
