"""The HTTP API: one file per noun, each with its router; `create_app` puts them together."""

from service.api.app import create_app

__all__ = ["create_app"]
