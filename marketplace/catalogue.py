"""The catalogues in locale/: English for each string of the source, Spanish for libraries that have none.

Our own Spanish is written in the source itself. Catalogues are sorted and bear no dates, so that they differ when their
words do; each has its compiled twin.
"""

import re
from collections.abc import Iterable
from pathlib import Path

import polib
from django.conf import settings

from marketplace.strings import Found, strings

ENGLISH, SPANISH = "en", "es"

_PLACEHOLDER = re.compile(r"%\((\w+)\)[a-z]|%%|\{(\w*)\}")

type Key = tuple[str, str]


class Disputed(Exception):
    """One string has two plurals, and a catalogue holds one."""


def po(language: str) -> Path:
    """Where a catalogue is written; the compiled one lies beside it as .mo."""
    return Path(settings.ROOT) / "locale" / language / "LC_MESSAGES" / "django.po"


def kept(language: str) -> polib.POFile:
    """The catalogue as it is on disk; empty where there is none."""
    path = po(language)
    return polib.pofile(str(path)) if path.exists() else polib.POFile()


def english(parts: Iterable[Path] = ()) -> polib.POFile:
    """One entry for each string of the source, in the words of the first part that has it, else of the catalogue.

    `parts` are .po files, with or without a header. Raises Disputed when the source gives one string two plurals.
    """
    entries = _empty(ENGLISH)
    known = _translations(ENGLISH, parts)
    for (context, msgid), places in sorted(_by_key(strings()).items()):
        plural, old = _plural(places), known.get((context, msgid))
        entry = polib.POEntry(
            msgid=msgid,
            msgctxt=context or None,
            msgid_plural=plural,
            occurrences=[(path, "") for path in sorted({found.path for found in places})],
            flags=["python-format"] if "%(" in msgid + plural else [],
        )
        if plural:
            entry.msgstr_plural = {0: "", 1: ""} | (old.msgstr_plural if old else {})
        else:
            entry.msgstr = old.msgstr if old else ""
        entries.append(entry)
    return entries


def spanish(parts: Iterable[Path] = ()) -> polib.POFile:
    """The words of libraries, in those of the first part that has them, else of the catalogue."""
    entries = _empty(SPANISH)
    for _, entry in sorted(_translations(SPANISH, parts).items()):
        entries.append(entry)
    return entries


def _empty(language: str) -> polib.POFile:
    entries = polib.POFile(wrapwidth=0)
    entries.metadata = {
        "Project-Id-Version": "trastienda",
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
    }
    return entries


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


def _translations(language: str, parts: Iterable[Path]) -> dict[Key, polib.POEntry]:
    """What parts and catalogue say, the first one first; fuzzy entries are guesses and do not count."""
    known: dict[Key, polib.POEntry] = {}
    files = [*(polib.pofile(str(part)) for part in parts), kept(language)]
    for entry in (entry for file in files for entry in file if entry.translated()):
        first = known.setdefault((entry.msgctxt or "", entry.msgid), entry)
        if entry.msgid_plural and not first.msgid_plural:
            known[entry.msgctxt or "", entry.msgid] = entry
    return known


def lacking(entries: polib.POFile) -> list[str]:
    """The strings that are not translated, or only guessed at."""
    return [entry.msgid for entry in entries if not entry.translated()]


def write(language: str, entries: polib.POFile) -> None:
    """Write the .po and the .mo that is read at run time."""
    po(language).parent.mkdir(parents=True, exist_ok=True)
    po(language).write_text(text(entries), "utf-8")
    po(language).with_suffix(".mo").write_bytes(entries.to_binary())


def text(entries: polib.POFile) -> str:
    """The .po as it is written."""
    return f"{entries}".rstrip("\n") + "\n"


def placeholders(words: str) -> list[str]:
    """The holes that a translation must fill too: "%(n)s", "{name}"."""
    return sorted(match[0] for match in _PLACEHOLDER.finditer(words) if match[0] != "%%")
