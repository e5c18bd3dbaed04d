"""What every page needs: templates that escape, the reader's language, forms that no other site can send, errors as pages."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Coroutine, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from service.api.callers import COOKIE, Caller
from service.api.pages.error_terms import in_french
from service.api.pages.terms import TERMS
from service.api.problems import Refused, first_words
from service.domain.round import Language
from service.domain.wording import NBSP, categories, ideas, number, people, typeset
from service.errors import InvalidRequest, MissingScope, NoKey, PolyphonieError
from service.exports.facts import clip, short
from service.exports.html import TEMPLATES as EXPORTS
from service.exports.review_terms import told_target
from service.exports.terms import TERMS as EXPORT_TERMS

HERE = Path(__file__).parent
LANGUAGE_COOKIE = "polyphonie_language"
FORM_COOKIE = "polyphonie_form"
"""Stands behind the token of forms where there is no session: signing in, and a service that is still open."""

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin"}
"""The referrer stays inside: with none at all, a browser would send forms with the origin `null`, as another site's."""

YEAR = 365 * 24 * 3600


class PageRoute(APIRoute):
    """A route whose errors are pages: who is not signed in is asked to, everything else is told in words."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handler(request)
            except Refused as refused:
                return _error(request, refused.error, refused.headers)
            except PolyphonieError as error:
                return _error(request, error, {})
            except RequestValidationError:
                return _error(request, InvalidRequest(), {})

        return handled


def _error(request: Request, error: PolyphonieError, headers: Mapping[str, str]) -> Response:
    if isinstance(error, NoKey):
        wanted = request.url.path if request.method == "GET" else "/"
        return RedirectResponse(f"/sign-in?{urlencode({'next': wanted})}", 303)
    kept = {k: v for k, v in headers.items() if k == "Retry-After"}
    said = str(error) or first_words(error)
    # some are raised by a page in its own language; the others speak English, and stand there as a detail for who can help
    ours = language_of(request) == "en" or said in TERMS["fr"].values()
    return render(
        request,
        "error.html",
        status=error.status,
        headers=kept,
        error=error,
        said=said if ours else in_french(error),
        detail=None if ours else said,
        back=_from(request),
    )


def _from(request: Request) -> str | None:
    """The page of ours from which a form was sent."""
    came = urlsplit(request.headers.get("referer", ""))
    if request.method != "POST" or came.netloc != request.headers.get("host"):
        return None
    return inside(came.path + (f"?{came.query}" if came.query else ""))


def language_of(request: Request) -> Language:
    """As chosen on a page, else as the browser asks."""
    chosen = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
    if chosen in ("fr", "en"):
        return "fr" if chosen == "fr" else "en"
    accepted = request.headers.get("accept-language", "").lower()
    first = (
        min((accepted.find(code), code) for code in ("fr", "en") if code in accepted)
        if accepted
        else (0, "fr")
    )
    return "en" if first[1] == "en" else "fr"


def render(
    request: Request,
    template: str,
    *,
    status: int = 200,
    caller: Caller | None = None,
    headers: Mapping[str, str] | None = None,
    **values: object,
) -> HTMLResponse:
    """A page in the reader's language, with the policy that lets nothing in from elsewhere."""
    language = language_of(request)
    token, fresh = _token(request)
    page = (
        _environment(language)
        .get_template(template)
        .render(values | {"caller": caller, "csrf": token, "here": _here(request), "language": language})
    )
    response = HTMLResponse(page, status, dict(headers or {}) | HEADERS)
    if fresh:
        response.set_cookie(FORM_COOKIE, fresh, httponly=True, samesite="strict", secure=_secure(request))
    if request.query_params.get("lang") in ("fr", "en"):
        response.set_cookie(
            LANGUAGE_COOKIE, language, max_age=YEAR, httponly=True, samesite="strict", secure=_secure(request)
        )
    return response


def compile_templates() -> None:
    """Have every page ready in both languages: the first reader shall not wait for it (0.3 s)."""
    for language in TERMS:
        environment = _environment(language)
        for name in environment.list_templates():
            environment.get_template(name)


def check_form(request: Request, token: object) -> None:
    """Raises MissingScope where the form is not one of ours."""
    secret = _secret(request)
    sent = token if isinstance(token, str) else ""
    if secret is None or not hmac.compare_digest(_signed(secret).encode(), sent.encode("utf-8", "replace")):
        raise MissingScope(TERMS[language_of(request)]["old_form"])


def inside(address: object, otherwise: str = "/") -> str:
    """An address of this service to go on to; nothing that leads elsewhere."""
    path = address if isinstance(address, str) else ""
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if plain else otherwise


def with_values(address: str, **values: object) -> str:
    """The address with these values in its query, in place of those of the same name; None takes one out."""
    path, _, rest = address.partition("#")
    path, _, query = path.partition("?")
    names = {quote(name) for name in values}
    kept = [part for part in query.split("&") if part and part.split("=")[0] not in names]
    kept += [urlencode({name: str(value)}) for name, value in values.items() if value is not None]
    return path + ("?" + "&".join(kept) if kept else "") + (f"#{rest}" if rest else "")


@cache
def static_file(name: str) -> tuple[bytes, str]:
    """A file that pages load, and the hash that is in its address."""
    data = ((EXPORTS if name == "map.js" else HERE / "static") / name).read_bytes()
    return data, hashlib.sha256(data).hexdigest()[:12]


def _here(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _secret(request: Request) -> str | None:
    return request.cookies.get(COOKIE) or request.cookies.get(FORM_COOKIE)


def _token(request: Request) -> tuple[str, str | None]:
    """The token for forms, and the secret of a new cookie where there was none."""
    secret = _secret(request)
    fresh = None if secret else secrets.token_urlsafe(32)
    return _signed(secret or fresh or ""), fresh


def _signed(secret: str) -> str:
    return hmac.new(secret.encode(), b"polyphonie form", hashlib.sha256).hexdigest()


def _secure(request: Request) -> bool:
    return request.url.scheme == "https"


@cache
def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def who(n: int | None, by_category: Mapping[str, int], unit: Any) -> str:
        if n is None:
            return ""
        more = categories(by_category, language)
        return people(n, unit, language) + (f", {more}" if more else "")

    def moment(at: str | None) -> Markup:
        """A time as UTC; the script of the pages says it in the reader's own zone."""
        if not at:
            return Markup("")
        year, month, day = at[:10].split("-")
        written = f"{day}/{month}/{year} à" if language == "fr" else f"{year}-{month}-{day}"
        return Markup('<time datetime="{}Z">{} UTC</time>').format(at[:19], f"{written} {at[11:16]}")

    environment.filters["typeset"] = typeset
    environment.globals |= {
        "t": TERMS[language],
        "x": {key: typeset(text, language) for key, text in EXPORT_TERMS[language].items()},
        "who": who,
        "num": lambda n: number(n, language),
        # French counts none in the singular too
        "several": lambda n, one, many: (
            f"{number(n, language)} {one if n == 1 or (n == 0 and language == 'fr') else many}"
        ),
        "ideas": lambda n: ideas(n, language),
        "moment": moment,
        "colon": f"{NBSP}:" if language == "fr" else ":",
        "with_values": with_values,
        "short": short,
        "told_target": told_target,
        "clip": clip,
        "static": lambda name: f"/static/{name}?v={static_file(name)[1]}",
    }
    return environment
