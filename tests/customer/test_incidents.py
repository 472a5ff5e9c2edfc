"""Incidents that a customer opens from their page, with photos; and the files of their messages."""

import io
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from customer.services import MOST_CLAIMS, MOST_MESSAGES
from incidents import services as incidents
from incidents.models import Incident
from marketplace.models import Channel
from marketplace.reasons import Why
from messaging.models import Attachment, AttachmentDownload, Message
from orders.models import Order
from orders.states import State
from sellers.models import Shop
from tests.conftest import AT, CUSTOMER, OPERATOR, SELLER, again
from tests.customer.conftest import Clock
from tests.customer.links import path_of
from tests.orders.lives import HOUR, brought_to

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(channel: Channel, shop: Shop, clock: Clock) -> Order:
    found = Order.objects.get(id=brought_to(State.DELIVERED, channel, shop)[0])
    clock(AT + 5 * HOUR)
    return found


def photo(name: str = "roto.jpg") -> SimpleUploadedFile:
    made = io.BytesIO()
    Image.new("RGB", (64, 48), "#885533").save(made, "JPEG")
    return SimpleUploadedFile(name, made.getvalue(), "image/jpeg")


@pytest.mark.rule("INC-01", "ROL-03", "SHP-08")
def test_a_customer_opens_an_incident_with_a_photo(order: Order, client: Client) -> None:
    jar = order.lines.get(sku="JAR-AZUL")
    assert "Cuéntaselo a Cerámicas Alba" in client.get(path_of(order) + "incidencia/").content.decode()
    for _ in range(2):
        sent = {f"line_{jar.id}": "on", "reason": "damaged", "text": "Llegó en dos trozos", "files": photo()}
        answer = client.post(path_of(order) + "incidencia/", sent)
        assert answer.headers["Location"] == f"{path_of(order)}?hecho=incidencia"
    incident = Incident.objects.get()
    assert (incident.opened_role, incident.reason_code) == ("customer", "damaged")
    assert list(incident.lines.values_list("line_id", flat=True)) == [jar.id]
    assert again(order).incident_at == AT + 5 * HOUR
    file = Attachment.objects.get()
    page = client.get(path_of(order)).content.decode()
    assert "Incidencia: Llegó roto o dañado" in page
    assert f"archivos/{file.id}/" in client.get(path_of(order) + "mensajes/").content.decode()
    got = client.get(f"{path_of(order)}archivos/{file.id}/")
    assert b"".join(got.streaming_content).startswith(b"\xff\xd8\xff")  # type: ignore[attr-defined]
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in got.headers["Content-Security-Policy"]
    small = client.get(f"{path_of(order)}archivos/{file.id}/?vista")
    assert small.headers["Content-Type"] == "image/webp"
    assert b"".join(small.streaming_content)[8:12] == b"WEBP"  # type: ignore[attr-defined]
    assert set(AttachmentDownload.objects.values_list("role", "preview")) == {
        ("customer", False),
        ("customer", True),
    }


@pytest.mark.rule("INC-04")
def test_a_customer_reads_how_it_stands(order: Order, client: Client) -> None:
    jar = order.lines.get(sku="JAR-AZUL")
    client.post(path_of(order) + "incidencia/", {f"line_{jar.id}": "on", "reason": "damaged", "text": "Roto"})
    assert "La tienda la está mirando" in client.get(path_of(order)).content.decode()
    incident = Incident.objects.get()
    incidents.resolve(incident.id, reason=Why("replaced", "Secreto de la casa"), by=SELLER, at=AT + 6 * HOUR)
    page = client.get(path_of(order)).content.decode()
    assert "La tienda la da por resuelta" in page
    assert "Secreto de la casa" not in page


@pytest.mark.rule("INC-01")
def test_what_is_missing_or_too_late_opens_nothing(order: Order, client: Client, clock: Clock) -> None:
    jar = order.lines.get(sku="JAR-AZUL")
    chosen = {f"line_{jar.id}": "on"}
    for data in (
        {"reason": "damaged"},
        {**chosen},
        {**chosen, "reason": "inventado"},
        {**chosen, "reason": "other", "text": "  "},
        {"line_1": "on", "reason": "damaged"},
    ):
        assert client.post(path_of(order) + "incidencia/", data).status_code == 422
    clock(AT + timedelta(days=30))
    late = client.post(path_of(order) + "incidencia/", {**chosen, "reason": "damaged"})
    assert late.status_code == 409
    assert not Incident.objects.exists()
    assert again(order).incident_at is None


@pytest.mark.rule("INC-01")
def test_words_that_cannot_be_seen_are_none(order: Order, client: Client) -> None:
    jar = order.lines.get(sku="JAR-AZUL")
    sent = {f"line_{jar.id}": "on", "reason": "damaged", "text": "\u200b\u2060"}
    assert client.post(path_of(order) + "incidencia/", sent).status_code == 303
    assert Message.objects.get().body == "Llegó roto o dañado"


@pytest.mark.rule("MSG-13")
def test_whoever_sends_too_often_has_no_file_looked_into_and_loses_no_text(
    order: Order, client: Client
) -> None:
    for n in range(MOST_MESSAGES):
        client.post(path_of(order) + "mensajes/", {"text": f"n.º {n}"})
    lines, spoon = list(order.lines.all()), order.lines.first()
    assert spoon
    for _ in range(MOST_CLAIMS):
        opened = incidents.open_incident(
            order.id, [spoon.id], reason=Why("damaged"), by=CUSTOMER, at=timezone.now()
        )
        incidents.resolve(opened.id, reason=Why("replaced"), by=SELLER, at=timezone.now())
        incidents.close([opened.id], by=OPERATOR, at=timezone.now())
    before = (Message.objects.count(), Incident.objects.count())
    for page, more in (
        ("mensajes/", {}),
        ("incidencia/", {"reason": "damaged", f"line_{lines[-1].id}": "on"}),
    ):
        bad = SimpleUploadedFile("foto.jpg", b"<svg onload=alert(1)>", "image/jpeg")
        answer = client.post(path_of(order) + page, {"text": "Otra vez", "files": bad, **more})
        shown = answer.content.decode()
        assert (answer.status_code, "Otra vez" in shown, "foto.jpg" in shown) == (429, True, False)
    assert (Message.objects.count(), Incident.objects.count()) == before


@pytest.mark.rule("MSG-13")
def test_a_file_that_is_turned_away_loses_no_text(order: Order, client: Client) -> None:
    bad = SimpleUploadedFile("foto.jpg", b"<svg onload=alert(1)>", "image/jpeg")
    for page, more in (("mensajes/", {}), ("incidencia/", {"reason": "damaged"})):
        data = {"text": "Mira la foto", "files": [bad, photo()], **more}
        answer = client.post(path_of(order) + page, data)
        bad.seek(0)
        shown = answer.content.decode()
        assert answer.status_code == 422
        assert "Mira la foto" in shown
        assert "foto.jpg" in shown
        assert "Vuelve a elegir" in shown
    assert not Message.objects.exists()
    assert not Attachment.objects.exists()


@pytest.mark.rule("MSG-13", "DOC-04")
def test_the_files_of_others_are_not_there(
    order: Order, client: Client, channel: Channel, shop: Shop
) -> None:
    other = Order.objects.get(id=brought_to(State.DELIVERED, channel, shop)[0])
    client.post(path_of(other) + "mensajes/", {"text": "", "files": photo()})
    file = Attachment.objects.get()
    assert client.get(f"{path_of(order)}archivos/{file.id}/").status_code == 404
    assert client.get(f"{path_of(order)}archivos/{10**18}/").status_code == 404
    assert not AttachmentDownload.objects.exists()


def test_photos_sent_twice_are_one_message_and_other_photos_another(order: Order, client: Client) -> None:
    for name, colour in (("a.jpg", "red"), ("a.jpg", "red"), ("b.jpg", "blue")):
        made = io.BytesIO()
        Image.new("RGB", (16, 16), colour).save(made, "JPEG")
        sent = SimpleUploadedFile(name, made.getvalue(), "image/jpeg")
        assert client.post(path_of(order) + "mensajes/", {"text": "", "files": sent}).status_code == 303
    assert (Message.objects.count(), Attachment.objects.count()) == (2, 2)
