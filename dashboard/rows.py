"""An order as a line of a list: its deadline in words, why that one, and the act that comes next."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dashboard.order_clocks import OF_SUPPLIERS, next_running
from dashboard.words import StateWords, only_confirms, state_of
from marketplace.clocks import Left
from marketplace.jinja import number
from marketplace.moments import day_words, last_day
from marketplace.money import format_money
from orders import services
from orders.models import Order
from orders.states import PAID, HoldKind, State, Verb
from sellers.desk import Actor
from settlements.queries import closings

_SHIP = (State.AWAITING_SHIPMENT, State.AWAITING_PICKUP)


class Stands(NamedTuple):
    """Where an order is, why it waits ("" when nothing holds it), and what keeps its money back, an incident or a
    return. Many rows of a list stand alike."""

    state: StateWords
    reason: str
    keeps: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A line: `left`, `says` and `why` tell its deadline (ORD-16); `act` is accept, answer, ship, confirm or see.

    `page` is the order's address, `href` where its act leads; `amount` and `items` are what the order, or a
    supplier's part of it, comes to.
    """

    order: Order
    stands: Stands
    left: Left | None
    says: str
    why: Callable[[], str]
    act: str
    page: str
    href: str
    amount: str
    items: str


def rows(orders: Iterable[Order], *, by: Actor, at: datetime) -> list[Row]:
    """The lines of a list for the one who looks at it; the orders come furnished (see `queries`)."""
    called: dict[tuple[str, int, bool, bool], StateWords] = {}
    found = []
    for order in orders:
        key = (order.state, order.policy_id, order.held_at is None, only_confirms(order))
        if key not in called:
            called[key] = state_of(order)
        kind: str | None = order.hold_kind
        held = str(HoldKind(kind).label) if kind and order.held_at else ""
        left, says, why = _deadline(order, by, at)
        act, page = _act(order, by, at), _address(order.reference)
        href = page + {"ship": "?tab=envio#enviar", "confirm": "#confirmar"}.get(act, "")
        amount, items = _what(order, by)
        stands = Stands(called[key], held, order.keeps_money or "")
        found.append(Row(order, stands, left, says, why, act, page, href, amount, items))
    return found


def _address(reference: str) -> str:
    """The address of an order's page, as `reverse` writes it: fifty searches of the address book cost more."""
    return f"{_orders_start()}{quote(reference, safe="!$&'()*+,;=~:@")}/"


@lru_cache(maxsize=1)
def _orders_start() -> str:
    return reverse("order", args=["0"]).removesuffix("0/")


def _what(order: Order, by: Actor) -> tuple[str, str]:
    """What the order is worth and what is in it; to a supplier, how many units and which of their own (ROL-04)."""
    if by.supplier_id is None:
        items = order.items_text if order.ships else f"{_('Digital')} · {order.items_text}"
        return format_money(order.total_cents, order.currency), items
    units: int = order.own_units
    words = ngettext("%(num)s unidad", "%(num)s unidades", units)
    return words % {"num": number(units)}, order.own_items


def _deadline(order: Order, by: Actor, at: datetime) -> tuple[Left | None, str, Callable[[], str]]:
    if by.supplier_id is not None:
        clock = next_running(order, at)
        theirs = clock if clock and clock.code in OF_SUPPLIERS else None
        return (theirs.left, theirs.says, theirs.explain) if theirs else (None, "", str)
    if order.state == State.DEBIT and order.held_at is None:
        says = _("El proveedor de pagos suele contestar en minutos.")
        return Left("calm", _("normalmente, minutos")), says, str
    clock = next_running(order, at)
    if clock:
        return clock.left, clock.says, clock.explain
    if order.state == State.RECEIVED and order.held_at is None:
        closes = min((moment for moment in closings(order.channel, at) if moment >= at), default=None)
        if closes:
            day = day_words(last_day(closes, order.channel.calendar.zone))
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
    ships, confirms = True, True
    if by.supplier_id is not None:
        ships, confirms = bool(order.to_hand_over), bool(order.own_to_confirm)
    if ships and order.state in _SHIP and services.judge(order, Verb.SHIP, by=by, at=at) is None:
        return "ship"
    confirms = confirms and order.to_confirm > 0 and order.state in PAID
    if confirms and services.judge(order, Verb.FULFIL, by=by, at=at) is None:
        return "confirm"
    failed = order.state == State.EXCEPTION and services.judge(order, Verb.RETRY, by=by, at=at) is None
    return "decide" if failed else "see"
