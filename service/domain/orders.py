"""Answers that look like orders to a machine, or carry what could deceive one: recognised to be shown, never to be dropped."""

import re
import unicodedata
from typing import Literal

from service.domain.wordform import fold

Way = Literal[
    "order", "role", "json", "citation", "markup", "fence", "hidden", "long", "prompt", "tool", "formula"
]

TWINS = str.maketrans("АВЕЗІЈКМНОРСТУХабвеѕіјкмногрстухԁһӏαορν", "ABE3IJKMHOPCTYXabbesijkmhorpctyxdhlaopv")
"""Cyrillic and Greek letters that look like Latin ones."""

FROM = (
    r"(?:^|[.!?:;,\"«»“”'’(>#\]…-]\s*|\b(?:et|puis|alors|maintenant|desormais|donc|merci de|veuillez|il faut que tu|tu dois|vous devez"
    r"|and|then|now|please|always|must|should|instead|simplement|juste)\s+)"
)
"""Where an imperative may begin, in folded text."""
US = (
    r"\b(?:consignes?|instructions?|regles?|verbatims?|prompts?|guidelines|rules|ce qu'on t'a|ce qui precede|precedent\w*|ci-dessus"
    r"|plus haut|above|below|previous|autres (?:reponses|avis)|other answers|everything|suivant\w*)"
)
WRITE = (
    r"(?:ecri(?:s|vez|re)|redige[zr]?|repond(?:s|ez|re)|conclu(?:s|ez|re)|affirme[zr]?|recopie[zr]?|repete[zr]?|declare[zr]?|di(?:s|tes|re)"
    r"|mentionne[zr]?|commence[zr]?|termine[zr]?|write|say|state|conclude|answer|reply|respond|repeat|declare|start|end|output|report|print)"
)
ORDERS = [
    rf"{FROM}(?:ignore[zr]?|oublie[zr]?|neglige[zr]?|remplace[zr]?|contourne[zr]?|disregard|forget|override|bypass|replace|skip)\b.{{0,50}}{US}",
    rf"{FROM}(?:ne (?:tiens|tenez) pas compte|fai(?:s|tes) (?:comme si|abstraction)|passe[zr]? outre|pretend (?:that|to be|you)|act as (?:the|an?|if))\b",
    rf"{FROM}{WRITE}\s*(?:que|qu'|that|only|with|every|the summary|the synthesis|mot pour mot|word for word|this sentence|uniquement|seulement"
    r"|maintenant|toujours|simplement|ceci|la phrase|exactement|exactly|:|[«\"“'])",
    rf"{FROM}(?:ne|do not|don't)\s+(?:mentionne\w*|parle[zs]?|cite[zs]?|mention|include|cite)\b.{{0,30}}(?:reponses?|avis|answers?|responses?)",
    r"\b(?:tu es|vous etes|you are|you're)\s+(?:maintenant |desormais |now |a present )*(?:un |une |an? |en )?(?:assistant|ia\b|ai\b|robot|modele|model"
    r"|unfiltered|unrestricted|sans (?:regle|filtre)|mode )",
    r"\b(?:a partir de maintenant|from now on|desormais),? (?:tu|vous|you)\b",
    r"\b(?:si (?:tu es|vous etes)|if you are|if you're) (?:un |une |an? )?(?:ia|modele|robot|assistant|llm|ai|language model|model|bot|chatbot)\b",
    r"\b(?:consignes?|instructions?|messages?|notes?|regles?|ordres?|tasks?|taches?|directives?) (?:pour|a l'attention de|a|to|for) (?:l'|les? |the |any )"
    r"?(?:ia|ai|robots?|modeles?|models?|llm|assistants?|machine|logiciel|redacteur|summari[sz]er)\b",
    r"\b(?:nouvelles?|new|your new|prioritaires?|updated?|autre) (?:consignes?|instructions?|regles?|taches?|tasks?|rules?)\b[^.]{0,40}:",
    r"\b(?:consignes?|instructions?|regles?|override|directives?)(?: prioritaires?| speciales?| system)?\s?:",
    r"\bnew instructions?\b",
    r"\b(?:le|ton|votre|the|your|expected) ?(?:libelle|label)s?(?: attendu| du groupe)? ?(?::|est|doit|is|must|should)",
    r"\blibelle attendu\b|\b(?:synthese|resume|summary|synthesis)\b.{0,20}\b(?:doit|must|should|se termine|ends?|commence|starts?) (?:par|with|commencer|begin|start)",
    r"\byou(?:r only output)? must (?:answer|reply|write|say|be\b)|\byou now write|\btu rediges desormais|\btu dois ecrire",
    rf"{FROM}(?:classe[zr]?|range[zr]?|traite[zr]?|considere[zr]?|treat|classify|label|mark)\b.{{0,30}}\b(?:reponses?|answers?|everything|tout|toutes)\b",
    r"\b(?:chatgpt|gpt|modele de langage|language model|l'ia)\b.{0,50}\b(?:dites|ecri\w+|donne|repete|affirme|conclu\w+|write|say|repeat|give|output)\b",
    rf"{FROM}(?:approuve[zr]?|valide[zr]?|approve) (?:tout|everything)\b|\bobey (?:it|me|this)\b|\bobei(?:s|ssez)\b",
    r"\b(?:chere?|dear|hey|hello|bonjour|salut|coucou) (?:l')?(?:ia|ai|robot|chatgpt|gpt|machine|assistant|modele|model|bot)\b",
    r"\b(?:i am|i'm|je suis|ici|this is) (?:the |your |l'|le |ton |votre |un |an? )?(?:administrat(?:eur|or)|developpeur|developer|createur|creator|concepteur)\b",
    r"\b(?:ta|votre|your) (?:nouvelle |new |seule |only |vraie |real )?(?:mission|tache|task|job|role|objectif|goal|output|sortie|reponse|reply)"
    r"(?: (?:change|est|a change|has changed|is|doit|must|devient|becomes|now))",
    r"\b(?:whoever|qui(?:conque)?|celui qui|celle qui|(?:la|toute) personne qui|person who|anyone who|vous qui) (?:lit|lira|resume|synthetise|traite|analyse|depouille|fait la synthese"
    r"|reads?|sums?|summari[sz]es?|process(?:es)?)\b",
    rf"{FROM}(?:arrete[zr]?|stoppe[zr]?|stop|cesse[zr]?|resume[zr]?|summari[sz]e|efface[zr]?|erase|rends|return|vante[zr]?|praise|highlight|mets en avant"
    r"|mettez en avant|garde[zr]?|keep|favorise[zr]?|promote)\b.{0,40}\b(?:analyse|analysis|consultation|answers?|reponses|texte vide|empty|synthese|summary"
    r"|(?:avis|opinions?) (?:critiques?|negati\w+)|critical opinions|uniquement|seulement|every sentence|only)\b",
    r"\b(?:tout ce qui (?:suit|precede)|everything else|le reste|all the rest|les autres reponses)\b.{0,15}\b(?:faux|fausses|false|mensonges?|lies|ignore)\b",
    r"\b(?:only truth|seule verite)\b|\bin (?:three|one|two|a single) words?\s*:|\bpar un seul mot\s*:|\brot ?13\b|\bbase ?64\b|\ba l'envers ?:",
    r"\b(?:debut|begin(?:ning)?) (?:des |of )?(?:nouvelles |new )?(?:directives?|consignes?|instructions?)\b",
    rf"{FROM}(?:donne|mets?|attribue|give|set) .{{0,20}}\b(?:stance|note maximale|score|rating)\b",
]
TOLD = (
    rf"(?:{FROM}(?:mets|mettez|ecri(?:s|vez)|dis|dites|notez?|inscri(?:s|vez)|placez?|retiens|retenez|supprime[zr]?|efface[zr]?|jette[zr]?|garde[zr]?|gardons"
    r"|remplace[zr]?|reecri(?:s|vez)|tradui(?:s|sez)|signe[zr]?|fusionne[zr]?|ajoute[zr]?|retire[zr]?|change[zr]?|modifie[zr]?|conclu(?:s|ez)|resume[zr]?"
    r"|vante[zr]?|presente[zr]?|souligne[zr]?|insiste[zr]?|invente[zr]?|rends|rendez|cite[zr]?|publie[zr]?|put|place|write|note|keep|retain"
    r"|delete|erase|remove|throw|drop|replace|rewrite|translate|sign|merge|add|change|conclude|sum|summari[sz]e|praise|stress|present|invent|quote|cite"
    r"|publish|make)\b"
    r"|\b(?:tu (?!as\b|es\b)\w+|you (?:will|must|may|should|can|shall|are to)|je (?:te |vous )?(?:demande|prie|somme|ordonne)|i (?:ask|order|want|command)|"
    r"obligatoire\w*|compulsory|mandatory|il faut (?:ecrire|noter|conclure|retenir))\b)"
)
"""Somebody is told to do something."""
WORK = (
    r"\b(?:(?:la|cette|ta|votre|une) synthese|le resume|ton resume|votre resume|(?:du|le|ton|votre|dans) rapport(?! (?:a|aux?|entre)\b)|libelles?|verbatims?"
    r"|consignes?|directives du haut|(?:en|le|ton) titre|en tete|cette consultation|(?:les )?autres reponses|autres avis|les critiques|(?:mon|seul) avis|ma reponse"
    r"|jett?e[zr]? le reste|ces donnees|tous les groupes|ce depouillement|conclusion (?:favorable|positive|negative)|(?:the|your|this) summary|(?:the|your|this) synthesis"
    r"|the report|labels?|my (?:opinion|answer|view)|the title|at the head|throw away the rest|the other (?:answers|opinions|views)|criticisms?|this data"
    r"|this consultation|all groups|favourable conclusion)\b"
)
MACHINE = (
    r"\b(?:ia|logiciel de synthese|logiciel qui|ordinateur qui|l'ordinateur d'|a l'ordinateur|robot qui|modele de langage|language model|chatgpt|chatbot"
    r"|summary software|software that reads|the computer to|ai (?:that|who|reading)|algorithme qui lit)\b"
)
TELLS = re.compile(rf"(?=.*{TOLD})(?=.*(?:{WORK}|{MACHINE}))")
"""Somebody is told to do something with this very work, within a sentence."""
SENTENCE = re.compile(r"[^.!?\n]+")
RAW: dict[Way, str] = {
    "role": r"(?im)^\s*(?:system|assistant|user|human|developer)\s*:|^\s*syst[eè]me\s*:\s*(?:tu|vous|nouvelle|ignore|[ée]cris)|<\|\w+\|>|\[/?INST\]"
    r"|<</?SYS>>|\[(?:system|syst[eè]me|assistant|user)\]|</?(?:system|assistant|user|human|instructions?|admin)>|^\s*#{1,6}\s?(?:instructions?|system|syst[eè]me|user|assistant|response|r[ée]ponse)\b|</?s>",
    "json": r"(?m:^\s*(?:label|stance|exemplars|libell[ée])\s*:)|['\"](?:label|libell[ée]|stance|exemplars|opposed|paragraphs|sentences|cites|themes|sections|heading|ideas|role|content)['\"]\s*:",
    "citation": r"(?m)^\s*[a-z]\d{1,3}\||\[[givst]\d{1,3}\]|\b[vgis]\d{1,3}(?:, ?| et | and )[vgis]\d{1,3}\b|\b[cC]ite[sz]? [vgis]\d",
    "markup": r"(?i)<\s*/?\s*(?:script|img|iframe|svg|a|h[1-6]|div|ul|li|q|bdi|style|object|embed|form|input|body|html|link|meta|table|details)\b[^>]{0,300}>"
    r"|<\w+\s[^>]{0,300}\b(?:style|class|id|href|src)\s*=|javascript:|\bon(?:error|load|click|mouseover)\s*=|!\[[^\]]{0,300}\]\(|\]\((?:https?|javascript|data):|(?m:^#{1,6} \S)",
    "fence": r"[<>‹›＜＞]{3,}|(?i:\b(?:fin|end) (?:des|of|of the) (?:verbatims|donn[ée]es|data|input|user input|answers|r[ée]ponses)\b|\bl['’]entr[ée]e utilisateur\b)|##\s*(?:system|user)\b|\*{3} ?(?i:fin|end) ?\*{3}",
    "prompt": r"\{(?:question|verbatims|labels|pieces|others|voices|sentences|themes|request|reply)\}|(?i:\b(?:objet json|json object)\b)"
    r"|(?i:\b(?:affiche|donne|montre|r[ée]v[èe]le|print|show|reveal|repeat|output)\w{0,2}\b.{0,30}\b(?:tes consignes|vos consignes|tes instructions|ton prompt"
    r"|your (?:system )?(?:prompt|instructions|rules)))",
    "tool": r"(?i)</?tool_call|\"(?:tool_calls|function|arguments)\"\s*:|^\s*action(?: input)?\s*:|\b(?:appelle|ex[ée]cute|call|run|use) (?:la fonction|l'outil"
    r"|the (?:function|tool))\b|\bdelete_\w+|\bsudo \w|\brm -rf\b|\s--(?:force|all|yes)\b",
    "formula": r"^\s*[=@+\-][A-Z]{2,}[A-Z.]*\(|\bcmd\||^\s*=\s*[A-Z]{1,3}\d+\b|\bDDE\s?\(",
    "hidden": "[\U000e0000-\U000e007f\u202d\u202e\u2066-\u2069\U000e0100-\U000e01ef]"
    r"|\b[a-zA-Z]+[\u0400-\u04ff\u0370-\u03ff]\w*|\b[\u0400-\u04ff\u0370-\u03ff]+[a-zA-Z]\w*|(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40,2000}={1,2}",
    "long": r"(?<!\S)(?!\S{0,200}[/@.]\S{0,200}[/@.])(?![^\w\s]{0,9}[!?.…_*=-]{40})\S{61}|(?:[\u0300-\u036f\u20d0-\u20ff].?){40}|\b(\w{1,30}\b(?:\W{1,3}\w{1,30}){0,3}?)(?:\W{1,3}\1\b){19}",
}
ORDER = tuple(map(re.compile, ORDERS))
FOUND: dict[Way, re.Pattern[str]] = {way: re.compile(pattern) for way, pattern in RAW.items()}
LOOKED_AT = 20_000
"""Code points of an answer that are looked at."""
INVISIBLE = re.compile(
    "[\u00ad\u200b-\u200f\u2060-\u2064\ufeff\u202a-\u202e\u2066-\u2069\U000e0000-\U000e01ef]"
)


def ways(text: str) -> tuple[Way, ...]:
    """In which ways a text looks like an order or a trap; empty for an ordinary answer."""
    text = text[:LOOKED_AT]
    bare = unicodedata.normalize("NFKC", INVISIBLE.sub("", text))
    forms = {text, bare}
    found: set[Way] = {way for way, pattern in FOUND.items() if any(map(pattern.search, forms))}
    hidden = "".join(chr(ord(c) - 0xE0000) for c in text if 0xE0020 <= ord(c) <= 0xE007E)
    plain = fold(bare.translate(TWINS).replace("\n", " . "))
    backwards = fold(bare[::-1]) if re.search("[\u202d\u202e]", text) else ""
    said = [t for t in (plain, fold(hidden), backwards) if t]
    if any(
        any(p.search(t) for p in ORDER) or any(TELLS.match(s[0]) for s in SENTENCE.finditer(t)) for t in said
    ):
        found.add("order")
    return tuple(sorted(found))
