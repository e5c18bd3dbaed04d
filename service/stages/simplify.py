"""The wording of a verbatim made simpler: without connectives, fillers, examples; nothing added or turned."""

import re

from service.domain.wordform import negations, words
from service.stages.cutting.rules import POLITE

CONNECTIVES = re.compile(
    r"^(?:(?:et puis|et ensuite|et enfin|et|mais|or|donc|car|puis|ensuite|enfin|ainsi|aussi|alors"
    r"|bref|par ailleurs|de plus"
    r"|en outre|en plus"
    r"|en effet|d['’]abord|tout d['’]abord|premièrement|deuxièmement|troisièmement|d['’]une part"
    r"|d['’]autre part"
    r"|par conséquent|en conclusion|en revanche|par contre|cependant|toutefois|néanmoins|cela dit"
    r"|ceci dit"
    r"|and|but|so|also|then|however|moreover|furthermore|in addition|besides|finally|first|firstly"
    r"|secondly|thirdly"
    r"|therefore)(?:,\s*|\s+(?=(?:je|nous|il|elle|on|les?|la|une?|des|ces?|quand|si|cette|pas|we|i"
    r"|it|the"
    r"|there|they|a|this"
    r"|[jlcn]['’]\w+|\w{2,}(?:er|ir|oir|dre|tre|ire))\b)))+",
    re.IGNORECASE,
)
FILLERS = re.compile(
    r"^(?:je (?:pense|crois|trouve|considère|dirais|suis convaincue?) (?:aussi |également "
    r"|vraiment |sincèrement )?"
    r"qu(?:e\s+|['’])|j['’]estime qu(?:e\s+|['’])"
    r"|nous (?:pensons|estimons|considérons|croyons|constatons) (?:aussi |également )?qu(?:e\s+|['’])"
    r"|il (?:me|nous) semble qu(?:e\s+|['’])|à (?:mon|notre) (?:humble )?(?:avis|sens),?\s*"
    r"|selon (?:moi|nous),?\s*"
    r"|pour (?:moi|ma part|notre part|nous),\s*|(?:en ce qui me concerne|quant à moi),?\s*"
    r"|personnellement,?\s*"
    r"|de (?:mon|notre) point de vue,?\s*|pour répondre à (?:votre|la) question,?\s*"
    r"|(?:i|we) (?:think|believe|feel|guess|would say) (?:that )?|in (?:my"
    r"|our) (?:humble )?(?:opinion|view),?\s*"
    r"|personally,?\s*)",
    re.IGNORECASE,
)
ASIDES = re.compile(
    r"\s*\((?:par exemple|p\.? ?ex\.?|ex\.? ?:|exemples? ?:|comme|notamment|e\.?g\.?|for example"
    r"|such as|cf\.?|voir)"
    r"[^()]*\)",
    re.IGNORECASE,
)
EXAMPLE_SENTENCE = re.compile(
    r"(?<=[.!?…])\s+(?:par exemple|p\. ?ex\.|ex\.? ?:|à titre d['’]exemple|c['’]est le cas"
    r"|exemples? ?:|for example"
    r"|for instance|e\.g\.)(?:[^.!?…]|(?<=\d)\.(?=\d))*[.!?…]*",
    re.IGNORECASE,
)
TAIL = re.compile(
    r"\s*(?:[,;:–—-]\s*(?:(?:comme )?par exemple|p\. ?ex\.|for example|for instance"
    r"|e\.g\.)(?![\s]*,[^.!?;]*,)"
    r"|\s(?:comme par exemple|such as))\b[^.!?;]*(?=[.!?;]|$)",
    re.IGNORECASE,
)
"""An example that closes a sentence after a comma or "comme". "La nécessité par exemple de…" is none."""

FOR_INSTANCE = re.compile(r",\s*(?:par exemple|for example|for instance)\s*,", re.IGNORECASE)
LEAD_IN = re.compile(r"^[^:.!?]{0,80}:\s*(?:[-–—•*·]|\d{1,2}[.)])\s*")
HELLO = re.compile(rf"^(?:{POLITE}\s*[.!,;:…]+|(?:bonjour|bonsoir|hello)\s)\s*", re.IGNORECASE)
THANKS = re.compile(rf"(?<=[.!?…;,])\s*{POLITE}[\s.!,;:)…]*$", re.IGNORECASE)
FRAYED = re.compile(r"^(?:[\s*•;,–—]|-(?! ?(?:\d|d['’e])))+|[\s–—•*;,-]+$")
"""Marks left at the ends. A minus stays: "-10 %", "- d'impôts"."""

LEAST = 3
"""Words that must be left; else the wording stays as it was."""

STANDING = 5
"""Words that must be left before an example that closes a sentence is taken off."""


def simplify(quote: str) -> str:
    """The quote without examples, leading connectives and fillers, blanks single, first letter a capital.

    Every word of the result is a word of the quote, in order. Every negation outside the examples is still
    there; where a rule would drop one the wording stays as it was.
    """
    text = _single(quote)
    for pattern in (EXAMPLE_SENTENCE, ASIDES):
        text = _without(pattern, text, LEAST, negations_too=True)
    for pattern in (HELLO, THANKS, LEAD_IN, FOR_INSTANCE):
        text = _without(pattern, text, LEAST)
    text = _without(TAIL, text, STANDING)
    for pattern in (CONNECTIVES, FILLERS, CONNECTIVES):
        text = _without(pattern, text, LEAST)
    text = FRAYED.sub("", text) or text
    first = text[:1].upper()
    return first + text[1:] if len(first) == 1 else text


def _without(pattern: re.Pattern[str], text: str, least: int, *, negations_too: bool = False) -> str:
    shorter = re.sub(r" +(?=[.,])", "", _single(pattern.sub(" ", text)))
    if shorter == text or len(words(shorter)) < least:
        return text
    return shorter if negations_too or negations(shorter) == negations(text) else text


def _single(text: str) -> str:
    """Blanks single; a no-break space alone, as French has before ":", stays one."""
    return re.sub(r"\s+", lambda blank: blank[0] if blank[0] in "\u00a0\u202f" else " ", text).strip()
