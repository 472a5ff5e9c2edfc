"""What mails say: every event, audience and language; headers, both parts, deadlines in words."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.conf import settings
from django.template import engines
from django.utils import translation

from marketplace import timers
from marketplace.celery import BY_NAME
from marketplace.models import Channel
from marketplace.policy import PRESETS, Preset
from marketplace.reasons import Why
from marketplace.services import publish_policy
from messaging.documents import Letters
from messaging.models import Notice
from messaging.notice_table import TABLE
from orders import services
from orders.models import Line, Order
from orders.states import HoldKind
from payments import beforehand
from sellers.models import Shop
from tests.conftest import ANA, AT, CLOCK, JAR, SELLER, Placing, basket, sure
from tests.messaging.conftest import Server, Telling, drain
from tests.orders.digital import BOOKING, LINK, PATTERN, TICKET, digital_basket, placed

FOLDER = Path(settings.ROOT) / "templates" / "mail"
ROWS = {(str(event), str(audience)) for event, audiences in TABLE.items() for audience in audiences}


def text(mail: EmailMessage, kind: str = "plain") -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


@pytest.mark.rule("ORD-12")
def test_every_row_of_the_table_has_its_words_and_the_other_way_round() -> None:
    files = {path.stem for path in FOLDER.iterdir() if not path.name.startswith("base_")}
    assert files == {f"{event}_{audience}" for event, audience in ROWS}


@pytest.mark.rule("ORD-01", "ORD-02", "ORD-12", "PAY-03", "PAY-05")
@pytest.mark.django_db
@pytest.mark.parametrize("language", ["es", "en"])
def test_every_event_reaches_every_audience_in_its_language(
    language: str, tell_everything: Telling, server: Server
) -> None:
    end = tell_everything(language)
    notices = {f"<notice-{notice.pk}@localhost>": notice for notice in Notice.objects.all()}
    assert {(notice.event, notice.audience) for notice in notices.values()} == ROWS
    tally = drain(end)
    assert (tally.done, tally.parked, dict(tally.refused)) == (len(notices), 0, {})
    assert sorted(server.ids) == sorted(notices)
    for mail in server.received:
        notice = notices[mail["Message-ID"]]
        notice.refresh_from_db()
        assert notice.sent_at is not None
        assert (notice.due_at, notice.claimed_by, notice.last_error) == (None, None, "")
        assert mail["To"] == notice.email
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail["Content-Language"] == language
        _check_from(mail, notice)
        _check_words(mail, notice, language)


def _check_from(mail: EmailMessage, notice: Notice) -> None:
    name = "Cerámicas Alba · Tienda de pruebas" if notice.audience == "customer" else "Trastienda"
    sender = mail["From"].addresses[0]
    assert (sender.display_name, sender.addr_spec) == (name, "avisos@trastienda.example")


def _check_words(mail: EmailMessage, notice: Notice, language: str) -> None:
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    plain, html = text(mail), text(mail, "html")
    number = (
        notice.payload.get("reference")
        or notice.payload.get("commercial_id")
        or notice.payload.get("code", "")
    )
    assert number in mail["Subject"]
    assert f'<html lang="{language}">' in html
    assert ("Recibes este correo" in plain, "You get this mail" in plain) == (
        language == "es",
        language == "en",
    )
    assert max(len(line) for line in plain.splitlines() if "://" not in line) <= 72
    for said in (plain, html, mail["Subject"]):
        assert not {"None", "%(", "{{", "undefined"} & set(said.split())
        assert "%(" not in said
    assert "<img" not in html
    if notice.audience == "seller" and notice.order_id:
        address = f"{settings.SITE_URL}/pedidos/{number}/"
        if notice.event in ("message", "astray"):
            supplier = notice.payload.get("supplier_id")
            address += f"proveedor/{supplier}/" if supplier else "?tab=mensajes"
        if notice.event == "invoice_asked":
            address += "?tab=documentos"
        assert address in plain.splitlines()
        assert f'href="{address}"' in html


@pytest.mark.rule("ORD-01", "ORD-02")
@pytest.mark.django_db
def test_a_new_order_is_told_to_the_contact_address_of_the_shop(
    place: Placing, shop: Shop, server: Server
) -> None:
    order = place(number="P-1")
    drain(AT)
    mail = next(mail for mail in server.received if mail["To"] == "pedidos@alba.example")
    assert mail["Subject"] == "Pedido P-1-A: acéptalo hasta el viernes 6 de marzo a las 11:00"
    assert text(mail) == (
        "Tienes un pedido nuevo\n"
        "======================\n"
        "\n"
        "Tienes hasta el viernes 6 de marzo a las 11:00 para aceptarlo, entero o\n"
        "por líneas, o para rechazarlo.\n"
        "\n"
        "Si no respondes a tiempo, se cancelará solo y no se cobrará al cliente.\n"
        "\n"
        "Responder al pedido:\n"
        f"{settings.SITE_URL}/pedidos/{order.reference}/\n"
        "\n"
        "Pedido: P-1-A\n"
        "Cliente: Ana Soler\n"
        "Artículos: Jarrón azul ×2 · Plato hondo\n"
        "Importe: 84,00\u00a0€\n"
        "\n"
        "-- \n"
        "Recibes este correo porque es el de avisos de Cerámicas Alba en\n"
        "Trastienda.\n"
        "Se envía solo: nadie lee lo que se responda a esta dirección.\n"
    )


@pytest.mark.rule("ORD-05", "ORD-12")
@pytest.mark.django_db
def test_the_customer_reads_which_lines_were_refused_and_what_is_charged(
    place: Placing, shop: Shop, server: Server
) -> None:
    order = place(number="P-2")
    plate = order.lines.get(sku="PLA-HONDO")
    services.accept({order.id: services.Answer({plate.id: "Sin existencias"})}, by=SELLER, at=AT)
    drain(AT)
    mail = next(mail for mail in server.received if mail["Subject"] == "Pedido P-2-A: aceptado en parte")
    said = " ".join(text(mail).split())
    assert "- 1 × Plato hondo: Sin existencias" in said
    assert "Ahora se cobrarán 70,00 €" in said
    assert "Cerámicas Alba tiene hasta el jueves 5 de marzo a las 11:00 para enviarlo" in said


@pytest.mark.rule("ORD-05", "ORD-12", "CAN-05")
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "stock", "asks"),
    [("es", "Sin existencias", "El cliente lo pide"), ("en", "Out of stock", "The customer asks for it")],
)
def test_reasons_are_read_in_the_customers_language(
    language: str, stock: str, asks: str, channel: Channel, shop: Shop, server: Server
) -> None:
    Shop.objects.update(language=language)
    ana = replace(ANA, language=language)
    refused, cancelled, accepted = (
        move.order_id
        for move in services.place(
            channel, [basket(shop, number=f"P-{n}", customer=ana) for n in range(3)]
        ).moved
    )
    plate = Line.objects.get(order_id=accepted, sku="PLA-HONDO")
    with translation.override("es"):
        services.refuse([refused], reason=Why("out-of-stock"), by=SELLER, at=AT)
        services.cancel([cancelled], reason=Why("customer-asks", "se muda"), by=SELLER, at=AT)
        services.accept({accepted: services.Answer({plate.id: Why("out-of-stock")})}, by=SELLER, at=AT)
        drain(AT)
    said = {
        (notice.event, notice.audience): " ".join(text(mail).split())
        for notice in Notice.objects.all()
        for mail in server.received
        if mail["Message-ID"] == f"<notice-{notice.pk}@localhost>"
    }
    label = {"es": "Motivo", "en": "Reason"}[language]
    assert f"{label}: {stock} --" in said["refuse", "customer"]
    assert f"{label}: {asks} (se muda) --" in said["cancel", "customer"]
    assert f"{label}: {asks} (se muda) " in said["cancel", "seller"]
    assert f"- 1 × Plato hondo: {stock}" in said["accept", "customer"]


@pytest.mark.rule("ORD-16")
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("es", "Pedido P-9-A: acéptalo hasta el viernes 6 de marzo a las 24:00"),
        ("en", "Order P-9-A: accept it by Friday 6 March at midnight (end of the day)"),
    ],
)
def test_a_deadline_at_midnight_is_told_of_the_day_that_ends(
    language: str, subject: str, place: Placing, shop: Shop, server: Server
) -> None:
    Shop.objects.update(language=language)
    midnight = datetime(2026, 3, 3, 23, tzinfo=UTC)  # the 4th at 00:00 there; 72 hours later it is the 7th
    order = place(number="P-9", at=midnight, customer=replace(ANA, language=language))
    drain(midnight)
    mail = next(mail for mail in server.received if mail["To"] == "pedidos@alba.example")
    assert mail["Subject"] == subject
    services.expire([order.id], by=CLOCK, at=sure(order.accept_by) + timedelta(seconds=1))
    drain(midnight + timedelta(days=4))
    last = next(mail for mail in reversed(server.received) if mail["To"] == "ana@cliente.example")
    ended = {
        "es": "terminó el viernes 6 de marzo a las 24:00",
        "en": "Friday 6 March at midnight (end of the day)",
    }
    assert ended[language] in " ".join(text(last).split())


@pytest.mark.rule("SHP-01")
@pytest.mark.django_db
def test_the_customer_gets_carrier_number_and_a_working_link(
    place: Placing, tell_everything: Telling, server: Server
) -> None:
    drain(tell_everything("es"))
    parcel = next(mail for mail in server.received if "ha salido el bulto 1" in mail["Subject"])
    assert 'href="https://seur.example/S1"' in text(parcel, "html")
    assert {"Transportista: SEUR", "Número de seguimiento: S1", "https://seur.example/S1"} <= set(
        text(parcel).splitlines()
    )
    last = next(mail for mail in server.received if mail["Subject"] == "Pedido es-0-A: enviado")
    assert "Número de seguimiento: S2" in text(last).splitlines()
    own = re.findall(r"http\S+/mi-pedido/\S+", text(last))
    assert re.findall(r'href="([^"]+)"', text(last, "html")) == own


@pytest.mark.django_db
def test_hours_are_those_of_the_channel(place: Placing, channel: Channel, server: Server) -> None:
    channel.timezone = "Atlantic/Canary"
    channel.save()
    place(number="P-3")
    drain(AT)
    assert {"10:00" in text(mail) for mail in server.received} == {True}


@pytest.mark.django_db
def test_what_people_typed_cannot_write_headers_paragraphs_or_html(
    channel: Channel, shop: Shop, server: Server
) -> None:
    Shop.objects.update(name='<b>Alba</b> "&"\nBcc: x@y.example', contact_email="")
    evil = replace(ANA, name="Ana\n\n- regalo\r\nBcc: x@y.example")
    services.place(
        channel, [basket(shop, ("J", "<script>alert(1)</script>", 1, 100, 0), number="P\n4", customer=evil)]
    )
    drain(AT)
    (mail,) = server.received
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Pedido P 4-A: lo hemos recibido"
    assert mail["From"].addresses[0].addr_spec == "avisos@trastienda.example"
    html = text(mail, "html")
    assert "&lt;b&gt;Alba&lt;/b&gt;" in html
    assert "&lt;script&gt;" in html
    assert ("<b>" in html, "<script" in html, "<li>" in html) == (False, False, False)


@pytest.mark.django_db
def test_a_link_that_is_no_web_address_is_left_out(place: Placing, shop: Shop, server: Server) -> None:
    notice = Notice.objects.create(
        event="ship", audience="customer", shop=shop, email="a@b.example", language="es", due_at=AT,
        payload={"reference": "P-5-A", "shop": "Alba", "channel_id": None, "currency": "EUR", "parcel": 1,
                 "carrier": "SEUR", "tracking": "1", "tracking_url": "javascript:alert(1)",
                 "at": AT.isoformat(), "deliver_by": None},
    )  # fmt: skip
    drain(AT)
    assert server.ids == [f"<notice-{notice.pk}@localhost>"]
    assert "javascript" not in server.received[0].as_string()


@pytest.mark.django_db
def test_a_language_that_is_not_spoken_here_is_answered_in_spanish(
    channel: Channel, shop: Shop, server: Server
) -> None:
    Shop.objects.update(contact_email="")
    services.place(channel, [basket(shop, number="P-6", customer=replace(ANA, language="fr"))])
    drain(AT)
    assert [(mail["Content-Language"], mail["Subject"]) for mail in server.received] == [
        ("es", "Pedido P-6-A: lo hemos recibido")
    ]


def _msgids() -> Iterator[str]:
    environment = engines["jinja2"].env  # type: ignore[attr-defined]
    for path in FOLDER.iterdir():
        for _line, _function, words in environment.extract_translations(path.read_text()):
            yield words[0] if isinstance(words, tuple) else words  # a plural is reached through its singular


def test_every_word_of_the_mails_is_translated() -> None:
    with translation.override("en"):
        same = {words for words in _msgids() if words and translation.gettext(words) == words}
    assert same == {"Total: %(amount)s"}


@pytest.mark.django_db
def test_a_year_is_named_only_when_it_is_another(shop: Shop) -> None:
    notice = Notice(event="place", audience="seller", shop=shop, email="a@b.example", language="es")
    subjects = []
    for year in (2025, 2026):
        notice.payload = {
            "reference": "P-7-A", "shop": "Alba", "channel_id": None, "currency": "EUR", "customer": "Ana",
            "items": "", "total_cents": 100, "accept_by": "2026-01-02T10:00:00+00:00",
            "at": f"{year}-12-30T10:00:00+00:00",
        }  # fmt: skip
        subjects.append(str(Letters().mail(notice).subject))
    assert subjects == [
        "Pedido P-7-A: acéptalo hasta el 2 de enero de 2026 a las 11:00",
        "Pedido P-7-A: acéptalo hasta el viernes 2 de enero a las 11:00",
    ]


@pytest.mark.rule("ORD-13")
@pytest.mark.django_db
def test_a_download_is_told_with_its_link_and_the_shop_has_nothing_to_do(
    channel: Channel, shop: Shop, server: Server
) -> None:
    order = placed(channel, shop, PATTERN)
    services.one(services.accept([order.id], by=SELLER, at=AT))
    timers.run(BY_NAME["charge"], at=AT, record=False)
    drain(AT)
    ready, charged = (
        next(mail for mail in server.received if words in mail["Subject"])
        for words in ("tu descarga está lista", "cobrado y confirmado al cliente")
    )
    assert ready["Subject"] == f"Pedido {order.reference}: tu descarga está lista"
    assert f"Descargar:\n{LINK}\n" in text(ready)
    assert f'href="{LINK}"' in text(ready, "html")
    assert "No tienes que hacer nada más." in text(charged)
    assert "transportista" not in "".join(text(mail) for mail in server.received)


@pytest.mark.rule("ORD-13")
@pytest.mark.django_db
@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("preset", [Preset.ACCEPT_FIRST, Preset.PREPAID])
@pytest.mark.parametrize("held", [False, True])
def test_every_mixture_can_be_told(
    channel: Channel, shop: Shop, server: Server, preset: Preset, language: str, held: bool
) -> None:
    """Nothing is said of shipping where nothing is shipped; what has no deadline names none."""
    publish_policy(channel, PRESETS[preset], by="x", at=AT)
    Shop.objects.update(language=language)
    mixtures = [(PATTERN,), (TICKET,), (PATTERN, TICKET, BOOKING), (JAR, PATTERN), (JAR, TICKET)]
    for articles in mixtures:
        new = digital_basket(shop, *articles, customer=replace(ANA, language=language))
        order_id = services.place(channel, [new]).moved[0].order_id
        if preset == Preset.ACCEPT_FIRST:
            services.one(services.accept([order_id], by=SELLER, at=AT))
        if held:
            services.one(services.hold([order_id], HoldKind.OPERATOR, by=CLOCK, at=AT))
            services.one(services.release([order_id], HoldKind.OPERATOR, by=CLOCK, at=AT))
            services.one(services.hold([order_id], HoldKind.STOCK, by=CLOCK, at=AT))
        if preset == Preset.PREPAID:
            services.one(beforehand.confirm({order_id: f"pi_{order_id}"}, by=CLOCK, at=AT))
    timers.run(BY_NAME["charge"], at=AT, record=False)
    tally = drain(AT)
    assert (tally.parked, dict(tally.refused)) == (0, {})
    assert tally.done == Notice.objects.count() == len(server.received)
    shipped = ("transportista", "carrier", "de camino")
    for mail in server.received:
        order = Order.objects.get(reference__in=str(mail["Subject"]).replace(":", "").split())
        assert order.ships or not any(word in text(mail) for word in shipped), text(mail)
