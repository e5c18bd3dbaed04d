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

BEGINS = r"(?:^|[.!?:;\"«»“”‘(>#\]…]\s*|(?<![a-z])['’]\s*|(?:^|\s)[-–]\s*"
"""Where a sentence may begin, in folded text: an apostrophe within a word ("d'ignorer") is no beginning."""
ASKED = r"\b(?:maintenant|desormais|merci de|merci d'|veuillez|il faut que tu|tu dois|vous devez|now|please|always|you must|you should|simplement)\s*"
START = rf"{BEGINS}|{ASKED})"
"""Where an imperative begins a sentence; after "and" or a comma English and French verbs may be no imperatives ("and say that")."""
FROM = rf"{BEGINS}|,\s*|{ASKED}|\b(?:et|puis|alors|donc|and|then|juste)\s+)"
OURS = (
    r"(?:(?:consignes?|instructions?|regles?|guidelines|rules|prompts?|directives?)\b(?:\s|qui|que|t'ont|ete|de|du|la|le|ton|ta|of|the|your|my|that|you|were|have|been)*"
    r"\b(?:preced\w+|ci-dessus|plus haut|anterieur\w*|systeme|initiales?|recues?|donnees|above|before|prior|system|developer|given|earlier)\b"
    r"|\b(?:toutes|tes|all|your|previous|prior|earlier)(?: \w+)? (?:consignes?|instructions?|guidelines|directives)\b"
    r"|\b(?:verbatims?|prompts?|ce qu'on t'a|ce qui precede|(?:text\w*|tout|everything|all|consignes|what (?:is|was)) (?:ci-dessus|plus haut|above|below|before|else)|autres (?:reponses|avis)|other answers|the above|(?:everything|all|tout ce) (?:that |qu')?(?:you|on t')[ \w]{0,10}(?:told|dit))\b)"
)
"""What a machine works with: its instructions or its data, never rules as such ("ignorez les consignes de l'agence")."""
BARE = r"(?:consignes?|instructions?|regles?|guidelines|rules|directives?)\s*(?:[.!,;…:]|$|et\b|and\b)"
SAY = (
    r"(?:ecri(?:s|vez)|redige[z]?|repond(?:s|ez)|conclu(?:s|ez)|affirme[z]?|recopie[z]?|repete[z]?|declare[z]?|di(?:s|tes)"
    r"|mentionne[z]?|write|say|state|conclude|answer|reply|respond|repeat|declare|output|report|print)"
)
FIRST = r"(?:commence[zr]?|termine[zr]?|start|end|begin)"
QUOTED = r"\s*(?:(?:chaque|toute|toutes|every|each|the|la|ta|votre|your)\b.{0,40})?\s*(?:par|with|by)\s*(?:les mots|the words?|the sentence|la phrase)?\s*:?\s*[«\"“'‘]"
ORDERS = [
    rf"{FROM}(?:ignore[z]?|oublie[z]?|neglige[z]?|remplace[z]?|contourne[z]?|disregard|forget|override|bypass|replace|skip|(?:do not|don't) follow|ne sui(?:s|vez) (?:pas|plus))\b.{{0,50}}?(?:{OURS}|{BARE})",
    rf"{FROM}(?:ignorer|oublier|negliger|contourner|remplacer)\b.{{0,50}}?{OURS}",
    rf"{START}(?:ne (?:tiens|tenez) pas compte|fai(?:s|tes) (?:comme si|abstraction)|passe[z]? outre)\b.{{0,60}}(?:\bconsignes?|instructions?|verbatims?|\breponses?|precede|ci-dessus|\bautres avis\b|\bavis (?:preced|suivant|negati|critique)|n'existai)",
    rf"{FROM}(?:pretend (?:that|you|to be (?:an?|the))|act as (?:the|an?|if) (?:\w+ )?(?:you|assistant|ai|model|writer|editor|system|summari[sz]er|developer|administrator|[\w ]{{1,40}} and (?:declare|say|write|conclude)))\b",
    rf"{START}{SAY}\s*(?:que|qu'|that|only|every|the summary|the synthesis|mot pour mot|word for word|this sentence|uniquement|seulement"
    r"|maintenant|toujours|ceci|la phrase|exactement|exactly|:|[«\"“'])",
    rf"{FROM}(?:{SAY}|{FIRST})(?:{QUOTED}|\s+(?:the|la|ta|votre|your|every|each|chaque|toute) (?:summary|synthesis|synthese|label|libelle|sentence|phrase)\b)",
    rf"{START}(?:ne|do not|don't)\s+(?:mentionne\w*|parle[zs]?|cite[zs]?|mention|include|cite)\b.{{0,30}}(?:reponses?|avis|answers?|responses?)",
    r"\b(?:tu es|vous etes|you are|you're)\s+(?:maintenant |desormais |now |a present )*(?:un |une |an? |en )?(?:assistant|ia\b|ai\b|robot|modele|model"
    r"|unfiltered|unrestricted|sans (?:regle|filtre)|mode )",
    r"\b(?:a partir de maintenant|from now on|desormais),? (?:tu|you)\b",
    r"\b(?:si (?:tu es|vous etes)|if you are|if you're) (?:un |une |an? )?(?:ia|modele|robot|assistant|llm|ai|language model|model|bot|chatbot)\b",
    r"\b(?:consignes?|instructions?|messages?|notes?|regles?|ordres?|directives?) (?:pour|a l'attention de|a|to|for) (?:l'|les? |the |any )"
    r"?(?:ia|ai|robots?|modeles?|models?|llm|assistants?|machine|logiciel|redacteur|summari[sz]er)\b",
    r"\b(?:nouvelles?|new|your new|prioritaires?|updated?) (?:consignes?|instructions?|taches?|tasks?|rules?|regles?)(?: (?:de|du|from|of) [^.:]{0,40})?\s?:",
    r"(?:^|[.!?\]*#>]\s*)(?:consignes?|instructions?|override|directives?)(?: prioritaires?| speciales?| system)?\s?:|\bsystem override\b",
    r"\bnew instructions?\b",
    r"\b(?:le|ton|votre|the|your|expected) ?(?:libelle|label)s?(?: attendu| du groupe)? ?(?::|est|doit|is|must|should)",
    r"\blibelle attendu\b|\b(?:synthese|resume|summary|synthesis)\b.{0,20}\b(?:doit|must|should|se termine|ends?|commence|starts?) (?:par|with|commencer|begin|start)",
    r"\byou(?:r only output)? must (?:answer|reply|write|say|label|output|respond|report)\b|\byou now write|\btu rediges desormais|\btu dois ecrire",
    rf"{START}(?:classe[z]?|range[z]?|traite[z]?|considere[z]?|treat|classify|label|mark)\b.{{0,30}}\b(?:reponses?|answers?|everything)\b",
    r"\b(?:chatgpt|gpt|modele de langage|language model|l'ia)\s?[,:!]\s?(?:tu |you )?(?:dites?|dis|ecri\w+|donnez?|repetez?|affirme\w*|conclu\w+|write|say|repeat|give|output)\b",
    rf"{FROM}(?:approuve[z]?|valide[z]?|approve) (?:tout|everything)\b|\bobey (?:it|me|this)\b|{BEGINS})obei(?:s|ssez)\b",
    r"\b(?:chere?|dear|hey|hello|bonjour|salut|coucou) (?:l')?(?:ia|ai|robot|chatgpt|gpt|machine|assistant|modele|model|bot)\b",
    r"\b(?:i am|i'm|je suis|ici|this is) (?:the |your |l'|le |ton |votre )(?:administrat(?:eur|or)|developpeur|developer|createur|creator|concepteur)\b",
    r"\b(?:ta|votre|your) (?:nouvelle |new |seule |only |vraie |real )(?:mission|tache|task|job|role|objectif|goal|output|sortie|reponse|reply)"
    r"(?: (?:change|est|a change|has changed|is|doit|must|devient|becomes|now))|\b(?:ta|your) (?:mission|tache|task|role) (?:change|a change|has changed)\b",
    r"\b(?:whoever|quiconque|celui qui|celle qui|(?:la|toute) personne qui|person who|anyone who|vous qui) (?:lit|lira|resume|synthetise|traite|analyse|depouille|fait la synthese"
    r"|reads?|sums?(?: up)?|summari[sz]es?|process(?:es)?)\b.{0,20}\b(?:ces|ceci|cela|ce (?:texte|message)|cette|(?:les|mes|nos) (?:reponses|avis)|tout|doit|must|should|this|these|it all|the (?:answers|responses)|them)\b",
    rf"{START}(?:arrete[z]?|stoppe[z]?|stop|cesse[z]?|resume[z]?|summari[sz]e|efface[z]?|erase|rends|return|vante[z]?|praise|highlight|mets en avant"
    r"|mettez en avant|garde[z]?|keep|favorise[z]?|promote)\b.{0,40}\b(?:analyse|analysis|cette consultation|answers?|reponses|texte vide|empty (?:text|string|list|summary)|synthese|summary"
    r"|(?:avis|opinions?) (?:critiques?|negati\w+)|critical opinions|every sentence)\b",
    r"\b(?:tout ce qui (?:suit|precede)|everything else|le reste|all the rest|les autres reponses)\b.{0,15}\b(?:faux|fausses|false|mensonges?|lies|ignore)\b",
    r"\b(?:tu es|you are|vous etes) (?:desormais|maintenant|now) (?:un|une|an?|the|le|la|in)\b",
    r"\b(?:the|every|la|le|ta|ton|toute) (?:synthesis|summary|synthese|resume|label|libelle) (?:must|doit)(?: only| uniquement| seulement| bien)? (?:contain|contenir|say|dire|mention)",
    rf"\b(?:when|while|en) (?:summari[sz]ing|resumant|synthetisant),? {SAY}\b|\binstead,? {SAY}\b|{START}(?:ecris\b|reponds\b|output (?!must|should|has|is|of|and))",
    rf"{START}(?:mets?|mettez|citez?|mention|rate|rank|place|put)\b.{{0,20}}\b(?:this|cette|ma|my) (?:answer|reponse|response)\b",
    r"\b(?:le modele|the model|l'assistant|the assistant) (?:doit|must) (?:ecrire|dire|write|say|output|(?:repondre|reply|answer|respond)(?! (?:a|aux?|to)\b))",
    r"\bconclusion (?:favorable|positive|negative) obligatoire|\b(?:favourable|positive|negative) conclusion (?:compulsory|mandatory)\b",
    r"\b(?:only truth|seule verite)\b|\bin (?:three|one|two|a single) words?\s*:|\bpar un seul mot\s*:|\brot ?13\b|\bbase ?64\b|\ba l'envers ?:",
    r"\b(?:debut|begin(?:ning)?) (?:des |of )?(?:nouvelles |new )?(?:directives?|consignes?|instructions?)\b",
    rf"{FROM}(?:donne|mets?|attribue|give|set) .{{0,20}}\b(?:stance|note maximale|score|rating)\b",
]
DO = (
    r"(?:mets|mettez|ecri(?:s|vez)|dis|dites|notez?|inscri(?:s|vez)|placez?|retiens|retenez|supprime[z]?|efface[z]?|jette[z]?|garde[z]?|gardons"
    r"|remplace[z]?|reecri(?:s|vez)|tradui(?:s|sez)|signe[z]?|fusionne[z]?|ajoute[z]?|retire[z]?|change[z]?|modifie[z]?|conclu(?:s|ez)|resume[z]?"
    r"|vante[z]?|presente[z]?|souligne[z]?|insiste[z]?|invente[z]?|rends|rendez|cite[z]?|publie[z]?|put|place|write|note|keep|retain"
    r"|delete|erase|remove|throw|drop|replace|rewrite|translate|sign|merge|add|change|conclude|sum|summari[sz]e|praise|stress|present|invent|quote|cite"
    r"|publish|make)"
)
TOLD = (
    rf"(?:{FROM}{DO}\b|\b(?:tu (?!as\b|es\b)\w+|you (?:will|must|may|should|shall|are to)|je (?:te |vous )?(?:demande|prie|somme|ordonne)|i (?:ask|order|want|command)"
    r"|il faut (?:ecrire|noter|conclure|retenir))\b)"
)
"""Somebody is told to do something."""
WORK = (
    r"\b(?:(?:la|cette|ta|votre) synthese|le resume|ton resume|votre resume|(?:du|le|ton|votre|dans) rapport(?! (?:a|aux?|entre)\b)|libelles?|verbatims?"
    r"|(?:tes|ces) consignes|directives du haut|(?:en|le|ton) titre|en tete|cette consultation|(?:les )?autres reponses|autres avis|les critiques|(?:mon|seul) avis|ma reponse"
    r"|jett?e[zr]? le reste|ces donnees|tous les groupes|ce depouillement|conclusion (?:favorable|positive|negative)|(?:the|your|this) summary|(?:the|your|this) synthesis"
    r"|the report|(?:the|your|each|every|this|all) labels?|my (?:opinion|answer|view)|the title|at the head|throw away the rest|the other (?:answers|opinions|views)|criticisms?|this data"
    r"|this consultation|all groups|favourable conclusion)\b"
)
MACHINE = (
    r"\b(?:ia|logiciel de synthese|logiciel qui|ordinateur qui|l'ordinateur d'|a l'ordinateur|robot qui|modele de langage|chatbot"
    r"|summary software|software that reads|the computer to|ai (?:that|who|reading)|algorithme qui lit)\b"
)
TELLS = re.compile(rf"(?=.*{TOLD})(?=.*(?:{WORK}|{MACHINE}))")
"""Somebody is told to do something with this very work, within a sentence."""
SENTENCE = re.compile(r"[^.!?\n]+")
RAW: dict[Way, str] = {
    "role": r"(?im)^\s*(?:system|assistant|user)\s*:|^\s*syst[eè]me\s*:\s*(?:tu|vous|nouvelle|ignore|[ée]cris)|<\|\w+\|>|\[/?INST\]"
    r"|<</?SYS>>|\[(?:system|syst[eè]me|assistant|user)\]|</?(?:system|assistant|user|human|instructions?|admin)>|^\s*#{1,6}\s?(?:instructions?|system|syst[eè]me|user|assistant|response|r[ée]ponse)\b|</?s>",
    "json": r"(?m:^\s*(?:label|stance|exemplars|libell[ée])\s*:)|['\"](?:label|libell[ée]|stance|exemplars|opposed|paragraphs|sentences|cites|themes|sections|heading|ideas|role|content)['\"]\s*:",
    "citation": r"(?m)^\s*[a-z]\d{1,3}\||\[[givst]\d{1,3}\]|\b[vgis]\d{1,3}(?:, ?| et | and )[vgis]\d{1,3}\b|\b[cC]ite[sz]? [vgis]\d",
    "markup": r"(?i)<\s*/?\s*(?:script|img|iframe|svg|a|h[1-6]|div|q|bdi|style|object|embed|form|input|body|html|link|meta|table|details)\b[^>]{0,300}>"
    r"|<\w+\s[^>]{0,300}\b(?:style|class|id|href|src)\s*=|javascript:|\bon(?:error|load|click|mouseover)\s*=|!\[[^\]]{0,300}\]\(|\]\((?:https?|javascript|data):|(?m:^#{1,6} \S)",
    "fence": r"[<>‹›＜＞]{3,}\s*/?(?i:fin|end|verbatim|data|system|user|assistant|input|donn[ée]es|r[ée]ponses|answers|instruction)|[<‹＜]{3,}[^<>]{0,40}[>›＞]{3,}|(?i:\b(?:fin|end) (?:des|of|of the) (?:verbatims|donn[ée]es|data|input|user input|answers|r[ée]ponses)\b|\bl['’]entr[ée]e utilisateur\b)|##\s*(?:system|user)\b|\*{3} ?(?i:fin|end) ?\*{3}",
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
COMPLETE = re.compile(rf"\b(?:{SAY}|{DO})\b(?:\W+\w+){{3}}.*[^:«\"“\s]\s*$", re.DOTALL)
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


def is_complete(text: str) -> bool:
    """Whether a sentence that looks like an order says itself what to write, so that what follows is no part of it."""
    return ways(text) == ("order",) and COMPLETE.search(fold(text)) is not None
