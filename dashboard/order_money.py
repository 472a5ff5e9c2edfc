"""The money of an order: what the customer pays, what the marketplace keeps, what the shop gets and when."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from dashboard import order_queries
from dashboard.order_queries import GivenBack
from marketplace.moments import moment_words
from marketplace.money import format_money, percent
from marketplace.policy import Settings
from marketplace.reasons import answer_words
from orders.models import Line, Order
from orders.services import Fee, Fees, Priced, missing_part, priced
from orders.services.refunds import REFUNDABLE
from orders.states import FINAL, State
from payments.models import Charge
from payments.states import AskState

_NEVER = (State.REFUSED, State.CANCELLED, State.FAILED)


@dataclass(frozen=True, slots=True)
class Money:
    """Names and amounts, already written out; `total` is what the shop gets; `says` when, in a sentence."""

    pairs: list[tuple[str, str]]
    total: tuple[str, str]
    paid: list[tuple[str, str]] = field(default_factory=list)
    says: str = ""


def money_of(
    order: Order, lines: Sequence[Line], back: GivenBack, now: datetime, refused: Sequence[Line] = ()
) -> Money:
    """The figures of the order: those of its whole until it is accepted, of what was accepted after.

    `refused` are lines that the seller means to refuse: what is left without them, to the cent (ORD-05).
    """
    rules = order.policy.rules
    order = _without(order, refused)
    answered = order.accepted_at is not None
    fee = Fee(order.commission_cents, order.commission_vat_cents, order.commission_parts)
    if not answered:
        moment = order.placed_at if order.state == State.PENDING_PAYMENT else now
        gone = (Priced(one.category, -one.goods_cents, -one.shipping_cents) for one in refused)
        fee = Fees().of(order, at=moment, articles=[*priced(lines), *gone])

    def said(cents: int) -> str:
        return format_money(cents, order.currency)

    paid = []
    if order.charged_cents:
        paid.append((_("Cobrado al cliente"), said(order.charged_cents)))
    if back.done_cents:
        paid.append((_("Devuelto al cliente"), said(-back.done_cents)))
    if back.waits_cents:
        paid.append((_("Devolución en curso"), said(-back.waits_cents)))
    if back.refused_cents:
        paid.append((_("Devolución rechazada por el proveedor"), said(-back.refused_cents)))
    pairs = [(_("Artículos"), said(order.goods_cents)), (_("Envío"), said(order.shipping_cents))]
    if order.state in _NEVER:
        return Money(pairs, (_("Recibirás"), said(0)), paid, _nothing(order))
    pairs += [(words, said(-cents)) for words, cents in _commissions(fee, rules)]
    pairs.append((_("IVA de la comisión"), said(-fee.vat_cents)))
    refunded = _refunded(order)
    if refunded:
        pairs.append((_("Devuelto al cliente"), said(-refunded)))
    if order.commission_back_cents:
        pairs.append(
            (
                _("Comisión devuelta, con su IVA"),
                said(order.commission_back_cents + order.commission_vat_back_cents),
            )
        )
    name = _("Has recibido") if order.state == State.CLOSED else _("Recibirás")
    net = order.total_cents - fee.cents - fee.vat_cents - refunded
    net += order.commission_back_cents + order.commission_vat_back_cents
    says = _when(order, now)
    if refused and order.total_cents:
        says = _("Sin lo que rechazas. Se cobra al cliente cuando aceptes.")
    elif refused:
        says = _("Si rechazas todas las líneas no se cobra nada al cliente.")
    return Money(pairs, (name, said(net)), paid, says)


def _refunded(order: Order) -> int:
    """What refunds after shipping gave back: the rest of what went back was of units that are in the total no more."""
    if order.state not in REFUNDABLE:
        return 0
    return order.refunded_cents - max(order.charged_cents - order.total_cents, 0)


def _commissions(fee: Fee, rules: Settings) -> list[tuple[str, int]]:
    """The commission by rate, each with what it is a rate of where it is not the policy's; they add up to the whole."""
    if not fee.parts:
        return [(_("Comisión, %(rate)s %%") % {"rate": percent(rules.commission_bp)}, fee.cents)]
    return [
        (
            _("Comisión, %(rate)s %%") % {"rate": percent(part["basis_points"])} + rate_words(part),
            part["cents"],
        )
        for part in fee.parts
    ]


def rate_words(part: Mapping[str, Any]) -> str:
    """What a rate of a commission is of: the shop, a category, some days, or the rest."""
    if part["rate"] is None:
        return _(" (el resto)")
    words = [_("de esta tienda")] if part["of_shop"] else []
    if part["category"]:
        words.append(_("categoría %(category)s") % {"category": part["category"]})
    return f" ({', '.join(words)})" if words else _(" (con fechas)")


def _without(order: Order, refused: Sequence[Line]) -> Order:
    """The order as it would be charged without some of its lines; the one given stays as it is."""
    if not refused:
        return order
    rest = copy(order)
    rest.goods_cents -= sum(line.goods_cents for line in refused)
    rest.shipping_cents -= sum(line.shipping_cents for line in refused)
    rest.total_cents = rest.goods_cents + rest.shipping_cents
    return rest


def not_there(lines: Sequence[Line], given: Mapping[str, Any]) -> list[Line]:
    """The parts of accepted lines that an answer, sent or only thought of in an address, says are missing (ORD-06)."""
    found = []
    for line in lines:
        said = str(given.get(f"units_{line.id}", ""))
        if given.get(f"answer_{line.id}") == "refuse" or not (said.isascii() and said.isdigit()):
            continue
        missing = line.quantity - int(said[:9])
        if 0 < missing < line.quantity:
            found.append(missing_part(line, missing))
    return found


def _nothing(order: Order) -> str:
    if order.charged_cents:
        return _("Lo cobrado vuelve entero al cliente.")
    return _("No se ha cobrado nada al cliente.")


def _when(order: Order, now: datetime) -> str:
    """When the money comes, as far as it can be told (SET-01)."""
    if order.state == State.PENDING_ACCEPTANCE:
        if order.cash_on_delivery:
            return _("Lo cobra el mensajero al entregarlo. Lo que rechaces no se cobra.")
        return _("Se cobra al cliente cuando aceptes. Lo que rechaces no se cobra.")
    if order.state == State.PENDING_PAYMENT:
        return _("Todavía no está pagado: no lo prepares hasta que lo esté.")
    if order.cash_on_delivery and not order.charged_cents and order.state not in FINAL:
        return _("Lo cobra el mensajero al entregarlo.")
    if order.state == State.CLOSED:
        line = order_queries.settled_in(order)
        if line is None:
            return _("Liquidado.")
        words = {"when": _ends(line.statement.cycle.closes_at, order, now)}
        return _("Liquidado %(when)s.") % words
    since = order.received_at or order.receive_at
    closing = order_queries.next_closing(order.channel, max(since, now)) if since else None
    if closing is None:
        return _("Se liquida cuando el pedido se dé por recibido.")
    words = {"when": _ends(closing, order, now)}
    return _("Si nada lo retiene, entra en la liquidación que cierra %(when)s.") % words


def _ends(closes_at: datetime, order: Order, now: datetime) -> str:
    return moment_words(closes_at, now, order.channel.calendar.zone, ends=True)


@dataclass(frozen=True, slots=True)
class Debit:
    """How the charge of the customer's card goes; `stuck` asks the seller to get in touch (PAY-03)."""

    says: str
    stuck: bool = False


def debit_of(order: Order, charge: Charge | None) -> Debit | None:
    """What there is to say of the debit while it runs and when it failed (PAY-01 … PAY-05)."""
    if order.state == State.FAILED:
        answer = answer_words(charge.message) if charge else ""
        said = _("El cobro al cliente se ha rechazado.")
        told = _("El proveedor de pagos dice: «%(answer)s».") % {"answer": answer} if answer else ""
        return Debit(f"{said} {told}".strip())
    if order.state != State.DEBIT:
        return None
    if charge is None or (charge.state == AskState.WAITING and order.held_at):
        return Debit(_("El cobro se pedirá cuando el pedido salga de la espera."))
    if charge.alerted_at:
        return Debit(_("El cobro tarda más de lo normal."), stuck=True)
    if charge.attempt > 1:
        return Debit(_("Se vuelve a intentar el cobro: intento %(n)s.") % {"n": charge.attempt})
    return Debit(_("Se está cobrando al cliente: normalmente son unos minutos. Después podrás enviarlo."))
