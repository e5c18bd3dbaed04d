"""Unit tests: no network, no real model, no download. The switch is here."""

from collections.abc import Iterator

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture(autouse=True)
def no_real_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a unit test asked for a real encoder: use embeddings.encoder.HashEncoder")

    monkeypatch.setattr("embeddings.encoder.load_encoder", refuse)
