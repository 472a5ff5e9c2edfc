"""Bytes that somebody sent as text that can be kept and shown."""

import codecs
import re
import unicodedata

_CHARSETS = re.compile(
    r"(utf_?(8|16|32)|ascii|iso8859|cp\d|koi8|mac_|gb|big5|euc_|shift_jis|iso2022|hz|tis|latin)",
    re.IGNORECASE,
)
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\ufeff")


def decoded(raw: bytes, charset: str | None) -> str:
    """Bytes as text, whatever they claim to be: a charset that is none, or not theirs, loses no more than it must."""
    for name in (charset or "", "utf-8"):
        try:
            found = codecs.lookup(name.strip()).name.replace("-", "_")
            if _CHARSETS.match(found) and (found != "ascii" or raw.isascii()):
                return raw.decode(found)
        except (LookupError, ValueError):
            continue
    return raw.decode("cp1252", errors="replace")


def clean(text: str) -> str:
    """Text without what cannot be kept or seen: control characters, halves of characters, turns of direction."""
    lines = (
        "".join(
            letter
            for letter in line.replace("\t", " ")
            if letter not in _BIDI and unicodedata.category(letter) not in ("Cc", "Cs", "Co")
        ).rstrip()
        for line in text.splitlines()
    )
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept).strip("\n")
