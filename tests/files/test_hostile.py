"""The corpus of hostile files: each refused with a reason, or made harmless; nothing ever raises."""

import io
import json
import re
from contextlib import closing, suppress
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from marketplace.file_names import LONGEST, MOST_BYTES, safe_name
from marketplace.files import KINDS, Why, kind_of
from marketplace.policy import PRESETS, FileType, Preset, Settings
from messaging.file_fields import FilesField, FilesInput
from tests.files.corpus import HOSTILE, Hostile
from tests.files.hostile import MARK, archive, placed
from tests.files.samples import ALL, gate, pdf, picture, upload

pytestmark = pytest.mark.rule("MSG-13")


def rules(**wishes: Any) -> Settings:
    return PRESETS[Preset.ACCEPT_FIRST].model_copy(update=wishes)


RULES = rules(attachment_types=ALL, attachment_mb=8, attachments_most=3)


def test_the_corpus_is_large_enough() -> None:
    assert len(HOSTILE) > 60
    assert len({one.what for one in HOSTILE}) == len(HOSTILE)
    assert {one.says for one in HOSTILE if isinstance(one.says, Why)} == set(Why) - {
        Why.NONE, Why.TOO_MANY, Why.TOO_BIG, Why.TOGETHER, Why.VIRUS, Why.UNSCANNED,
    }  # fmt: skip


@pytest.mark.parametrize("one", HOSTILE, ids=str)
def test_a_hostile_file_is_refused_or_made_harmless(one: Hostile) -> None:
    taken, turned = gate((one.name, one.make()))
    if isinstance(one.says, Why):
        assert (taken, [(why.code, why.name) for why in turned]) == ([], [(one.says, turned[0].name)])
        assert turned[0].why.endswith(".")
        assert "%" not in turned[0].why
        return
    [file] = taken
    content = file.content.read()
    assert file.kind == one.says == kind_of(io.BytesIO(content))
    assert MARK not in content
    assert b"PK\x03\x04" not in content
    assert file.name.endswith(KINDS[file.kind].extensions)
    assert len(content) == file.size
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        assert not {"icc_profile", "comment", "exif", "xmp", "XML:com.adobe.xmp", "Comment"} & set(image.info)
        assert not image.getexif()


def test_a_photo_says_nothing_of_where_it_was_taken_and_stands_upright() -> None:
    """GPS, camera, colour profile and comment are gone; what the camera said of its own tilt has been done."""
    with Image.open(io.BytesIO(placed())) as before:
        assert before.getexif().get_ifd(0x8825)[2] == (41.0, 39.0, 7.2)
        assert before.size == (60, 40)
    [file], _turned = gate(("casa.jpg", placed()))
    with Image.open(file.content) as after:
        assert after.size == (40, 60)
        assert not after.getexif().get_ifd(0x8825)
        assert "icc_profile" not in after.info
    assert file.preview is not None
    assert (file.preview.width, file.preview.height) == (40, 60)
    with Image.open(file.preview.content) as small:
        assert (small.format, small.size) == ("WEBP", (40, 60))


def test_a_large_photo_is_halved_and_its_small_picture_is_small() -> None:
    [file], _turned = gate(("foto.jpg", picture(size=(8160, 6120))))
    with Image.open(file.content) as kept:
        assert kept.size == (4080, 3060)
    assert file.preview is not None
    assert (file.preview.width, file.preview.height) == (480, 360)


def test_a_pdf_is_kept_to_the_byte() -> None:
    """A signature on it stays good."""
    content = pdf(3)
    [file], _turned = gate(("factura.pdf", content))
    assert (file.content.read(), file.preview) == (content, None)


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("¿Qué tal? 10 €".encode("cp1252"), "¿Qué tal? 10 €"),
        ("¿Qué tal?".encode("utf-16"), "¿Qué tal?"),
        (b"\xef\xbb\xbfHola", "Hola"),
        (b"Hola <script> en medio", "Hola <script> en medio"),
    ],
)
def test_a_text_is_kept_as_utf8(raw: bytes, kept: str) -> None:
    [file], _turned = gate(("nota.TXT", raw))
    assert (file.content.read().decode(), file.name, file.content_type) == (kept, "nota.txt", "text/plain")


def test_only_what_a_policy_allows_is_let_in() -> None:
    for types, most_files in (((), 5), (ALL, 0)):
        _taken, [turned] = gate(("foto.jpg", picture()), types=types, most_files=most_files)
        assert turned.code == Why.NONE
    taken, [turned] = gate(("a.gif", picture("GIF")), ("b.jpg", picture()), types=(FileType.JPEG,))
    assert ([one.name for one in taken], turned.code) == (["b.jpg"], Why.TYPE)
    assert turned.why == "No es de un tipo que se admita: fotos JPEG."
    assert gate(("b.jpg", picture() + bytes(1024**2)), most_mb=1)[1][0].code == Why.TOO_BIG


def test_of_too_many_the_first_are_let_in_and_the_others_named() -> None:
    taken, turned = gate(*[(f"{n}.jpg", picture()) for n in range(40)], most_files=3)
    assert [one.name for one in taken] == ["0.jpg", "1.jpg", "2.jpg"]
    assert {one.code for one in turned} == {Why.TOO_MANY}
    assert [one.name for one in turned] == [f"{n}.jpg" for n in range(3, 40)]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("../../etc/passwd", "passwd.jpg"),
        ("..\\..\\Windows\\system32\\drivers.jpg", "drivers.jpg"),
        ("C:\\fotos\\jarrón roto.JPEG", "jarrón roto.jpeg"),
        ("foto\x00.php.jpg", "foto_php.jpg"),
        ("fo\x1bto\r\nSet-Cookie: a=b.jpg", "foto Set-Cookie_ a=b.jpg"),
        ("anexo\u202egpj.exe", "anexogpj.jpg"),
        ("fac\u200btura\ufeff\u2066.jpg", "factura.jpg"),
        ("CON.jpg", "_CON.jpg"),
        ("com1", "_com1.jpg"),
        (".htaccess", "htaccess.jpg"),
        ("...", "archivo.jpg"),
        ("   .jpg", "jpg.jpg"),
        ("", "archivo.jpg"),
        (None, "archivo.jpg"),
        ("factura.pdf.exe", "factura_pdf.jpg"),
        ("foto.jpg.exe", "foto.jpg"),
        ('<img src=x onerror="alert(1)">.jpg', "_img src=x onerror=_alert(1)__.jpg"),
        ("a" * 5000 + ".jpg", "a" * 76 + ".jpg"),
        ("字" * 300, "字" * 65 + ".jpg"),
        ("foto%00%2e%2e.jpg", "foto_00_2e_2e.jpg"),
        ("Nº 12.345 (copia).jpg", "Nº 12.345 (copia).jpg"),
    ],
)
def test_a_name_is_made_safe(said: str | None, shown: str) -> None:
    assert safe_name(said, KINDS[FileType.JPEG].extensions, "archivo") == shown


@given(st.text(max_size=400))
def test_no_name_gets_through_unsafe(said: str) -> None:
    name = safe_name(said, (".jpg", ".jpeg"), "archivo")
    assert re.fullmatch(r"[^\x00-\x1f\x7f/\\<>:\"|?*\u200b-\u200f\u202a-\u202e\u2066-\u2069]+\.jpe?g", name)
    assert len(name) <= LONGEST
    assert len(name.encode()) <= MOST_BYTES
    assert not name.startswith(".")


def test_a_gate_that_fails_refuses_and_never_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(io.BytesIO):
        def read(self, *args: object) -> bytes:
            raise ValueError("no")

    file = upload("foto.jpg", picture())
    file.file = Broken()
    assert gate()[0] == []
    from marketplace.files import check

    taken, [turned] = check([file], types=ALL, most_mb=8, most_files=5)
    assert (taken, turned.code) == ([], Why.TOO_HARD)


def test_a_look_that_takes_too_long_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketplace.files.LOOK_S", 0.001)
    taken, [turned] = gate(("foto.jpg", picture()))
    assert (taken, turned.code) == ([], Why.TOO_HARD)


def posted(*files: tuple[str, bytes]) -> FilesField:
    """The field of a form, after a real multipart request was read through the site's own handler."""
    data = {"text": "Hola", "files": [SimpleUploadedFile(name, content) for name, content in files]}
    request = RequestFactory().post("/", data)
    assert request.POST["text"] == "Hola", "the text is never lost"
    field = FilesField(RULES)
    with closing(request), suppress(ValidationError):
        field.clean(FilesInput().value_from_datadict(request.POST, request.FILES, "files"))
    return field


def test_a_form_tells_each_file_that_it_did_not_take_by_name() -> None:
    field = posted(
        ("bien.jpg", picture()), ("logo.svg", b"<svg>"), ("vacío.pdf", b""), ("más.jpg", picture())
    )
    assert field.fine == ["bien.jpg"]
    assert [(one.name, one.code) for one in field.turned] == [
        ("logo.svg", Why.TYPE),
        ("vacío.pdf", Why.EMPTY),
        ("más.jpg", Why.TOO_MANY),
    ]


def test_what_one_request_keeps_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("marketplace.uploads.MOST_BYTES", 3_000_000)
    field = posted(
        ("1.jpg", picture() + bytes(2_000_000)), ("2.jpg", picture() + bytes(2_000_000)), ("3.jpg", picture())
    )
    assert field.fine == ["1.jpg", "3.jpg"]
    assert [(one.name, one.code) for one in field.turned] == [("2.jpg", Why.TOGETHER)]
    field = posted(("1.jpg", bytes(9 * 1024**2)))
    assert [one.code for one in field.turned] == [Why.TOO_BIG]


def test_a_thousand_files_are_no_more_than_thirty() -> None:
    field = posted(*[(f"{n}.txt", b"hola") for n in range(1000)])
    assert (len(field.fine), len(field.turned)) == (3, 27)


def test_the_corpus_comes_through_a_form_as_through_the_gate() -> None:
    quick = [one for one in HOSTILE if one.says in (Why.TYPE, Why.EMPTY, Why.HEIC)]
    assert len(quick) > 15
    for one in quick:
        [turned] = (
            posted((one.name, one.make())).turned if one.says != Why.EMPTY else posted((one.name, b"")).turned
        )
        assert turned.code == one.says
    assert posted(("foto.jpg", picture() + archive())).fine == ["foto.jpg"]


def test_what_a_field_offers_is_what_its_policy_takes() -> None:
    field = FilesField(rules(attachment_types=(FileType.JPEG, FileType.PDF)))
    assert field.accept == "image/*,.jpg,.jpeg,.pdf"
    assert field.hint == "5 como mucho, de hasta 8 MB cada uno: fotos JPEG y PDF."
    assert FilesField(rules(attachment_types=(FileType.TEXT,))).accept == ".txt"
    assert json.dumps(field.widget.attrs)
