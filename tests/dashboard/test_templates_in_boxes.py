"""Templates in the boxes of an order's conversations: chosen, filled, asked about, sent (MSG-10, MSG-12)."""

from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from marketplace.policy import Role
from messaging import conversing
from messaging.conversing import Words
from messaging.models import Message, Template
from messaging.recipients import SHOP
from orders.models import Order
from sellers.desk import Actor
from sellers.models import Membership, Shop, Supplier, User
from tests.conftest import Placing
from tests.dashboard.pages import browser, get

pytestmark = [pytest.mark.django_db, pytest.mark.rule("MSG-12")]


def asked(order: Order) -> Message:
    at, ana = timezone.now() - timedelta(hours=1), Actor(Role.CUSTOMER, "Ana Soler")
    return conversing.start(order.shop, Words("¿Cuándo llega?"), to=SHOP, order=order, by=ana, at=at)


def tab(order: Order, query: str) -> str:
    return f"/pedidos/{order.reference}/?tab=mensajes{query}"


def late() -> Template:
    return Template.objects.get(name="Un retraso", language="es")


def test_an_answer_is_filled_and_asks_for_what_the_order_does_not_say(alice: User, place: Placing) -> None:
    order = place()
    question, seller = asked(order), browser(alice)
    page = unescape(get(seller, tab(order, f"&hilo={question.thread_id}&plantilla={late().pk}")))
    assert f"Tu pedido {order.reference} va con retraso" in page
    assert 'name="var_new_date"' in page
    reply = f"/pedidos/{order.reference}/mensajes/{question.thread_id}/"
    text = "Esperamos que te llegue {{new_date}}."
    refused = seller.post(reply, {"to": "cliente", "text": text, "var_new_date": " "})
    assert refused.status_code == 409
    assert "Falta rellenar: Nueva fecha" in unescape(refused.content.decode())
    assert text in refused.content.decode()
    assert Message.objects.count() == 1
    assert seller.post(reply, {"to": "cliente", "text": text, "var_new_date": "el lunes"}).status_code == 303
    assert Message.objects.get(role="seller").body == "Esperamos que te llegue el lunes."


@pytest.mark.rule("MSG-10")
def test_contact_elsewhere_begins_a_conversation_with_the_operator(alice: User, place: Placing) -> None:
    order = place()
    one = Template.objects.get(audience="operator", language="es")
    page = unescape(get(browser(alice), tab(order, f"&acto=escribir&plantilla={one.pk}")))
    assert 'value="operador" checked' in page
    assert f'value="Contacto por otra vía sobre el pedido {order.reference}"' in page
    for box in ("contact_when", "contact_how", "contact_who", "contact_what"):
        assert f'name="var_{box}"' in page


def test_only_what_is_offered_can_be_chosen(
    alice: User, bob: User, nuria: User, place: Placing, norte: Supplier, other_shop: Shop
) -> None:
    order = place(served=[norte])
    asked(order)
    fields = {"language": "es", "body": "secreto", "changed_at": timezone.now()}
    theirs = Template.objects.create(shop=other_shop, name="Ajena", **fields)
    seller = browser(alice)
    for key in (str(theirs.pk), "x", "", "9" * 40):
        page = get(seller, tab(order, f"&acto=escribir&plantilla={key}"))
        assert "secreto" not in page
        assert "Ajena" not in page
    assert "plantilla=" in get(seller, tab(order, ""))
    assert 'name="plantilla"' in get(seller, tab(order, "&acto=escribir&plantilla=elegir"))
    assert "plantilla=" not in get(browser(nuria), tab(order, "")), "a supplier has none"
    Membership.objects.filter(user=bob).update(role=Membership.Role.READER)
    assert "plantilla=" not in get(browser(bob), tab(order, ""))
