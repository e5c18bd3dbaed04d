"""Sessions of browsers: a cookie in place of the key, so that no page holds a key."""

from fastapi import APIRouter, Request, Response

from service.api.callers import COOKIE, AnyKey, Gate, did
from service.api.context import Context, Service
from service.api.openapi import problems
from service.store import audit, sessions
from service.store.keys import Key

router = APIRouter(prefix="/v1", tags=["sessions"])


@router.post("/session", status_code=204, responses=problems(400))
def start_session(request: Request, response: Response, service: Service, caller: AnyKey) -> None:
    """Begin a session with the key of this request: the cookie that is set stands for it, for twelve hours."""
    set_cookie(request, response, begin(service, caller))


@router.delete("/session", status_code=204, responses=problems())
def end_session(request: Request, response: Response, service: Service, caller: AnyKey) -> None:
    """End the session of this cookie."""
    end(request, response, service, caller)


def end(request: Request, response: Response, service: Context, caller: Key) -> None:
    """End the session of the request's cookie, and take the cookie back."""
    secret = request.cookies.get(COOKIE, "")
    with service.store.write() as connection:
        sessions.end(connection, secret)
        audit.append(connection, [did(caller, "session.end", caller.id)])
    gate: Gate = request.app.state.gate
    gate.ring.forget("session", secret)
    response.delete_cookie(COOKIE, path="/")


def begin(service: Context, key: Key) -> str:
    """Begin a session: the secret for the cookie."""
    with service.store.write() as connection:
        secret = sessions.start(connection, key)
        audit.append(connection, [did(key, "session.start", key.id)])
    return secret


def set_cookie(request: Request, response: Response, secret: str) -> None:
    """No script reads it, no other site sends it, and over HTTPS it never leaves HTTPS."""
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int(sessions.LASTS.total_seconds()),
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
