"""What the tests of the acts share: a recent order, a post as somebody, and the proof that nothing was written."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.test import Client

from marketplace import timers
from marketplace.celery import BY_NAME
from orders import services
from orders.models import Event, Hold, Line, Order, Shipment
from sellers.models import User
from tests.conftest import SELLER, again, row

HOUR = timedelta(hours=1)
ACTS = ("aceptar", "rechazar", "enviar", "listo", "cancelar", "en-espera", "seguir", "faltan")

type Recent = Callable[..., Order]


def post(user: User, order: Order, act: str, **fields: Any) -> Any:
    client = Client()
    client.force_login(user)
    return client.post(f"/pedidos/{order.reference}/{act}/", fields)


def said(answer: Any) -> str:
    return " ".join(str(answer.content.decode()).replace("\u00a0", " ").split())


def went_well(answer: Any, order: Order) -> None:
    assert answer.status_code == 303
    assert answer["Location"] == f"/pedidos/{order.reference}/"


class Untouched:
    """Everything that an act writes to an order, for showing that nothing was."""

    def __init__(self, order: Order) -> None:
        self.order, self.before = order, self._now(order)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *failed: object) -> None:
        assert self._now(self.order) == self.before

    @staticmethod
    def _now(order: Order) -> object:
        tables = (Event, Line, Hold, Shipment)
        return row(order), [
            list(table.objects.filter(order=order).order_by("id").values()) for table in tables
        ]


def debited(order: Order) -> Order:
    at = order.placed_at + HOUR / 4
    services.one(services.accept([order.id], by=SELLER, at=at))
    timers.run(BY_NAME["charge"], at=at)
    return again(order)
