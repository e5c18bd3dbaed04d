"""Places of a draft in addresses and forms: `s:3:Q1` a sentence, `t:0.1.2` one of the general synthesis, `g:Q1.g3` a label."""

from service.domain.draft import SentenceRef
from service.domain.revision import GroupRef, Place, ThemeRef
from service.errors import InvalidRequest


def written(place: Place) -> str:
    """A place as a word."""
    match place:
        case GroupRef():
            return f"g:{place.group_id}"
        case SentenceRef():
            return f"s:{place.sentence}:{place.question_id}"
        case ThemeRef():
            return f"t:{place.theme}.{place.section}.{place.sentence}"


def read(word: str) -> Place:
    """The place of a word. Raises InvalidRequest."""
    kind, _, rest = word.partition(":")
    try:
        match kind:
            case "g" if rest:
                return GroupRef(group_id=rest)
            case "s":
                k, _, question_id = rest.partition(":")
                return SentenceRef(question_id=question_id, sentence=_count(k))
            case "t":
                theme, section, sentence = map(_count, rest.split("."))
                return ThemeRef(theme=theme, section=section, sentence=sentence)
    except ValueError:
        pass
    raise InvalidRequest(f"{word[:80]!r} is no place in a draft")


def _count(digits: str) -> int:
    if not (digits.isascii() and digits.isdigit() and len(digits) < 7):
        raise ValueError
    return int(digits)
