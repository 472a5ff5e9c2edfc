"""The operators' room of incidents: opened on an order, reviewed, closed one by one and many at once, sent back."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from incidents import services
from incidents.models import Incident
from incidents.states import State
from marketplace import waits
from marketplace.models import Channel
from messaging import conversing
from messaging.conversing import Words
from messaging.recipients import SHOP
from orders.models import Line, Order
from sellers.models import Shop, User
from tests.conftest import CUSTOMER, SELLER, Placing
from tests.dashboard.pages import browser, shipped
from tests.incidents.claims import ARRIVED, DAY, claimed, now
from tests.orders.lives import HOUR, tick

pytestmark = pytest.mark.django_db

LIST = "/admin/incidents/incident/"


@pytest.fixture
def desk(olga: User) -> Client:
    return browser(olga)


@pytest.fixture
def sent(place: Placing) -> Order:
    """An order that left the shop a week ago by the real clock."""
    return shipped(place(at=timezone.now() - 7 * DAY))


def resolved(order: Order, ago: timedelta, **wishes: Any) -> Incident:
    """An incident that the shop resolved so long ago."""
    at = timezone.now() - ago
    incident = claimed(order.id, at=at - HOUR, **wishes)
    return services.resolve(incident.id, reason=ARRIVED, by=SELLER, at=at)


def said(answer: Any) -> str:
    return " ".join(unescape(answer.content.decode()).split())


@pytest.mark.rule("INC-01")
def test_an_operator_opens_one_on_an_order(desk: Client, sent: Order) -> None:
    address = f"/admin/orders/order/{sent.id}/incident_opened/"
    assert "Abrir una incidencia" in said(desk.get(f"/admin/orders/order/{sent.id}/change/"))
    page = said(desk.get(address, follow=True))
    assert "Jarrón azul" in page
    line = Line.objects.get(order=sent, sku="JAR-AZUL")
    answer = desk.post(
        address, {"lines": [line.id], "reason": "damaged", "text": "Llamó el cliente"}, follow=True
    )
    assert answer.status_code == 200
    incident = Incident.objects.get()
    assert (incident.opened_role, incident.reason_code) == ("operator", "damaged")
    assert incident.reference in said(desk.get(f"/admin/orders/order/{sent.id}/change/"))
    answer = desk.post(address, {"lines": [line.id], "reason": "damaged"}, follow=True)
    assert Incident.objects.count() == 1


@pytest.mark.rule("INC-05", "ROL-02")
def test_what_is_due_waits_on_the_front_page_and_is_closed(desk: Client, sent: Order) -> None:
    incident = resolved(sent, 6 * DAY)
    tick("incidents", timezone.now())
    assert now(incident).review_since is not None
    assert incident.reference in said(desk.get(f"{LIST}?situation=review"))
    assert waits.counts()["incidents"] == 1
    assert "La tienda las da por resueltas y nadie ha dicho más." in said(desk.get("/admin/"))
    page = said(desk.get(f"{LIST}{incident.id}/change/"))
    assert "Ha llegado roto" in page
    assert "Devolver a la tienda" in page
    answer = desk.post(f"{LIST}{incident.id}/close/", {"seen": 1}, follow=True)
    assert "Hecho. Incidencias: 1." in said(answer)
    assert (now(incident).state, now(incident).closed_by) == (State.CLOSED, "Olga Operadora")
    assert Order.objects.get(id=sent.id).incident_at is None


@pytest.mark.rule("INC-05")
def test_nobody_closes_over_words_that_they_have_not_read(desk: Client, sent: Order) -> None:
    incident = resolved(sent, 6 * DAY)
    at = timezone.now() - HOUR
    conversing.write(incident.thread_id, Words("Sigue roto"), to=SHOP, by=CUSTOMER, at=at)
    answer = desk.post(f"{LIST}{incident.id}/close/", {"seen": 1}, follow=True)
    assert "Ha cambiado desde que lo viste." in said(answer)
    assert now(incident).state == State.RESOLVED


@pytest.mark.rule("INC-05")
def test_the_operator_sends_it_back_with_a_reason(desk: Client, sent: Order) -> None:
    incident = resolved(sent, DAY)
    address = f"{LIST}{incident.id}/send_back/"
    assert desk.post(address, {"reason": ""}).status_code == 200
    assert now(incident).state == State.RESOLVED
    desk.post(address, {"reason": "El cliente no tiene nada"}, follow=True)
    assert (now(incident).state, now(incident).sent_back_reason) == (State.OPEN, "El cliente no tiene nada")


@pytest.mark.rule("INC-05")
def test_many_are_closed_after_a_look_at_each(
    desk: Client, channel: Channel, shop: Shop, place: Placing
) -> None:
    orders = [shipped(place(at=timezone.now() - 8 * DAY)) for _ in range(3)]
    first, second = (resolved(order, 6 * DAY) for order in orders[:2])
    still_open = claimed(orders[2].id, at=timezone.now() - DAY)
    chosen = {"action": "close_many", "_selected_action": [one.id for one in (first, second, still_open)]}
    page = said(desk.post(LIST, chosen))
    assert "Se cerrarán 2 incidencias." in page
    assert "nada: La incidencia no está en un estado que lo permita" in page
    assert {now(one).state for one in (first, second)} == {State.RESOLVED}
    at = timezone.now()
    conversing.write(second.thread_id, Words("Espera"), to=SHOP, take_back=False, by=CUSTOMER, at=at)
    token = re.search(r'name="seen" value="([^"]+)"', page)
    assert token
    answer = said(desk.post(f"{LIST}many/", {"seen": token[1]}, follow=True))
    assert "Hecho. Incidencias: 1." in answer
    assert f"{second.reference}: Ha cambiado desde que lo viste." in answer
    assert [now(one).state for one in (first, second, still_open)] == ["closed", "resolved", "open"]
    assert "ha caducado" in said(desk.post(f"{LIST}many/", {"seen": "x"}, follow=True))


@pytest.mark.rule("SHP-08")
def test_its_hold_is_nobodys_to_lift_by_hand(desk: Client, sent: Order) -> None:
    claimed(sent.id, at=timezone.now() - DAY)
    page = said(desk.get(f"/admin/orders/order/{sent.id}/change/"))
    assert "Levantar la espera" not in page
    desk.post(f"/admin/orders/order/{sent.id}/release/", {"kind": "incident", "note": "x"})
    assert Order.objects.get(id=sent.id).incident_at is not None


def test_only_operators_come_in(alice: User, sent: Order) -> None:
    incident = resolved(sent, DAY)
    client = browser(alice)
    for address in (LIST, f"{LIST}{incident.id}/change/", f"{LIST}{incident.id}/close/"):
        assert client.get(address).status_code in (302, 403, 404)
    client.post(f"{LIST}{incident.id}/close/", {"seen": 1})
    assert now(incident).state == State.RESOLVED
