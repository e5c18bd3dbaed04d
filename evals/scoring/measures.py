"""What is measured: name, direction, tolerance of the gate, formula, source. A suite's version moves with any of its formulas.

Figures of different versions are never compared: `polyphonie evals rescore` brings an old run to the present version.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    name: str
    better: Literal["higher", "lower", "neither"]
    """neither: reported, never gated."""
    tolerance: float
    """How much worse than its baseline it may be before the gate says no; 0 for what may not slip at all."""
    formula: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """The measures of one suite."""

    version: int
    measures: tuple[Measure, ...]


def _m(name: str, better: Literal["higher", "lower", "neither"], tolerance: float, formula: str) -> Measure:
    return Measure(name=name, better=better, tolerance=tolerance, formula=formula)


_REFUSED = _m("refused", "lower", 0.05, "texts of the model that were refused / texts; 0 without a model")
_WORDING = (
    _m(
        "rouge_l",
        "higher",
        0.03,
        "ROUGE-L F1 (Lin 2004, rouge-score; accented letters kept), human text as reference",
    ),
    _m("chrf", "higher", 0.03, "chrF (Popović 2015, sacrebleu, character 6-grams, beta 2) / 100"),
)

SCALES: Mapping[str, Scale] = {
    "segmentation": Scale(
        version=1,
        measures=(
            _m("f1", "higher", 0.02, "2 · boundaries both have / (ours + people's), over all passages; boundaries lie between words"),
            _m("window_diff", "lower", 0.02, "WindowDiff (Pevzner and Hearst 2002, segeval), mean over passages; 0 is perfect"),
            _m("cut_through", "lower", 0.02, "people's units with a boundary of ours inside / people's units"),
            _m("exact", "higher", 0.02, "people's units that are exactly one piece of ours / people's units"),
            _m("pieces", "neither", 0, "our pieces / people's units"),
        ),
    ),
    "grouping": Scale(
        version=1,
        measures=(
            _m("ami", "higher", 0.02, "adjusted mutual information (Vinh et al. 2010, scikit-learn), left-out texts as groups of one"),
            _m("ari", "higher", 0.02, "adjusted Rand index (Hubert and Arabie 1985, scikit-learn), the same way"),
            _m("b3", "higher", 0.02, "B³ F1 (Bagga and Baldwin 1998), the same way; extended B³ (Amigó et al. 2009) where an answer has several ideas"),
            _m("b3_grouped", "neither", 0, "B³ F1 over the texts that both people and we put in a group"),
            _m("left_out", "neither", 0, "texts of a human group that are in no group of ours / texts of a human group"),
            _m("isolated", "higher", 0.05, "F1 of our isolated texts against those that people say match nothing: 2 · both / (ours + people's)"),
            _m("groups", "neither", 0, "our groups / human groups"),
            _m("same_order", "higher", 0.0, "ARI between our groups of the rows as they are and shuffled; 1 = the order does not matter"),
            _m("steady", "higher", 0.1, "AMI between our groups and those after 10 % of the answers were removed, on the answers left"),
        ),
    ),
    "labels": Scale(
        version=2,
        measures=(
            _m("coverage", "higher", 0.05, "human labels with a label of ours in the best one-to-one assignment at the threshold, no contradiction / human labels"),
            _m("precision", "higher", 0.05, "our labels in that assignment / our labels"),
            _m("nearness", "higher", 0.02, "mean likeness of each human label to its group's label of ours (else to the nearest), 0 where they contradict"),
            *_WORDING,
            _m("words", "neither", 0, "words / labels"),
            _m("form", "higher", 0.05, "labels of one sentence, 4 to 25 words, no question / labels"),
            _m("language", "higher", 0.0, "labels not surely in another language / labels"),
            _m("contradiction", "lower", 0.02, "our labels that contradict a human label which they are alike / our labels"),
            _m("frame_recall", "higher", 0.05, "categories of a published frame with at least 2 % of contributions that a label of ours belongs to / categories"),
            _m("frame_rank", "higher", 0.1, "Spearman's rho between the frame's shares and the sizes of our groups by category"),
            _REFUSED,
        ),
    ),
    "synthesis": Scale(
        version=3,
        measures=(
            _m("coverage", "higher", 0.05, "human sentences with a piece of ours at the threshold, no contradiction / human sentences"),
            _m("nearness", "higher", 0.02, "mean likeness of each human sentence to the nearest piece of ours that does not contradict it"),
            _m("matter", "higher", 0.05, "human sentences that our three likeliest sentences carry together from 0.40 on (as support), whatever their side / human sentences"),
            *_WORDING,
            _m("support", "higher", 0.02, "our sentences carried by the labels they cite (docs/checks.md) / our sentences"),
            _m("quantities", "higher", 0.0, "sentences whose word of quantity the count carries / sentences with such a word and a count"),
            _m("contradiction", "lower", 0.02, "our sentences that contradict a human sentence which they are alike / our sentences"),
            _m("length", "neither", 0, "our words / words of the human text"),
            _m("compression", "neither", 0, "our words / words of the labels it is written from"),
            _m("readability", "neither", 0, "reading ease: Kandel and Moles (1958) in French, Flesch (1948) in English"),
            _m("far", "lower", 0.05, "ideas of answers whose nearest piece of the text is below 0.20 in likeness / ideas"),
            _m("far_worst_group", "lower", 0.1, "the same in the worst-served group of at least three (category, else group)"),
            _m("reach", "higher", 0.02, "mean likeness of each idea to the nearest piece of the text"),
            _REFUSED,
        ),
    ),
    "themes": Scale(
        version=2,
        measures=(
            _m("coverage", "higher", 0.05, "as for syntheses, over the sentences of all themes"),
            _m("nearness", "higher", 0.02, "as for syntheses"),
            _m("matter", "higher", 0.05, "as for syntheses, over the sentences of all themes"),
            *_WORDING,
            _m("contradiction", "lower", 0.02, "as for syntheses"),
            _m("together", "higher", 0.1, "pairs of human sentences of one theme whose nearest sentences of ours share a theme, and of two themes that don't / pairs"),
            _m("length", "neither", 0, "our words / words of the human text"),
            _m("readability", "neither", 0, "as for syntheses"),
            _REFUSED,
        ),
    ),
    "round": Scale(
        version=1,
        measures=(
            _m("answers_told", "higher", 0.0, "answers of the file in exactly one declared state of the draft / answers of the file"),
            _m("sound", "higher", 0.0, "1 if the final check finds nothing (citations, spans, counts, ledger), else 0"),
            _m("traced", "higher", 0.0, "sentences and labels that lead to exact spans of answers / sentences and labels"),
            _m("no_content", "higher", 0.05, "F1 of answers called without content against those that people so called"),
            _m("grouped", "neither", 0, "verbatims in a group / verbatims"),
            _m("unsupported", "lower", 0.02, "labels and sentences marked unsupported / labels and sentences"),
            _REFUSED,
        ),
    ),
}  # fmt: skip
