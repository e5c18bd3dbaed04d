"""Bytes to text: UTF-8 with or without a mark, UTF-16, cp1252, Mac Roman; anything else that can be told."""

import re

from charset_normalizer import from_bytes

from service.ingest.problems import Log
from service.ingest.tables import SUSPECT

USUAL = frozenset("éèàùâêîôûëïüçœÉÈÀÊÇ’«»€“”‘–—…\u00a0")
"""Characters by which two readings of the same bytes are compared: letters of French, signs of typography."""

ODD = re.compile("[a-zß-ÿœ][À-ÖØ-ÞŸŽ½¼¾¤¦¨´¸‡ˆ‰¬√ƒ∆]")
"""What no spelling has inside a word: a capital or a sign straight after a small letter ("donÕt", "tÈ")."""

LATIN9 = re.compile("[A-Za-z]½[a-z]|¤")
"""What cp1252 makes of œ and € of ISO 8859-15."""

SAMPLE = 200_000


def decode(data: bytes, log: Log) -> str:
    """The text of a file, without its byte-order marks. Raises Unreadable."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif data[:2000].count(0) > len(data[:2000]) / 4:
        encoding = "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    else:
        encoding = "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise log.stop("not_encoding", encoding=encoding, why=error.reason) from error
        text = _legacy(data, error, log)
    nul = text.find("\0")
    if nul >= 0:
        row = text.count("\n", 0, nul) + 1
        raise log.stop("nul", row=row)
    return text.lstrip("\ufeff")


def _legacy(data: bytes, error: UnicodeDecodeError, log: Log) -> str:
    row = data.count(b"\n", 0, error.start) + 1
    text, name = _best(data)
    if not name or _controls(text) > len(text[:SAMPLE]) / 100:
        raise log.stop("no_text", row=row)
    if SUSPECT.search(text):
        raise log.stop("two_encodings", row=row, why=error.reason)
    log.add("warning", "read_as", row=row, encoding=name)
    return text


def _best(data: bytes) -> tuple[str, str]:
    """(text, encoding): cp1252 or Mac Roman, which has more usual characters, else a guess; "" for none."""
    readings = []
    for name in ("cp1252", "mac_roman"):
        try:
            text = data.decode(name)
        except UnicodeDecodeError:
            continue
        sample = text[:SAMPLE]
        readings.append((sum(sample.count(c) for c in USUAL) - len(ODD.findall(sample)), name, text))
    weight, name, text = max(readings, key=lambda one: one[0])
    if name == "cp1252" and LATIN9.search(text[:SAMPLE]) and not re.search(b"[\x80-\x9f]", data):
        return data.decode("iso8859_15"), "ISO 8859-15"
    if name == "cp1252" or weight > 0:
        return text, name
    best = from_bytes(data[:SAMPLE]).best()
    try:
        return data.decode(best.encoding if best else ""), best.encoding if best else ""
    except (UnicodeDecodeError, LookupError):
        return "", ""


def _controls(text: str) -> int:
    return sum(1 for c in text[:SAMPLE] if c < " " and c not in "\t\r\n\f\v")
