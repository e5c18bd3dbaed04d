"""Around every response: security headers; around every request: a limit on its bytes, counted while they arrive."""

import logging
import traceback

from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import problem
from service.errors import Defect, TooLarge
from service.operation import traces

LOG = logging.getLogger("polyphonie.api")

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""Where a response has one of these already (a page its own policy), that one stays."""

METHODS = {"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"}
"""Those that spans tell by name."""

TRACE_HEADERS = {b"traceparent", b"tracestate"}
"""Of the trace that a request belongs to."""

RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
"""As ASGI has them."""


class Guard:
    """ASGI middleware around the whole app, without a copy of request or response."""

    def __init__(self, app: ASGIApp, *, most_bytes: int) -> None:
        self._app = app
        self._most = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = False
        arrived = 0

        async def guarded_send(message: Message) -> None:
            nonlocal began
            if arrived > self._most and not began:
                return  # what the app says of a request that was cut short
            if message["type"] == "http.response.start":
                began = True
                given = message.get("headers", ())
                there = {name for name, _ in given}
                message["headers"] = [*given, *(h for h in RAW_HEADERS if h[0] not in there)]
            await send(message)

        async def counted_receive() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > self._most:
                raise TooLarge
            return message

        try:
            arrived = _announced(scope) if _announced(scope) > self._most else 0
            if not arrived:
                await self._app(scope, counted_receive, guarded_send)
        except Exception as error:
            if began:
                raise
            if arrived <= self._most:
                await unforeseen(scope, error)(scope, receive, guarded_send)
        if arrived > self._most and not began:
            arrived = 0
            told = TooLarge(f"more than {self._most:,} bytes. Split it, or raise POLYPHONIE_UPLOAD_LIMIT.")
            # the rest is not read: the connection can't be used again
            await problem(told, headers={"Connection": "close"})(scope, receive, guarded_send)


class Traced:
    """ASGI middleware: a span for each request, with its route, never its address or query. Only where spans are kept."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        carrier = {n.decode(): v.decode("latin-1") for n, v in scope["headers"] if n in TRACE_HEADERS}
        method = scope["method"] if scope["method"] in METHODS else "_OTHER"
        with traces.span("request", carrier, **{"http.request.method": method}) as span:

            async def told(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    span.set_attribute("http.route", getattr(scope.get("route"), "path_format", ""))
                await send(message)

            await self._app(scope, receive, told)


def unforeseen(scope: Scope, error: Exception) -> JSONResponse:
    """What is said of an error that nobody foresaw: nothing of it. Type and place go to the log."""
    # not its text, nor that of its causes: they may hold what people wrote
    place = "".join(traceback.format_tb(error.__traceback__))
    LOG.error("%s %s: %s\n%s", scope["method"], scope["path"], type(error).__name__, place)
    return problem(Defect())


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
