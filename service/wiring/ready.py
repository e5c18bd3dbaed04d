"""What the settings ask for and this machine does not have, told without loading it."""

from dataclasses import dataclass
from importlib.util import find_spec

import httpx

from embeddings.encoder import missing_package
from service.settings import Settings
from service.wiring import LOCAL, is_extractive

TIMEOUT = 3.0
"""Seconds for a model server to say that it is there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Missing:
    what: str
    remedy: str


def encoder_missing(settings: Settings) -> Missing | None:
    """None where the encoder's package is installed; a model of a hub is only known to be there once it is loaded."""
    package = missing_package(settings.encoder)
    if package is None:
        return None
    return Missing(what=f"package {package} is not installed", remedy="run `make install`")


def model_missing(settings: Settings) -> Missing | None:
    """None where no model is set, or where it can be reached; a provider without an address of its own is not asked."""
    if is_extractive(settings.llm):
        return None
    if settings.llm in LOCAL:
        return None if find_spec("xllamacpp") else NO_LOCAL
    return None if settings.llm_base_url is None else _server_missing(settings, settings.llm_base_url)


def evals_missing() -> Missing | None:
    """None where the evals and what they need are installed: they are no part of the service, nor of its image."""
    absent = next((name for name in ("evals", "inspect_ai") if find_spec(name) is None), None)
    if absent is None:
        return None
    return Missing(
        what=f"the evals are not here (no module {absent})",
        remedy="they come with the repository, not with the image; run the service from a clone after `make install`",
    )


def _server_missing(settings: Settings, address: str) -> Missing | None:
    key = settings.llm_api_key
    headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
    try:
        status = httpx.get(f"{address.rstrip('/')}/models", headers=headers, timeout=TIMEOUT).status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Missing(
            what=f"the model server does not answer ({type(error).__name__})",
            remedy="see that it runs, and that POLYPHONIE_LLM_BASE_URL is its address",
        )
    if status in (401, 403):
        return Missing(
            what=f"the model server refuses the key ({status})", remedy="set POLYPHONIE_LLM_API_KEY"
        )
    if status in BROKEN:
        return Missing(what=f"the model server answers {status}", remedy="look into its own log")
    return None  # many a server has no /models: any other answer shows that it is there


NO_LOCAL = Missing(
    what="package xllamacpp is not installed", remedy="run `make install`, or set another POLYPHONIE_LLM"
)
BROKEN = (500, 502, 503, 504)
