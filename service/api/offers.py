"""Models and encoders that a request may ask for: never a path on this machine, nor a provider that nobody set up."""

from service.api.problems import Refused, Trouble
from service.errors import InvalidRequest
from service.settings import Settings

ENCODERS = ("local", "use", "e5", "minilm", "minilm+use")


def models(settings: Settings) -> tuple[str, ...]:
    """What `llm` may be. `openai:*` where a model server is set: any model that it serves."""
    served = ("openai:*",) if settings.llm_base_url else ()
    return tuple(dict.fromkeys(("extractive", settings.llm, *settings.models_offered, *served)))


def encoders(settings: Settings) -> tuple[str, ...]:
    """What `encoder` may be."""
    return tuple(dict.fromkeys((*ENCODERS, settings.encoder)))


def check_offer(settings: Settings, *, llm: str | None, encoder: str | None) -> None:
    """Raises Refused where a request asks for what is not offered."""
    offered = models(settings)
    found = []
    if llm is not None and llm not in offered and not ("openai:*" in offered and llm.startswith("openai:")):
        remedy = f"offered: {', '.join(offered)}; POLYPHONIE_MODELS_OFFERED adds others"
        found.append(Trouble(field="body.llm", message=f"{llm} is not offered here", remedy=remedy))
    if encoder is not None and encoder not in encoders(settings):
        remedy = f"offered: {', '.join(encoders(settings))}"
        found.append(Trouble(field="body.encoder", message=f"{encoder} is not offered here", remedy=remedy))
    if found:
        raise Refused(InvalidRequest("; ".join(f"{t.message} → {t.remedy}" for t in found)), problems=found)
