"""The name under which a file may be shown and saved: what strangers called it, made harmless (MSG-13)."""

import re
import unicodedata

LONGEST = 80
"""Characters of a name, its extension among them."""

MOST_BYTES = 200
"""Bytes of a name in UTF-8: what a disk takes is 255, and a browser adds “(1)”."""

_FORBIDDEN = re.compile(r'[<>:"|?*%]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|clock\$|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$|\s)", re.IGNORECASE)
_INNER_DOT = re.compile(r"\.+(?=\s*[A-Za-z])")
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def safe_name(said: str | None, extensions: tuple[str, ...], otherwise: str) -> str:
    """The last part of what a file was called, without what cannot be seen or means something to a system.

    It ends in one of `extensions`, which are those of its content: the first where it said another. `otherwise` is
    its name where nothing is left of it.
    """
    name = unicodedata.normalize("NFC", (said or "")[:2000])
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(
        " " if one.isspace() else one
        for one in name
        if one.isspace() or unicodedata.category(one) not in _UNSEEN
    )
    name = " ".join(_FORBIDDEN.sub("_", name).split()).strip(". ")
    stem, dot, extension = name.rpartition(".")
    known = f".{extension.lower()}"
    if not dot or not re.fullmatch(r"[A-Za-z0-9]{1,8}", extension):
        stem, known = name, ""
    ending = known if known in extensions else extensions[0]
    if stem.lower().endswith(ending):
        stem = stem[: len(stem) - len(ending)]
    stem = _INNER_DOT.sub("_", stem).strip(". ") or otherwise
    if _RESERVED.match(stem):
        stem = f"_{stem}"
    return _short(stem, ending) + ending


def _short(stem: str, ending: str) -> str:
    stem = stem[: LONGEST - len(ending)]
    while len(stem.encode()) + len(ending) > MOST_BYTES:
        stem = stem[:-1]
    return stem.rstrip(". ")
