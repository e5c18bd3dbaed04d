"""Answers of a round: written and read in batches, so that 250,000 of them are never several copies in memory."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, bindparam, case, func, insert, select

from service.domain.round import Answer
from service.errors import BadInput
from service.store.pages import NO_CURSOR, Page, decode, encode
from service.store.prepared import Prepared
from service.store.tables import ANSWERS

BATCH = 2_000
"""Rows of one insert or fetch."""

FIELDS = ("id", "question_id", "text", "respondent_id", "category", "row")

_PAGE = (
    select(*(ANSWERS.c[f] for f in FIELDS), ANSWERS.c.position)
    .where(ANSWERS.c.round_id == bindparam("round_id"), ANSWERS.c.position > bindparam("behind"))
    .order_by(ANSWERS.c.position)
    .limit(bindparam("most"))
)
OF_ROUND = Prepared(_PAGE)
OF_QUESTION = Prepared(_PAGE.where(ANSWERS.c.question_id == bindparam("question_id")))


def add(connection: Connection, round_id: str, answers: Sequence[Answer]) -> None:
    """Keep answers in their order."""
    for first in range(0, len(answers), BATCH):
        rows = [
            {"round_id": round_id, "position": position, **{f: getattr(answer, f) for f in FIELDS}}
            for position, answer in enumerate(answers[first : first + BATCH], start=first)
        ]
        connection.execute(insert(ANSWERS), rows)


def of_round(connection: Connection, round_id: str) -> Iterator[Answer]:
    """All answers of a round in their order, fetched in batches while they are taken."""
    query = select(*(ANSWERS.c[f] for f in FIELDS)).where(ANSWERS.c.round_id == round_id)
    streamed = connection.execution_options(yield_per=BATCH).execute(query.order_by(ANSWERS.c.position))
    for row in streamed:
        yield Answer(**row._mapping)


def counts(connection: Connection, round_id: str) -> dict[str, tuple[int, int]]:
    """By question: answers, and how many of them are blank."""
    blank = func.sum(case((func.trim(ANSWERS.c.text) == "", 1), else_=0))
    query = (
        select(ANSWERS.c.question_id, func.count(), blank)
        .where(ANSWERS.c.round_id == round_id)
        .group_by(ANSWERS.c.question_id)
    )
    return {question_id: (int(n), int(empty)) for question_id, n, empty in connection.execute(query)}


def page(
    connection: Connection, round_id: str, *, question_id: str | None, cursor: str | None, limit: int
) -> Page[Answer]:
    """Answers in the order of the round, of one question or of all. Raises BadInput for a cursor that is none."""
    behind = -1 if cursor is None else _position(cursor)
    asked = {"round_id": round_id, "question_id": question_id, "behind": behind, "most": limit + 1}
    rows = (OF_ROUND if question_id is None else OF_QUESTION).rows(connection, asked)
    positions = [row.pop("position") for row in rows]
    return Page(
        items=tuple(Answer(**row) for row in rows[:limit]),
        cursor=encode(str(positions[limit - 1])) if len(rows) > limit else None,
    )


def _position(cursor: str) -> int:
    (found,) = decode(cursor, 1)
    if not (found.isascii() and found.isdigit() and len(found) < 10):
        raise BadInput(NO_CURSOR)
    return int(found)
