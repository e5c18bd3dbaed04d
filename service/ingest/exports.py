"""Headers of the usual survey tools: which columns are no questions, and what a column's question is called."""

import re
from dataclasses import dataclass

from service.domain.wordform import fold

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

SURE = 2
"""Metadata columns of one tool from which the file is taken for its export."""

CODED = re.compile(
    r"^(?P<code>[A-Za-z]\w{0,19}(?:\[\w+\])?)(?:\s*[.:|]\s+|\s{2,})(?P<title>\S.*)$", re.DOTALL
)
"""LimeSurvey's "code and text" header: `G01Q02. What should change?`"""

CODE = re.compile(r"^[\w.\-]{1,20}(?:\[\w+\])?$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Heading:
    column: str
    id: str
    title: str


def tool_of(header: tuple[str, ...]) -> str | None:
    """The survey tool whose export this is, or None."""
    folded = {fold(name) for name in header}
    best = max(METADATA, key=lambda tool: len(METADATA[tool] & folded))
    hits = len(METADATA[best] & folded)
    if hits >= SURE or (hits == 1 and fold(header[0]) in METADATA["Google Forms"]):
        return best
    return None


def heading(column: str, place: int) -> Heading:
    """Id and title of the question that a column name stands for; `Q<place>` where the name is a sentence."""
    coded = CODED.match(column)
    if coded:
        return Heading(column=column, id=coded["code"], title=coded["title"].strip())
    if CODE.match(column):
        return Heading(column=column, id=column, title=column)
    return Heading(column=column, id=f"Q{place}", title=" ".join(column.split()))
