"""The only place where a setting becomes an object. Heavy libraries are imported inside the functions:
`polyphonie --help` and `polyphonie check` must not wait for torch or LangChain."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from service.domain.round import Language
from service.errors import BadSetting, MissingPackage
from service.settings import Settings

if TYPE_CHECKING:
    from embeddings.encoder import Encoder
    from service.domain.draft import Draft
    from service.llm.chat import ChatModel
    from service.llm.masking.detector import Detector
    from service.llm.rehearsal import Rehearsal
    from service.llm.wrap import Metered, Patient, Usage
    from service.store import Store


LOCAL = ("local", "local:1.5b")
"""Specs of the packaged model."""

LOCAL_TIMEOUT = 600.0
"""Seconds for one call of the packaged model."""

MASKING_NEEDS = ("presidio_analyzer", "spacy", "fr_core_news_md")
"""Packages without which names of persons are not found."""

LOCAL_PLACES = 2
"""Requests that its server works on together."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tools:
    """What a run works with."""

    encoder: "Encoder"
    chat: "ChatModel | None"
    """None: the extractive drafter."""
    meter: "Metered | None"
    parameters: Mapping[str, str | int | float | bool | None]
    """What decides the result beside encoder and model; part of the provenance and of the draft's id."""

    def usage(self) -> "Usage":
        """Calls, tokens and prompts so far."""
        from service.llm.wrap import Usage

        return self.meter.usage() if self.meter else Usage()

    def made_by(self, prompt: str, origin: str) -> dict[str, str | None]:
        """Model and prompt behind a text, for the one-part commands."""
        if self.chat is None or self.meter is None or origin == "extractive":
            return {"model": "extractive", "prompt": None}
        refs = [p for p in self.meter.usage().prompts if p.name == prompt]
        return {
            "model": self.chat.name,
            "prompt": f"{prompt}.v{refs[0].version}@{refs[0].sha256[:12]}" if refs else None,
        }


@contextmanager
def tools_for(settings: Settings, language: Language, kept: Path | None = None) -> Iterator[Tools]:
    """Encoder and chat model of the settings; a local model's server runs as long as the context.

    kept: the folder of vectors and replies; none: the settings' cache. Raises BadSetting and MissingPackage.
    """
    from service.llm.wrap import Cached, Metered

    cache = settings.cache_dir.expanduser()
    kept = kept or cache
    with ExitStack() as stack:
        model = model_for(settings, cache, stack)
        meter = None
        if model is not None:
            replies = Cached(model, kept / "replies.sqlite", parameters=reply_parameters(settings))
            meter = Metered(replies, settings.budget)
        yield tools_of(settings, encoder_for(settings, language, kept / "vectors.sqlite"), meter)


@contextmanager
def rehearsal_for(settings: Settings, language: Language) -> "Iterator[tuple[Tools, Rehearsal]]":
    """The same without a model: a rehearsal stands in for it and knows the replies that are in the settings' cache.

    Raises BadSetting and MissingPackage.
    """
    from service.llm.rehearsal import Rehearsal
    from service.llm.wrap import Cached, Metered

    cache = settings.cache_dir.expanduser()
    kept = Cached(Rehearsal(settings.llm), cache / "replies.sqlite", parameters=reply_parameters(settings))
    rehearsal = Rehearsal(settings.llm, kept)
    yield (
        tools_of(settings, encoder_for(settings, language, cache / "vectors.sqlite"), Metered(rehearsal)),
        rehearsal,
    )


def tools_of(settings: Settings, encoder: "Encoder", meter: "Metered | None") -> Tools:
    """What a run works with, from parts that are there."""
    from dataclasses import asdict

    from embeddings.grouping import Recipe

    masking = meter is not None and masks(settings)
    return Tools(
        encoder=encoder,
        chat=_masked(meter) if meter is not None and masking else meter,
        meter=meter,
        parameters={f"recipe.{name}": value for name, value in asdict(Recipe()).items()}
        | ({} if meter is None else {"masking": masking, "revise": settings.revise}),
    )


def signed(made: "Draft", usage: "Usage", settings: Settings, seconds: float) -> "Draft":
    """The draft with when, and with what prompts, tokens, cost and time it was made."""
    return replace(
        made,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        provenance=replace(
            made.provenance,
            prompts=usage.prompts,
            tokens=usage.tokens,
            calls=usage.calls,
            cost=usage.cost(settings.llm_price_input, settings.llm_price_output),
            seconds=round(seconds, 1),
        ),
    )


def store_for(settings: Settings) -> "Store":
    """The database of the settings, brought to this version's shape. Raises BadSetting and StoreUnavailable."""
    from service.store import Store

    given = settings.database_url
    file = settings.data_dir.expanduser().resolve() / "polyphonie.sqlite"
    store = Store(given.get_secret_value() if given else f"sqlite:///{file}")
    store.migrate()
    return store


def folder_of(settings: Settings, round_id: str) -> Path:
    """Where vectors and replies of a round are kept, so that they go with it."""
    return settings.cache_dir.expanduser() / "rounds" / round_id


def masks(settings: Settings) -> bool:
    """Whether personal data is masked: as the setting says; by default unless the model runs on this machine."""
    from service.llm.masking.masked import is_loopback

    match settings.mask:
        case "always":
            return True
        case "never":
            return False
        case "auto":
            return not (settings.llm.split(":")[0] == "local" or is_loopback(settings.llm_base_url))


def _masked(chat: "ChatModel") -> "ChatModel":
    """Raises MissingPackage: better no draft than one for which names went out."""
    missing = [package for package in MASKING_NEEDS if find_spec(package) is None]
    if missing:
        raise MissingPackage(
            f"personal data is masked before it goes to this model, and {', '.join(missing)} is not installed. "
            "Run `make install`, or set POLYPHONIE_MASK=never if the answers hold nothing personal."
        )
    from service.llm.masking.masked import Masked

    return Masked(chat, _detector())


@cache
def _detector() -> "Detector":
    """One for the process, whatever the number of drafts."""
    from service.llm.masking.detector import Detector

    return Detector()


def encoder_for(settings: Settings, language: Language, vectors: Path) -> "Encoder":
    """The encoder of the settings, its vectors kept in a file. Raises BadSetting and MissingPackage."""
    from embeddings.cache import CachedEncoder

    return CachedEncoder(load_encoder_for(settings.encoder, language), vectors)


def load_encoder_for(spec: str, language: Language) -> "Encoder":
    """The encoder without a cache: takes a second or two. Raises BadSetting and MissingPackage."""
    from embeddings.encoder import load_encoder

    try:
        return load_encoder(spec, language)
    except ImportError as error:
        raise MissingPackage(f"encoder {spec}: {error}. Run `make install`.") from error
    except ValueError as error:
        raise BadSetting(str(error)) from error


def is_extractive(llm: str) -> bool:
    """Whether a model's spec says that there is none. Raises BadSetting for what is no spec."""
    if llm == "extractive":
        return True
    if llm in LOCAL or ":" in llm:
        return False
    raise BadSetting(
        f"--llm {llm}: not a model. Accepted: extractive, local, provider:model, "
        "or openai:MODEL with POLYPHONIE_LLM_BASE_URL."
    )


def reply_parameters(settings: Settings) -> str:
    """What decides a reply beside the model's name: two servers may call different models by one name."""
    return f"temperature=0 at {'local' if settings.llm in LOCAL else settings.llm_base_url}"


def model_for(settings: Settings, cache: Path, stack: ExitStack) -> "Patient | None":
    """The chat model of the settings, with its retries; None: extractive. Raises BadSetting."""
    from service.llm.langchain import LangChainChat
    from service.llm.wrap import Patient

    if is_extractive(settings.llm):
        return None
    if settings.llm in LOCAL:
        from service.llm.local import serve

        url = stack.enter_context(serve(settings.llm, cache / "models"))
        # the packaged server has two places and writes a synthesis in minutes: nobody shall wait for one and time out
        timeout = max(settings.llm_timeout, LOCAL_TIMEOUT)
        chat = LangChainChat(
            "openai:local", base_url=url, api_key="local", timeout=timeout, name=settings.llm
        )
        return Patient(chat, at_once=LOCAL_PLACES)
    chat = LangChainChat(
        settings.llm,
        base_url=settings.llm_base_url,
        api_key=settings.llm_api_key.get_secret_value() if settings.llm_api_key else None,
        timeout=settings.llm_timeout,
        name=settings.llm,
    )
    return Patient(chat, at_once=settings.llm_workers)
