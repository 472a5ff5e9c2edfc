"""Spanish is the source; English is complete, and what is compiled is what was written."""

from datetime import timedelta

import polib
import pytest
from django.utils import translation

from marketplace import catalogue
from marketplace.moments import length_words
from marketplace.strings import strings

LANGUAGES = (catalogue.ENGLISH, catalogue.SPANISH)


@pytest.fixture(scope="module")
def english() -> polib.POFile:
    return catalogue.kept(catalogue.ENGLISH)


def pairs(entry: polib.POEntry) -> list[tuple[str, str]]:
    """Each translation with its source; a singular may leave the number out."""
    if not entry.msgid_plural:
        return [(entry.msgid, entry.msgstr)]
    return [(entry.msgid, entry.msgstr_plural[0]), (entry.msgid_plural, entry.msgstr_plural[1])]


def test_every_string_of_the_source_is_in_the_catalogue_and_no_other(english: polib.POFile) -> None:
    wanted = {(found.context, found.msgid, found.plural) for found in strings()}
    wanted -= {(context, msgid, "") for context, msgid, plural in wanted if plural}
    assert {(entry.msgctxt or "", entry.msgid, entry.msgid_plural) for entry in english} == wanted


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_string_is_translated_and_none_is_a_guess(language: str) -> None:
    entries = catalogue.kept(language)
    assert len(entries) > 10
    assert catalogue.lacking(entries) == []
    assert [entry.msgid for entry in entries if entry.fuzzy or entry.obsolete] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_fills_the_holes_of_its_source(language: str) -> None:
    differing = [
        words
        for entry in catalogue.kept(language)
        for source, words in pairs(entry)
        if catalogue.placeholders(words) != catalogue.placeholders(source)
    ]
    assert differing == []


def test_our_own_words_have_no_spanish_catalogue(english: polib.POFile) -> None:
    """It would hide the source; it is for libraries that speak English alone."""
    ours = {entry.msgid for entry in english}
    assert [entry.msgid for entry in catalogue.kept(catalogue.SPANISH) if entry.msgid in ours] == []


def test_catalogues_are_as_the_command_writes_them() -> None:
    for language, entries in (
        (catalogue.ENGLISH, catalogue.english()),
        (catalogue.SPANISH, catalogue.spanish()),
    ):
        assert catalogue.po(language).read_text("utf-8") == catalogue.text(entries), (
            "./run manage catalogue --write"
        )


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_was_written(language: str) -> None:
    compiled = catalogue.po(language).with_suffix(".mo").read_bytes()
    assert compiled == catalogue.kept(language).to_binary(), "./run manage catalogue --write"


@pytest.mark.parametrize(
    ("language", "ours", "djangos", "plural"),
    [
        ("es", "Esperando envío", "Este campo es obligatorio.", "2 horas y 1 minuto"),
        ("en", "Awaiting shipment", "This field is required.", "2 hours and 1 minute"),
    ],
)
def test_each_language_speaks_for_itself(language: str, ours: str, djangos: str, plural: str) -> None:
    """Our words, Django's words and plurals; Spanish never falls back on English."""
    with translation.override(language):
        assert translation.gettext("Esperando envío") == ours
        assert translation.gettext("This field is required.") == djangos
        assert length_words(timedelta(hours=2, minutes=1)) == plural


def test_what_has_no_english_is_shown_in_spanish() -> None:
    with translation.override("en"):
        assert (
            translation.gettext("Una frase que no está en el catálogo")
            == "Una frase que no está en el catálogo"
        )
