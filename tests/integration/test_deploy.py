"""The compose file and the Kubernetes example: what they start is started here, against a PostgreSQL of the test's own."""

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.settings import Settings
from tests.house import ROOT, database, free_port, house
from tests.postgres import binaries

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
KUBERNETES: list[dict[str, Any]] = list(yaml.safe_load_all((ROOT / "deploy/kubernetes.yaml").read_text()))
HEALTH = re.search(r"HEALTHCHECK .*?CMD (\[.*\])", (ROOT / "Dockerfile").read_text())


def containers() -> dict[str, dict[str, Any]]:
    pods = [one["spec"]["template"]["spec"] for one in KUBERNETES if one["kind"] == "Deployment"]
    return {container["name"]: container for pod in pods for container in pod["containers"]}


def test_the_compose_file_holds_a_database_a_service_and_two_workers_and_no_secret() -> None:
    services = COMPOSE["services"]
    assert set(services) == {"database", "service", "worker"}
    assert services["worker"]["deploy"]["replicas"] == 2
    assert services["service"]["ports"] == ["127.0.0.1:8000:8000"]
    assert "ports" not in services["database"]
    assert services["database"]["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")
    assert "polyphonie:${POSTGRES_PASSWORD:?" in services["worker"]["environment"]["POLYPHONIE_DATABASE_URL"]
    named = {volume.split(":")[0] for one in services.values() for volume in one["volumes"]}
    assert named == set(COMPOSE["volumes"])


def test_the_kubernetes_example_starts_the_same_and_holds_no_secret() -> None:
    assert not [one for one in KUBERNETES if one["kind"] == "Secret"]
    for name, container in containers().items():
        assert container["args"] == COMPOSE["services"][name]["command"]
        assert {"secretRef": {"name": "polyphonie"}} in container["envFrom"]
    for settings in [one["data"] for one in KUBERNETES if one["kind"] == "ConfigMap"]:
        assert {name.removeprefix("POLYPHONIE_").lower() for name in settings} <= set(Settings.model_fields)
    for one in KUBERNETES:
        if one["kind"] == "Deployment":
            labels = one["spec"]["template"]["metadata"]["labels"]
            assert labels == one["spec"]["selector"]["matchLabels"]


def test_what_they_start_runs_and_its_health_check_passes(tmp_path: Path) -> None:
    if binaries() is None:
        pytest.skip("no PostgreSQL on this machine (apt-get install postgresql-15)")
    ports = {"8000": str(free_port()), "9100": str(free_port())}

    def here(words: list[str]) -> list[str]:
        moved = [re.sub("8000|9100", lambda found: ports[found[0]], word) for word in words]
        return [word.replace("0.0.0.0", "127.0.0.1") for word in moved]

    services = COMPOSE["services"]
    commands = [here(services["service"]["command"]) + ["--port", ports["8000"]]]
    commands.append(here(services["worker"]["command"]))
    assert HEALTH is not None
    checks = [yaml.safe_load(HEALTH[1]), services["worker"]["healthcheck"]["test"][1:]]
    with (
        database("postgresql", tmp_path) as url,
        house(url, tmp_path, commands=commands, delay=0.0, lost_after=30.0, warm=True) as at,
    ):
        for check in checks:
            python, *words = here(check)
            assert python == "python"
            until = time.monotonic() + 300
            while subprocess.run([sys.executable, *words], capture_output=True, check=False).returncode:
                assert time.monotonic() < until, at.log.read_text()[-3000:]
                time.sleep(0.5)
