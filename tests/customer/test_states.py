"""What the customer's page says of an order in every state of every way of trading, in both languages."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import translation

from marketplace.moments import when
from marketplace.policy import Preset
from marketplace.services import open_channel
from orders.models import Order
from orders.states import State
from sellers.models import Shop
from tests.conftest import AT
from tests.customer.conftest import Clock
from tests.customer.links import path_of
from tests.orders.lives import HOUR, STEPS, brought_to

pytestmark = pytest.mark.django_db

ENDS = (State.REFUSED, State.CANCELLED, State.FAILED)
STATES = {
    Preset.ACCEPT_FIRST: (State.PENDING_ACCEPTANCE, State.DEBIT, *STEPS, *ENDS),
    Preset.PREPAID: (
        State.PENDING_PAYMENT,
        *(state for state in STEPS if state != State.AWAITING_PICKUP),
        State.CANCELLED,
        State.FAILED,
    ),
    Preset.CASH_ON_DELIVERY: (State.PENDING_ACCEPTANCE, *STEPS, State.REFUSED, State.CANCELLED),
}
TITLES = {
    State.PENDING_PAYMENT: ("Falta pagarlo", "Waiting for your payment"),
    State.PENDING_ACCEPTANCE: ("Esperando a la tienda", "Waiting for the shop"),
    State.DEBIT: ("Confirmado", "Confirmed"),
    State.AWAITING_SHIPMENT: ("La tienda lo prepara", "The shop is preparing it"),
    State.AWAITING_PICKUP: ("Listo para salir", "Ready to leave"),
    State.SHIPPED: ("En camino", "On its way"),
    State.EXCEPTION: ("No se ha podido entregar", "It could not be delivered"),
    State.DELIVERED: ("Entregado", "Delivered"),
    State.RECEIVED: ("Completado", "Completed"),
    State.CLOSED: ("Completado", "Completed"),
    State.REFUSED: ("La tienda no puede servirlo", "The shop cannot supply it"),
    State.CANCELLED: ("Cancelado", "Cancelled"),
    State.FAILED: ("No se ha podido cobrar", "The payment failed"),
    State.RETURNED: ("Ha vuelto a la tienda", "It has come back to the shop"),
}
ACTS = re.compile(r"<li><a href=\"/mi-pedido/[^/]+/([^/\"]*)/?\"><b>")
LATER = {State.RECEIVED: timedelta(days=22), State.CLOSED: timedelta(days=41)}

CLAIMED = {"incidencia"}
OFFERED = {
    State.PENDING_PAYMENT: {"cancelar", "factura"},
    State.PENDING_ACCEPTANCE: {"albaran.pdf", "cancelar", "factura"},
    State.DEBIT: {"albaran.pdf", "cancelar", "factura"},
    State.AWAITING_SHIPMENT: {"albaran.pdf", "cancelar", "factura"},
    State.AWAITING_PICKUP: {"albaran.pdf", "cancelar", "factura"},
    State.SHIPPED: {"albaran.pdf", "factura", "incidencia"},
    State.EXCEPTION: {"albaran.pdf", "factura", "incidencia"},
    State.DELIVERED: {"albaran.pdf", "factura", "incidencia", "devolver", "valorar"},
    State.RECEIVED: {"albaran.pdf", "factura", "incidencia", "devolver", "valorar"},
    State.CLOSED: {"albaran.pdf", "factura", "valorar"},
    State.RETURNED: {"albaran.pdf"},
}
"""The acts of the page besides writing, which is always there. In debit and after, cancelling is asked for."""


@pytest.mark.rule("ROL-03")
@pytest.mark.parametrize(
    ("preset", "state"), [(preset, state) for preset in STATES for state in STATES[preset]]
)
def test_the_page_of_every_state(
    preset: Preset, state: State, shop: Shop, client: Client, clock: Clock
) -> None:
    channel = open_channel(preset.value, "Tienda de pruebas", preset=preset, by="pruebas", at=AT)
    order = Order.objects.get(id=brought_to(state, channel, shop)[0])
    clock(AT + LATER.get(state, timedelta()) + 5 * HOUR)
    spanish, english = (
        client.get(path_of(order), query_params={"idioma": language}).content.decode()
        for language in ("es", "en")
    )
    assert _title(spanish) == TITLES[state][0]
    assert _title(english) == TITLES[state][1]
    assert set(ACTS.findall(spanish)) - {"mensajes"} == OFFERED.get(state, set())
    assert ("recibido/" in spanish) == (state in (State.SHIPPED, State.EXCEPTION))
    assert spanish.count('aria-current="step"') == 1
    for words in (str(order.shop), order.reference, "Jarrón azul", "Plato hondo"):
        assert words in spanish


def _title(page: str) -> str:
    found = re.search(r"<h1>(.*?)</h1>", page)
    assert found
    return unescape(found[1])


@pytest.mark.rule("ROL-03", "ORD-16")
def test_what_comes_next_is_said_with_its_deadline(shop: Shop, client: Client, clock: Clock) -> None:
    channel = open_channel("tienda", "Tienda de pruebas", by="pruebas", at=AT)
    order = Order.objects.get(id=brought_to(State.SHIPPED, channel, shop)[0])
    clock(AT + 5 * HOUR)
    page = client.get(path_of(order)).content.decode()
    assert order.deliver_by is not None
    words = when(order.deliver_by, order.channel.calendar.zone, AT + 5 * HOUR, ends=True)
    assert f"Te llega, como muy tarde, {words}." in page
    clock(order.deliver_by + HOUR)
    page = client.get(path_of(order)).content.decode()
    assert "va con retraso" in page
    assert "como muy tarde, " not in page.split("<ol")[1].split("</ol>")[0]


def test_the_language_is_the_customers_and_a_switch_stays_in_the_pages(
    shop: Shop, client: Client, clock: Clock
) -> None:
    channel = open_channel("tienda", "Tienda de pruebas", by="pruebas", at=AT)
    order = Order.objects.get(id=brought_to(State.SHIPPED, channel, shop)[0])
    Order.objects.filter(id=order.id).update(customer_language="en")
    clock(AT + 5 * HOUR)
    with translation.override("es"):
        own = client.get(path_of(order), headers={"Accept-Language": "es"})
    assert own.headers["Content-Language"] == "en"
    assert _title(own.content.decode()) == "On its way"
    asked = client.get(path_of(order) + "?idioma=es").content.decode()
    assert _title(asked) == "En camino"
    links = re.findall(r"\"(/mi-pedido/[^\"]+)\"", asked)
    assert links
    assert {link.partition("?")[2] for link in links} == {"idioma=es", ""}
    assert [link for link in links if not link.endswith("idioma=es")] == [path_of(order)]
