"""What the zipped formats share: the same bytes every time, and characters that XML refuses."""

import io
import re
import zipfile

from service.domain.wording import DIRECTED

EPOCH = (1980, 1, 1, 0, 0, 0)
"""Time of every entry: when a deliverable was made is in the draft, not in its envelope."""

STAMP = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*")
REFUSED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
ISOLATE, END = "\u2068", "\u2069"


def repacked(data: bytes, created_at: str) -> bytes:
    """The same package with fixed times. created_at: UTC, ISO 8601; empty: the epoch of the format."""
    when = (created_at[:19] or "1980-01-01T00:00:00") + "Z"
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            blob = old.read(name)
            if name == "docProps/core.xml":
                blob = STAMP.sub(rb"\g<1>" + when.encode(), blob)
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            new.writestr(entry, blob)
    return out.getvalue()


def printable(text: str) -> str:
    """The text with control characters that XML refuses shown as their pictures (U+2400…) or as U+FFFD."""
    return REFUSED.sub(lambda m: chr(0x2400 + ord(m[0])) if ord(m[0]) < 0x20 else "\ufffd", text)


def contained(text: str) -> str:
    """Printable, and turned in on itself where it holds marks of direction: what stands after it keeps its own."""
    text = printable(text)
    return f"{ISOLATE}{text}{END}" if DIRECTED.search(text) else text
