"""An order as a line of a list: its deadline in words, why that one, and the act that comes next."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from dashboard.order_clocks import running
from marketplace.clocks import Left
from marketplace.moments import day_words
from orders import services
from orders.models import Order
from orders.states import HoldKind, State, Verb
from sellers.desk import Actor
from settlements.queries import closings

_SHIP = (State.AWAITING_SHIPMENT, State.AWAITING_PICKUP)


@dataclass(frozen=True, slots=True)
class Row:
    """A line: `left`, `says` and `why` tell its deadline (ORD-16); `act` is accept, answer, ship or see."""

    order: Order
    left: Left | None
    says: str
    why: Callable[[], str]
    act: str
    href: str
    held: str


def rows(orders: Iterable[Order], *, by: Actor, at: datetime) -> list[Row]:
    """The lines of a list for the one who looks at it; the orders come furnished (see `queries`)."""
    return [_row(order, by, at) for order in orders]


def _row(order: Order, by: Actor, at: datetime) -> Row:
    left, says, why = _deadline(order, at)
    act = _act(order, by, at)
    kind: str | None = order.hold_kind
    held = str(HoldKind(kind).label) if kind and order.held_at else ""
    return Row(order, left, says, why, act, _href(order, act), held)


def _deadline(order: Order, at: datetime) -> tuple[Left | None, str, Callable[[], str]]:
    if order.state == State.DEBIT and order.held_at is None:
        says = _("El proveedor de pagos suele contestar en minutos.")
        return Left("calm", _("normalmente, minutos")), says, str
    clocks = running(order, (), at)
    if clocks:
        return clocks[0].left, clocks[0].says, clocks[0].explain
    if order.state == State.RECEIVED and order.held_at is None:
        closes = min((moment for moment in closings(order.channel, at) if moment >= at), default=None)
        if closes:
            day = day_words(order.channel.calendar.local_day(closes))
            return (
                Left("calm", _("liquidación")),
                _("Entra en la liquidación que cierra %(day)s.") % {"day": day},
                str,
            )
    return None, "", str


def _act(order: Order, by: Actor, at: datetime) -> str:
    if order.state == State.PENDING_ACCEPTANCE and services.judge(order, Verb.ACCEPT, by=by, at=at) is None:
        single = order.lines_n == 1
        return "accept" if single else "answer"
    if order.state in _SHIP and services.judge(order, Verb.SHIP, by=by, at=at) is None:
        return "ship"
    return "see"


def _href(order: Order, act: str) -> str:
    if act == "ship":
        return reverse("order", args=[order.reference], query={"tab": "envio"}) + "#enviar"
    return reverse("order", args=[order.reference])
