"""Headers of the usual survey tools: which columns are no questions, what the question of a column is."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from service.domain.wordform import fold, words

RESPONDENT = frozenset(
    {
        "id",
        "respondent_id",
        "respondent",
        "repondant",
        "id_repondant",
        "identifiant",
        "responseid",
        "response id",
        "id de la reponse",
        "participant_id",
        "_recordid",
    }
)
CATEGORY = frozenset(
    {
        "category",
        "categorie",
        "college",
        "profil",
        "type de repondant",
        "type_repondant",
        "respondent category",
    }
)
ANSWER = frozenset(
    {"answer", "text", "texte", "reponse", "response", "verbatim", "contribution", "answer_text"}
)
QUESTION_ID = frozenset({"question_id", "id_question", "questionid", "question id", "code_question"})
QUESTION_TEXT = frozenset({"question", "question_text", "question_title", "libelle_question", "intitule"})
ANSWER_ID = frozenset({"answer_id", "id_reponse", "response_id", "verbatim_id"})

METADATA = {
    "LimeSurvey": frozenset(
        {
            "submitdate",
            "lastpage",
            "startlanguage",
            "seed",
            "startdate",
            "datestamp",
            "ipaddr",
            "refurl",
            "token",
            "date de soumission",
            "derniere page",
            "langue de depart",
            "tete de serie",
            "date de lancement",
            "date de la derniere action",
            "adresse ip",
            "url de reference",
            "date submitted",
            "last page",
            "start language",
            "date started",
            "date last action",
            "ip address",
            "referrer url",
            "access code",
            "code d'acces",
        }
    ),
    "Google Forms": frozenset(
        {
            "horodateur",
            "timestamp",
            "adresse e-mail",
            "email address",
            "nom d'utilisateur",
            "username",
            "score",
        }
    ),
    "Microsoft Forms": frozenset(
        {
            "heure de debut",
            "heure de fin",
            "adresse de messagerie",
            "nom",
            "heure de la derniere modification",
            "start time",
            "completion time",
            "email",
            "name",
            "last modified time",
            "langue",
            "language",
            "nombre total de points",
            "total points",
            "commentaires du quiz",
            "quiz feedback",
            "grade posted time",
        }
    ),
    "Qualtrics": frozenset(
        {
            "startdate",
            "enddate",
            "status",
            "ipaddress",
            "progress",
            "duration (in seconds)",
            "finished",
            "recordeddate",
            "recipientlastname",
            "recipientfirstname",
            "recipientemail",
            "externalreference",
            "locationlatitude",
            "locationlongitude",
            "distributionchannel",
            "userlanguage",
        }
    ),
}
"""Folded column names that a tool adds by itself."""

ORGANISATION = frozenset(
    {
        "organisme",
        "organisation",
        "structure",
        "etablissement",
        "nom de l'organisme",
        "nom de l'organisation",
        "nom de la structure",
        "nom de l'etablissement",
        "organization",
        "name of organisation",
        "organisation name",
        "organization name",
    }
)
"""Folded column names of the organisation that answers."""

IDENTITY = ORGANISATION | frozenset(
    {
        "nom",
        "prenom",
        "nom et prenom",
        "nom prenom",
        "prenom et nom",
        "votre nom",
        "nom de famille",
        "fonction",
        "email",
        "e-mail",
        "mail",
        "courriel",
        "adresse e-mail",
        "adresse email",
        "adresse de messagerie",
        "adresse mail",
        "telephone",
        "tel",
        "code postal",
        "name",
        "first name",
        "last name",
        "full name",
        "surname",
        "your name",
        "job title",
        "email address",
        "e-mail address",
        "phone",
        "phone number",
        "postcode",
        "zip code",
    }
)
"""Folded column names that say who answers and ask nothing."""

SURE = 2
"""Metadata columns of one tool from which the file is taken for its export."""

TIMING = re.compile(
    r"(?:interviewtime|questiontime|temps total|total time|group time|question time"
    r"|temps (?:pour |du |de )(?:le |la )?(?:groupe|question))\b.*|grouptime\d*"
)
"""LimeSurvey's columns of seconds, folded."""

OWN = re.compile(r"(?P<code>[a-z]+)\. (?P<title>.+)")
"""A column that LimeSurvey adds by itself, under its code and its text: `ipaddr. Adresse IP`."""

FILLERS = frozenset({"de", "du", "des", "d", "la", "le", "les", "l", "of", "the", "n", "numero", "number"})
YOURS = frozenset({"votre", "vos", "your"})
ASKING = YOURS | {"quel", "quelle", "est", "what", "is"}
"""Words around the name of a column that says who answers: `Quel est le nom de votre organisation ?`"""

CODED = re.compile(
    r"(?P<code>(?:[A-Z][A-Z_]{1,19}|[A-Za-z]\w{0,18}\d\w{0,6}|[A-Za-z]\d{1,4})(?:\[\w+\])*)"
    r"(?:\s*[.:|)]\s+|\s+[-–—]\s+|\s{2,})(?P<title>\S.*)",
    re.DOTALL,
)
"""A code, then the text: `G01Q02. What should change?`, `Q3 - Et demain ?`."""

NUMBERED = re.compile(
    r"(?:question\s+)?(?P<number>\d{1,3})\s*[.:)\-–—]\s+(?P<title>\S.*)", re.DOTALL | re.IGNORECASE
)
"""`3. What should change?`, `Question 3 : …`"""

CODE = re.compile(r"[\w.\-]{1,20}(?:\[\w+\])*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Heading:
    column: str
    id: str
    title: str


def usual_name(column: str) -> str:
    """A column's name folded; its code alone where LimeSurvey writes `ipaddr. Adresse IP`."""
    folded = fold(column)
    own = OWN.fullmatch(folded)
    return own["code"] if own and own["code"] in METADATA["LimeSurvey"] | {"id", "interviewtime"} else folded


def tool_of(header: tuple[str, ...]) -> str | None:
    """The survey tool whose export this is, or None."""
    folded = {usual_name(name) for name in header}
    best = max(METADATA, key=lambda tool: len(METADATA[tool] & folded))
    if len(METADATA[best] & folded) >= SURE:
        return best
    return "Google Forms" if fold("".join(header[:1])) in ("horodateur", "timestamp") else None


def is_metadata(tool: str, column: str) -> bool:
    """True for a column that the tool adds by itself."""
    folded = usual_name(column)
    return folded in METADATA[tool] or (tool == "LimeSurvey" and TIMING.fullmatch(folded) is not None)


def is_identity(column: str, names: frozenset[str] = IDENTITY) -> bool:
    """True for a column that says who answers: a name, an organisation, an address; or just one of names."""
    return _core(column) in _cores(names)


@cache
def _cores(names: frozenset[str]) -> frozenset[str]:
    return frozenset(map(_core, names))


def _core(column: str) -> str:
    """`Quel est le nom de votre structure ?` → `nom structure`."""
    said = words(column)
    left = FILLERS | (ASKING if YOURS & set(said) else frozenset())
    return " ".join(w for w in said if w not in left)


def coded(column: str) -> Heading | None:
    """Id and title of a column name that is a code or begins with one; None where the name is a sentence."""
    if CODE.fullmatch(column):
        return Heading(column=column, id=column, title=column)
    found = CODED.fullmatch(column)
    if found:
        return Heading(column=column, id=found["code"], title=" ".join(found["title"].split()))
    found = NUMBERED.fullmatch(column)
    if found:
        return Heading(column=column, id=f"Q{int(found['number'])}", title=" ".join(found["title"].split()))
    return None


def headings(columns: Iterable[str]) -> list[Heading]:
    """What each column stands for; a sentence is called `Q<its place>`, or the next number that is free."""
    found = [(column, coded(column)) for column in columns]
    taken = {one.id for _, one in found if one}
    made = []
    for place, (column, one) in enumerate(found, start=1):
        number = place
        while one is None and f"Q{number}" in taken:
            number += 1
        made.append(one or Heading(column=column, id=f"Q{number}", title=" ".join(column.split())))
        taken.add(made[-1].id)
    return made
