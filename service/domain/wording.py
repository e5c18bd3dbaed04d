"""Numbers and words of a deliverable, in French and English: counts are said here and checked here, never by a model."""

import re
from collections.abc import Mapping

from service.domain.round import Language, Unit

NBSP = "\u00a0"
NARROW = "\u202f"
DIRECTED = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Marks that turn the direction of what stands behind them, until they are closed."""

NOUNS: dict[tuple[Language, Unit], tuple[str, str, bool]] = {
    ("fr", "organisation"): ("organisation", "organisations", True),
    ("fr", "respondent"): ("répondant", "répondants", False),
    ("en", "organisation"): ("organisation", "organisations", False),
    ("en", "respondent"): ("respondent", "respondents", False),
}
"""(singular, plural, feminine)"""

PERCENT_FROM = 100
"""Respondents from which a share is said in per cent."""

LARGEST = ("Le regroupement le plus large", "The largest group")
"""How an assembled sentence begins that says so of a level-2 group."""

ONE_SYNTHESIS: dict[Language, tuple[str, str]] = {
    "fr": (
        "La vague pose une seule question ouverte : sa synthèse tient lieu de synthèse générale.",
        "Une seule synthèse répond aux questions ouvertes : elle tient lieu de synthèse générale.",
    ),
    "en": (
        "The round asks one open question: its synthesis stands for the general one.",
        "One synthesis answers the open questions: it stands for the general one.",
    ),
}
"""What stands for a general synthesis where there is one synthesis: of one question; of several that are joined or of which one
alone was answered."""

MOST, MAJORITY, MANY = 2 / 3, 1 / 2, 1 / 5
"""Shares of the respondents to a question above which "la plupart", "une majorité", "de nombreux" may be said."""


def typeset(text: str, language: Language) -> str:
    """French typography: no-break spaces before « : ; ! ? » and inside guillemets, typographic apostrophes. English: as it is."""
    if language != "fr":
        return text
    text = re.sub(r"(?<=\w)'(?=\w)", "’", text)
    text = re.sub(r"[ \u00a0\u202f]+([;!?»])", NBSP + r"\1", text)
    text = re.sub(r"(?<=[^\s\u00a0\u202f:!?;/])([!?;])(?=\s|$|[»)])", NBSP + r"\1", text)
    text = re.sub(r"[ \u00a0\u202f]*:(?=\s|$)", NBSP + ":", text)
    return re.sub(r"«[ \u00a0\u202f]*", "«" + NBSP, text)


def quoted(text: str, language: Language) -> str:
    """A label between quotation marks, without its full stop; quotation marks inside become the inner ones.

    Without marks of direction: an open one would turn the counts that stand behind the quotation.
    """
    bare = DIRECTED.sub("", text).strip().rstrip(".").strip()
    if language == "fr":
        inner = bare.replace(f"«{NBSP}", "“").replace(f"{NBSP}»", "”").replace("«", "“").replace("»", "”")
        return f"«{NBSP}{inner}{NBSP}»"
    return "“" + bare.replace("“", "‘").replace("”", "’") + "”"


def people(n: int, unit: Unit, language: Language) -> str:
    """ "une organisation", "12 organisations"; French counts none in the singular."""
    one, many, feminine = NOUNS[language, unit]
    if n == 1:
        article = "one" if language == "en" else "une" if feminine else "un"
        return f"{article} {one}"
    return f"{number(n, language)}{NBSP}{one if n == 0 and language == 'fr' else many}"


def ideas(n: int, language: Language) -> str:
    """ "1 verbatim", "12 verbatims"; French counts none in the singular, English in the plural."""
    one = n <= 1 if language == "fr" else n == 1
    return f"{number(n, language)} verbatim{'' if one else 's'}"


def number(n: int, language: Language) -> str:
    return f"{n:,}".replace(",", NARROW if language == "fr" else ",")


def count(n: int, total: int, unit: Unit, language: Language) -> str:
    """ "9 organisations sur 27", or from 100 respondents on "133 répondants sur 299 (44 %)", from one per cent on."""
    if n == 1 or total <= n:
        return people(n, unit, language)
    percent = round(100 * n / total)
    share = f"{percent}%" if language == "en" else f"{percent}{NBSP}%"
    rest = f" ({share})" if total >= PERCENT_FROM and percent else ""
    if language == "en":
        return f"{number(n, language)} of {people(total, unit, language)}{rest}"
    return f"{people(n, unit, language)} sur {number(total, language)}{rest}"


def categories(by_category: Mapping[str, int], language: Language, most: int = 3) -> str:
    """ "dont Associations de patients (3), Élus (2)"; empty where no category is known. Without marks of direction."""
    shown = [f"{DIRECTED.sub('', name)} ({n})" for name, n in list(by_category.items())[:most]]
    return ("including " if language == "en" else "dont ") + ", ".join(shown) if shown else ""


def weight(n: int, total: int, language: Language) -> str:
    """The strongest word of quantity that a count allows; "" where counts are unknown (total 0)."""
    if total == 0:
        return ""
    french, english = {
        "all": ("unanimes", "all"),
        "most": ("la plupart", "most"),
        "majority": ("une majorité", "a majority"),
        "many": ("de nombreux", "many"),
        "several": ("plusieurs", "several"),
        "some": ("certains", "some"),
        "one": ("une seule voix", "a single voice"),
    }[_class(n, total)]
    return french if language == "fr" else english


def _class(n: int, total: int) -> str:
    if n <= 1:
        return "one"
    share = n / total
    for name, least in (("all", 0.95), ("most", MOST), ("majority", MAJORITY)):
        if share > least or (name == "all" and n >= total):
            return name
    if share >= MANY and n >= 4:
        return "many"
    return "several" if n >= 3 else "some"


PEOPLE_FR = r"(?:organisations?|répondants?|personnes|acteurs|participants|contributeurs|avis|réponses|voix)"
PEOPLE_EN = r"(?:organi[sz]ations?|respondents?|people|participants|answers|voices)"
SAY_FR = r"(?= (?:\w+ent|ont|sont|font|vont)\b)"
SAY_EN = r"(?= (?:ask|want|say|think|feel|believe|call|see|support|oppose|prefer|are|were|have|would|do|don['’]t)\b)"
"""A verb of several after a word of quantity that stands alone: "plusieurs demandent", "many ask"."""

WHO_FR = r"(?:organisations|répondants|participants|contributeurs|avis|réponses|voix)"
WHO_EN = r"(?:organi[sz]ations|respondents|participants|answers|voices)"
"""Who answers, and nobody whom an answer speaks of: "les deux tiers des personnes âgées"."""

FRACTIONS: tuple[tuple[str, float], ...] = (
    (rf"\b(?<!plus de )la moitié des {WHO_FR}", 1 / 2),
    (rf"\b(?:un|le) tiers des {WHO_FR}", 1 / 3),
    (rf"\b(?:les )?deux tiers des {WHO_FR}", 2 / 3),
    (rf"\b(?:un|le) quart des {WHO_FR}", 1 / 4),
    (rf"\b(?:les )?trois quarts des {WHO_FR}", 3 / 4),
    (rf"\b(?<!more than )half (?:of )?(?:the )?{WHO_EN}", 1 / 2),
    (rf"\b(?:a|one) third of (?:the )?{WHO_EN}", 1 / 3),
    (rf"\btwo thirds of (?:the )?{WHO_EN}", 2 / 3),
    (rf"\b(?:a|one) quarter of (?:the )?{WHO_EN}", 1 / 4),
    (rf"\bthree quarters of (?:the )?{WHO_EN}", 3 / 4),
)
"""Shares in words, and what they are."""

NEAR = 0.05
"""How far a share may be from the one that is said."""

CLAIMS: tuple[tuple[str, str], ...] = (
    (
        "all",
        rf"\b(?:unanim\w+|(?:toutes|tous|l['’]ensemble)(?: les| des) {PEOPLE_FR}|(?:^|, )(?:toutes|tous){SAY_FR}"
        rf"|all (?:the )?{PEOPLE_EN}|everyone|tout le monde s)",
    ),
    (
        "most",
        r"\b(?:la plupart|la grande majorité|la quasi-totalité|most (?:of )?(?:the )?(?:organi|respond|people|part)"
        rf"|most{SAY_EN}|the vast majority)",
    ),
    (
        "majority",
        r"\b(?:(?:la|une) majorité|majoritaire\w*|plus de la moitié|(?:a|the) majority|more than half)\b",
    ),
    (
        "many",
        rf"\b(?:de nombreu\w+ {PEOPLE_FR}|beaucoup d['’e]\s*{PEOPLE_FR}|(?<!dont )(?<!que )beaucoup{SAY_FR}|pour beaucoup\b|many {PEOPLE_EN}|many{SAY_EN})",
    ),
    (
        "several",
        rf"\b(?:plusieurs {PEOPLE_FR}|(?<!dont )(?<!que )plusieurs{SAY_FR}|several {PEOPLE_EN}|several{SAY_EN})",
    ),
    (
        "some",
        rf"\b(?:certain(?:e?s)(?: {PEOPLE_FR})?(?= (?:\w+ent|ont|sont)\b)|quelques {PEOPLE_FR}|some {PEOPLE_EN})",
    ),
)
ONLY_ONE = re.compile(
    r"\b(?:une seule (?:organisation|personne|voix|réponse)|un seul (?:répondant|avis|acteur)|only one (?:organi|respond|person)|a single (?:organi|respond|voice))",
    re.IGNORECASE,
)
ORDER = ("one", "some", "several", "many", "majority", "most", "all")


def overclaim(text: str, n: int, total: int) -> str | None:
    """The word of quantity in a text that the count of respondents does not carry, or None.

    n: distinct respondents behind what the text cites; total: respondents to the question, 0 = unknown, nothing is checked.
    """
    if total == 0:
        return None
    has = ORDER.index(_class(n, total))
    for name, pattern in CLAIMS:
        found = re.search(pattern, text, re.IGNORECASE)
        if found and ORDER.index(name) > has:
            return found[0]
    for pattern, share in FRACTIONS:
        found = re.search(pattern, text, re.IGNORECASE)
        if found and abs(n / total - share) > NEAR:
            return found[0]
    only = ONLY_ONE.search(text)
    return only[0] if only and n > 1 else None
