"""The benchmark page says what was measured, and what was not."""

from evals.bench.report import page

RUN = {
    "cpu": 2.0,
    "wall": 1.5,
    "peak_gib": 0.5,
    "groups": 7,
    "left_out": 0.1,
    "steps": {"tree": 1.5, "give back": 0.5},
}


def measured(*rows: dict) -> dict:
    return {"grouping": {"when": "2026-01-01", "machine": "two cores", "load": 1.0, "rows": list(rows)}}


def test_ratio_steps_and_growth():
    small = {"size": 10_000, "real": 6_000, "ours": RUN, "peer": {**RUN, "cpu": 24.0}, "runs": 3}
    large = {"size": 100_000, "real": 6_000, "ours": {**RUN, "cpu": 20.0}, "peer": None, "runs": 1}
    text = page(measured(small, large))
    assert "| 10,000 | 6,000 | 3 | 2.00 | 1.50 | 0.50 | 7 | 10% | 24.00 |" in text
    assert "| 12.0 |" in text
    assert "n^1.00" in text
    assert "tree 75%, give back 25%" in text


def test_a_part_that_was_not_run_and_a_run_that_failed_are_said():
    text = page(
        measured({"size": 1000, "real": 1000, "ours": {"failed": "exit code 9"}, "peer": None, "runs": 1})
    )
    assert text.count("Not run here.") == 2
    assert "exit code 9" in text
    assert "not run |" in text


def test_every_row_has_as_many_cells_as_the_head():
    rows = [
        {"size": 1000, "real": 1000, "ours": RUN, "peer": peer, "runs": 1}
        for peer in (RUN, None, {"failed": "exit code 1"})
    ]
    lines = [line for line in page(measured(*rows)).splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1


def test_a_peer_that_was_stopped_gives_a_bound():
    row = {"size": 100_000, "real": 6_000, "ours": RUN, "runs": 1}
    text = page(measured({**row, "peer": {"failed": "stopped after 1,200 CPU s", "at_least": 1200}}))
    assert "stopped after 1,200 CPU s" in text
    assert "| over 600.0 |" in text
