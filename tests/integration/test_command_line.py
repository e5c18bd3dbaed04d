"""The commands as a person runs them, in processes of their own, with the packaged encoder."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from service.cli.terminal import write_whole

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "round" / "answers.csv"
SMALL = ROOT / "examples" / "small" / "answers.csv"
DATA = Path(os.environ.get("POLYPHONIE_DATA", ROOT.parent / "shared" / "data"))


def polyphonie(*args: object, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "service", *map(str, args)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **env},
        timeout=600,
        check=False,
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo")
    done = polyphonie("draft", EXAMPLE, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "draft.html" in done.stdout
    return out


def stable(path: Path) -> dict:
    draft = json.loads(path.read_text())
    draft["created_at"] = ""
    draft["provenance"]["seconds"] = 0
    return draft


def test_a_device_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE, text=True)
    write_whole(pipe, "été\n")
    assert read.communicate(timeout=60)[0] == "été\n"
    assert pipe.is_fifo()


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="no /dev/full here")
def test_a_full_disk_is_told_without_a_traceback():
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "service", "check", SMALL],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            timeout=600,
            check=False,
        )
    assert done.returncode == 1
    assert "polyphonie: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_is_quick():
    """Under a second by the issue; the bound here is loose because machines are noisy: imports are what is tested."""
    began = time.monotonic()
    assert polyphonie("--help").returncode == 0
    assert time.monotonic() - began < 5
    heavy = polyphonie("--version").returncode
    assert heavy == 0
    probe = "import sys; sys.argv=['polyphonie','--help']\nimport service.cli\nprint([m for m in ('torch','langchain','numpy','pydantic','openpyxl') if m in sys.modules])"
    assert (
        subprocess.run(
            [sys.executable, "-c", probe], capture_output=True, text=True, cwd=ROOT, check=True
        ).stdout.strip()
        == "[]"
    )


def test_check_says_what_the_round_holds():
    done = polyphonie("check", EXAMPLE)
    assert done.returncode == 0, done.stderr
    assert "8 open question(s), 1 closed, 29 respondent(s)" in done.stdout
    assert "Oui: 20, Non: 4, Ne sait pas: 5" in done.stdout


def test_same_command_twice_gives_the_same_draft(demo: Path, tmp_path: Path):
    assert polyphonie("draft", EXAMPLE, "--out", tmp_path).returncode == 0
    assert stable(tmp_path / "draft.json") == stable(demo / "draft.json")


def test_shuffled_rows_give_the_same_groups(demo: Path, tmp_path: Path):
    with EXAMPLE.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = list(csv.reader(file, delimiter=";"))
    shuffled = tmp_path / "answers.csv"
    with shuffled.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, delimiter=";").writerows([header, *reversed(rows)])
    (tmp_path / "answers.round.json").write_text(EXAMPLE.with_name("answers.round.json").read_text())
    assert polyphonie("draft", shuffled, "--out", tmp_path / "out").returncode == 0
    groups = [
        [
            (g["id"], sorted(g["verbatim_ids"]), g["label"])
            for q in stable(p)["questions"]
            for g in q["groups"]
        ]
        for p in (demo / "draft.json", tmp_path / "out" / "draft.json")
    ]
    assert groups[0] == groups[1]


def test_25_short_answers_make_sensible_groups(tmp_path: Path):
    out = tmp_path / "groups.csv"
    done = polyphonie("group", SMALL, "--out", out)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    reference = json.loads(SMALL.with_name("reference.json").read_text())["questions"][0]
    found = {r["answer_id"]: r["group_id"] for r in rows}
    assert len(rows) == 25
    for group in reference["groups"]:
        assert len({found[a] for a in group["answer_ids"]} - {""}) == 1
    assert len(set(found.values()) - {""}) == len(reference["groups"])
    assert {r["answer_id"] for r in rows if r["state"] == "no_content"} == {"Q1:S24"}
    assert {r["answer_id"] for r in rows if r["state"] == "isolated"} == {
        i["answer_id"] for i in reference["isolated"]
    }


def test_group_label_synthesise_chain(tmp_path: Path):
    groups, labels, synthesis = tmp_path / "g.csv", tmp_path / "l.jsonl", tmp_path / "s.jsonl"
    assert polyphonie("group", SMALL, "--out", groups).returncode == 0
    assert polyphonie("label", groups, "--out", labels).returncode == 0
    lines = [json.loads(x) for x in labels.read_text().splitlines()]
    assert len(lines) == 5
    assert {"question_id", "group_id", "label", "exemplars", "size", "model", "prompt"} <= lines[0].keys()
    asked = {
        "question_id": "Q1",
        "question": "Que faut-il ?",
        "labels": [{"id": x["group_id"], "text": x["label"], "size": x["n_respondents"]} for x in lines],
    }
    source = tmp_path / "labels.jsonl"
    source.write_text(json.dumps(asked) + "\n")
    assert polyphonie("synthesise", source, "--out", synthesis).returncode == 0
    (made,) = [json.loads(x) for x in synthesis.read_text().splitlines()]
    assert (
        polyphonie("synthesise", labels, "--out", synthesis).returncode == 0
    )  # what `label` wrote, as it is
    (direct,) = [json.loads(x) for x in synthesis.read_text().splitlines()]
    assert [s["label_ids"] for s in direct["sentences"]] == [s["label_ids"] for s in made["sentences"]]
    # a file of labels does not say who wrote them; what `label` wrote says that they are members' own words
    assert all("résume ainsi" in s["text"] for s in made["sentences"])
    assert all("illustre ainsi" in s["text"] for s in direct["sentences"])
    cited = {i for s in made["sentences"] for i in s["label_ids"]}
    assert cited | set(made["left_out"]) == {x["group_id"] for x in lines}


def test_export_writes_the_page_again(demo: Path, tmp_path: Path):
    assert polyphonie("export", demo / "draft.json", "--to", "html", "--out", tmp_path).returncode == 0
    assert (tmp_path / "draft.html").read_text() == (demo / "draft.html").read_text()


def test_page_is_self_contained(demo: Path):
    page = (demo / "draft.html").read_text()
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "src=" not in page
    assert "Content-Security-Policy" in page
    assert page.count("<mark id=") == len(
        [v for q in stable(demo / "draft.json")["questions"] for v in q["verbatims"]]
    )


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("draft", EXAMPLE, "--out", "/dev/null/x", "--llm", "nothing"), 2, "Accepted"),
        (("draft", EXAMPLE, "--out", "/dev/null/x", "--encoder", "no/such-model"), 2, "encoder"),
        (("draft", "/no/such/file.csv", "--out", "/dev/null/x"), 1, "can't be"),
        (("draft", EXAMPLE, "--out", "/dev/null/x", "--questions", "Q99"), 1, "Q99"),
        (("draft", SMALL, "--out", "/dev/null/x"), 2, "--out"),
        (("draft", EXAMPLE), 2, "--out"),
        (("group", SMALL, "--out", "."), 2, "is a folder"),
        (("export", EXAMPLE, "--to", "html"), 1, "no draft"),
        (("export", EXAMPLE, "--to", "odt"), 2, "Accepted"),
        (("prompts", "show", "nothing"), 1, "nothing"),
    ],
)
def test_errors_are_for_people(args, code, says):
    done = polyphonie(*args, HF_HUB_OFFLINE="1")
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def seconds_of_cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


INTERRUPTED_IN_EXEC = """
import typer

import service.cli
from service.__main__ import main

app = typer.Typer()

@app.command()
def work():
    exec("import signal; signal.raise_signal(signal.SIGINT)")

service.cli.app = app
main()
"""


def test_an_interrupt_inside_an_exec_is_a_stop_too(tmp_path: Path):
    """Where Python itself would end as killed by the signal, whatever exit code the program asks for."""
    (tmp_path / "interrupted.py").write_text(INTERRUPTED_IN_EXEC)
    done = subprocess.run(
        ["env", "--default-signal=INT", sys.executable, "-m", "interrupted"],
        check=False,
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{tmp_path}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 3, done.stderr
    assert "interrupted" in done.stderr


@pytest.mark.parametrize("command", ["draft", "group"])
def test_interrupted_is_a_stop(command: str, tmp_path: Path):
    out = tmp_path / "out"
    # a test run in the background hands an ignored SIGINT down
    running = subprocess.Popen(
        ["env", "--default-signal=INT", sys.executable, "-m", "service", command, EXAMPLE, "--out", out],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    while seconds_of_cpu(running.pid) < 2.5:  # well into its imports, or its work, on a busy machine too
        assert running.poll() is None, running.communicate()
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=300)
    assert running.returncode == 3, told
    assert "nterrupted" in told
    assert "Traceback" not in told


def test_a_theme_of_an_unknown_question_is_refused(tmp_path: Path):
    themes = tmp_path / "themes.json"
    themes.write_text('[{"title": "A", "question_ids": ["Q99"]}]')
    done = polyphonie("draft", SMALL, "--out", tmp_path / "out", "--themes", themes)
    assert done.returncode == 1
    assert "no question Q99" in done.stderr


def test_bad_setting_names_itself():
    done = polyphonie("settings", POLYPHONIE_BUDGET="many")
    assert done.returncode == 2
    assert "budget" in done.stderr
    for name, value in (("LOG_LEVEL", "LOUD"), ("CORS_ORIGINS", "https://a.example")):
        done = polyphonie("settings", **{f"POLYPHONIE_{name}": value})
        assert done.returncode == 2
        assert name.lower() in done.stderr
        assert "polyphonie.toml can't be read" not in done.stderr
    assert "s3cret" not in polyphonie("settings", POLYPHONIE_LLM_API_KEY="s3cret").stdout


def test_the_first_2000_answers_of_a_citizens_question(tmp_path: Path):
    source = DATA / "grand-debat" / "answers.csv"
    if not source.exists():
        pytest.skip(f"no reference data at {DATA}: set POLYPHONIE_DATA to its folder")
    with source.open(encoding="utf-8", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["question_id"] == "democratie_14"][:2000]
    small = tmp_path / "answers.csv"
    with small.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    done = polyphonie("draft", small, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    draft = stable(tmp_path / "out" / "draft.json")
    answers = draft["ledger"]["answers"]
    assert answers["total"] == 2000 == sum(v for k, v in answers.items() if k != "total")
    texts = {a["id"]: a["text"] for q in draft["questions"] for a in q["answers"]}
    assert sorted(texts.values()) == sorted(r["text"] for r in rows)
    for q in draft["questions"]:
        assert all(texts[v["answer_id"]][v["start"] : v["end"]] == v["quote"] for v in q["verbatims"])
        assert len([g for g in q["groups"] if g["level"] == 1]) > 5
