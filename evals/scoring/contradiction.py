"""Does one sentence say the contrary of another? A rule over words, made for a matcher that must not take a negation for a match.

Vectors hardly move when "ne … pas" is put into a sentence, so what a negation bears on is compared word by word: a content word
denied in one text and plainly affirmed in the other is a contradiction; so are two words of opposite sense where the rest is alike.
Checked on texts whose answer is known: docs/evals.md.
"""

import re
from itertools import takewhile

from service.domain.polarity import polarity
from service.domain.wordform import SMALL, STEM, word_set, words

SCOPE = 3
"""Content words after a negation that it bears on."""

DENY = word_set(
    "pas jamais aucun aucune aucuns aucunes nul nulle ni not never no nor neither cannot none nobody"
)
LOOSE = word_set(
    "sans manque manquent manquer manquait absence penurie faute refus refuse refusent refuser refusee refusons rejette contre "
    "oppose opposent opposition insuffisant insuffisants insuffisante insuffisantes insuffisamment peu trop rien difficile sauf "
    "supprimer supprime interdire interdit eviter cesser arreter stop plutot without lack lacks lacking absence refuse reject "
    "against oppose opposes avoid stop ban few little too hardly instead"
)
"""Words that may turn what stands around them; a word near one of them is neither surely denied nor surely affirmed."""

CONTRARIES: tuple[tuple[str, str], ...] = (
    ("suffis", "insuff"), ("utile", "inutil"), ("favora", "defavo"), ("accept", "refus"), ("augmen", "diminu"),
    ("augmen", "baiss"), ("augmen", "redui"), ("possib", "imposs"), ("facil", "diffic"), ("simpl", "compl"),
    ("rapid", "lent"), ("ouvri", "ferme"), ("ouver", "ferme"), ("mainte", "suppri"), ("garder", "suppri"),
    ("autori", "interd"), ("juste", "injus"), ("effica", "ineff"), ("adapt", "inadap"), ("clair", "flou"),
    ("trop", "insuff"), ("nombre", "rare"), ("facili", "entrav"), ("favori", "frein"),
    ("meille", "pire"), ("bon", "mauvai"), ("bonne", "mauvai"), ("gratui", "payant"), ("tous", "aucun"),
    ("increa", "decrea"), ("increa", "reduc"), ("suppor", "oppos"), 
    ("useful", "useles"), ("allow", "ban"), ("allow", "prohib"), ("good", "bad"), ("good", "poor"), ("safe", "unsafe"),
    ("safe", "danger"), ("benefi", "harm"), ("fair", "unfair"), ("effect", "ineffe"), ("necess", "unnece"),
    ("enough", "insuff"), ("helps", "harms"), ("improv", "worsen"), ("clean", "dirty"), ("fast", "slow"),
    ("easy", "diffic"), ("cheap", "expens"), ("best", "worst"), ("better", "worse"), ("legal", "illega"),
)  # fmt: skip
"""Beginnings of words of opposite sense, folded."""

ALIKE = 0.5
"""Share of the shorter text's other content words that both must have for a pair of contraries to count."""


def contradicts(one: str, other: str) -> bool:
    """True if the texts surely say the contrary of each other; symmetric. Unsure is False."""
    a, b = _Said(one), _Said(other)
    if (a.turns(b) or b.turns(a)) and _about_the_same(a, b):
        return True
    signs = polarity(one), polarity(other)
    if signs[0] * signs[1] < 0 and _about_the_same(a, b):
        return True
    crossed = any(_crossed(a, b, plus, minus) or _crossed(b, a, plus, minus) for plus, minus in CONTRARIES)
    return (crossed or bool(a.more & b.less or b.more & a.less)) and _about_the_same(a, b)


class _Said:
    """Content words of a text by how they are said: denied, affirmed, near a word that may turn them, or compared."""

    def __init__(self, text: str) -> None:
        self.words = _with_plain_only(words(re.sub(r"[.,:;!?]+(?=\s|$)", " et ", text)))
        contracted = re.search(r"n['’]t\b", text) is not None  # else "dont" is French
        self.stems = {w[:STEM] for w in self.words if _content(w)}
        self.scopes: list[set[str]] = []
        near_loose: set[str] = set()
        loose: set[str] = set()
        for at, word in enumerate(self.words):
            if self._denies(at, contracted=contracted):
                self.scopes.append({w[:STEM] for w in self._around(at, after=SCOPE, before=1)})
            elif word in LOOSE:
                loose.add(word[:STEM])
                near_loose |= {w[:STEM] for w in self._around(at, after=4, before=3) if w not in LOOSE}
        self.more = self._after(_MORE)
        self.less = self._after(_LESS)
        self.denied = {stem for scope in self.scopes for stem in scope}
        self.affirmed = (self.stems - near_loose | loose) - self.denied

    def turns(self, other: "_Said") -> bool:
        """A denial here bears on what the other affirms, and on nothing that it denies as well."""
        return any(scope & other.affirmed and not scope & other.denied for scope in self.scopes)

    def _denies(self, at: int, *, contracted: bool) -> bool:
        word = self.words[at]
        if word in ("plus", "guere"):  # "ne … plus"
            return bool({"ne", "n"} & set(self.words[max(0, at - 3) : at]))
        if word == "personne":
            return self.words[at + 1 : at + 2] in (["ne"], ["n"])
        return word in DENY or (contracted and word.endswith("nt") and word[:-2] in _AUXILIARIES)

    def _after(self, marks: frozenset[str]) -> set[str]:
        """Stems of the words that one of the marks compares: the next content word, or the one before."""
        found: set[str] = set()
        for at, word in enumerate(self.words):
            if word in marks and not self._denies(at, contracted=False):
                found |= {w[:STEM] for w in self._around(at, after=1, before=0)}
        return found

    def _around(self, at: int, *, after: int, before: int) -> list[str]:
        """The nearest content and turning words on both sides of a place, within its clause."""
        ahead = list(takewhile(lambda w: w not in _JOINTS, self.words[at + 1 :]))
        behind = list(takewhile(lambda w: w not in _JOINTS, reversed(self.words[max(0, at - 3) : at])))
        return [w for w in ahead if _content(w) or w in LOOSE][:after] + [
            w for w in behind if _content(w) or w in LOOSE
        ][:before]


_MORE = word_set("plus davantage more")
_LESS = word_set("moins less fewer")
_JOINTS = word_set("et mais qui car donc ou parce puisque and but which who or because")
_AUXILIARIES = word_set("do does did is are was were wo ca would should could has have had")


def _content(word: str) -> bool:
    return (
        len(word) > 2 and word not in SMALL and word not in DENY and word not in LOOSE and word not in _EMPTY
    )


_EMPTY = word_set(
    "ne que qui cela ceci dont plus moins tout tous toute toutes bien peut peuvent sera seront does will can"
)


def _with_plain_only(said: list[str]) -> list[str]:
    """The words without "pas seulement", "not only", "n'est pas que": they deny nothing."""
    text = re.sub(
        r"\b(?:pas (?:aux? |aux |les? |la )?seul\w*|pas uniquement|pas que|not only|not just|no doubt|sans doute|pas moins)\b",
        "",
        " ".join(said),
    )
    return text.split()


def _about_the_same(a: _Said, b: _Said) -> bool:
    shorter = min(len(a.stems), len(b.stems))
    return shorter > 0 and len(a.stems & b.stems) / shorter >= ALIKE


def _crossed(a: _Said, b: _Said, plus: str, minus: str) -> bool:
    def has(side: _Said, start: str) -> bool:
        return any(w == start if len(start) < 5 else w.startswith(start) for w in side.words)

    return has(a, plus) and not has(a, minus) and has(b, minus) and not has(b, plus)
