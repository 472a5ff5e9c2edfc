"""Spanish is the source; English is complete, and what is compiled is what was written."""

from datetime import timedelta

import polib
import pytest
from django.utils import translation

from marketplace import catalogue
from marketplace.moments import length_words
from marketplace.strings import strings


@pytest.fixture(scope="module")
def english() -> polib.POFile:
    return catalogue.kept()


def test_every_string_of_the_source_is_in_the_catalogue_and_no_other(english: polib.POFile) -> None:
    wanted = {(found.context, found.msgid, found.plural) for found in strings()}
    wanted -= {(context, msgid, "") for context, msgid, plural in wanted if plural}
    assert {(entry.msgctxt or "", entry.msgid, entry.msgid_plural) for entry in english} == wanted


def test_every_string_is_translated_and_none_is_a_guess(english: polib.POFile) -> None:
    assert [entry.msgid for entry in english if entry.fuzzy or not entry.translated()] == []


def test_a_translation_fills_the_holes_of_its_source(english: polib.POFile) -> None:
    differing = []
    for entry in english:
        said = entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]
        source = entry.msgid_plural or entry.msgid
        differing += [words for words in said if catalogue.placeholders(words) != catalogue.placeholders(source)]
    assert differing == []


def test_the_catalogue_is_as_the_command_writes_it(english: polib.POFile) -> None:
    merge = catalogue.merged()
    assert catalogue.PO.read_text("utf-8") == catalogue.text(merge.entries), "./run manage catalogue --write"


def test_what_is_compiled_is_what_was_written(english: polib.POFile) -> None:
    assert catalogue.MO.read_bytes() == english.to_binary(), "./run manage catalogue --write"


@pytest.mark.parametrize(
    ("language", "said", "own", "plural"),
    [
        ("es", "Esperando envío", "Este campo es obligatorio.", "2 horas y 1 minuto"),
        ("en", "Awaiting shipment", "This field is required.", "2 hours and 1 minute"),
    ],
)
def test_each_language_speaks_for_itself(language: str, said: str, own: str, plural: str) -> None:
    """Our words, Django's words and plurals; Spanish has no catalogue of ours and never falls back on English."""
    with translation.override(language):
        assert translation.gettext("Esperando envío") == said
        assert translation.gettext("This field is required.") == own
        assert length_words(timedelta(hours=2, minutes=1)) == plural


def test_a_string_without_english_is_shown_in_spanish() -> None:
    with translation.override("en"):
        assert translation.gettext("Una frase que no está en el catálogo") == "Una frase que no está en el catálogo"
