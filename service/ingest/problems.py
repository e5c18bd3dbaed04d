"""What can be wrong with an input: where it is and what to do about it."""

from dataclasses import dataclass
from typing import Literal

from service.domain.round import Round


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Bounds on what is read. Beyond one of them nothing is read and nothing is cut."""

    file_bytes: int = 1_000_000_000
    line_bytes: int = 20_000_000
    cell_chars: int = 50_000
    columns: int = 2_000
    rows: int = 5_000_000
    unpacked_bytes: int = 2_000_000_000
    unpacked_ratio: int = 200
    """Most times that a packed file may grow when it is unpacked, looked at from 10 MB on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    severity: Literal["error", "warning"]
    file: str
    row: int | None = None
    """1-based, header included."""
    column: str | None = None
    message: str
    remedy: str

    def __str__(self) -> str:
        where = self.file
        where += f", row {self.row}" if self.row is not None else ""
        where += f", column {self.column}" if self.column is not None else ""
        return f"{self.severity}: {where}: {self.message} → {self.remedy}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    round: Round | None
    """None exactly where there is an error among the problems."""
    problems: tuple[Problem, ...]


class Unreadable(Exception):
    """Stops reading a file; carries the problem. Never leaves this package."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class Log:
    """Collects the problems of one input; the same message is told a few times, then counted."""

    MOST_ALIKE = 5

    def __init__(self, file: str) -> None:
        self.file = file
        self._problems: list[Problem] = []
        self._alike: dict[str, int] = {}

    def add(
        self,
        severity: Literal["error", "warning"],
        message: str,
        remedy: str,
        *,
        row: int | None = None,
        column: str | None = None,
        kind: str | None = None,
    ) -> None:
        key = kind or message
        self._alike[key] = self._alike.get(key, 0) + 1
        if self._alike[key] <= self.MOST_ALIKE:
            self._problems.append(
                Problem(
                    severity=severity, file=self.file, row=row, column=column, message=message, remedy=remedy
                )
            )

    def stop(
        self, message: str, remedy: str, *, row: int | None = None, column: str | None = None
    ) -> Unreadable:
        return Unreadable(
            Problem(severity="error", file=self.file, row=row, column=column, message=message, remedy=remedy)
        )

    @property
    def problems(self) -> tuple[Problem, ...]:
        rest = [
            Problem(
                severity="warning",
                file=self.file,
                message=f"{count - self.MOST_ALIKE} more like: {kind}",
                remedy="see above",
            )
            for kind, count in self._alike.items()
            if count > self.MOST_ALIKE
        ]
        return (*self._problems, *rest)

    @property
    def has_errors(self) -> bool:
        return any(p.severity == "error" for p in self._problems)
