"""Personal data that has a form: addresses of all sorts and numbers, most with a key that tells them from other numbers.

Pure functions over one text. Blanks may be no-break ones and numbers may be written with blanks, dots or hyphens.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["person", "email", "phone", "nir", "rpps", "finess", "iban", "address"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    start: int
    """First code point in the text."""
    end: int
    """One past its last code point."""
    kind: Kind


GAP = r"[ \u00a0\u2009\u202f.\-‐‑–]?"
BLANK = r"[ \u00a0\u2009\u202f]"
BEFORE, AFTER = r"(?<![\w.,+/-])", r"(?!\w|[.,]\d|\s?(?:€|%|euros?\b))"
"""A number inside a longer one, a word, a decimal or an amount is none of these."""

NEAR = 40
"""Code points before a number in which the word that names it counts."""

EMAIL = re.compile(
    r"(?<![\w.+-])(?:[\w+%'-]+ (?:point|dot) )?[\w.+%'-]*\w(?:@|\s?[(\[](?:at|arobase|@)[)\]]\s?| (?:at|arobase) )"
    r"(?:[\w-]+(?:\.|\s?[(\[](?:dot|point)[)\]]\s?| (?:dot|point) ))+[a-z]{2,12}\b(?![\w.+%'-]*@)",  # in "me at a.b@c.org"
    re.IGNORECASE,
)
PHONE = re.compile(
    rf"{BEFORE}(?:"
    rf"(?:\+|00){GAP}33{GAP}(?:\(0\){GAP})?[1-9](?:{GAP}\d\d){{4}}"  # French, from abroad
    rf"|\(?0[1-9]\)?(?:{GAP}\d\d){{4}}"  # French, by twos
    rf"|0{BLANK}?8[0-9]{{2}}(?:{GAP}\d\d\d){{2}}"  # French freephone, by threes
    rf"|(?:\+|00){GAP}(?!33)[1-9]\d{{0,2}}(?:{GAP}\(?\d{{2,5}}\)?){{2,5}}"  # other countries
    rf"|0(?:7\d{{3}}{BLANK}?\d{{6}}|7\d{{3}}{BLANK}?\d{{3}}{BLANK}?\d{{3}}|20{BLANK}?\d{{4}}{BLANK}?\d{{4}}"
    rf"|1\d{{2,3}}{BLANK}?\d{{3}}{BLANK}?\d{{3,4}})"  # British
    r"|\(\d{3}\) ?\d{3}[-.]\d{4}|[2-9]\d{2}[-.]\d{3}[-.]\d{4}"  # North American
    r")(?![\w/]|[.,]\d)"
)
NIR = re.compile(
    rf"{BEFORE}[1-478]{GAP}\d\d{GAP}(?:0[1-9]|1[0-2]|[2-9]\d){GAP}(?:\d\d|2[ABab]){GAP}\d{{3}}{GAP}\d{{3}}(?:{GAP}(\d\d))?{AFTER}"
)
RPPS = re.compile(rf"{BEFORE}[18](?:{GAP}\d){{10}}{AFTER}")
FINESS = re.compile(rf"{BEFORE}(?:\d\d|2[ABab])(?:{GAP}\d){{7}}{AFTER}")
IBAN = re.compile(rf"(?<!\w)([A-Z]{{2}})\d\d(?:{BLANK}?[A-Z0-9]){{11,30}}", re.IGNORECASE)

WAY = (
    r"(?i:rue|avenue|av\.?|boulevard|boul\.?|bd|bvd|impasse|imp\.|allées?|all\.|chemin|chem?\.|route|rte|quai|ruelle|venelle|"
    r"sentier|faubourg|fbg)"
)
PLACE = r"(?i:place|pl\.|cours|square|passage|résidence|lotissement|cité|hameau|villa|voie|esplanade|montée|mail|rond-point)"
"""Ways whose words mean other things too ("3 cours de français"): a capital must follow."""
OF = rf"(?:(?i:de la|de l['’]|des?|du|d['’]|la|les?|aux?|à la|l['’]){BLANK}?)"
CAPITAL = r"[A-ZÀ-Ý0-9][\w’'.-]*"
TOWN = (
    rf"\d{{5}}{BLANK}[A-ZÀ-Ý][\w’'-]*(?:{BLANK}(?:[A-ZÀ-Ý][\w’'-]*|sur|sous|en|lès|\d{{1,2}}(?=\W|$))){{0,3}}"
)
HOUSE = rf"(?<![\w.,/])\d{{1,4}}(?:{BLANK}?(?:bis|ter|quater|[A-D])\b)?,?{BLANK}"
ADDRESS_FR = re.compile(
    rf"{HOUSE}(?:{WAY}{BLANK}{OF}{{0,2}}\w[\w’'.-]+|{PLACE}{BLANK}{OF}{{0,2}}{CAPITAL})"
    rf"(?:{BLANK}{OF}{{0,2}}{CAPITAL}){{0,4}}(?:(?:,|{BLANK}[-–]|){BLANK}{TOWN}|,?{BLANK}à{BLANK}{CAPITAL})?"
    rf"|\b(?:BP|CS|TSA){BLANK}?\d{{2,5}},?{BLANK}{TOWN}"
)
WAY_EN = r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Drive|Crescent|Court|Boulevard|Blvd|Terrace|Close|Gardens|Square|Way|Row|Hill)"
POSTCODE_GB = r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}"
ADDRESS_EN = re.compile(
    rf"(?<![\w.,/])(?:Flat \d+[A-Z]?, ?)?\d{{1,5}}[A-D]?,? (?:[A-Z][\w’'.-]* ){{1,3}}{WAY_EN}\b"
    rf"(?:, ?[A-Z][a-z’'-]+(?: [A-Z][a-z’'-]+){{0,2}})?(?:,? {POSTCODE_GB}\b|,? [A-Z]{{2}} \d{{5}}\b)?"
    rf"|(?<!\w){POSTCODE_GB}(?!\w)"
)
IBAN_LENGTHS = {
    country: int(length)
    for length, countries in (
        ("15", "NO"),
        ("16", "BE"),
        ("18", "DK FI FO GL NL"),
        ("19", "MK SI"),
        ("20", "AT BA EE KZ LT LU XK"),
        ("21", "CH HR LI LV"),
        ("22", "BG BH CR DE GB GE IE ME RS VA"),
        ("23", "AE GI IL TL"),
        ("24", "AD CZ ES MD PK RO SA SE SK TN VG"),
        ("25", "PT"),
        ("26", "IS TR"),
        ("27", "FR GR IT MC MR SM"),
        ("28", "AL AZ CY DO GT HU LB MA PL"),
        ("29", "BR PS QA UA"),
        ("30", "JO KW MU"),
        ("31", "MT"),
    )
    for country in countries.split()
}


def luhn(digits: str) -> bool:
    """Whether the last digit is the Luhn key of the others (ISO/IEC 7812-1, annex B); RPPS and FINESS end with one."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 * (doubled > 9)
    return total % 10 == 0


def nir_key(body: str) -> int:
    """Key of the 13 characters of a French social security number: 97 − (n mod 97), Corsica 2A as 19 and 2B as 18."""
    return 97 - int(body.upper().replace("2A", "19").replace("2B", "18")) % 97


def iban_holds(iban: str) -> bool:
    """ISO 13616: country and key moved to the end, letters as 10 to 35, the whole leaves 1 when divided by 97."""
    turned = iban[4:] + iban[:4]
    return int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


def find_coded(text: str) -> tuple[Found, ...]:
    """All of these in one text, none inside another, in reading order."""
    taken: list[Found] = []
    for finder in (_emails, _ibans, _nirs, _rpps, _phones, _finess, _addresses):
        for found in finder(text):
            if all(found.end <= t.start or found.start >= t.end for t in taken):
                taken.append(found)
    return tuple(sorted(taken, key=lambda f: f.start))


def _emails(text: str) -> Iterator[Found]:
    for match in EMAIL.finditer(text):
        yield Found(start=match.start(), end=match.end(), kind="email")


def _ibans(text: str) -> Iterator[Found]:
    at = 0
    while match := IBAN.search(text, at):
        length = IBAN_LENGTHS.get(match[1].upper())
        places = [k for k in range(match.start(), match.end()) if text[k].isalnum()]
        at = match.start() + 2
        if length is not None and len(places) >= length:
            end = places[length - 1] + 1
            iban = "".join(text[k] for k in places[:length]).upper()
            if iban.isascii() and not text[end : end + 1].isalnum() and iban_holds(iban):
                yield Found(start=match.start(), end=end, kind="iban")
                at = end


def _nirs(text: str) -> Iterator[Found]:
    for match in NIR.finditer(text):
        bare = _bare(match[0])
        keyed = len(bare) == 15 and nir_key(bare[:13]) == int(bare[13:])
        if keyed or _named(
            text, match.start(), r"\bNIR\b|s[ée]cu(?:rit[ée] sociale)?\b|\bNSS\b|social security"
        ):
            yield Found(start=match.start(), end=match.end(), kind="nir")


def _rpps(text: str) -> Iterator[Found]:
    yield from _keyed(text, RPPS, "rpps", r"\bRPPS\b")


def _finess(text: str) -> Iterator[Found]:
    for found in _keyed(text, FINESS, "finess", r"\bFINESS\b"):
        if not _named(text, found.start, r"\bSIREN\b|\bSIRET\b"):
            yield found


def _keyed(text: str, pattern: re.Pattern[str], kind: Kind, name: str) -> Iterator[Found]:
    """Numbers that end with their Luhn key; written with gaps, only where the word that names them stands before."""
    for match in pattern.finditer(text):
        bare = _bare(match[0])
        named = _named(text, match.start(), name)
        sound = luhn(re.sub(r"2[AB]", lambda m: "19" if m[0] == "2A" else "18", bare))
        if named or (sound and len(bare) == len(match[0])):
            yield Found(start=match.start(), end=match.end(), kind=kind)


def _phones(text: str) -> Iterator[Found]:
    for match in PHONE.finditer(text):
        digits = len(re.sub(r"\D", "", match[0]))
        if 9 <= digits <= 15:
            yield Found(start=match.start(), end=match.end(), kind="phone")


def _addresses(text: str) -> Iterator[Found]:
    for pattern in (ADDRESS_FR, ADDRESS_EN):
        for match in pattern.finditer(text):
            end = match.start() + len(match[0].rstrip(" ,."))
            yield Found(start=match.start(), end=end, kind="address")


def _bare(number: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", number).upper()


def _named(text: str, start: int, pattern: str) -> bool:
    return re.search(pattern, text[max(0, start - NEAR) : start], re.IGNORECASE) is not None
