"""The virus scan, against a server that speaks as clamd does."""

import socket

import pytest
from pytest_django import Settings

from marketplace.files import Why
from tests.files.conftest import EICAR, Clamd
from tests.files.samples import gate, pdf, picture

pytestmark = pytest.mark.rule("MSG-13")


def test_a_file_is_scanned_as_it_came_and_let_in(clamd: Clamd, settings: Settings) -> None:
    settings.CLAMD_URL = clamd.url
    content = picture(size=(800, 600))
    taken, turned = gate(("foto.jpg", content), ("factura.pdf", pdf()))
    assert ([one.name for one in taken], turned) == (["foto.jpg", "factura.pdf"], [])
    assert clamd.seen[0] == content, "and not as it is made anew"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("eicar.txt", EICAR),
        ("foto.jpg", picture() + EICAR),
        ("factura.pdf", pdf().replace(b"%%EOF", EICAR + b"\n%%EOF")),
    ],
)
def test_a_virus_is_refused_by_its_name(name: str, content: bytes, clamd: Clamd, settings: Settings) -> None:
    settings.CLAMD_URL = clamd.url
    taken, [turned] = gate((name, content))
    assert (taken, turned.code) == ([], Why.VIRUS)
    assert turned.why == "Tiene un virus (Eicar-Test-Signature)."


@pytest.mark.parametrize(
    "says", [b"", b"INSTREAM size limit exceeded. ERROR\0", b"stream: maybe\0", b"\xff" * 5000, None]
)
def test_a_scanner_that_says_neither_yes_nor_no_lets_nothing_in(
    says: bytes | None, clamd: Clamd, settings: Settings
) -> None:
    settings.CLAMD_URL = clamd.url
    clamd.says = [says]
    taken, [turned] = gate(("foto.jpg", picture()))
    assert (taken, turned.code) == ([], Why.UNSCANNED)


def test_a_scanner_that_hangs_up_in_the_middle_lets_nothing_in(clamd: Clamd, settings: Settings) -> None:
    settings.CLAMD_URL = clamd.url
    clamd.most = 1000
    taken, [turned] = gate(("foto.jpg", picture() + b"\0" * 3_000_000))
    assert (taken, turned.code) == ([], Why.UNSCANNED)


def test_a_scanner_that_is_not_there_lets_nothing_in(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for url in (f"tcp://127.0.0.1:{port}", "unix:///proc/none.sock"):
        settings.CLAMD_URL = url
        taken, [turned] = gate(("foto.jpg", picture()))
        assert (taken, turned.code) == ([], Why.UNSCANNED)


def test_a_scanner_that_does_not_answer_in_time_lets_nothing_in(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marketplace.scanner.ANSWER_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.CLAMD_URL = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        taken, [turned] = gate(("foto.jpg", picture()))
    assert (taken, turned.code) == ([], Why.UNSCANNED)


def test_without_a_scanner_nothing_is_asked(clamd: Clamd, settings: Settings) -> None:
    settings.CLAMD_URL = ""
    taken, _turned = gate(("nota.txt", b"Hola"))
    assert [one.name for one in taken] == ["nota.txt"]
    assert clamd.seen == []
