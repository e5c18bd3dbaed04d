"""`polyphonie estimate`: what a draft would need, before any of it is spent."""

from dataclasses import dataclass

from service.cli.draft import EncoderSpec, Llm, NoRevise, Questions, Source, Themes, given_themes
from service.cli.terminal import Bars, progress_bars, read_or_stop
from service.domain.draft import Tokens


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    by_prompt: dict[str, tuple[int, int]]
    """Prompt → (calls, tokens in and out)."""
    calls: int
    tokens: Tokens
    cost: float | None
    model: str


def estimate(
    source: Source,
    questions: Questions = None,
    themes: Themes = None,
    llm: Llm = None,
    encoder: EncoderSpec = None,
    no_revise: NoRevise = False,
) -> None:
    """Model calls, tokens and cost that a draft would need: the whole draft is rehearsed, no model is called."""
    from service.pipeline import draft_round
    from service.settings import load_settings
    from service.wiring import is_extractive, rehearsal_for

    settings = load_settings(llm=llm, encoder=encoder, revise=False if no_revise else None)
    round_ = read_or_stop(source, questions)
    given = given_themes(themes, round_, source)
    if is_extractive(settings.llm):
        print("0 model calls, 0 tokens: --llm extractive uses no model. Name one to see what it would need.")
        return
    with rehearsal_for(settings, round_.language) as (tools, rehearsal), progress_bars() as bars:
        draft_round(
            round_,
            encoder=tools.encoder,
            chat=tools.chat,
            given_themes=given,
            revision=settings.revise,
            parameters=tools.parameters,
            progress=Bars(bars),
        )
        usage = tools.usage()
    found = Estimate(
        by_prompt=rehearsal.by_prompt(),
        calls=usage.calls,
        tokens=usage.tokens,
        cost=usage.cost(settings.llm_price_input, settings.llm_price_output),
        model=settings.llm,
    )
    print("\n".join(told(found)))


def told(found: Estimate) -> list[str]:
    """A line per prompt, then the sum."""
    lines = [f"{'prompt':<12} {'calls':>6} {'tokens':>9}"]
    lines += [f"{name:<12} {calls:>6} {tokens:>9,}" for name, (calls, tokens) in found.by_prompt.items()]
    cost = (
        "cost unknown: set POLYPHONIE_LLM_PRICE_INPUT and POLYPHONIE_LLM_PRICE_OUTPUT, per million tokens"
        if found.cost is None
        else f"cost {found.cost:.4f} at the prices set"
    )
    lines.append(
        f"About {found.calls:,} calls of {found.model}: {found.tokens.input:,} tokens in, "
        f"{found.tokens.output:,} out, {found.tokens.input + found.tokens.output:,} in all; {cost}."
    )
    if found.tokens.cached:
        lines.append(
            f"Not counted: {found.tokens.cached:,} tokens of replies kept from earlier runs, which are not paid again."
        )
    return lines
