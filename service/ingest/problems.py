"""What can be wrong with an input: where it is and what to do about it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from service.domain.round import Language, Round
from service.ingest.messages import MORE, told

RATIO_FROM = 10_000_000
"""Unpacked bytes from which the ratio to the packed ones is looked at."""

Severity = Literal["error", "warning"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Bounds on what is read. Beyond one of them nothing is read and nothing is cut."""

    file_bytes: int = 1_000_000_000
    line_bytes: int = 20_000_000
    json_bytes: int = 100_000_000
    """Instead of line_bytes for JSON, which programs write on one line."""
    cell_chars: int = 50_000
    columns: int = 2_000
    rows: int = 5_000_000
    unpacked_bytes: int = 2_000_000_000
    unpacked_ratio: int = 200
    """Most times that a packed file may grow when it is unpacked; see RATIO_FROM."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    severity: Severity
    file: str
    row: int | None = None
    """1-based, header included."""
    column: str | None = None
    code: str
    """Of `messages`: what is wrong and what to do, in either language."""
    said: Mapping[str, str | int] = field(default_factory=dict)
    """What the words of the code have in their braces."""

    def told(self, language: Language) -> tuple[str, str]:
        """Message and remedy."""
        return told(self.code, self.said, language)

    @property
    def message(self) -> str:
        """In English, as the command line and the API speak."""
        return self.told("en")[0]

    @property
    def remedy(self) -> str:
        return self.told("en")[1]

    def __str__(self) -> str:
        where = self.file
        where += f", row {self.row}" if self.row is not None else ""
        where += f", column {self.column}" if self.column is not None else ""
        return " ".join(f"{self.severity}: {where}: {self.message} → {self.remedy}".split())


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    round: Round | None
    """None exactly where there is an error among the problems."""
    problems: tuple[Problem, ...]
    complete: bool = True
    """False where an error came before the end of the checks: there may be more to mend."""


class Unreadable(Exception):
    """Stops reading a file; carries the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class Log:
    """Collects the problems of one input; the same kind of problem is told a few times, then counted."""

    MOST_ALIKE = 5

    def __init__(self, file: str) -> None:
        self.file = file
        self.complete = False
        """Whether every check was made; said by who makes the last one."""
        self._problems: list[Problem] = []
        self._alike: Counter[tuple[Severity, str]] = Counter()

    def add(
        self,
        severity: Severity,
        code: str,
        *,
        row: int | None = None,
        column: str | None = None,
        file: str | None = None,
        **said: str | int,
    ) -> None:
        """Keep a problem. file: if it is not the input."""
        self._alike[severity, code] += 1
        if self._alike[severity, code] <= self.MOST_ALIKE:
            self._problems.append(
                Problem(
                    severity=severity, file=file or self.file, row=row, column=column, code=code, said=said
                )
            )

    def stop(
        self, code: str, *, row: int | None = None, column: str | None = None, **said: str | int
    ) -> Unreadable:
        """An exception that ends the reading with this problem."""
        return Unreadable(
            Problem(severity="error", file=self.file, row=row, column=column, code=code, said=said)
        )

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Those kept, then how many more there are of each kind."""
        rest = [
            Problem(
                severity=severity,
                file=self.file,
                code=MORE,
                said={"count": count - self.MOST_ALIKE, "like": code},
            )
            for (severity, code), count in self._alike.items()
            if count > self.MOST_ALIKE
        ]
        return (*self._problems, *rest)

    @property
    def has_errors(self) -> bool:
        return any(p.severity == "error" for p in self._problems)
