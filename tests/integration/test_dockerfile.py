"""Docker itself can't run on every machine; each command of the Dockerfile can. They are run here in a scratch folder."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.house import free_port

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Dockerfile").read_text()
LINES = re.sub(r"\\\n\s*", " ", TEXT).splitlines()


def of(instruction: str) -> list[str]:
    return [line.split(None, 1)[1] for line in LINES if line.startswith(instruction + " ")]


def test_shape():
    assert len(of("FROM")) == 2
    assert of("USER") == ["10001:10001"]
    assert of("HEALTHCHECK")
    copied = " ".join(of("COPY"))
    assert "evals" not in copied
    assert "tests" not in copied
    assert "whl/cpu" in TEXT


def healthy(environment: dict[str, str], folder: Path) -> bool:
    """Whether the health check says so of a service that runs, and only then."""
    port = str(free_port())
    (health,) = of("HEALTHCHECK")
    check = [word.replace("8000", port) for word in re.findall(r'"(.+?)"', health.split("CMD", 1)[1])]

    def passes() -> bool:
        done = subprocess.run(check, env=environment, capture_output=True, check=False)
        return done.returncode == 0

    assert not passes()
    serve = ["polyphonie", "serve", "--port", port]
    environment = {**environment, "POLYPHONIE_DATA_DIR": str(folder)}
    with subprocess.Popen(serve, env=environment, cwd=folder, stderr=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + 300
            while not (found := passes()) and process.poll() is None and time.monotonic() < until:
                time.sleep(0.5)
        finally:
            process.kill()
    return found


@pytest.mark.skipif(os.geteuid() != 0, reason="`install -o` needs root, as in a container build")
def test_each_command_runs(tmp_path: Path):
    """The builds' RUN lines with /app moved into a scratch folder; PyTorch comes from pip's default index."""
    app, cache, data = tmp_path / "app", tmp_path / "cache", tmp_path / "data"
    app.mkdir()

    def moved(command: str) -> str:
        for name, folder in (("/app", app), ("/cache", cache), ("/data", data)):
            command = re.sub(rf"(?<![\w.]){name}(?=[/ ]|$)", str(folder), command)
        return command

    env = {k: v for k, v in os.environ.items() if not k.startswith(("VIRTUAL_ENV", "UV_"))}
    env |= {
        "TORCH_INDEX": "",
        "PATH": os.pathsep.join([str(Path(sys.base_prefix) / "bin"), os.environ["PATH"]]),
    }
    for line in LINES:
        if line.startswith("COPY ") and "--from" not in line:
            *sources, target = line.split()[1:]
            for source in sources:
                place = Path(moved(target))
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(ROOT / source, place)
        elif line.startswith("RUN "):
            done = subprocess.run(
                ["bash", "-ec", moved(line[4:])],
                cwd=app,
                env=env,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{line}\n{done.stderr[-2000:]}"
    assert (cache.stat().st_uid, data.stat().st_uid) == (10001, 10001)
    run = {
        **env,
        "PATH": f"{app / '.venv' / 'bin'}{os.pathsep}{env['PATH']}",
        "POLYPHONIE_CACHE_DIR": str(cache),
    }
    (entry,) = of("ENTRYPOINT")
    (default,) = of("CMD")
    words = [*re.findall(r'"(.+?)"', entry), *re.findall(r'"(.+?)"', default)]
    done = subprocess.run(words, cwd=data, env=run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert healthy(run, data)
    draft = [
        "polyphonie",
        "draft",
        str(ROOT / "examples" / "small" / "answers.csv"),
        "--out",
        str(data / "draft"),
    ]
    done = subprocess.run(draft, cwd=data, env=run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (data / "draft" / "draft.html").exists()
    shutil.rmtree(app)
