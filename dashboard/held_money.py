"""What holds a shop's money, in words: the cause, when it should come, and the one thing that frees it (SET-07)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from dashboard.held_queries import Amount, Cause
from dashboard.kept_words import moment_words
from dashboard.order_acts import order_url
from dashboard.order_queries import next_closing
from marketplace import clocks
from marketplace.models import Channel
from marketplace.moments import day_words, last_day
from marketplace.money import format_money
from orders.models import Order
from orders.services import rules
from orders.states import HoldKind
from settlements.queries import closings


def words() -> dict[Cause, str]:
    """The causes as a filter names them."""
    return {
        Cause.INCIDENT: _("Incidencia abierta"),
        Cause.RETURN: _("Devolución en curso"),
        Cause.HOLD: _("En espera"),
        Cause.DEBIT: _("Débito en curso"),
        Cause.SHIP: _("Por enviar"),
        Cause.FAILED: _("Entrega fallida"),
        Cause.SENT: _("Enviado, hasta darse por recibido"),
        Cause.READY: _("Listo para liquidar"),
    }


@dataclass(frozen=True, slots=True)
class Held:
    """An order whose money is not paid yet: what holds it, when it should come, and what frees it."""

    order: Order
    cause: Cause
    why: str
    amount: str
    comes: str
    act: str
    href: str


def cause_of(order: Order) -> Cause:
    """What holds the money of an open order, as the counters tell it; it comes with what keeps its money."""
    if order.incident_at is not None:
        return Cause.RETURN if order.keeps_money == HoldKind.RETURN else Cause.INCIDENT
    if order.held_at is not None:
        return Cause.HOLD
    by_state = {
        "debit": Cause.DEBIT,
        "awaiting_shipment": Cause.SHIP,
        "awaiting_pickup": Cause.SHIP,
        "exception": Cause.FAILED,
        "received": Cause.READY,
    }
    return by_state.get(order.state, Cause.SENT)


def held(orders: Iterable[Order], now: datetime) -> list[Held]:
    """The orders as they are given, each with its words; they come with their channel and policy."""
    return [_held(order, now) for order in orders]


def _held(order: Order, now: datetime) -> Held:
    cause = cause_of(order)
    why, act, tab = _says(order, cause, now)
    return Held(
        order=order,
        cause=cause,
        why=why,
        amount=format_money(order.for_the_shop, order.currency),
        comes=_comes(order, cause, now),
        act=act,
        href=order_url(order, tab=tab),
    )


def _says(order: Order, cause: Cause, now: datetime) -> tuple[str, str, str]:
    """Why it is held, what frees it, and on which tab of the order's page that is done."""
    if cause == Cause.INCIDENT:
        return _("Una incidencia abierta lo retiene."), _("Resolver la incidencia"), "detalles"
    if cause == Cause.RETURN:
        return _("Una devolución en curso lo retiene."), _("Ver la devolución"), "detalles"
    if cause == Cause.HOLD:
        return _("El pedido está en espera."), _("Ver la espera"), "detalles"
    if cause == Cause.DEBIT:
        return _("Se está cobrando al cliente."), _("Ver el cobro"), "detalles"
    if cause == Cause.SHIP:
        until = _when(order.ship_by, order, now)
        said = _("Envíalo como muy tarde %(when)s.") % {"when": until} if until else _("Falta enviarlo.")
        return said, _("Enviar"), "envio"
    if cause == Cause.FAILED:
        return _("No se pudo entregar: decide qué hacer."), _("Decidir"), "detalles"
    if cause == Cause.READY:
        return _("Recibido: entra en la próxima liquidación."), "", "detalles"
    until = _when(order.receive_at, order, now)
    said = (
        _("Se da por recibido %(when)s.") % {"when": until} if until else _("En camino, sin plazo que corra.")
    )
    return said, "", "envio"


def _when(moment: datetime | None, order: Order, now: datetime) -> str:
    return moment_words(moment, now, order.channel.calendar.zone, ends=True) if moment else ""


def _comes(order: Order, cause: Cause, now: datetime) -> str:
    """The closing that should take it, as far as that can be told; an order still to be sent is told as if it left on
    its last day."""
    since = _counts_as_received(order, cause, now)
    closing = next_closing(order.channel, since) if since else None
    if closing is None:
        return ""
    when = day_words(last_day(closing, order.channel.calendar.zone))
    return _("si sale a tiempo, %(when)s") % {"when": when} if cause == Cause.SHIP else when


def _counts_as_received(order: Order, cause: Cause, now: datetime) -> datetime | None:
    if cause == Cause.READY:
        return now
    if cause == Cause.SENT and order.receive_at:
        return max(order.receive_at, now)
    if cause == Cause.SHIP and order.ship_by:
        leaves = max(order.ship_by, now)
        return clocks.deadline(leaves, rules(order).receive_after.span, order.channel.calendar)
    return None


def coming_closings(channels: Iterable[Channel], now: datetime) -> dict[int, Sequence[datetime]]:
    """The closings of each channel that are still to come, as far as its calendar is looked at."""
    return {
        channel.id: [moment for moment in closings(channel, now) if moment >= now] for channel in channels
    }


@dataclass(frozen=True, slots=True)
class Total:
    """What is held in a currency, cause by cause, and the sum, written out."""

    rows: list[tuple[Cause | None, str, int, str]]
    total: tuple[str, str]


def totals(amounts: Sequence[Amount], loose: Mapping[str, int]) -> list[Total]:
    """For each currency the causes with their orders and money, what the books owe besides, and the sum of all."""
    names = words()
    found = []
    for currency in sorted({one.currency for one in amounts} | set(loose)):
        mine = [one for one in amounts if one.currency == currency]
        rows: list[tuple[Cause | None, str, int, str]] = [
            (one.cause, names[one.cause], one.orders, format_money(one.cents, currency)) for one in mine
        ]
        rest = loose.get(currency, 0)
        if rest:
            rows.append((None, _("Ya en tu saldo, sin pedido abierto"), 0, format_money(rest, currency)))
        whole = sum(one.cents for one in mine) + rest
        found.append(Total(rows, (_("En total"), format_money(whole, currency))))
    return found
