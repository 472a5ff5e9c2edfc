"""The tab of an order's conversations, and the acts on it: writing, taking back, letting be, assigning."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from marketplace.policy import Role
from messaging import conversing
from messaging.conversing import Words
from messaging.models import Message
from messaging.recipients import SHOP
from orders.models import Order
from sellers.desk import Actor
from sellers.models import User
from tests.conftest import Placing
from tests.dashboard.pages import browser, get

ANA = Actor(Role.CUSTOMER, "Ana Soler")
HOUR = timedelta(hours=1)


def tab(order: Order, **more: str) -> str:
    asked = "".join(f"&{name}={value}" for name, value in more.items())
    return f"/pedidos/{order.reference}/?tab=mensajes{asked}"


def asks(order: Order, body: str = "¿Cuándo llega?", by: Actor = ANA) -> Message:
    """A question to the shop, asked an hour ago and to be seen since."""
    at = timezone.now() - HOUR
    return conversing.start(order.shop, Words(body), to=SHOP, order=order, take_back=False, by=by, at=at)


def reply(client: Client, message: Message, text: str = "El jueves", to: str = "cliente") -> object:
    order = message.thread.order
    assert order is not None
    return client.post(f"/pedidos/{order.reference}/mensajes/{message.thread_id}/", {"to": to, "text": text})


@pytest.mark.rule("MSG-01", "MSG-06", "MSG-09")
def test_the_tab_tells_who_wrote_to_whom_and_until_when_it_is_to_be_answered(
    place: Placing, alice: User
) -> None:
    order = place()
    message = asks(order)
    page = get(browser(alice), tab(order))
    assert re.search(r"<b><bdi>Ana Soler, cliente</bdi></b> <span>para la tienda</span>", page), page
    assert "nuevo</span>" in page
    assert "Hay que contestar como muy tarde" in page
    assert "24 horas laborables desde" in page
    message.refresh_from_db()
    assert message.read_by_shop_at is not None
    assert "nuevo</span>" not in get(browser(alice), tab(order))
