"""What people wrote, fenced: shown to a model as data that cannot close its own fence, under ids that say nothing."""

import re
import unicodedata
from collections.abc import Sequence

LONGEST_WORD = 60
"""Code points of a word beyond which the prompt shows its beginning only."""

LONGEST_TEXT = 2000
"""Code points of a text beyond which the prompt shows its beginning only."""

HIDDEN = re.compile(
    "[\U000e0100-\U000e01ef\u3164\uffa0\u115f\u1160\u2800\u034f\u17b4\u17b5]|(?<![\U0001f000-\U0001faff\u2600-\u27bf\ufe0f])\u200d"
)
"""Letters, marks and symbols that show nothing: a text can be hidden in them. A joiner stays between emoji only."""

MARK = r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
FLOOD = re.compile(rf"({MARK}{{3}}){MARK}+")
"""More than three marks on one letter."""


def fence(texts: Sequence[str], prefix: str = "v") -> str:
    """One line `v1| text` per text, between <<< and >>>, numbered from 1.

    Line breaks and blanks become single spaces, invisible and control characters go, and whatever looks like a fence or an id
    is turned into look-alikes. The stored answer is untouched: this is only what a prompt shows.
    """
    return fence_named([(f"{prefix}{k}", text) for k, text in enumerate(texts, start=1)])


def fence_named(lines: Sequence[tuple[str, str]]) -> str:
    """The same with ids of ours: one line `id| text` per pair. An id never comes from what people wrote."""
    return "\n".join(["<<<", *(f"{name}| {harmless(text)}" for name, text in lines), ">>>"])


def harmless(text: str) -> str:
    """A text on one line without characters that could pass for the fence."""
    visible = "".join(
        " " if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Zs") else c
        for c in text
        if unicodedata.category(c) not in ("Cf", "Cs", "Co", "Cn") or c in "\u200d"
    )
    visible = FLOOD.sub(r"\1", HIDDEN.sub("", visible))
    plain = visible.replace("<", "‹").replace(">", "›").replace("|", "¦")
    short = re.sub(rf"\S{{{LONGEST_WORD + 1},}}", lambda m: m[0][:LONGEST_WORD] + "…", plain)
    one_line = " ".join(short.split())
    return one_line if len(one_line) <= LONGEST_TEXT else one_line[:LONGEST_TEXT] + "…"
