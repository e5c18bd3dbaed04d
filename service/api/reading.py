"""Routes of reads: what FastAPI works out for every request is worked out once, when the route is made.

A read costs less than FastAPI's way to it. Nothing is declared differently: the same endpoint, the same OpenAPI document; and a
request with anything amiss is left to FastAPI, which says what.
"""

from collections.abc import Callable, Mapping
from inspect import iscoroutinefunction
from typing import Any

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send


class ReadRoute(APIRoute):
    """The `route_class` of a router: its GET endpoints that are coroutines go the short way.

    Such an endpoint gives a Response, and each of its dependencies is a coroutine that takes the request alone.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        if self.methods == {"GET"} and iscoroutinefunction(endpoint):
            self._usual = self.app
            self._parameters = _Parameters(self.dependant)
            self.app = self._read

    async def _read(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        values = self._parameters.of(request)
        if values is None:
            await self._usual(scope, receive, send)
            return
        for dependency in self.dependant.dependencies:
            assert dependency.name
            assert dependency.call
            values[dependency.name] = await dependency.call(request)
        response = await self.endpoint(**values)
        await response(scope, receive, send)


class _Parameters:
    """What an endpoint takes from path, query and headers."""

    def __init__(self, declared: Dependant) -> None:
        self._request = declared.request_param_name
        sources = {
            "path_params": declared.path_params,
            "query_params": declared.query_params,
            "headers": declared.header_params,
        }
        self._sources = [(name, fields) for name, fields in sources.items() if fields]

    def of(self, request: Request) -> dict[str, Any] | None:
        """Values by name; None where one is missing or not valid."""
        values: dict[str, Any] = {} if self._request is None else {self._request: request}
        for source, fields in self._sources:
            given: Mapping[str, Any] = getattr(request, source)
            for field in fields:
                value = given.get(field.alias)
                if value is None and field.field_info.is_required():
                    return None
                if value is None:
                    values[field.name] = field.get_default()
                    continue
                values[field.name], errors = field.validate(value, values, loc=())
                if errors:
                    return None
        return values
