"""Colours and shapes that people with any colour vision tell apart, in print too: the set of Okabe and Ito, each with a shape."""

from service.exports.facts import QuestionFacts

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A6A00")
SHAPES = ("circle", "square", "triangle", "diamond", "down", "hexagon", "star")
REST = "#8A93A0"
"""Of the families beyond those, drawn as small circles."""

ALONE = "#1C2430"
"""Of isolated voices, drawn as crosses."""


def looks(facts: QuestionFacts) -> dict[str, int]:
    """Level-2 group → which colour and shape; -1 for the rest. The families with most verbatims first."""
    order = sorted(facts.families, key=lambda family: (-len(family[0].verbatim_ids), family[0].id))
    return {parent.id: k if k < len(COLOURS) else -1 for k, (parent, _) in enumerate(order)}
