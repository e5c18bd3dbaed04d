"""A model as judge of a run's texts: asked pairwise, in both orders, never the model that wrote them. Off unless asked for."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from evals.pairs import Pair, agreement, pairs_of, told
from evals.record import Run
from prompts import Prompt, fence, read
from service.domain.round import Language
from service.errors import BadInput
from service.llm.ask import Ask, Refused, ask
from service.llm.chat import ChatModel
from service.llm.replies import Reply

FOLDER = Path(__file__).parent / "prompts"
VERSION = 1


class Verdict(Reply):
    better: Literal["a", "b", "neither"]
    reason: str


@cache
def _prompt(language: Language) -> Prompt:
    return read(FOLDER / language / f"judge.v{VERSION}.md")


def judge(run: Run, chat: ChatModel) -> Run:
    """The run with what the judge said of it. Raises BadInput where it wrote the drafts itself, or fails on any comparison."""
    if chat.name == run.llm:
        raise BadInput(f"{chat.name} wrote these drafts: name another model as judge.")
    pairs = pairs_of(run)
    said = ask(chat, [_question(p, swapped=swapped) for p in pairs for swapped in (False, True)])
    failed = [r for r in said if isinstance(r, Refused)]
    if failed:
        reasons = "; ".join(f"{r.id}: {r.reason}" for r in failed[:3])
        raise BadInput(
            f"the judge failed on {len(failed)} of {len(said)} comparisons, so nothing of it is kept. {reasons}"
        )
    verdicts = [v for v in said if not isinstance(v, Refused)]
    both = list(zip(verdicts[::2], verdicts[1::2], strict=True))
    worth = {p.id: (one + two) / 2 for p, (one, two) in zip(pairs, both, strict=True)}
    told_: dict[str, Any] = {
        "model": chat.name,
        "prompt": ", ".join(
            f"{lang}/judge.v{VERSION}@{_prompt(lang).sha256[:12]}" for lang in _languages(pairs)
        ),
        **told(worth, pairs),
        "changes its mind with the order": f"{sum(one != two for one, two in both)} of {len(both)} comparisons",
        **agreement(worth, pairs, run),
        "comparisons": worth,
    }
    return replace(run, judge=told_)


def _languages(pairs: Sequence[Pair]) -> list[Language]:
    return list(dict.fromkeys(p.language for p in pairs))


def _question(pair: Pair, *, swapped: bool) -> Ask[float]:
    """Answered with what the draft is worth: 1 it is better, 0 the other is, a half neither."""
    texts = (pair.theirs, pair.ours) if swapped else (pair.ours, pair.theirs)

    def check(reply: Verdict) -> float:
        if reply.better == "neither":
            return 0.5
        return float((reply.better == "a") != swapped)

    return Ask(
        id=f"{pair.id}{' (swapped)' if swapped else ''}",
        prompt=_prompt(pair.language),
        values={
            "question": fence([pair.title], "q"),
            "first": fence(texts[0], "a"),
            "second": fence(texts[1], "b"),
        },
        reply=Verdict,
        check=check,
    )
