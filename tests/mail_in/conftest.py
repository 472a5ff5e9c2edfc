"""Mails as people send them, conversations that they answer, and what stands in the tables afterwards."""

from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.db.models import Model
from pytest_django import Settings

from marketplace.policy import Role
from messaging import conversing
from messaging.conversing import Words
from messaging.documents import Letters
from messaging.inbound import receiving
from messaging.inbound.receiving import Receipt
from messaging.models import (
    Attachment,
    Correspondent,
    MailRefusal,
    Message,
    Notice,
    ReceivedMail,
    Thread,
)
from messaging.recipients import CUSTOMER, OPERATOR, SHOP, SUPPLIER
from orders.models import Order
from sellers.desk import Actor
from sellers.models import Shop, Supplier
from tests.conftest import AT, SELLER, Placing

DOMAIN = "respuestas.example"
LATER = AT + timedelta(hours=2)
ANA = Actor(Role.CUSTOMER, "Ana Soler")
OLGA = Actor(Role.OPERATOR, "Olga Operadora")


@pytest.fixture(autouse=True)
def _domain(settings: Settings) -> None:
    settings.MAIL_REPLY_DOMAIN = DOMAIN


def address(notice: Notice) -> str:
    """The Reply-To of a notice's mail."""
    return str(Letters().mail(notice).extra_headers["Reply-To"])


def notice_to(audience: str) -> Notice:
    """The last notice about a conversation to somebody."""
    return Notice.objects.filter(event="message", audience=audience).latest("id")


type Talking = Callable[..., str]


@pytest.fixture
def order(place: Placing) -> Order:
    return place()


@pytest.fixture
def customers(order: Order) -> str:
    """Where the customer answers what the shop wrote to them."""
    conversing.start(order.shop, Words("¿Te va bien el jueves?"), to=CUSTOMER, order=order, by=SELLER, at=AT)
    return address(notice_to("customer"))


@pytest.fixture
def sellers(order: Order) -> str:
    """Where the shop answers the notice of what the customer wrote."""
    conversing.start(order.shop, Words("¿Cuándo llega?"), to=SHOP, order=order, by=ANA, at=AT)
    return address(notice_to("seller"))


@pytest.fixture
def suppliers(order: Order, norte: Supplier) -> str:
    """Where a supplier answers what the shop wrote to them."""
    conversing.start(
        order.shop, Words("¿Te queda barro?"), to=SUPPLIER, order=order, supplier=norte, by=SELLER, at=AT
    )
    return address(notice_to("supplier"))


@pytest.fixture
def operators(order: Order, olga: Any) -> str:
    """Where an operator answers what the shop wrote to them."""
    conversing.start(order.shop, Words("¿Qué hago?"), to=OPERATOR, order=order, by=SELLER, at=AT)
    return address(notice_to("operator"))


_count = iter(range(10**9))


def mail(to: str, text: str = "Sí, el jueves.", **headers: str) -> EmailMessage:
    """A mail as a person sends it; a header of None is left out."""
    told = {
        "From": "Ana Soler <ana@cliente.example>",
        "To": to,
        "Subject": "Re: Tu pedido",
        "Date": "Tue, 03 Mar 2026 12:00:00 +0100",
        "Message-ID": f"<{next(_count)}@mail.cliente.example>",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    message = EmailMessage()
    for name, value in told.items():
        if value is not None:
            message[name] = value
    message.set_content(text)
    return message


def take(message: EmailMessage | bytes, *, at: datetime = LATER, **envelope: Any) -> Receipt:
    """Take a mail in."""
    raw = message if isinstance(message, bytes) else message.as_bytes()
    return receiving.receive(raw, source="mail", at=at, **envelope)


def outcome(message: EmailMessage | bytes, **envelope: Any) -> str:
    return take(message, **envelope).words()


def stands() -> dict[str, list[dict[str, Any]]]:
    """All that a mail could change, but for the count of what was turned away."""
    tables: tuple[type[Model], ...] = (
        Thread,
        Message,
        Notice,
        ReceivedMail,
        Attachment,
        Correspondent,
        Order,
        Shop,
    )
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in tables}


def refusals() -> dict[str, int]:
    return dict(MailRefusal.objects.values_list("reason", "times"))


def last() -> Message:
    return Message.objects.latest("id")
