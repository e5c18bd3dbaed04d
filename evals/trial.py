"""A prompt on trial: the live wording and the new one over the same cases, compared pair by pair."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from evals import run as running
from evals.record import Run
from evals.run import Say
from evals.suites import Bench
from prompts import Prompt, on_trial, read
from service.errors import BadInput
from service.settings import Settings

SUITES: dict[str, tuple[str, ...]] = {
    "ideas": ("grouping", "labels"),
    "revise": ("grouping", "labels"),
    "label": ("labels",),
    "distinguish": ("labels",),
    "regroup": ("synthesis",),
    "synthesis": ("synthesis",),
    "joined": ("synthesis",),
    "support": ("synthesis",),
    "outline": ("themes",),
    "theme": ("themes",),
}
"""Suites in whose figures a prompt shows; of any other prompt (repair), all of them."""


def read_prompts(files: Sequence[Path]) -> list[Prompt]:
    """Raises BadInput that names the file and what is wrong with it."""
    found = []
    for file in files:
        try:
            found.append(read(file.resolve()))
        except FileNotFoundError as error:
            raise BadInput(f"{file} is missing.") from error
        except KeyError as error:
            raise BadInput(f"{file}: the front matter lacks {error}.") from error
        except (ValueError, AttributeError) as error:
            raise BadInput(f"{file}: {error}") from error
        if found[-1].language not in ("fr", "en"):
            raise BadInput(
                f"{file}: put it in a folder named fr or en, as prompts/ does: it says whose prompt it is."
            )
    return found


def suites_of(prompts: Sequence[Prompt]) -> list[str]:
    """The suites to measure, none = all."""
    if any(p.name not in SUITES for p in prompts):
        return []
    return list(dict.fromkeys(s for p in prompts for s in SUITES[p.name]))


def trial(
    prompts: Sequence[Prompt],
    benches: Sequence[Bench],
    settings: Settings,
    out: Path,
    *,
    skipped: dict[str, str],
    selected: dict[str, object],
    command: str,
    say: Say,
) -> tuple[Run, Run]:
    """Both runs, in out/live and out/trial. Replies paid for before are not paid again.

    Raises BadInput where nothing that was measured uses the prompt, and Stopped as a run does.
    """
    if settings.llm == "extractive":
        raise BadInput("the extractive drafter reads no prompt: name a model with --llm.")
    languages = {p.language for p in prompts}
    asked = [b for b in benches if b.uses_model and b.language in languages]
    if not asked:
        raise BadInput(f"no set in {', '.join(sorted(languages))} of that suite is here.")

    def measure(name: str) -> Run:
        return running.run(
            asked, settings, out / name, skipped=skipped, selected=selected, command=command, say=say
        )

    say("with the live prompts")
    live = measure("live")
    say(f"with {', '.join(f'{p.language}/{p.name}.v{p.version}' for p in prompts)}")
    with ExitStack() as stack:
        for p in prompts:
            stack.enter_context(on_trial(p))
        tried = measure("trial")
    used = {p["sha256"] for p in tried.prompts}
    unused = [p.name for p in prompts if p.sha256 not in used]
    if unused:
        raise BadInput(
            f"nothing that was measured asks with {', '.join(unused)}: choose other suites or sets."
        )
    return live, tried
