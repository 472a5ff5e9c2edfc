"""The English catalogue in locale/en: one entry for each string of the source, sorted, and its compiled twin.

Spanish is written in the source itself, so it has no catalogue.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import polib
from django.conf import settings

from marketplace.strings import Found, strings

PO = settings.ROOT / "locale" / "en" / "LC_MESSAGES" / "django.po"
MO = PO.with_suffix(".mo")

HEADER = {
    "Project-Id-Version": "trastienda",
    "Language": "en",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=UTF-8",
    "Content-Transfer-Encoding": "8bit",
    "Plural-Forms": "nplurals=2; plural=(n != 1);",
}

_PLACEHOLDER = re.compile(r"%\((\w+)\)[a-z]|%%|\{(\w*)\}")

type Key = tuple[str, str]


class Disputed(Exception):
    """One string has two plurals, and a catalogue holds one."""


@dataclass(slots=True)
class Merge:
    """The entries, and the strings among them that lack a translation."""

    entries: polib.POFile
    missing: list[str] = field(default_factory=list)


def kept() -> polib.POFile:
    """The catalogue as it is on disk; empty where there is none."""
    return polib.pofile(str(PO)) if PO.exists() else polib.POFile()


def merged(parts: Iterable[Path] = ()) -> Merge:
    """One entry for each string of the source, in the words of the first part that has it, else of the catalogue.

    `parts` are .po files, with or without a header. Raises Disputed when the source gives one string two plurals.
    """
    merge = Merge(polib.POFile(wrapwidth=0))
    merge.entries.metadata = HEADER
    known = _translations([*(polib.pofile(str(part)) for part in parts), kept()])
    for (context, msgid), places in sorted(_by_key(strings()).items()):
        plural = _plural(places)
        old = known.get((context, msgid))
        entry = polib.POEntry(
            msgid=msgid,
            msgctxt=context or None,
            msgid_plural=plural,
            occurrences=[(path, "") for path in sorted({found.path for found in places})],
            flags=["python-format"] if "%(" in msgid + plural else [],
        )
        if plural:
            entry.msgstr_plural = dict.fromkeys((0, 1), "") | (old.msgstr_plural if old else {})
        else:
            entry.msgstr = old.msgstr if old else ""
        if not entry.translated():
            merge.missing.append(msgid)
        merge.entries.append(entry)
    return merge


def _by_key(found: Iterable[Found]) -> dict[Key, list[Found]]:
    places: dict[Key, list[Found]] = {}
    for one in found:
        places.setdefault((one.context, one.msgid), []).append(one)
    return places


def _plural(places: Iterable[Found]) -> str:
    plurals = sorted({found.plural for found in places if found.plural})
    if len(plurals) > 1:
        raise Disputed(f"plurals of one string: {plurals}")
    return plurals[0] if plurals else ""


def _translations(files: Iterable[polib.POFile]) -> dict[Key, polib.POEntry]:
    """What the files say, the first one first; fuzzy entries are guesses and do not count."""
    known: dict[Key, polib.POEntry] = {}
    for entry in (entry for file in files for entry in file if entry.translated()):
        first = known.setdefault((entry.msgctxt or "", entry.msgid), entry)
        if entry.msgid_plural and not first.msgid_plural:
            known[entry.msgctxt or "", entry.msgid] = entry
    return known


def write(merge: Merge) -> None:
    """Write the .po and the .mo that is read at run time."""
    PO.parent.mkdir(parents=True, exist_ok=True)
    PO.write_text(text(merge.entries), "utf-8")
    MO.write_bytes(merge.entries.to_binary())


def text(entries: polib.POFile) -> str:
    """The .po as it is written."""
    return f"{entries}".rstrip("\n") + "\n"


def placeholders(words: str) -> list[str]:
    """The holes that a translation must fill too: "%(n)s", "{name}"."""
    return sorted(match[0] for match in _PLACEHOLDER.finditer(words) if match[0] != "%%")
