"""The doors by which mail comes in: a mail server's pipe, Brevo and Mailgun; who may knock, and what they are told."""

import base64
import hashlib
import hmac
import io
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client
from django.test.client import MULTIPART_CONTENT
from django.urls import reverse
from pytest_django import Settings

from messaging.inbound import receiving
from messaging.models import Attachment, MailRefusal, Message
from tests.files.samples import picture
from tests.mail_in.conftest import last, mail, refusals, stands

pytestmark = [pytest.mark.django_db, pytest.mark.rule("MSG-07")]

SECRET = "correo:una-clave-muy-larga"
KEY = "key-mailgun"


@pytest.fixture
def open_doors(settings: Settings) -> None:
    settings.MAIL_WEBHOOK_SECRETS = (SECRET,)
    settings.MAILGUN_SIGNING_KEY = KEY
    settings.BREVO_API_KEY = "key-brevo"


def pipe(monkeypatch: pytest.MonkeyPatch, raw: bytes, *arguments: str) -> int:
    """Hand a mail to the command as a mail server does; answers its exit code."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    with pytest.raises(SystemExit) as ended:
        call_command("receive_mail", *arguments, stderr=io.StringIO())
    return int(str(ended.value.code))


def test_a_mail_server_is_told_in_its_own_codes(customers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one = mail(customers).as_bytes()
    assert [pipe(monkeypatch, one), pipe(monkeypatch, one)] == [0, 0]
    assert Message.objects.filter(role="customer").count() == 1
    before = stands()
    assert pipe(monkeypatch, mail(customers, Auto_Submitted="auto-replied").as_bytes()) == 0
    assert pipe(monkeypatch, mail(customers).as_bytes(), "--from", "") == 0
    assert pipe(monkeypatch, b"") == 65
    assert pipe(monkeypatch, mail(customers, " ").as_bytes()) == 65
    assert pipe(monkeypatch, mail("reply+" + "a" * 33 + "@respuestas.example").as_bytes()) == 67
    assert pipe(monkeypatch, mail("nadie@respuestas.example").as_bytes()) == 67
    assert stands() == before
    assert refusals() == {"automatic": 2, "broken": 1, "empty": 1, "unknown": 2}


def test_the_recipient_of_the_envelope_counts(customers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (
        pipe(monkeypatch, mail("avisos@x.example").as_bytes(), "--to", customers, "--from", "ana@x.example")
        == 0
    )
    assert last().role == "customer"


def test_when_the_database_is_in_trouble_the_mail_is_to_come_again(
    customers: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object, **__: object) -> None:
        raise OperationalError

    before = stands()
    monkeypatch.setattr(receiving, "_written_down", down)
    assert pipe(monkeypatch, mail(customers).as_bytes()) == 75
    assert (stands(), refusals()) == (before, {})


def test_a_mail_that_is_too_large_is_read_to_its_end_and_turned_away(
    customers: str, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.MAIL_MOST_BYTES = 10_000
    before = stands()
    assert pipe(monkeypatch, mail(customers, "x\n" * 100_000).as_bytes()) == 65
    assert sys.stdin.buffer.read() == b""
    assert (stands(), refusals()) == (before, {"too_large": 1})


def authorised(secret: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"} if secret else {}


def brevo(to: str, text: str = "Sí, el jueves.", **told: Any) -> dict[str, Any]:
    headers = {
        "From": "Ana <ana@cliente.example>", "To": to, "Message-ID": "<1@cliente.example>",
        "Received": ["from a", "from b"], **told.pop("Headers", {}),
    }  # fmt: skip
    return {"items": [{"Uuid": ["u"], "Headers": headers, "RawTextBody": text, "RawHtmlBody": "", **told}]}


def knock(provider: str, body: Any, *, secret: str = SECRET) -> tuple[int, str]:
    address = reverse("mail_inbound", args=[provider])
    kind = "application/json" if isinstance(body, bytes) else MULTIPART_CONTENT
    answer = Client().post(address, body, content_type=kind, headers=authorised(secret))
    return answer.status_code, answer.text


def from_brevo(told: dict[str, Any], *, secret: str = SECRET) -> tuple[int, str]:
    return knock("brevo", json.dumps(told).encode(), secret=secret)


def mailgun(to: str, told: dict[str, Any] | None = None, *, key: str = KEY) -> dict[str, Any]:
    seal = hmac.new(key.encode(), b"1772535600token", hashlib.sha256).hexdigest()
    headers = [["To", to], ["From", "ana@cliente.example"], ["Message-Id", "<2@cliente.example>"]]
    return {
        "timestamp": "1772535600", "token": "token", "signature": seal, "sender": "ana@cliente.example",
        "recipient": to, "message-headers": json.dumps(headers), "body-plain": "Sí, el viernes.", **(told or {}),
    }  # fmt: skip


@pytest.mark.usefixtures("open_doors")
def test_brevo_hands_over_an_answer_once(customers: str) -> None:
    assert from_brevo(brevo(customers)) == (200, "taken=1")
    assert (last().body, last().author) == ("Sí, el jueves.", "Ana Soler")
    before = stands()
    assert from_brevo(brevo(customers)) == (200, "known=1")
    assert from_brevo(brevo("reply+" + "b" * 40 + "@respuestas.example")) == (200, "unknown=1")
    assert from_brevo(brevo(customers, Headers={"Content-Type": "multipart/report; a=b"})) == (
        200,
        "automatic=1",
    )
    assert stands() == before


@pytest.mark.usefixtures("open_doors")
def test_mailgun_hands_over_an_answer_with_its_files(customers: str) -> None:
    photo = SimpleUploadedFile("jarrón.jpg", picture(), "image/jpeg")
    told = mailgun(customers, {"attachment-count": "1", "attachment-1": photo})
    assert knock("mailgun", told) == (200, "taken=1")
    assert last().body == "Sí, el viernes."
    assert Attachment.objects.get(message=last()).name == "jarrón.jpg"


@pytest.mark.usefixtures("open_doors")
def test_mailgun_hands_over_a_whole_mail(customers: str) -> None:
    told = mailgun(customers, {"body-mime": mail("x@x.example", "Entero").as_string()})
    assert knock("mailgun", told) == (200, "taken=1")
    assert last().body == "Entero"
    before = stands()
    assert knock("mailgun", {**told, "sender": "", "body-mime": mail(customers).as_string()}) == (
        200,
        "automatic=1",
    )
    assert stands() == before


@pytest.mark.usefixtures("open_doors")
def test_who_is_not_believed_or_understood_writes_nothing(customers: str) -> None:
    before = stands()
    for secret in ("", "correo:otra", ":", "correo"):
        assert from_brevo(brevo(customers), secret=secret) == (403, "signature")
        assert knock("mailgun", mailgun(customers), secret=secret) == (403, "signature")
    assert knock("mailgun", mailgun(customers, key="another")) == (403, "signature")
    assert knock("mailgun", b"{}") == (403, "signature")
    for body in (b"", b"{", b"[]", b"null", b"\xff\xfe", b'"x"', b"[" * 100_000, b'{"items": [1]}', b'{"event": "x"}',
                 b'{"items": [{"Headers": 1}]}', b"9" * 3_000_000):  # fmt: skip
        assert knock("brevo", body) == (400, "broken")
    for wrong in (
        {"message-headers": "{"},
        {"message-headers": "[1]"},
        {"attachments": "[]"},
        {"event": "opened"},
    ):
        assert knock("mailgun", {**mailgun(customers), **wrong}) == (400, "broken")
    assert stands() == before
    found = MailRefusal.objects.values_list("source", "reason", "times").order_by("source", "reason")
    assert list(found) == [("brevo", "broken", 11), ("brevo", "signature", 4), ("mailgun", "broken", 4),
                           ("mailgun", "signature", 6)]  # fmt: skip
    assert Client().get(reverse("mail_inbound", args=["brevo"])).status_code == 405


@pytest.mark.parametrize(
    "lacks", ["MAIL_WEBHOOK_SECRETS", "MAIL_REPLY_DOMAIN", "BREVO_API_KEY", "MAILGUN_SIGNING_KEY"]
)
@pytest.mark.usefixtures("open_doors")
def test_without_its_secret_there_is_no_door(customers: str, settings: Settings, lacks: str) -> None:
    before = stands()
    setattr(settings, lacks, "")
    if lacks != "MAILGUN_SIGNING_KEY":
        assert from_brevo(brevo(customers))[0] == 404
    if lacks != "BREVO_API_KEY":
        assert knock("mailgun", mailgun(customers))[0] == 404
    assert knock("nobody", b"{}")[0] == 404
    assert (stands(), refusals()) == (before, {})


@pytest.fixture
def shelf(settings: Settings) -> Iterator[dict[str, tuple[int, bytes]]]:
    """Where Brevo keeps attachments: what it answers, by token."""
    kept: dict[str, tuple[int, bytes]] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            right = self.headers["api-key"] == "key-brevo"
            status, content = kept.get(self.path.rpartition("/")[2], (404, b"")) if right else (401, b"")
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        settings.BREVO_API = f"http://127.0.0.1:{server.server_port}/"
        yield kept
        server.shutdown()
        thread.join()


def carrying(to: str, *tokens: str) -> dict[str, Any]:
    files = [{"Name": f"{one}.jpg", "ContentType": "image/jpeg", "DownloadToken": one} for one in tokens]
    return brevo(to, Attachments=files)


@pytest.mark.usefixtures("open_doors")
def test_the_files_that_brevo_keeps_are_fetched(customers: str, shelf: dict[str, tuple[int, bytes]]) -> None:
    shelf["foto"] = (200, picture())
    assert from_brevo(carrying(customers, "foto", "gone")) == (200, "taken=1")
    assert [one.name for one in Attachment.objects.filter(message=last())] == ["foto.jpg"]
    assert last().body == "Sí, el jueves.\n\nNo se adjuntó «gone.jpg»: Está vacío."


@pytest.mark.usefixtures("open_doors")
def test_files_that_cannot_be_fetched_now_are_fetched_later(
    customers: str, shelf: dict[str, tuple[int, bytes]], settings: Settings
) -> None:
    before = stands()
    shelf["foto"] = (500, b"")
    assert from_brevo(carrying(customers, "foto")) == (503, "later")
    settings.BREVO_API = "http://127.0.0.1:9/"
    assert from_brevo(carrying(customers, "foto")) == (503, "later")
    assert from_brevo(carrying("reply+" + "B" * 40 + "@otro.example", "foto")) == (200, "unknown=1")
    assert stands() == before


@pytest.mark.usefixtures("open_doors")
def test_files_that_are_too_large_together_are_turned_away(
    customers: str, shelf: dict[str, tuple[int, bytes]], settings: Settings
) -> None:
    settings.MAIL_MOST_BYTES = 100_000
    shelf["a"] = shelf["b"] = (200, b"x" * 60_000)
    before = stands()
    assert from_brevo(carrying(customers, "a", "b")) == (400, "too_large")
    assert (stands(), refusals()) == (before, {"too_large": 1})
