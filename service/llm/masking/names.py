"""Names of persons: what a language model of spaCy takes for one, corrected by rules, and what rules alone find.

The rules are needed in both directions. The French model finds "Pompidou" in "hôpital Pompidou" and takes a first word with a
capital for a name; it misses names in short, all-capital and English texts.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from service.domain.wordform import fold, word_set
from service.llm.masking.coded import Found

GIVEN = word_set(Path(__file__).with_name("given_names.txt").read_text(encoding="utf-8"))
"""Frequent given names in France and in English-speaking countries, folded."""

WORDS = word_set(
    """
    pierre rose claire marguerite olive prudence aurore victoire florence marine ange clemence constance hope faith grace will
    mark bill may june april jade ambre iris violette lily jack pat rob drew dawn charlotte blanche reine desire parfait bien
    aime modeste juste noel pascal avril lou gilles max guy ray gene art sandy rich josh angel sue joy dean victor marc olivier
    laurier brice melanie carole barbe lucie felicite sage harmony melody summer autumn amber ruby pearl chance
    """
)
"""Given names that are words or things as well: taken for a name only beside another sign."""

NOBODY = word_set(
    """
    maire ministre prefet prefete president presidente directeur directrice depute deputee senateur senatrice elu elue elus
    conseiller conseillere procureur juge rapporteur secretaire commissaire ambassadeur recteur rectrice doyen premier premiere
    tout toutou personne monsieur madame messieurs mesdames mademoiselle docteur professeur dieu seigneur internet google
    facebook twitter amazon apple microsoft doctolib ameli vitale etat covid europe france president speaker mayor minister
    chancellor chairman nurse god jesus allah bouddha noel pere mere maman papa nature terre doliprane dafalgan levothyrox
    ventoline mediator paracetamol ibuprofene aspirine insuline xanax kardegic spasfon lexomil smecta efferalgan humira metformin
    gp nhs it mp ai usa uk eu ue ars cpam chu chru ehpad ehpads samu urssaf caf msa dmp mdph pmi ime esat asso ong rgpd cnil sncf
    ratp edf insee inserm has hcl aphp sante espace bonjour merci oui non rien voila
    """
)
"""What no person is called, folded: functions, firms, medicines, initials."""

CAP = r"(?:[A-ZÀ-ÖØ-Þ][\w]*(?:['’-][\w]+)*)"
PARTICLE = r"(?:de la|de|du|des|le|la|van der|van|von|ben|bin|el|al|da|di|dos|d['’]|mc|mac)"
REST = rf"(?:[ \u00a0\u202f-](?:{PARTICLE}[ \u00a0\u202f])?{CAP}|[ \u00a0\u202f]d['’]{CAP})"
NAME = rf"{CAP}{REST}{{0,3}}"
TITLE = (
    r"(?:\b(?:[Mm]onsieur|[Mm]adame|[Mm]ademoiselle|MONSIEUR|MADAME|MME|MLLE|DOCTEUR|DR|MRS?|MS|[Dd]octeure?|[Pp]rofesseure?|[Mm]aître|[Ss]œur|[Ff]rère"
    r"|[Mm]rs?|[Mm]s|[Mm]iss|[Ss]ir|[Nn]urse|[Dd]octor|[Pp]rofessor|[Uu]ncle|[Aa]unt|[Cc]ouncillor|[Cc]llr)"
    r"|\b(?:M|Mr|Mrs|Ms|MM|Mme|Mmes|Mlle|Dr|Dre|Drs|Pr|Prof|Me|mr|mme|dr)\.?)[ \u00a0\u202f]"
)
TITLED = re.compile(rf"{TITLE}+(?P<name>(?:[A-Z]\.[ \u00a0]?)*{NAME})")
SAID = re.compile(
    r"(?i:je m['’]appelle|mon nom est|je soussigné(?:e|\(e\))?,?|signé ?:?|cordialement,?|salutations,?|bien à vous,?|"
    r"mon (?:mari|fils|père|frère|compagnon|voisin|collègue),?|ma (?:femme|fille|mère|sœur|compagne|voisine|collègue),?|"
    r"my name is|i am called|called|signed:?|(?:kind |best )?regards,?|sincerely,?|"
    rf"my (?:husband|wife|son|daughter|mother|father|neighbour|colleague),?)[ \u00a0\n—–-]+(?P<name>{NAME})"
)
RUN = re.compile(NAME)
PLACE_BEFORE = re.compile(
    r"(?i)\b(?:h[ôo]pital|h[ôo]pitaux|clinique|polyclinique|chr?u|ehpad|lycée|collège|école|rue|avenue|av|bd|boulevard|place|quai|"
    r"square|stade|aéroport|gare|pont|parc|université|institut|fondation|centre|maison|salle|théâtre|tour|lois?|plan|rapport|taxe|"
    r"réforme|amendement|ordonnance|prix|maladie|syndrome|test|échelle|méthode|label|groupe|labos?|laboratoires?|société|entreprise|"
    r"mutuelle|commune|ville|village|quartier|station|allée|impasse|chemin|résidence|bâtiment|pavillon|espace|saint|sainte|st|ste|"
    r"notre-dame|musée|bibliothèque|médiathèque|cinéma|marché|pharmacie|décret|affaire|médicament|arrêt|port|forêt|lac|mont|"
    r"hospital|school|the|act|lake|mount|port|fort|university of|city of|town of)"
    r"(?:[ \u00a0-](?:de|du|des|la|le|d['’]|of|saint|sainte))*[ \u00a0’'-]$"
)
PLACE_AFTER = re.compile(
    r"(?:['’]s)?[ \u00a0](?:Hospital|Street|Road|House|School|College|University|Centre|Center|Surgery|Clinic|Foundation|Trust|Act|"
    r"Bridge|Park|Avenue|Airport|Station|Institute|Library|disease|syndrome|Disease|Hill|Law|Square)\b"
)
START = re.compile(r"(?:^|[.!?:;…«»\"“(\n•-])[ \u00a0]*$")


def persons(text: str, entities: Sequence[tuple[int, int]]) -> tuple[Found, ...]:
    """Names in a text, titles left out, none inside another, in reading order. entities: spans that a model takes for persons."""
    found = {(s, e) for s, e in (*_titled(text), *_given(text), *_modelled(text, entities)) if e > s}
    kept = [one for one in found if not any(o != one and o[0] <= one[0] and one[1] <= o[1] for o in found)]
    return tuple(Found(start=s, end=e, kind="person") for s, e in sorted(kept))


def _titled(text: str) -> Iterator[tuple[int, int]]:
    for pattern in (TITLED, SAID):
        for match in pattern.finditer(text):
            span = _trimmed(text, *match.span("name"))
            said = pattern is SAID and not _given_first(text[slice(*span)]) and " " not in text[slice(*span)]
            if _shouted(text):  # in capitals nothing tells where a name ends
                span = _first_names(text, *span)
            if not said or re.search(r"(?i)appelle|nom est|name is|soussign|called|sign", match[0][:20]):
                yield span


def _first_names(text: str, start: int, end: int) -> tuple[int, int]:
    """A name, with the given name before it where there is one."""
    tokens = list(re.finditer(CAP, text[start:end]))
    most = 2 if tokens and _given_first(tokens[0][0]) else 1
    return start, start + max((t.end() for t in tokens[:most]), default=0)


def _given(text: str) -> Iterator[tuple[int, int]]:
    """A given name and what follows it with a capital; alone where it is no word."""
    for match in RUN.finditer(text):
        if _is_place(text, *match.span()):
            continue
        tokens = list(re.finditer(CAP, match[0]))
        first = next((k for k, t in enumerate(tokens) if _given_first(t[0])), None)
        if first is None or fold(tokens[first][0]).split("-")[0] in ("saint", "sainte", "st"):
            continue
        start = match.start() + tokens[first].start()
        alone = first == len(tokens) - 1
        if alone and (fold(tokens[first][0]) in WORDS or _shouted(text)):
            continue
        if alone and _is_namesake(tokens[first][0]):
            continue
        last = fold(tokens[-1][0])
        if not alone and (last in NOBODY or (fold(tokens[first][0]) in WORDS and _shouted(text))):
            continue
        yield _trimmed(text, start, match.end())


def _modelled(text: str, entities: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for start, end in entities:
        bare = text[start:end]
        if bare.islower():
            tokens = bare.split()
            if len(tokens) == 2 and fold(tokens[0]) in GIVEN - WORDS:
                yield start, end
            continue
        for match in RUN.finditer(bare):
            span = _trimmed(text, start + match.start(), start + match.end())
            name = text[slice(*span)]
            one = len(re.findall(CAP, name)) == 1
            if not name or (one and _is_namesake(name)) or _is_place(text, *span) or (_shouted(text) and one):
                continue
            if (
                one
                and (START.search(text[: span[0]]) or not re.search(r"[a-zà-ÿ]", name))
                and not _titles(text, span[0])
            ):
                continue
            yield span


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Without titles in front and without what no person is called; empty where nothing is left."""
    title = re.match(rf"{TITLE}+", text[start:end])
    start += title.end() if title else 0
    kept = start
    for token in re.finditer(CAP, text[start:end]):
        if any(part in NOBODY for part in fold(token[0]).replace("'", "-").split("-")) or _elided(token[0]):
            return (start, kept) if kept > start else (start, start)
        kept = start + token.end()
    return start, kept


def _elided(token: str) -> bool:
    """ "L’Europe", "Aujourd’hui", "J’ai": a capital with an apostrophe that is no O’Neil or D’Almeida."""
    return re.match(r"(?i)(?:l|j|c|n|s|t|m|qu|aujourd|i|it|don|we|you|they|he|she)['’]", token) is not None


def _given_first(name: str) -> bool:
    return re.split(r"[ \u00a0-]", fold(name))[0] in GIVEN


def _is_namesake(token: str) -> bool:
    """ "Victor-Hugo": French joins both names of a person whose name a place bears; "Jean-Luc" is no such pair."""
    parts = fold(token).split("-")
    return len(parts) > 1 and parts[0] in GIVEN and parts[-1] not in GIVEN


def _is_place(text: str, start: int, end: int) -> bool:
    saint = re.match(r"(?i)(?:saint|sainte|st|ste|notre-dame|mont|la|le|les)[- ]", text[start:end])
    return bool(
        saint or PLACE_BEFORE.search(text[max(0, start - 40) : start]) or PLACE_AFTER.match(text[end:])
    )


def _titles(text: str, start: int) -> bool:
    return re.search(rf"{TITLE}$", text[max(0, start - 20) : start]) is not None


def _shouted(text: str) -> bool:
    """Written in capitals: a capital says nothing."""
    letters = [c for c in text if c.isalpha()]
    return len(letters) > 8 and sum(c.isupper() for c in letters) > 0.7 * len(letters)
