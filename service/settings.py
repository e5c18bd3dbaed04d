"""Settings: environment variables `POLYPHONIE_*`, or a `polyphonie.toml` in the working folder; the environment wins."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from service.errors import BadSetting


class Settings(BaseSettings):
    """Every setting with its default. Descriptions are what `polyphonie settings` prints."""

    model_config = SettingsConfigDict(
        env_prefix="POLYPHONIE_", toml_file="polyphonie.toml", extra="forbid", frozen=True
    )

    llm: str = Field("extractive", description="extractive | local | provider:model | openai:MODEL")
    llm_base_url: str | None = Field(None, description="address of an OpenAI-compatible server")
    llm_api_key: SecretStr | None = Field(None, description="key for that server or provider")
    llm_timeout: float = Field(120.0, gt=0, description="seconds before a model call is given up")
    llm_workers: int = Field(4, ge=1, le=64, description="model calls under way at once")
    llm_price_input: float | None = Field(None, ge=0, description="price of a million input tokens")
    llm_price_output: float | None = Field(None, ge=0, description="price of a million output tokens")
    mask: Literal["auto", "always", "never"] = Field(
        "auto",
        description="personal data masked before a text is sent: auto = unless the model is on this machine",
    )
    revise: bool = Field(True, description="let a chat model correct the groups that vectors made")
    encoder: str = Field(
        "local",
        description="local | use | e5 | minilm | a sentence-transformers name or path; a+b: both side by side",
    )
    budget: int | None = Field(None, ge=0, description="most tokens that a run may use")
    cache_dir: Path = Field(
        Path("~/.cache/polyphonie"), description="where vectors and model replies are kept between runs"
    )
    database_url: SecretStr | None = Field(
        None, description="postgresql://USER@HOST/NAME or sqlite:///FILE; none: a file in data_dir"
    )
    drafts_at_once: int = Field(2, ge=1, le=64, description="drafts that one worker makes at once")
    worker_lost_after: float = Field(
        30.0, gt=0, description="seconds without a sign of life after which a worker's drafts are taken over"
    )
    llm_calls_per_minute: int | None = Field(
        None, ge=1, description="most model calls that all workers together begin in a minute"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="DEBUG | INFO | WARNING | ERROR, of the service and workers"
    )
    data_dir: Path = Field(
        Path("~/.local/share/polyphonie"), description="where the service keeps rounds and drafts"
    )
    upload_limit: int = Field(200_000_000, ge=1, description="most bytes of one request to the service")
    rate_limit: int = Field(
        600,
        ge=0,
        description="uploads, drafts, exports and changes a key may ask for in a minute; 0: no limit",
    )
    read_limit: int = Field(0, ge=0, description="requests of any kind of a key in a minute; 0: no limit")
    cors_origins: tuple[str, ...] = Field(
        (), description='pages of other origins that may call the service, as ["https://a.example"]'
    )
    models_offered: tuple[str, ...] = Field(
        (), description='models that a request may ask for beside the one set, as ["openai:NAME"]'
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(**overrides: object) -> Settings:
    """The settings in force; an override of None is no override. Raises BadSetting."""
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise BadSetting(
            f"setting {name}: {first['msg']}. Set POLYPHONIE_{name.upper()} or {name} in polyphonie.toml."
        ) from error
    except SettingsError as error:
        raise BadSetting(f'{error}. A list is written as JSON: ["one", "two"].') from error
    except ValueError as error:  # a polyphonie.toml that is no TOML
        raise BadSetting(f"polyphonie.toml can't be read: {error}") from error
