"""The deadlines that run on an order: how much is left, what will happen by itself, and why then (ORD-16)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.utils.translation import gettext as _

from dashboard.kept_words import length_words, moment_words, what_is_left
from dashboard.order_queries import deliver_from
from marketplace import clocks
from marketplace.clocks import Calendar, Left, Span
from marketplace.policy import ReceiptClockFrom
from orders.models import Hold, Order
from orders.states import PAID, State


@dataclass(frozen=True, slots=True)
class Running:
    """A deadline: its badge, the sentence of what will happen, and the explanation of its moment.

    `why` and `also` are worked out when they are read: a list of fifty shows none of them.
    """

    code: str
    at: datetime
    left: Left
    says: str
    explain: Callable[[], str] = str
    add: Callable[[], str] = str

    @property
    def why(self) -> str:
        return self.explain()

    @property
    def also(self) -> str:
        return self.add()


_SHIPPING = (State.DEBIT, State.AWAITING_SHIPMENT, State.AWAITING_PICKUP)
_ON_ITS_WAY = (State.SHIPPED, State.DELIVERED)


OF_SUPPLIERS = ("ship_by", "deliver_by", "presale")
"""The deadlines that are a supplier's to know: when it has to leave and to arrive (ROL-04)."""


def running(order: Order, holds: Sequence[Hold], now: datetime) -> list[Running]:
    """The deadlines of the order's state, the one that acts next first."""
    return list(_each(order, holds, now))


def next_running(order: Order, now: datetime) -> Running | None:
    """The deadline of the order's state that acts next; a list tells no other."""
    return next(_each(order, (), now), None)


def _each(order: Order, holds: Sequence[Hold], now: datetime) -> Iterator[Running]:
    if order.state == State.PENDING_PAYMENT:
        yield _payment(order, now)
    if order.state == State.PENDING_ACCEPTANCE:
        yield _acceptance(order, now)
    if order.state in _SHIPPING and order.ship_by and order.ships:
        yield _shipping(order, now)
    if order.state in (State.DEBIT, *PAID) and order.ship_by and order.to_confirm:
        yield _confirmation(order, now)
    if order.state == State.SHIPPED and order.deliver_by:
        yield _delivery(order, now)
    if order.state in _ON_ITS_WAY and order.receive_at:
        yield _receipt(order, now)
    yield from (_presale(order, hold, now) for hold in holds if hold.until)


def _payment(order: Order, now: datetime) -> Running:
    assert order.pay_by is not None
    calendar, rules = order.channel.calendar, order.policy.rules
    ends = moment_words(order.pay_by, now, calendar.zone, ends=True)
    if now > order.pay_by:
        says = _("El plazo para pagarlo terminó %(when)s: se cancelará enseguida.")
    else:
        says = _("Se cancelará %(when)s si el cliente no lo paga. Hasta entonces no hay nada que preparar.")
    left = what_is_left(order.pay_by, now, calendar.zone)
    why = partial(_why, order.placed_at, rules.pay_within.span, calendar, order.pay_by, now)
    return Running("pay_by", order.pay_by, Left("calm", left.text), says % {"when": ends}, why)


def _acceptance(order: Order, now: datetime) -> Running:
    assert order.accept_by is not None
    calendar, rules = order.channel.calendar, order.policy.rules
    ends = moment_words(order.accept_by, now, calendar.zone, ends=True)
    if now > order.accept_by:
        says = _("El plazo para aceptarlo terminó %(when)s: se cancelará enseguida y no se cobra nada.")
    else:
        says = _("Se cancelará %(when)s si no lo aceptas.")
    return Running(
        "accept_by",
        order.accept_by,
        what_is_left(order.accept_by, now, calendar.zone),
        says % {"when": ends},
        partial(_why, order.placed_at, rules.accept_within.span, calendar, order.accept_by, now),
        partial(_time_to_ship, rules.ship_within.span, calendar, now) if now <= order.accept_by else str,
    )


def _time_to_ship(span: Span, calendar: Calendar, now: datetime) -> str:
    ends = moment_words(clocks.deadline(now, span, calendar), now, calendar.zone, ends=True)
    return _("Aceptar no obliga a enviar ya: tendrás hasta %(when)s.") % {"when": ends}


def _shipping(order: Order, now: datetime) -> Running:
    assert order.ship_by is not None
    assert order.accepted_at is not None
    calendar, rules = order.channel.calendar, order.policy.rules
    ends = moment_words(order.ship_by, now, calendar.zone, ends=True)
    words = {"when": ends, "late": _late(order.ship_by, now)}
    left = what_is_left(order.ship_by, now, calendar.zone)
    if order.held_at:
        says = _("El plazo de envío está parado mientras el pedido espere; después se alarga lo mismo.")
        left = Left("calm", _("plazo parado"))
    elif now > order.ship_by:
        says = _("Había que enviarlo como muy tarde %(when)s: lleva %(late)s de retraso.") % words
    else:
        says = _("Hay que enviarlo como muy tarde %(when)s; después contará como envío con retraso.") % words
    why = partial(_why, order.accepted_at, rules.ship_within.span, calendar, order.ship_by, now)
    return Running("ship_by", order.ship_by, left, says, why)


def _confirmation(order: Order, now: datetime) -> Running:
    """The shop has as long to confirm what does not travel as to ship what does (ORD-13)."""
    assert order.ship_by is not None
    assert order.accepted_at is not None
    calendar, rules = order.channel.calendar, order.policy.rules
    words = {
        "when": moment_words(order.ship_by, now, calendar.zone, ends=True),
        "late": _late(order.ship_by, now),
    }
    left = what_is_left(order.ship_by, now, calendar.zone)
    if order.held_at:
        says = _("El plazo para confirmarlo al cliente está parado mientras el pedido espere.")
        left = Left("calm", _("plazo parado"))
    elif now > order.ship_by:
        says = (
            _("Había que confirmarlo al cliente como muy tarde %(when)s: lleva %(late)s de retraso.") % words
        )
    else:
        says = _("Hay que confirmarlo al cliente como muy tarde %(when)s.") % words
    why = partial(_why, order.accepted_at, rules.ship_within.span, calendar, order.ship_by, now)
    return Running("confirm_by", order.ship_by, left, says, why, _not_before)


def _not_before() -> str:
    return _("Hasta que lo confirmes no empieza a contar el plazo para darlo por recibido.")


def _delivery(order: Order, now: datetime) -> Running:
    assert order.deliver_by is not None
    calendar, rules = order.channel.calendar, order.policy.rules
    ends = moment_words(order.deliver_by, now, calendar.zone, ends=True)
    words = {"when": ends, "late": _late(order.deliver_by, now)}
    if now > order.deliver_by:
        says = _("Debía llegar al cliente como muy tarde %(when)s: lleva %(late)s de retraso.") % words
    else:
        says = _("Tiene que llegar al cliente como muy tarde %(when)s.") % words
    started = deliver_from(order)
    span = rules.deliver_within.span
    why = partial(_why, started, span, calendar, order.deliver_by, now) if started else str
    return Running(
        "deliver_by", order.deliver_by, what_is_left(order.deliver_by, now, calendar.zone), says, why
    )


def _receipt(order: Order, now: datetime) -> Running:
    assert order.receive_at is not None
    calendar, rules = order.channel.calendar, order.policy.rules
    arrived = order.delivered_at if rules.receive_clock_from == ReceiptClockFrom.DELIVERY else None
    words = {"when": moment_words(order.receive_at, now, calendar.zone, ends=True)}
    left = what_is_left(order.receive_at, now, calendar.zone)
    if left.kind != "calm":
        left = Left("calm", left.text if now <= order.receive_at else _("ya toca"))
    if order.held_at or order.incident_at:
        says = _("Su plazo acaba %(when)s, pero no se dará por recibido mientras algo lo retenga.")
    else:
        says = _("Se dará por recibido %(when)s y entrará en la siguiente liquidación.")
    travelled = (arrived or order.shipped_at) if order.ships else None
    started = max(filter(None, (travelled, order.confirmed_at)))
    counted = partial(_why, started, rules.receive_after.span, calendar, order.receive_at, now)

    def why() -> str:
        since = _("Cuenta desde la entrega.") if arrived else _("Cuenta desde el envío del último bulto.")
        if started != travelled:
            since = _("Cuenta desde lo último que se confirmó al cliente.")
        return f"{counted()} {since}"

    return Running("receive_at", order.receive_at, left, says % words, why)


def _presale(order: Order, hold: Hold, now: datetime) -> Running:
    assert hold.until is not None
    zone = order.channel.calendar.zone
    ends = moment_words(hold.until, now, zone, ends=True)
    says = _("La espera por preventa acaba sola %(when)s.") % {"when": ends}
    left = what_is_left(hold.until, now, zone)
    return Running("presale", hold.until, Left("calm", left.text) if left.kind == "soon" else left, says)


def _late(deadline_at: datetime, now: datetime) -> str:
    """How late it is, to the hour: minutes are noise in days; nothing for what is not."""
    late = now - deadline_at
    if late <= timedelta():
        return ""
    return length_words(late - late % timedelta(hours=1) if late >= timedelta(hours=3) else late)


def _why(start: datetime, span: Span, calendar: Calendar, ends_at: datetime, now: datetime) -> str:
    """The explanation of a deadline that holds may have moved: by how much is what lies between."""
    plain = clocks.deadline(start, span, calendar)
    shifted = clocks.elapsed(plain, ends_at, span.clock, calendar)
    return clocks.explain(start, span, calendar, shifted).sentence(now=now)
