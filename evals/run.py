"""A run: which benches there are, drafting and scoring them one after the other, the record."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from embeddings.encoder import Encoder
from evals import tasks
from evals.record import BenchResult, CaseResult, Run, commit, packages, read_run, write_run
from evals.scoring.measures import SCALES
from evals.statistics import SEED
from evals.suites import Bench, Desk, example, grouping, labels, limited, own, segmentation, synthesis, themes
from service import __version__
from service.domain.round import Language
from service.errors import BadInput, Stopped
from service.llm.chat import stop
from service.settings import Settings
from service.wiring import Tools, tools_for

SETS = {
    "segmentation": ("rhapsodie", "flaky-survey"),
    "grouping": ("argkp2021", "nhs-fft", "grand-debat-coded"),
    "labels": ("argkp2021", "grand-debat-coded", "opinosis", "grand-debat"),
    "synthesis": ("esante-2020", "canada-ai-education"),
    "themes": ("esante-2020",),
}
"""Folders of reference sets that each suite reads, where they lie."""

YARDSTICK: Mapping[Language, str] = {"fr": "use", "en": "minilm"}
"""The scorers' encoder, part of their formula whatever `local` becomes: thresholds are calibrated with it (`evals.calibrate`)."""

Say = Callable[[str], None]


def available(
    data: Path | None, suites: Sequence[str], sets: Sequence[str]
) -> tuple[list[Bench], dict[str, str]]:
    """The benches asked for (none named: all), and the sets that are not there. Raises BadInput for an unknown name.

    data: the folder of reference sets, or one reference of an evaluator's own.
    """
    for name in suites:
        if name not in SCALES:
            raise BadInput(f"no suite {name}: there are {', '.join(SCALES)}.")
    wanted = list(suites) or list(SCALES)
    if data is not None and (data / "reference.json").is_file():
        return [b for b in own.benches(data) if b.suite in wanted], {}
    named = [_folder(s) for s in sets]
    known = {s for some in SETS.values() for s in some} | {example.NAME}
    for name in named:
        if name not in known:
            raise BadInput(f"no reference set {name}: there are {', '.join(sorted(known))}.")
    skipped = {
        s: "no folder of reference data: set POLYPHONIE_DATA" if data is None else f"not in {data}"
        for suite in wanted
        for s in SETS.get(suite, ())
        if (not named or s in named) and (data is None or not (data / s).is_dir())
    }
    found: list[Bench] = []
    if data is not None:
        makers = {
            m.__name__.rsplit(".", 1)[-1]: m.benches
            for m in (segmentation, grouping, labels, synthesis, themes)
        }
        found += [b for suite in wanted if suite in makers for b in makers[suite](data)]
    if not named or example.NAME in named:
        found += example.benches()
    return [b for b in found if b.suite in wanted and (not named or _folder(b.set) in named)], skipped


def _folder(name: str) -> str:
    return name.split(",", maxsplit=1)[0]


@contextmanager
def desk_for(settings: Settings) -> Iterator[tuple[Desk, Callable[[], Tools]]]:
    """Encoders by language and the model of the settings, as long as the context; and the tools that count usage."""
    with ExitStack() as stack:
        first = stack.enter_context(tools_for(settings, "fr"))
        plain = settings.model_copy(update={"llm": "extractive"})

        @cache
        def encoder(language: Language) -> Encoder:
            return (
                first.encoder if language == "fr" else stack.enter_context(tools_for(plain, language)).encoder
            )

        @cache
        def yardstick(language: Language) -> Encoder:
            if encoder(language).name == YARDSTICK[language]:
                return encoder(language)
            fixed = plain.model_copy(update={"encoder": YARDSTICK[language]})
            return stack.enter_context(tools_for(fixed, language)).encoder

        try:
            yield Desk(encoder=encoder, yardstick=yardstick, chat=first.chat), lambda: first
        except BaseException as error:
            if first.chat is not None:
                stop(first.chat)  # drafts in other threads would go on asking, and Ctrl-C would wait for them
            if isinstance(error, KeyboardInterrupt):
                raise Stopped(
                    "Interrupted. What was finished is kept; the same command goes on, no reply is paid for again."
                ) from error
            raise


def run(
    benches: Sequence[Bench],
    settings: Settings,
    out: Path,
    *,
    skipped: dict[str, str],
    selected: dict[str, object],
    command: str,
    say: Say,
) -> Run:
    """Draft and score; `run.json` and Inspect's logs in out. Raises Stopped with everything finished kept."""
    began = time.monotonic()
    commit()  # of the code that is loaded now, whatever is checked out meanwhile
    halt = tasks.Stop()
    most = selected.get("cases")
    made: list[BenchResult] = []
    with desk_for(settings) as (desk, tools):
        for number, bench in enumerate(benches, start=1):
            bench = replace(bench, cases=limited(bench.cases, most if isinstance(most, int) else None))  # noqa: PLW2901
            say(
                f"[{number}/{len(benches)}] {bench.name}: {len(bench.cases)} cases by {', '.join(bench.drafters)}"
            )
            made.append(_measure(bench, desk, tools(), out / "logs", settings, halt))
            for drafter in bench.drafters:
                for case, why in made[-1].failures(drafter).items():
                    say(f"    failed: {drafter}, {case}: {why}")
            record = _record(made, settings, desk, tools(), began, skipped, selected, command)
            write_run(record, out)  # after each bench: what is finished is kept whatever comes
            if halt.reason is not None:
                raise Stopped(
                    f"{halt.reason} What was finished is in {out}; the same command goes on, paid replies are kept."
                ) from halt.reason
    return record


def _measure(
    bench: Bench, desk: Desk, tools: Tools, logs: Path, settings: Settings, halt: tasks.Stop
) -> BenchResult:
    before, began = tools.usage(), time.monotonic()
    log = tasks.make(bench, desk, logs, at_once=settings.llm_workers if desk.chat else 1, stop=halt)
    after = tools.usage()
    return BenchResult(
        suite=bench.suite,
        set=bench.set,
        version=SCALES[bench.suite].version,
        sha256=bench.sha256,
        stated=bench.stated,
        drafters=_by_drafter(bench, list(tasks.results(log))),
        seconds=round(time.monotonic() - began, 1),
        calls=after.calls - before.calls,
        tokens=after.tokens.input + after.tokens.output - before.tokens.input - before.tokens.output,
    )


def _by_drafter(bench: Bench, found: Sequence[tuple[str, CaseResult]]) -> dict[str, tuple[CaseResult, ...]]:
    order = {c.id: k for k, c in enumerate(bench.cases)}
    return {
        d: tuple(sorted((r for by, r in found if by == d), key=lambda r: order[r.id])) for d in bench.drafters
    }


def _record(
    made: Sequence[BenchResult],
    settings: Settings,
    desk: Desk,
    tools: Tools,
    began: float,
    skipped: dict[str, str],
    selected: dict[str, object],
    command: str,
) -> Run:
    usage = tools.usage()
    languages: tuple[Language, ...] = ("fr", "en")
    spoken = [lang for lang in languages if lang == "fr" or len(made) > 0]
    return Run(
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
        commit=commit(),
        code=__version__,
        packages=packages(),
        llm=desk.chat.name if desk.chat else "extractive",
        encoder=", ".join(f"{lang} {e.name}@{e.revision}" for lang in spoken for e in [desk.encoder(lang)]),
        yardstick=_yardstick(desk),
        prompts=tuple(
            {"name": p.name, "version": p.version, "language": p.language, "sha256": p.sha256}
            for p in usage.prompts
        ),
        parameters=dict(tools.parameters),
        seed=SEED,
        tokens={"input": usage.tokens.input, "output": usage.tokens.output, "cached": usage.tokens.cached},
        calls=usage.calls,
        cost=usage.cost(settings.llm_price_input, settings.llm_price_output),
        seconds=round(time.monotonic() - began, 1),
        skipped=skipped,
        selected=selected,
        benches=tuple(made),
    )


def _yardstick(desk: Desk) -> str:
    languages: tuple[Language, ...] = ("fr", "en")
    return ", ".join(f"{lang} {e.name}@{e.revision}" for lang in languages for e in [desk.yardstick(lang)])


def rescore(folder: Path, benches: Sequence[Bench], settings: Settings) -> Run:
    """The drafts in a run's logs, scored by the present scorers; nothing is drafted again.

    Raises BadInput where a suite of the record has no log, its reference is not there or is another: all or nothing.
    """
    old = read_run(folder)
    made: dict[str, BenchResult] = {}
    with desk_for(settings) as (desk, _):
        yardstick = _yardstick(desk)
        for path in sorted((folder / "logs").glob("*.eval")):
            try:
                bench, found = tasks.score_again(path, benches, desk)
            except ValueError as error:
                raise BadInput(f"{folder} can't be scored again: {error}.") from error
            before = old.bench(bench.name)
            if before is not None:
                made[bench.name] = replace(
                    before, version=SCALES[bench.suite].version, drafters=_by_drafter(bench, found)
                )
    lost = [b.name for b in old.benches if b.name not in made]
    if lost:
        raise BadInput(f"{folder} can't be scored again: {folder / 'logs'} has no log of {', '.join(lost)}.")
    today = datetime.now(UTC).date().isoformat()
    record = replace(
        old,
        benches=tuple(made[b.name] for b in old.benches),
        yardstick=yardstick,
        rescored=f"{today}, commit {commit()}",
    )
    write_run(record, folder)
    return record
