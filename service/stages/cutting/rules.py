"""Tables of the rule cutter: what marks a list, ends a sentence, begins a clause. French and English.

Patterns are linear: no two repeated parts match the same characters, so 200 kB of dots take under a second.
"""

import re

from service.domain.round import Language
from service.domain.wordform import word_set

TITLES = word_set("mm mme mmes mlle dr drs pr st ste mr mrs ms prof gov cf vs bd e.g i.e eg ie p.ex c.a.d")
"""Folded words whose full stop never ends a sentence."""

ABBREVIATIONS = word_set(
    """
    m ex p pp art al etc env min max tel fig vol ch chap n no nos num av apr resp dept hab cad jr sr inc ltd
    dep approx
    """
)
"""Folded words whose full stop ends a sentence only if a capital follows: "etc.", "no. 5"."""

LINE = re.compile(r"\r\n|[\r\n\v\f\u2028\u2029\x85]")

_BLANK = r"[ \t\u00a0\u202f]"
BULLET = re.compile(
    rf"{_BLANK}*(?:[-–—•*·▪►●○◦‣⁃>→➢✓✔]+(?={_BLANK}|[^\W\d_]){_BLANK}*"
    rf"|(?:\d°|(?:\d{{1,2}}|[a-hA-H])[ \u00a0]?[.)/\]-])[.)/\]-]*"
    rf"(?={_BLANK}*[^\W\d_])(?:{_BLANK}+"
    rf"|(?=[A-ZÀÉÈ])){_BLANK}*"
    r"|\(\d{1,2}\)\s*)"
)
"""A list marker that begins a line. A number is one only before a letter: "20 - 25 élèves" is content."""

MINUS = re.compile(rf"{_BLANK}*-{_BLANK}?d(?:e\b|['’])")
"""The beginning of a line that says "fewer" ("- d'impôts") unless other lines begin with a dash too."""

INLINE = re.compile(
    r"(?<=[\s:;.])(?:[•▪►●◦‣➢]\s*|[-–—]\s+(?=\S)"
    r"|(?P<number>\d{1,2}|[a-h])[)°]\s*(?=[^\W\d_])|\((?P<bracketed>\d{1,2})\)\s*)"
)
"""A list marker within a line; one alone ("le maire - élu en 2020") is none; numbers must count up from 1."""

END = re.compile(
    r"(?<![.!?…])[.!?…]+(?:[ \u00a0\u202f][!?]+)?(?:[ \u00a0\u202f]?»|[\"'”’)\]]*)(?=\s|$)"
    r"|(?<=[^\W\d_])[.!?](?=[A-ZÀÂÇÉÈÊËÎÏÔÖÙÛÜŒ][a-zà-ÿœ]+\s)"
    r"|;\s+|;(?=[^\W\d_]{3})"
)
"""Where a sentence may end: stops before a blank, a stop glued to a capital, a semicolon."""

GLUED = re.compile(
    r"(?<=[a-zà-ÿ0-9)%»]) +(?=(?:Il|Ils|Elle|Elles|Je|Nous|On|Vous|Ce|Cela|Ça|Les?|La|Un|Une|Des|Du"
    r"|De|Pas|Plus|Moins|Trop"
    r"|Pour|Dans|En|Avec|Sans|Si|Quand|Que|Pourquoi|Comment|Par|Et|Mais|Donc|Ne|Aucune?|Tout|Tous"
    r"|Manque|Il y"
    r"|The|We|They|There|This|It|More|Better|Also|Not?|Less|If|When|Please"
    r"|Accueillir|Acheter|Aider|Améliorer|Apprendre|Arrêter|Augmenter|Avoir|Baisser|Consommer|Créer"
    r"|Cultiver|Développer"
    r"|Diminuer|Donner|Éduquer|Etre|Être|Faire|Favoriser|Former|Garantir|Imposer|Informer|Instaurer"
    r"|Interdire|Isoler"
    r"|Limiter|Lutter|Maintenir|Manger|Mettre|Obliger|Payer|Permettre|Prendre|Proposer|Redonner"
    r"|Réduire|Rendre|Renforcer"
    r"|Respecter|Rétablir|Revoir|Rouler|Simplifier|Supprimer|Taxer|Trier|Utiliser) [a-zà-ÿœ]"
    r"|[JLDCN]['’][a-zà-ÿœ]{2,}|C['’]est\b)"
)
"""Sentences whose stop or line break was lost: "… trop long Pas de suivi". Names have a second capital."""

EXAMPLE = re.compile(
    r"(?:par exemple|p\. ?ex\.?|ex\.? ?:|exemples?\b|à titre d['’]exemple|a titre d['’]exemple"
    r"|c['’]est le cas"
    r"|for example|for instance|e\.g\.|such as)",
    re.IGNORECASE,
)
"""How a sentence begins that illustrates the one before."""

CONTINUES = re.compile(
    r"(?:ce qui|ce que|c['’]est (?:pourquoi|pour cela|pour ça)|d['’]où|car|parce qu|puisqu|cela"
    r"|ceci|ça|celui-ci|celle-ci"
    r"|ceux-ci|sinon|which|because|this|that|these|it|they|so|otherwise|hence)\b",
    re.IGNORECASE,
)
"""How a sentence begins that gives the reason or the outcome of the one before."""

POLITE = (
    r"(?:(?:un grand )?merci(?: (?:beaucoup|bien|d['’]avance|par avance|à (?:vous|tous)|encore"
    r"|(?:de|pour) (?:m['’]avoir lue?|votre (?:attention|écoute|lecture|travail)|cette consultation)))*"
    r"|bonjour(?: à tous)?|bonsoir|bien cordialement|cordialement|bonne (?:journée|réception"
    r"|continuation)|salutations"
    r"|(?:many )?thanks(?: (?:a lot|in advance|again))?|thank you(?: (?:very much|for (?:your time"
    r"|reading|listening)))?"
    r"|hello|hi(?: all)?|(?:best |kind )?regards)"
)
GREETING = re.compile(rf"(?:{POLITE}[\s.!,;:)…]*){{1,3}}", re.IGNORECASE)
"""A whole piece of politeness. "Merci de baisser les taxes" is none."""

ACRONYM = re.compile(r"(?:\w\.)+\w$")

STANCES = word_set(
    """
    oui non si ok opposé opposés opposée contre favorable favorables défavorable pour absolument
    certainement évidemment exactement jamais toujours bof yes no yep nope agreed agree disagree
    against absolutely definitely never always maybe peut-être
    """
)
"""One word that takes a side and belongs to the sentence after it: "Non. Il faut…"."""

SUBJECTS: dict[Language, frozenset[str]] = {
    "fr": word_set("je j il elle on nous vous ils elles c ce ça ca cela y"),
    "en": word_set("i we it they there this that you he she"),
}
"""Words that begin a clause after "et", "mais", "and", "but"."""

DETERMINERS: dict[Language, frozenset[str]] = {
    "fr": word_set("le la les l un une des ces cette cet mon ma mes notre nos leur leurs certains"),
    "en": word_set("the a an these those my our their some"),
}

STARTS: dict[Language, re.Pattern[str]] = {
    "fr": re.compile(
        r"(?:il (?:faut|faudrait|faudra|y a|y aurait|n['’]y|serait|est|convient|me semble|manque)"
        r"|c['’](?:est|était)"
        r"|ce (?:n['’]est|serait|sont)|(?:ça|cela|je|nous|on|ils|elles)(?! \w+(?:er|ir|re|oir)\b)"
        r"|vous (?:avez|devez|pouvez|allez|êtes|n['’]|ne))(?!\w)|j['’]",
        re.IGNORECASE,
    ),
    "en": re.compile(
        r"(?:i (?:think|would|believe|want|feel|am|have|had|was|don|do|like|find|need)|i['’]\w+"
        r"|we \w+|they \w+"
        r"|there (?:is|are|should|was|were|needs?)|it (?:is|was|would|should|has)|it['’]s|this is|that is)\b",
        re.IGNORECASE,
    ),
}
"""How an independent clause begins without a connective, in text without stops."""

BLOCKERS: dict[Language, frozenset[str]] = {
    "fr": word_set(
        """
        que qu qui quand si s comme lorsque lorsqu puisque puisqu quoique où dont quoi et mais donc
        car or ou ni parce pour sans à a de d en dans par sur avec entre chez vers ne n me m te se
        le la les l y pourquoi comment combien je tu il elle on ils elles moi nous vous lui eux toi
        là alors aujourd hui tout - afin jusqu quelque pendant tandis maintenant jamais toujours
        déjà ici ensuite puis enfin parfois souvent
        """
    ),
    "en": word_set(
        """
        that which who whom whose if when while as because than what how where why and but or so
        since until unless although though whether before after to of for with not n't - the a an do
        does did is are was were can could should would will have has had
        """
    ),
}
"""Words after which a clause start is no new idea: "parce qu'il faut", "and we need"."""

CONNECTIVES: dict[Language, re.Pattern[str]] = {
    "fr": re.compile(
        r"(?:et (?:puis|surtout|aussi|ensuite|enfin|après|euh|là|donc)|par contre|en revanche"
        r"|cependant|toutefois|néanmoins"
        r"|neanmoins|par ailleurs|en outre|ensuite|d['’](?:autre|une) part|de même|en plus,"
        r"|de plus(?! en| d| grand| vieux)"
        r"|mais (?:surtout|enfin|euh|là|si|quand)|bref|sinon)(?!\w)",
        re.IGNORECASE,
    ),
    "en": re.compile(
        r"(?:and (?:also|then|finally|so)|however|moreover|furthermore|in addition|besides"
        r"|on the other hand|also,"
        r"|otherwise|but (?:also|if|when))(?!\w)",
        re.IGNORECASE,
    ),
}

SUBORDINATORS = word_set(
    "si quand lorsque lorsqu comme puisque puisqu alors parce tant dès if when while because as since"
)
"""First words of a piece that needs a second clause before it can stand alone."""

OPENERS = SUBORDINATORS | word_set(
    """
    pour dans en avec sans afin avant après depuis pendant malgré selon à a au aux vu face
    concernant sur chez par suite étant ayant grâce outre moi personnellement franchement for in to
    with without after before regarding at on
    """
)
"""First words of a piece that needs a clause of its own before it can stand alone."""
