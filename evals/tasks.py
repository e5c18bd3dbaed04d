"""Benches as Inspect tasks: the solver is our pipeline, the scorer ours; the log keeps what was made, to be scored again."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.scorer import Score, Scorer, Target, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver

from evals.record import CaseResult
from evals.scoring.measures import SCALES
from evals.scoring.texts import Compared
from evals.statistics import ratio
from evals.suites import Bench, Case, Desk
from service.errors import Stopped


@dataclass
class Stop:
    """Set by a draft that cannot go on (budget, quota, key): the run ends after what is under way."""

    reason: Stopped | None = None


def make(bench: Bench, desk: Desk, logs: Path, *, at_once: int, stop: Stop) -> EvalLog:
    """Draft and score every case of a bench by every drafter. An error of a case is kept with it."""
    (log,) = inspect_eval(
        _task(bench, desk, stop),
        model=None,
        log_dir=str(logs),
        display="none",
        fail_on_error=False,
        max_samples=at_once,
    )
    return log


def _task(bench: Bench, desk: Desk, stop: Stop) -> Task:
    cases = {c.id: c for c in bench.cases}

    @solver(name="draft")
    def drafting() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            if stop.reason is not None:
                raise stop.reason
            case, draft = cases[state.metadata["case"]], bench.drafters[state.metadata["drafter"]]
            try:
                made = await anyio.to_thread.run_sync(lambda: draft(case, desk))
            except Stopped as reason:
                stop.reason = reason
                raise
            state.output.completion = json.dumps(made, ensure_ascii=False)
            return state

        return solve

    @scorer(metrics=[], name=f"{bench.suite}_v{SCALES[bench.suite].version}")
    def scoring() -> Scorer:
        async def score(state: TaskState, target: Target) -> Score:
            case = cases[state.metadata["case"]]
            return await anyio.to_thread.run_sync(lambda: scored(bench, case, state.output.completion, desk))

        return score

    samples = [
        Sample(
            id=f"{drafter} · {case.id}",
            input=case.title,
            metadata={"case": case.id, "drafter": drafter},
        )
        for drafter in bench.drafters
        for case in bench.cases
    ]
    return Task(
        name=bench.name.replace("/", "_").replace(" ", "_").replace(",", ""),
        dataset=samples,
        solver=drafting(),
        scorer=scoring(),
        metadata={
            "suite": bench.suite,
            "set": bench.set,
            "version": SCALES[bench.suite].version,
            "sha256": bench.sha256,
        },
    )


def scored(bench: Bench, case: Case, completion: str, desk: Desk) -> Score:
    """The figures of one draft. What cannot be scored is a failure with its reason, never a zero."""
    try:
        compared = bench.score(case, json.loads(completion), desk)
    except Exception as error:  # whatever it is, it is this case's failure and is told as such
        return Score(
            value={},
            explanation=f"failed: {type(error).__name__}: {error}",
            metadata={"failed": str(error) or type(error).__name__},
        )
    return Score(
        value={name: ratio([part]) for name, part in compared.figures.items() if part[1]},
        explanation=_side_by_side(compared),
        metadata=_as_json(compared),
    )


def _as_json(compared: Compared) -> dict[str, Any]:
    return {
        "figures": {name: [float(n), float(d)] for name, (n, d) in compared.figures.items()},
        "human": list(compared.human),
        "ours": list(compared.ours),
        "matches": [[m.human, m.ours, m.likeness] for m in compared.matches],
        "contradictions": [list(pair) for pair in compared.contradictions],
    }


def _side_by_side(compared: Compared) -> str:
    """For `inspect view`: each human sentence with the one of ours that covers it."""
    ours = {m.human: compared.ours[m.ours] for m in compared.matches}
    return "\n".join(f"- {text}\n  → {ours.get(i, '–')}" for i, text in enumerate(compared.human))


def results(log: EvalLog) -> Iterator[tuple[str, CaseResult]]:
    """(drafter, result) of each sample of a log."""
    for sample in log.samples or ():
        case, title = sample.metadata["case"], str(sample.input)
        found = next(iter((sample.scores or {}).values()), None)
        if sample.error is not None:
            result = CaseResult(id=case, title=title, failed=sample.error.message)
        elif found is None:
            result = CaseResult(id=case, title=title, failed="it was not scored")
        else:
            result = result_of(case, title, found)
        yield sample.metadata["drafter"], result


def result_of(case: str, title: str, score: Score) -> CaseResult:
    """What the record keeps of a score."""
    kept: dict[str, Any] = score.metadata or {"failed": "it was not scored"}
    if "failed" in kept:
        return CaseResult(id=case, title=title, failed=kept["failed"])
    return CaseResult(
        id=case,
        title=title,
        figures={name: (part[0], part[1]) for name, part in kept["figures"].items()},
        human=tuple(kept["human"]),
        ours=tuple(kept["ours"]),
        matches=tuple((int(h), int(o), float(x)) for h, o, x in kept["matches"]),
        contradictions=tuple((int(h), int(o)) for h, o in kept["contradictions"]),
    )


def score_again(
    path: Path, benches: Sequence[Bench], desk: Desk
) -> tuple[Bench, list[tuple[str, CaseResult]]]:
    """The drafts of a log, scored by the present scorers. Raises ValueError where the reference is another."""
    log = read_eval_log(str(path))
    told = log.eval.metadata or {}
    bench = next((b for b in benches if (b.suite, b.set) == (told.get("suite"), told.get("set"))), None)
    if bench is None:
        raise ValueError(f"{path.name}: no reference set {told.get('set')} for suite {told.get('suite')}")
    if bench.sha256 != told.get("sha256"):
        raise ValueError(f"{path.name}: {bench.set} is not the data that was scored then")
    cases = {c.id: c for c in bench.cases}
    found: list[tuple[str, CaseResult]] = []
    for sample in log.samples or ():
        case, drafter = cases[sample.metadata["case"]], sample.metadata["drafter"]
        if sample.error is not None and not sample.output.completion:
            found.append((drafter, CaseResult(id=case.id, title=case.title, failed=sample.error.message)))
        else:
            score = scored(bench, case, sample.output.completion, desk)
            found.append((drafter, result_of(case.id, case.title, score)))
    return bench, found
