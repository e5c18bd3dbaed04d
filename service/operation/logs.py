"""Structured logs: one JSON object a line on standard error, or readable lines on a terminal.

No secret and nothing that people wrote may reach them: events are named by us and carry ids, counts and classes of errors; of
an exception the classes and the places in the code are told, never its text, which may quote an answer or an address.
"""

import logging
import sys
import traceback
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

HIDDEN = ("key", "token", "secret", "password", "authorization")
"""In a field's name: its value is a secret."""

QUIET = ("httpx", "httpx2", "httpcore", "openai", "sqlalchemy", "alembic", "urllib3", "uvicorn.access")
"""Loggers of others that tell each request or statement."""


def configure(*, level: str = "INFO", stream: TextIO = sys.stderr) -> None:
    """Send every log of this process, ours and others', through one pipe to one stream."""
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _safe_exception,
        _hide,
    ]
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    last: Processor = (
        structlog.dev.ConsoleRenderer(colors=False)
        if stream.isatty()
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("dbos", "uvicorn", "uvicorn.error"):
        adopt(name)


def adopt(name: str) -> None:
    """Take a library's logger away from the handlers it made for itself."""
    logger = logging.getLogger(name)
    logger.handlers.clear()
    logger.propagate = True


def _safe_exception(_logger: object, _method: str, event: EventDict) -> EventDict:
    info = event.pop("exc_info", None)
    if not info:
        return event
    error = info if isinstance(info, BaseException) else (sys.exc_info() if info is True else info)[1]
    if error is not None:
        event["error"] = [type(e).__name__ for e in _chain(error)]
        event["at"] = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(error.__traceback__)]
    return event


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _hide(_logger: object, _method: str, event: EventDict) -> EventDict:
    hidden: dict[str, Any] = {
        name: "***" for name in event if any(mark in name.casefold() for mark in HIDDEN)
    }
    event.update(hidden)
    return event
