"""The wording of a verbatim made simpler: connectives, fillers and examples go; nothing is added, no negation is lost."""

import re

from service.domain.wordform import negations, words

SPACE = r"[\s\u00a0\u202f]"

CONNECTIVES = re.compile(
    r"^(?:(?:et|mais|or|donc|car|puis|ensuite|enfin|ainsi|aussi|alors|bref|par ailleurs|de plus|en outre|en plus|en effet|d['’]abord|tout d['’]abord|"
    r"premièrement|deuxièmement|troisièmement|d['’]une part|d['’]autre part|par conséquent|en conclusion|en revanche|par contre|cependant|toutefois|néanmoins|cela dit|ceci dit|"
    r"and|but|so|also|then|however|moreover|furthermore|in addition|besides|finally|first|firstly|secondly|thirdly|therefore)"
    r"(?:,\s*|\s+(?=je|j['’]|nous|il|elle|on|les?|la|l['’]|un|une|des|ce|c['’]|pas|we|i|it|the|there|they|a|this)))+",
    re.IGNORECASE,
)
FILLERS = re.compile(
    r"^(?:je (?:pense|crois|trouve|considère|dirais|suis convaincue?) (?:aussi |également |vraiment |sincèrement )?qu(?:e\s+|['’])|"
    r"j['’]estime qu(?:e\s+|['’])|nous (?:pensons|estimons|considérons|croyons|constatons) (?:aussi |également )?qu(?:e\s+|['’])|"
    r"il (?:me|nous) semble qu(?:e\s+|['’])|à (?:mon|notre) (?:avis|sens),?\s*|selon (?:moi|nous),?\s*|pour (?:moi|ma part|notre part|nous),\s*|"
    r"personnellement,?\s*|de (?:mon|notre) point de vue,?\s*|pour répondre à (?:votre|la) question,?\s*|"
    r"(?:i|we) (?:think|believe|feel|guess|would say) (?:that )?|in (?:my|our) (?:opinion|view),?\s*|personally,?\s*)",
    re.IGNORECASE,
)
ASIDES = re.compile(
    r"\s*\((?:par exemple|p\.? ?ex\.?|ex\.? ?:|exemples? ?:|comme|notamment|e\.?g\.?|for example|such as|cf\.?|voir)[^()]*\)", re.IGNORECASE
)
EXAMPLE_SENTENCE = re.compile(
    r"(?<=[.!?…])\s+(?:par exemple|p\. ?ex\.|ex\.? ?:|à titre d['’]exemple|c['’]est le cas|exemples? ?:|for example|for instance|e\.g\.)[^.!?…]*[.!?…]*",
    re.IGNORECASE,
)
LEAD_IN = re.compile(r"^[^:.!?]{0,80}:\s*(?:[-–—•*·]|\d{1,2}[.)])\s*")
GREETING = re.compile(r"(?:(?<=[.!?…;])|(?<=\n)|^)\s*(?:merci|bonjour|cordialement|thanks?|thank you|regards)\b[^.!?]{0,30}[.!?,]*\s*$|^(?:bonjour|bonsoir|hello|hi)\b[^\w]+", re.IGNORECASE)
TAIL = re.compile(r"\s*[,;:–—-]?\s*(?:(?:comme )?par exemple|for example|for instance|e\.g\.)[\s,:]+[^.!?;]*(?=[.!?;]|$)", re.IGNORECASE)
LEAST = 3
"""Words that must be left; else the wording stays as it was."""


def simplify(quote: str) -> str:
    """The quote with examples, leading connectives and fillers removed, blanks single, first letter a capital.

    Every word of the result is a word of the quote, in order, and every negation of the quote is still there (else the
    wording stays as it was).
    """
    text = re.sub(rf"{SPACE}+", " ", quote).strip()
    for pattern in (GREETING, LEAD_IN, EXAMPLE_SENTENCE, ASIDES, TAIL, CONNECTIVES, FILLERS, CONNECTIVES):
        text = _without(pattern, text)
    text = text.strip(" \t-–—•*;,").strip()
    return text[:1].upper() + text[1:]


def _without(pattern: re.Pattern[str], text: str) -> str:
    shorter = pattern.sub("", text).strip()
    kept = len(words(shorter)) >= LEAST and negations(shorter) == negations(text)
    return shorter if kept else text
