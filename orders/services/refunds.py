"""Money that goes back to a customer after shipping: what an order keeps of it, and its history (REF-01, REF-07).

What is given back of which line, who pays it and how it is asked of the provider is of `refunds`; the order says what
was charged, what has gone back, and what of its commission.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from marketplace import clocks, queries
from marketplace.policy import Role
from marketplace.refusals import Code, Outcome
from orders.models import Order
from orders.services.move import Change, Refuse, _move, rules
from orders.signals import Moved
from orders.states import PAST_RECEIPT, State, Verb
from sellers.desk import Actor, Right

REFUNDABLE = (State.SHIPPED, State.EXCEPTION, State.DELIVERED, *PAST_RECEIPT)
"""Before shipping there is cancelling, which gives everything back (CAN-05)."""


@dataclass(frozen=True, slots=True)
class Refunded:
    """What goes back, in cents: to the customer, and of the commission and its VAT to the shop; `told` is what the
    history and the mails say of it."""

    refund_id: int
    amount_cents: int
    commission_cents: int
    commission_vat_cents: int
    told: Mapping[str, Any]


def refund_by(order: Order) -> datetime | None:
    """Until when an order can be refunded: the policy's time after it was shipped, or confirmed where nothing travels;
    None before (REF-01)."""
    since = order.shipped_at or order.confirmed_at
    if since is None:
        return None
    calendar = queries.channel(order.channel_id).calendar
    return clocks.deadline(since, rules(order).refund_within.span, calendar)


def judge_refund(
    order: Order, verb: str = Verb.REFUND, *, asked_at: datetime | None = None, by: Actor, at: datetime
) -> Code | None:
    """Say why an order cannot be refunded by this actor at this moment; None when it can.

    What waited to be covered was `asked_at` a moment that has to be within the window; its answer need not be.
    """
    del verb
    if at < order.moved_at:
        return Code.OUT_OF_ORDER
    if by.role not in (Role.SELLER, Role.OPERATOR) or not by.may(Right.REFUND):
        return Code.NOT_ALLOWED
    until = refund_by(order)
    if order.state not in REFUNDABLE or until is None:
        return Code.WRONG_STATE
    if order.refunded_cents >= order.charged_cents:
        return Code.NOTHING_TO_REFUND
    return Code.DEADLINE_PASSED if (asked_at or at) > until else None


_REFUNDED = ("refunded_cents", "commission_back_cents", "commission_vat_back_cents")


def refund(
    order_id: int, refunded: Refunded, *, asked_at: datetime | None = None, by: Actor, at: datetime
) -> Outcome[Moved]:
    """Count money as going back to the customer, with what is given back of the commission (REF-07).

    Refused as `more_than_left` for more than was charged and has not gone back, and for what `judge_refund` says.
    """

    def change(order: Order) -> Change:
        if refunded.amount_cents > order.charged_cents - order.refunded_cents:
            raise Refuse(Code.MORE_THAN_LEFT)
        _add(order, refunded, 1)
        return Change(_told(order, refunded))

    judged = partial(judge_refund, asked_at=asked_at)
    return _move([order_id], Verb.REFUND, change, fields=_REFUNDED, judged=judged, by=by, at=at)


def undo_refund(order_id: int, refunded: Refunded, *, by: Actor, at: datetime) -> Outcome[Moved]:
    """Take a refund back that the provider would not make: nothing has gone to the customer (REF-06)."""

    def change(order: Order) -> Change:
        _add(order, refunded, -1)
        return Change(_told(order, refunded))

    return _move([order_id], Verb.REFUND_UNDONE, change, fields=_REFUNDED, judged=_always, by=by, at=at)


def _add(order: Order, refunded: Refunded, sign: int) -> None:
    order.refunded_cents += sign * refunded.amount_cents
    order.commission_back_cents += sign * refunded.commission_cents
    order.commission_vat_back_cents += sign * refunded.commission_vat_cents


def _told(order: Order, refunded: Refunded) -> dict[str, Any]:
    return {
        **refunded.told,
        "refund": refunded.refund_id,
        "amount_cents": refunded.amount_cents,
        "commission_cents": refunded.commission_cents,
        "commission_vat_cents": refunded.commission_vat_cents,
        "received": order.state in PAST_RECEIPT,
    }


def _always(order: Order, verb: str, *, by: Actor, at: datetime) -> Code | None:
    del verb, by
    return Code.OUT_OF_ORDER if at < order.moved_at else None
