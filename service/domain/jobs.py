"""What is agreed between who asks for drafts and evals (the API) and who makes them (the jobs).

A draft is a row of the store, and moves one way:

    queued ──► running ──► done          the result is there, and never changes
       │          ├──────► failed        a defect or a poisoned job: `error` says what
       │          ├──────► stopped       budget or quota used up, nothing can go on: finished work is kept
       └──────────┴──────► cancelled     a person asked for it

The API, in one transaction, adds a row `queued` with its configuration, then calls `submit`. It calls `cancel` when a person
cancels. It never changes a state itself, except that a draft still `queued` becomes `cancelled` at once.

The jobs read the round (`store.rounds.load`, then `domain.selection.select` with the configuration's questions), call
`store.drafts.start`, run the pipeline, tell each step with `store.drafts.tell` (progress and an event in one transaction), and
end with exactly one of `store.drafts.finish` (with draft.json) and `store.drafts.end` (any other state). Both refuse when the
draft has ended already, so a step that runs twice does no harm. A draft that was deleted with its round is gone from the store:
the functions say False, and the job drops it.

An eval is a row of the store that moves the same way, without events; `submit_eval` is its `submit`.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from service.domain.steps import GivenTheme

DraftState = Literal["queued", "running", "done", "failed", "cancelled", "stopped"]
ENDED: tuple[DraftState, ...] = ("done", "failed", "cancelled", "stopped")


@dataclass(frozen=True, kw_only=True, slots=True)
class Configuration:
    """How a draft is to be made; what is None is left to the settings of the one that makes it."""

    questions: tuple[str, ...] = ()
    """Open questions to draft, "Q4+Q12" joins two; none: all, as the round joins them."""
    themes: tuple[GivenTheme, ...] = ()
    """Themes of the general synthesis; none: they are found."""
    llm: str | None = None
    encoder: str | None = None
    budget: int | None = None
    """Most tokens that the draft may use."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EvalConfiguration:
    """What an eval is to measure, as `polyphonie evals run` takes it; what is None is left to the settings."""

    suites: tuple[str, ...] = ()
    """None: all."""
    sets: tuple[str, ...] = ()
    """Of references; none: all that the worker has."""
    cases: int | None = None
    """At most so many of each set."""
    llm: str | None = None
    encoder: str | None = None
    budget: int | None = None


class Jobs(Protocol):
    """The seam: who makes drafts in the background. All calls return at once and may be made any number of times."""

    def submit(self, draft_id: str) -> None:
        """See that this queued draft is made; a draft that is submitted already is not made twice."""

    def cancel(self, draft_id: str) -> None:
        """Stop making this draft as soon as the call under way is over; one that has ended stays as it is."""

    def submit_eval(self, eval_id: str) -> None:
        """See that this queued eval is run; one that is submitted already is not run twice."""


class HeldJobs:
    """Fake: takes drafts and makes none. A test looks at what was asked for."""

    def __init__(self) -> None:
        self.submitted: list[str] = []
        self.cancelled: list[str] = []
        self.submitted_evals: list[str] = []

    def submit(self, draft_id: str) -> None:
        self.submitted.append(draft_id)

    def cancel(self, draft_id: str) -> None:
        self.cancelled.append(draft_id)

    def submit_eval(self, eval_id: str) -> None:
        self.submitted_evals.append(eval_id)
