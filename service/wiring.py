"""The only place where a setting becomes an object. Heavy libraries are imported inside the functions:
`polyphonie --help` and `polyphonie check` must not wait for torch or LangChain."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from service.domain.round import Language
from service.errors import BadSetting, MissingPackage
from service.settings import Settings

if TYPE_CHECKING:
    from embeddings.encoder import Encoder
    from service.llm.chat import ChatModel
    from service.llm.wrap import Metered, Usage
    from service.store import Store


LOCAL_TIMEOUT = 600.0
"""Seconds for one call of the packaged model."""

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
def tools_for(settings: Settings, language: Language) -> Iterator[Tools]:
    """Encoder and chat model of the settings; a local model's server runs as long as the context.

    Raises BadSetting and MissingPackage.
    """
    from dataclasses import asdict

    from embeddings.grouping import Recipe

    cache = settings.cache_dir.expanduser()
    with ExitStack() as stack:
        meter = _chat(settings, cache, stack)
        masking = meter is not None and masks(settings)
        yield Tools(
            encoder=_encoder(settings.encoder, language, cache),
            chat=_masked(meter) if meter is not None and masking else meter,
            meter=meter,
            parameters={f"recipe.{name}": value for name, value in asdict(Recipe()).items()}
            | ({} if meter is None else {"masking": masking}),
        )


def store_for(settings: Settings) -> "Store":
    """The database of the settings, brought to this version's shape. Raises BadSetting and StoreUnavailable."""
    from service.store import Store

    given = settings.database_url
    file = settings.data_dir.expanduser().resolve() / "polyphonie.sqlite"
    store = Store(given.get_secret_value() if given else f"sqlite:///{file}")
    store.migrate()
    return store


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
    from service.llm.masking.detector import Detector
    from service.llm.masking.masked import Masked

    return Masked(chat, Detector())


def _encoder(spec: str, language: Language, cache: Path) -> "Encoder":
    from embeddings.cache import CachedEncoder
    from embeddings.encoder import load_encoder

    try:
        return CachedEncoder(load_encoder(spec, language), cache / "vectors.sqlite")
    except ImportError as error:
        raise MissingPackage(f"encoder {spec}: {error}. Run `make install`.") from error
    except ValueError as error:
        raise BadSetting(str(error)) from error


def _chat(settings: Settings, cache: Path, stack: ExitStack) -> "Metered | None":
    match settings.llm:
        case "extractive":
            return None
        case "local" | "local:1.5b" as spec:
            from service.llm.local import serve

            url = stack.enter_context(serve(spec, cache / "models"))
            return _layers("openai:local", settings, cache, base_url=url, api_key="local", name=spec)
        case spec if ":" in spec:
            key = settings.llm_api_key.get_secret_value() if settings.llm_api_key else None
            return _layers(spec, settings, cache, base_url=settings.llm_base_url, api_key=key, name=spec)
        case other:
            raise BadSetting(
                f"--llm {other}: not a model. Accepted: extractive, local, provider:model, "
                "or openai:MODEL with POLYPHONIE_LLM_BASE_URL."
            )


def _layers(
    spec: str, settings: Settings, cache: Path, *, base_url: str | None, api_key: str | None, name: str
) -> "Metered":
    from service.llm.langchain import LangChainChat
    from service.llm.wrap import Cached, Metered, Patient

    local = name.startswith("local")
    # the packaged server has two places and writes a synthesis in minutes: nobody shall wait for one and time out
    timeout = max(settings.llm_timeout, LOCAL_TIMEOUT) if local else settings.llm_timeout
    chat = LangChainChat(spec, base_url=base_url, api_key=api_key, timeout=timeout, name=name)
    patient = Patient(chat, at_once=LOCAL_PLACES if local else settings.llm_workers)
    # the address is part of what decides a reply: two servers may call different models by one name
    where = "local" if local else str(base_url)
    kept = Cached(patient, cache / "replies.sqlite", parameters=f"temperature=0 at {where}")
    return Metered(kept, settings.budget)
