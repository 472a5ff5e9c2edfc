"""The pages of what does not travel: what is said of each line, the card that confirms it, its places in lists."""

from datetime import timedelta
from html import unescape
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation
from pypdf import PdfReader

from marketplace.models import Channel
from marketplace.policy import PRESETS, Preset
from marketplace.services import publish_policy
from messaging.models import Notice
from orders import documents, services
from orders.models import Line, Order
from orders.states import HoldKind, State
from payments import beforehand
from sellers.models import Shop, User
from tests.conftest import AT, CLOCK, JAR, OPERATOR, SELLER, again
from tests.dashboard.pages import browser, get, listed
from tests.orders.acting import Untouched, post, said, went_well
from tests.orders.digital import BOOKING, LINK, PATTERN, TICKET, Article, Goods, placed

pytestmark = [pytest.mark.django_db, pytest.mark.rule("ORD-13")]

HOUR = timedelta(hours=1)


@pytest.fixture
def prepaid(channel: Channel) -> Channel:
    publish_policy(channel, PRESETS[Preset.PREPAID], by="x", at=AT)
    return channel


def paid(channel: Channel, shop: Shop, *articles: Article | Goods) -> Order:
    """An order of two hours ago, by the clock on the wall, paid an hour ago."""
    now = timezone.now()
    order = placed(channel, shop, *articles, at=now - 2 * HOUR)
    services.one(beforehand.confirm({order.id: f"pi_{order.id}"}, by=CLOCK, at=now - HOUR))
    return again(order)


def page_of(user: User, order: Order, tab: str = "") -> str:
    return " ".join(get(browser(user), f"/pedidos/{order.reference}/{tab}").split())


def test_a_download_is_shown_as_completed_with_what_the_customer_was_told(
    prepaid: Channel, shop: Shop, alice: User
) -> None:
    order = paid(prepaid, shop, PATTERN)
    page = page_of(alice, order)
    assert '<span class="badge done">Completado</span>' in page
    assert '<span class="badge done">Descarga</span> confirmado al cliente' in page
    assert f"<bdi>{LINK}</bdi>" in page
    assert "Cuenta desde lo último que se confirmó al cliente." in page
    for absent in ("Albarán", "Por confirmar al cliente", ">Enviar<"):
        assert absent not in page
    assert "No hay nada que enviar" in page_of(alice, order, "?tab=envio")
    assert "No hay nada que enviar, así que no lleva albarán." in page_of(alice, order, "?tab=documentos")
    history = page_of(alice, order, "?tab=historial")
    assert "Entregado en línea" in history
    assert f"Patrón de falda: {LINK}" in history
    answer = browser(alice).get(reverse("delivery_note", args=[order.reference]))
    assert answer.status_code == 409
    assert "No queda nada que enviar." in said(answer)


def test_the_shop_confirms_a_ticket_from_its_card(prepaid: Channel, shop: Shop, alice: User) -> None:
    order = paid(prepaid, shop, TICKET)
    page = page_of(alice, order)
    assert '<span class="badge act">Por confirmar al cliente</span>' in page
    assert '<span class="badge act">Entrada</span> por confirmar al cliente' in page
    assert "Hay que confirmarlo al cliente como muy tarde" in page
    line = order.lines.get()
    fields = {f"confirm_{line.id}": "on", f"access_{line.id}": "  Puerta 2, a las 10  "}
    went_well(post(alice, order, "confirmar", **fields), order)
    assert (again(order).state, again(order).lines.get().access) == (State.DELIVERED, "Puerta 2, a las 10")
    mail = Notice.objects.get(order_id=order.id, event="fulfil")
    assert mail.email == "ana@cliente.example"
    with Untouched(order):
        twice = post(alice, order, "confirmar", **fields)
    assert twice.status_code == 409
    assert "No queda nada por confirmar al cliente." in said(twice)


def test_of_several_one_can_be_confirmed_and_a_colleague_may_have_been_faster(
    prepaid: Channel, shop: Shop, alice: User
) -> None:
    order = paid(prepaid, shop, JAR, TICKET, BOOKING)
    ticket, booking = Line.objects.filter(order=order).exclude(sku=JAR[0])
    went_well(post(alice, order, "confirmar", **{f"confirm_{ticket.id}": "on"}), order)
    assert again(order).to_confirm == 1
    with Untouched(order):
        both = {f"confirm_{ticket.id}": "on", f"confirm_{booking.id}": "on", f"access_{booking.id}": "Sala 3"}
        late = post(alice, order, "confirmar", **both)
    assert late.status_code == 409
    assert 'value="Sala 3"' in said(late)
    with Untouched(order):
        empty = post(alice, order, "confirmar")
        long = post(
            alice, order, "confirmar", **{f"confirm_{booking.id}": "on", f"access_{booking.id}": "x" * 501}
        )
    assert (empty.status_code, long.status_code) == (422, 422)
    assert "Elige qué confirmas al cliente." in said(empty)


def test_what_waits_is_neither_confirmed_nor_offered(prepaid: Channel, shop: Shop, alice: User) -> None:
    order = paid(prepaid, shop, TICKET)
    services.one(services.hold([order.id], HoldKind.OPERATOR, by=OPERATOR, at=timezone.now()))
    page = page_of(alice, order)
    assert 'id="confirmar"' not in page
    assert "El plazo para confirmarlo al cliente está parado" in page
    line = order.lines.get()
    with Untouched(order):
        answer = post(alice, order, "confirmar", **{f"confirm_{line.id}": "on"})
    assert answer.status_code == 409
    assert "El pedido está en espera." in said(answer)


@pytest.mark.rule("ROL-01")
def test_neither_a_stranger_nor_who_may_not_confirms(
    prepaid: Channel, shop: Shop, bob: User, charlie: User
) -> None:
    order = paid(prepaid, shop, TICKET)
    fields = {f"confirm_{order.lines.get().id}": "on"}
    with Untouched(order):
        assert post(charlie, order, "confirmar", **fields).status_code == 404
        assert post(bob, order, "confirmar", **fields).status_code == 403


def test_a_mixed_basket_offers_both_and_its_note_lists_the_goods(
    prepaid: Channel, shop: Shop, alice: User
) -> None:
    order = paid(prepaid, shop, JAR, PATTERN, TICKET)
    page = page_of(alice, order)
    assert "Procesando" in page
    assert 'id="confirmar"' in page
    assert "quedan 2 unidades" in page_of(alice, order, "?tab=envio")
    assert "Patrón de falda" not in page_of(alice, order, "?tab=envio")
    note = documents.delivery_note(order, at=timezone.now()).pdf
    (text,) = [one.extract_text() for one in PdfReader(BytesIO(note)).pages]
    assert "Jarrón azul" in text
    assert "Patrón de falda" not in text
    services.one(
        services.ship({order.id: services.Parcel(carrier_name="SEUR")}, by=SELLER, at=timezone.now())
    )
    sent = page_of(alice, order)
    assert "no empieza a contar el plazo para darlo por recibido" in sent
    assert 'form="confirm"' in sent


@pytest.mark.rule("ORD-03")
def test_the_counter_leads_to_what_it_counts_and_is_there_only_then(
    prepaid: Channel, shop: Shop, alice: User
) -> None:
    client = browser(alice)
    done = paid(prepaid, shop, PATTERN)
    assert "por-confirmar" not in get(client, "/")
    asked = [paid(prepaid, shop, TICKET), paid(prepaid, shop, JAR, BOOKING)]
    home = unescape(get(client, "/"))
    assert '<strong>2</strong><a class="whole" href="/pedidos/?plazo=por-confirmar">' in home
    page = get(client, "/pedidos/?plazo=por-confirmar")
    assert set(listed(page)) == {order.reference for order in asked}
    everything = get(client, "/pedidos/")
    assert f'href="/pedidos/{asked[0].reference}/#confirmar">Confirmar…' in everything
    assert 'title="Digital · Patrón de falda"' in everything
    assert done.reference in everything


def test_a_list_of_digital_orders_reads_no_more(prepaid: Channel, shop: Shop, alice: User) -> None:
    client, counted = browser(alice), []
    for articles in ((JAR,), (TICKET,), (JAR, PATTERN, TICKET)):
        paid(prepaid, shop, *articles)
        get(client, "/pedidos/")
        with CaptureQueriesContext(connection) as ran:
            get(client, "/pedidos/")
        counted.append(len(ran))
    assert len(set(counted)) == 1, counted


def test_an_operator_confirms_in_the_shops_stead(prepaid: Channel, shop: Shop, olga: User) -> None:
    order = paid(prepaid, shop, TICKET)
    desk = browser(olga)
    act = reverse("admin:orders_order_fulfil", args=[order.pk])
    page = desk.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    assert act in page
    line = order.lines.get()
    sent = {"apply": "1", f"line_{line.id}": "on", f"access_{line.id}": "Sala 1"}
    assert desk.post(act, sent).status_code == 302
    assert (again(order).state, order.lines.get().access) == (State.DELIVERED, "Sala 1")
    after = desk.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    assert "confirmado: Taller de torno: Sala 1" in after
    assert act not in after
    assert desk.post(act, sent).status_code == 409


@pytest.mark.parametrize(
    ("language", "words"),
    [("es", "Al cliente le llega por correo."), ("en", "The customer is told by e-mail.")],
)
def test_it_is_said_in_both_languages(
    prepaid: Channel, shop: Shop, alice: User, language: str, words: str
) -> None:
    alice.language = language
    alice.save()
    order = paid(prepaid, shop, TICKET)
    client = browser(alice)
    sent = {f"confirm_{order.lines.get().id}": "on"}
    with translation.override(None):  # what a request leaves switched on ends with this block
        answer = client.post(f"/pedidos/{order.reference}/confirmar/", sent, follow=True)
    assert words in said(answer)
