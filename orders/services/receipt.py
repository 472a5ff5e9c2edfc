"""The end of a good order: it counts as received, and is settled (SHP-07, SET-01)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from marketplace import clocks
from marketplace.refusals import Outcome
from orders.models import Order
from orders.services.move import Change, Channels, _move, rules
from orders.signals import Moved
from orders.states import Verb
from sellers.desk import Actor


def count_receipt(order: Order, since: datetime, channels: Channels) -> None:
    """The days until it counts as received run from here, unless something of it is still to be confirmed to the
    customer: then they run from that (SHP-07, ORD-13)."""
    if not order.unconfirmed:
        span = rules(order).receive_after.span
        order.receive_at = clocks.deadline(since, span, channels.of(order).calendar)


def receive(
    order_ids: Iterable[int], *, skip_locked: bool = False, by: Actor, at: datetime
) -> Outcome[Moved]:
    """Count shipped orders as received once their days are over; the next settlement takes them (SHP-07)."""

    def change(order: Order) -> Change:
        order.received_at = at
        return Change(collect(order, at=at))

    return _move(
        order_ids,
        Verb.RECEIVE,
        change,
        fields=("received_at", *COLLECTED),
        skip_locked=skip_locked,
        by=by,
        at=at,
    )


COLLECTED = ("charged_cents", "debited_at")


def collect(order: Order, *, at: datetime) -> dict[str, int]:
    """Count what the courier was paid at the door, once, and tell it (PAY-06); nothing for what was paid otherwise.

    Delivery tells it; where nobody reported one, receipt does.
    """
    if not order.cash_on_delivery or order.charged_cents or not order.total_cents:
        return {}
    order.charged_cents, order.debited_at = order.total_cents, at
    return {"collected_cents": order.charged_cents}


def settle(
    statements: Mapping[int, Mapping[str, Any]], *, skip_locked: bool = False, by: Actor, at: datetime
) -> Outcome[Moved]:
    """Close received orders because a statement takes them; `statements` maps order ids to what the history tells."""
    return _move(
        statements,
        Verb.SETTLE,
        lambda order: Change(statements[order.id]),
        skip_locked=skip_locked,
        by=by,
        at=at,
    )
