"""Statements that every read asks for, made ready once."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Select
from sqlalchemy.dialects import sqlite

DIALECT = sqlite.dialect(paramstyle="qmark")


class Prepared:
    """A SELECT with named `bindparam`s. SQLite's driver is given its text: SQLAlchemy's way there takes five times as long as
    the answer."""

    def __init__(self, statement: Select[Any]) -> None:
        self._statement = statement
        compiled = statement.compile(dialect=DIALECT)
        self._text = str(compiled)
        self._order = tuple(compiled.positiontup or ())
        self._own = {name: value for name, value in compiled.params.items() if value is not None}
        """Values of the parameters that the statement has itself, an offset of 0 say."""
        columns = [(str(c.key), c.type.result_processor(DIALECT, None)) for c in statement.selected_columns]
        self._names = tuple(name for name, _ in columns)
        self._read = tuple((name, read) for name, read in columns if read is not None)

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """By name of the column. values: of all parameters. Raises what SQLAlchemy raises."""
        driver = connection.connection.driver_connection
        if isinstance(driver, sqlite3.Connection):
            try:
                given = self._own | {**values}
                found = driver.execute(self._text, [given[name] for name in self._order]).fetchall()
            except sqlite3.Error:
                pass  # SQLAlchemy asks again, and says what is wrong in its own words
            else:
                return [self._row(row) for row in found]
        return [{**row} for row in connection.execute(self._statement, dict(values)).mappings()]

    def row(self, connection: Connection, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """The only one; None where there is none."""
        found = self.rows(connection, values)
        return found[0] if found else None

    def _row(self, row: tuple[Any, ...]) -> dict[str, Any]:
        made = dict(zip(self._names, row, strict=True))
        for name, read in self._read:
            made[name] = read(made[name])
        return made
