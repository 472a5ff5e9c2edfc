"""Conversations for the tests of pages: what a customer asks, how a shop answers."""

from datetime import datetime, timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from marketplace.policy import Role
from messaging import conversing
from messaging.conversing import Words
from messaging.models import Message
from messaging.recipients import SHOP, To
from orders.models import Order
from sellers.desk import Actor

ANA = Actor(Role.CUSTOMER, "Ana Soler")
HOUR = timedelta(hours=1)


def tab(order: Order, **more: str) -> str:
    """The address of an order's conversations."""
    asked = "".join(f"&{name}={value}" for name, value in more.items())
    return f"/pedidos/{order.reference}/?tab=mensajes{asked}"


def asks(
    order: Order, body: str = "¿Cuándo llega?", *, by: Actor = ANA, to: To = SHOP, at: datetime | None = None
) -> Message:
    """Something said about an order, an hour ago unless told otherwise, and to be seen since."""
    at = at or timezone.now() - HOUR
    return conversing.start(order.shop, Words(body), to=to, order=order, take_back=False, by=by, at=at)


def reply(client: Client, message: Message, text: str = "El jueves", to: str = "cliente", **more: Any) -> Any:
    """Write in the conversation of a message, by its form."""
    order = message.thread.order
    assert order is not None
    address = f"/pedidos/{order.reference}/mensajes/{message.thread_id}/"
    return client.post(address, {"to": to, "text": text, **more})


def everything() -> dict[str, Any]:
    """Every row of conversations, for showing that a refusal changed nothing."""
    from messaging.models import Notice, Thread

    return {
        "threads": list(Thread.objects.order_by("id").values()),
        "messages": list(Message.objects.order_by("id").defer("words").values(*_COLUMNS)),
        "notices": list(Notice.objects.filter(event="message").order_by("id").values("id", "due_at")),
    }


_COLUMNS = [field.attname for field in Message._meta.concrete_fields if field.name != "words"]
