"""Which side a text takes, where a word tells: a small lexicon of French and English, a hint and no more.

Words of what is proposed ("supprimer", "interdire") are no side: one may be for a ban or against it.
"""

import re

AGAINST = re.compile(
    r"\b(?:contre|oppos\w+|défavorable\w*|refus\w*|rejet\w*|surtout pas|pas favorable\w*|inacceptable\w*|"
    r"inutile\w*|against|oppos\w+|reject\w*|refus\w*|unacceptable|useless)\b|^non\b(?! (?:à|au|aux) (?:la |l['’])?(?:suppression|fin|fermeture|baisse|réduction|abandon)\b)|"
    r"^no\b(?=\s*(?:[,;:.!–—-]|$|to\b))|\bne (?:sert|servira|servirait) à rien\b|\bne (?:veut|voulons|souhaite|souhaitons|faut|doit|doivent) pas\b",
    re.IGNORECASE,
)
NEITHER = re.compile(r"\bni pour ni contre\b|\bneither for nor against\b", re.IGNORECASE)
FOR = re.compile(
    r"\b(?:favorable\w*|d['’]accord|soutien\w*|souten\w+|approuv\w+|bonne (?:idée|chose|mesure)|indispensable\w*|nécessaire\w*|il faut (?:une|l[’'])?\s*oblig\w+|"
    r"(?:i|we|they|fully|strongly|would|should) support|in support of|in favou?r|(?<!not )(?<!n['’]t )agree\w*|"
    r"good idea|necessary|essential)\b|^oui\b|^yes\b",
    re.IGNORECASE,
)


def polarity(text: str) -> int:
    """1 for, -1 against, 0 where no word tells. A lexicon, so a hint and no more."""
    against, favours = bool(AGAINST.search(text)), bool(FOR.search(text))
    if NEITHER.search(text):
        return 0
    if re.search(r"\bpas (?:du tout )?favorable|\bdéfavorable|\bnot in favou?r", text, re.IGNORECASE):
        return -1
    return favours - against
