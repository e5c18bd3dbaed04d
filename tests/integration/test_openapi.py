"""The OpenAPI document tells the truth: schemathesis asks every address, and nothing answers otherwise than it says."""

from pathlib import Path

import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from service.api import create_app
from service.domain.jobs import HeldJobs
from service.settings import Settings
from service.store import Store, keys, workers

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def test_every_address_says_which_key_it_needs(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/polyphonie.sqlite")
    document = create_app(Settings(), store=store, jobs=HeldJobs()).openapi()
    store.close()
    operations = {
        (method, address): operation
        for address, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    open_ = {where for where, operation in operations.items() if "security" not in operation}
    assert open_ == {("get", "/livez"), ("get", "/readyz"), ("get", "/metrics")}
    for where, operation in operations.items():
        assert where in open_ or "Scope: `" in operation["description"], where


def test_every_answer_is_documented(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/polyphonie.sqlite")
    store.migrate()
    with store.write() as connection:
        _, secret = keys.create(connection, "k", team="a", scopes=keys.SCOPES)
        workers.add(connection, "w")  # a service that is ready
    app = create_app(Settings(rate_limit=0), store=store, jobs=HeldJobs())
    document = schemathesis.openapi.from_asgi("/openapi.json", app)
    asked = 0
    for found in document.get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy())
        @settings(max_examples=10, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
        def ask(case) -> None:
            case.call_and_validate(headers={"Authorization": f"Bearer {secret}"}, checks=CHECKS)

        ask()
        asked += 1
    store.close()
    assert asked == sum(len(methods) for methods in app.openapi()["paths"].values())
