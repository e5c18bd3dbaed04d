"""The cutter on hand-cut sets: at least as good as measured in docs/segment.md, less a margin."""

import os
from pathlib import Path

import pytest

from evals.segmentation import Passage, every, read_flaky, read_rhapsodie, score, stops, whole
from service.stages.cutting import cut

DATA = Path(os.environ.get("POLYPHONIE_DATA", "../shared/data"))
RHAPSODIE, FLAKY = DATA / "rhapsodie", DATA / "flaky-survey"

pytestmark = pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
french = pytest.mark.skipif(
    not RHAPSODIE.is_dir(), reason=f"no reference data at {RHAPSODIE} (POLYPHONIE_DATA)"
)
english = pytest.mark.skipif(not FLAKY.is_dir(), reason=f"no reference data at {FLAKY} (POLYPHONIE_DATA)")


@french
def test_french_with_stops() -> None:
    ours = score(read_rhapsodie(RHAPSODIE, "punctuated"), cut)
    assert ours.f1 > 0.95
    assert ours.window_diff < 0.035
    assert ours.cut_through < 0.02


@french
def test_french_without_stops_beats_every_simple_cutter() -> None:
    passages = read_rhapsodie(RHAPSODIE, "bare")
    ours = score(passages, cut)
    assert ours.f1 > 0.40
    assert ours.precision > 0.55
    assert ours.window_diff < min(score(passages, simple).window_diff for simple in (whole, every, stops))


@english
def test_english_survey_answers() -> None:
    passages = read_flaky(FLAKY)
    ours = score(passages, cut)
    assert ours.recall > 0.7
    assert ours.window_diff < 0.24
    assert ours.ratio < score(passages, stops).ratio


def test_a_perfect_and_a_wrong_cut_score_as_they_should() -> None:
    passage = Passage(id="p", text="plus de bus moins de taxes partout", bounds=(12,))
    perfect = score([passage], lambda text: [(0, 11), (12, len(text))])
    assert (perfect.f1, perfect.window_diff, perfect.cut_through, perfect.ratio) == (1.0, 0.0, 0.0, 1.0)
    wrong = score([passage], lambda text: [(0, 5), (5, len(text))])
    assert (wrong.f1, wrong.cut_through) == (0.0, 0.5)
    assert wrong.window_diff > 0
