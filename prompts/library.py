"""Reads prompt files. A file `<language>/<name>.v<N>.md` has TOML front matter between `+++` lines, then `## system` and `## user`.

Variables stand in braces, as in LangChain's f-string templates. A released file is frozen: `lock.toml` holds its hash, and an
edit is refused. `live.toml` says which version is used.
"""

import hashlib
import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
LANGUAGES = ("fr", "en")
FILE = re.compile(r"^(?P<name>[a-z_]+)\.v(?P<version>\d+)\.md$")
PARTS = re.compile(
    r"^\+\+\+\n(?P<front>.*?)\n\+\+\+\n+## system\n(?P<system>.*?)\n## user\n(?P<user>.*)$", re.DOTALL
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    name: str
    version: int
    language: str
    purpose: str
    variables: tuple[str, ...]
    """Names in braces in system and user text; each must be given a value."""
    reply: str
    """Name of the reply schema, a class of `service.llm.replies`."""
    max_tokens: int
    """Upper bound on the tokens of a reply."""
    system: str
    user: str
    sha256: str
    """Of the whole file."""


_on_trial: dict[tuple[str, str], Prompt] = {}


def load(name: str, language: str, version: int | None = None) -> Prompt:
    """One prompt, the live version unless told. Raises ValueError that names what is wrong."""
    trial = _on_trial.get((name, language)) if version is None else None
    return trial or _stored(name, language, version)


@contextmanager
def on_trial(prompt: Prompt) -> Iterator[None]:
    """As long as the context, in every thread, that prompt stands in for the live one of its name and language."""
    _on_trial[prompt.name, prompt.language] = prompt
    try:
        yield
    finally:
        del _on_trial[prompt.name, prompt.language]


@cache
def _stored(name: str, language: str, version: int | None) -> Prompt:
    if version is None:
        live = tomllib.loads((HERE / "live.toml").read_text(encoding="utf-8"))
        version = live.get(language, {}).get(name)
        if version is None:
            raise ValueError(f"no live prompt {name} in {language}: see prompts/live.toml")
    path = HERE / language / f"{name}.v{version}.md"
    if not path.is_file():
        raise ValueError(
            f"no prompt {name} v{version} in {language}: `polyphonie prompts list` shows what there is"
        )
    return read(path)


def is_live(prompt: Prompt) -> bool:
    """Whether that version is the one in use; a prompt that live.toml no longer names is kept for the drafts that name it."""
    live = tomllib.loads((HERE / "live.toml").read_text(encoding="utf-8"))
    return bool(live[prompt.language].get(prompt.name) == prompt.version)


def report(name: str) -> str:
    """The eval report that earned the live version of a prompt its place, as a file of the repository; or "none yet"."""
    live = tomllib.loads((HERE / "live.toml").read_text(encoding="utf-8"))
    return str(live["report"][name])


def listing() -> tuple[Prompt, ...]:
    """Every prompt and version, by language and name."""
    paths = (p for language in LANGUAGES for p in sorted((HERE / language).glob("*.md")))
    return tuple(read(p) for p in paths)


def verify() -> None:
    """Raises ValueError if a released prompt was edited, is missing, or is not in the lock."""
    locked: dict[str, str] = tomllib.loads((HERE / "lock.toml").read_text(encoding="utf-8"))["sha256"]
    found = {f"{p.language}/{p.name}.v{p.version}": p.sha256 for p in listing()}
    for key in sorted(locked.keys() | found.keys()):
        if key not in found:
            raise ValueError(f"prompt {key} was released and is missing: restore it, old drafts name it")
        if key not in locked:
            raise ValueError(
                f"prompt {key} is not in prompts/lock.toml: release it with `python -m prompts.release`"
            )
        if locked[key] != found[key]:
            raise ValueError(
                f"prompt {key} was edited after its release: undo, and write the next version instead"
            )


def read(path: Path) -> Prompt:
    """A prompt file `<language>/<name>.v<N>.md`, released or not. Raises ValueError that names what is wrong."""
    match = FILE.match(path.name)
    text = path.read_text(encoding="utf-8")
    parts = PARTS.match(text)
    if match is None or parts is None:
        raise ValueError(
            f"{path}: not a prompt file (front matter between +++ lines, then ## system and ## user)"
        )
    front = tomllib.loads(parts["front"])
    system, user = parts["system"].strip(), parts["user"].strip()
    used = set(re.findall(r"\{(\w+)\}", system + user))
    if used != set(front["variables"]):
        raise ValueError(f"{path}: variables {sorted(used)} are used, {sorted(front['variables'])} declared")
    return Prompt(
        name=match["name"],
        version=int(match["version"]),
        language=path.parent.name,
        purpose=front["purpose"],
        variables=tuple(front["variables"]),
        reply=front["reply"],
        max_tokens=front["max_tokens"],
        system=system,
        user=user,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
    )
