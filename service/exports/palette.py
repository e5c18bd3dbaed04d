"""Colours and shapes that people with any colour vision tell apart, in print too: the set of Okabe and Ito, each with a shape."""

from collections.abc import Callable

from service.exports.facts import QuestionFacts, short

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A6A00")
SHAPES = (
    "M5,0A5,5 0 1,0 -5,0A5,5 0 1,0 5,0z",
    "M-4.4,-4.4h8.8v8.8h-8.8z",
    "M0,-5.4L5.2,4.2H-5.2z",
    "M0,-6L5,0L0,6L-5,0z",
    "M0,5.4L5.2,-4.2H-5.2z",
    "M-5.4,0L-2.7,4.7H2.7L5.4,0L2.7,-4.7H-2.7z",
    "M0,-6L1.5,-2L5.7,-1.8L2.4,0.8L3.5,4.9L0,2.5L-3.5,4.9L-2.4,0.8L-5.7,-1.8L-1.5,-2z",
)
"""SVG paths around 0,0, in the order of COLOURS: circle, square, triangle, diamond, triangle down, hexagon, star."""

CROSS = "M-4,-4L4,4M4,-4L-4,4"
REST = "#8A93A0"
"""Of the families beyond those, drawn as small circles."""

ALONE = "#1C2430"
"""Of isolated voices, drawn as crosses; on the page they take the ink of the text."""

VOICE, OTHERS = -2, -1
"""Looks on a map beside those of COLOURS: an isolated voice; a family that has no colour of its own."""

SHADES = 8
"""Steps of a heat map on the page."""


def looks(facts: QuestionFacts) -> dict[str, int]:
    """Level-2 group → which colour and shape; OTHERS for the rest. The families with most verbatims first."""
    order = sorted(facts.families, key=lambda family: (-len(family[0].verbatim_ids), family[0].id))
    return {parent.id: k if k < len(COLOURS) else OTHERS for k, (parent, _) in enumerate(order)}


def shade(n: int, most: int) -> int:
    """Step of a count in a heat map: 0 for none, then 1 to SHADES."""
    return 0 if n == 0 else max(1, round(SHADES * n / most))


def legend(facts: QuestionFacts, alone: str, others: str) -> list[dict[str, str | int]]:
    """The legend of a map: look, colour, path, name and number of verbatims; grouped before isolated."""
    look = looks(facts)
    made: list[dict[str, str | int]] = [
        {
            "look": look[parent.id],
            "colour": COLOURS[look[parent.id]],
            "path": SHAPES[look[parent.id]],
            "name": f"{short(parent.id)} {parent.label}",
            "size": len(parent.verbatim_ids),
        }
        for parent, _ in facts.families
        if look[parent.id] >= 0
    ]
    made.sort(key=lambda key: int(key["look"]))
    rest = sum(len(parent.verbatim_ids) for parent, _ in facts.families if look[parent.id] < 0)
    if rest:
        made.append({"look": OTHERS, "colour": REST, "path": SHAPES[0], "name": others, "size": rest})
    if facts.q.isolated:
        made.append(
            {"look": VOICE, "colour": "", "path": CROSS, "name": alone, "size": len(facts.q.isolated)}
        )
    return made


def chart(facts: QuestionFacts, name: Callable[[str], str]) -> dict[str, object]:
    """What `map.js` draws: points as [name of the verbatim, x, y, look]. name: from its id."""
    look = looks(facts)
    points = [
        [
            name(s.verbatim.id),
            s.x,
            s.y,
            VOICE if s.group is None else look.get(s.group.parent or "", OTHERS),
        ]
        for s in facts.spots
    ]
    return {"points": points, "colours": COLOURS, "rest": REST, "shapes": SHAPES, "cross": CROSS}
