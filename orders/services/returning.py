"""When a parcel cannot be delivered: tried again, or back to the shop (SHP-06, CAN-05)."""

from collections.abc import Iterable
from datetime import datetime

from marketplace import clocks
from marketplace.reasons import Reasoned, why
from marketplace.refusals import Code, Outcome
from orders.models import Order
from orders.services.move import Change, Channels, Refuse, _move, give_back, rules
from orders.services.receipt import count_receipt
from orders.signals import Moved
from orders.states import Verb
from sellers.desk import Actor


def report_exception(
    order_ids: Iterable[int], *, reason: Reasoned, by: Actor, at: datetime
) -> Outcome[Moved]:
    """The carrier could not deliver, for a reason: receipt waits until it is tried again or comes back."""
    given = why(reason)

    def change(order: Order) -> Change:
        if not given:
            raise Refuse(Code.REASON_NEEDED)
        return Change({"reason": given.kept})

    return _move(order_ids, Verb.REPORT_EXCEPTION, change, by=by, at=at)


def retry(order_ids: Iterable[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
    """Send it out once more: the days to arrive, and until it counts as received, start again (SHP-07)."""
    channels = Channels()

    def change(order: Order) -> Change:
        count_receipt(order, at, channels)
        span = rules(order).deliver_within.span
        order.deliver_by = clocks.deadline(at, span, channels.of(order).calendar)
        return Change()

    return _move(order_ids, Verb.RETRY, change, fields=("receive_at", "deliver_by"), by=by, at=at)


def return_to_sender(order_ids: Iterable[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
    """The parcel is back at the shop: the order ends, and whoever paid is paid back everything (CAN-05)."""

    def change(order: Order) -> Change:
        return Change({"refunded_cents": give_back(order)})

    return _move(order_ids, Verb.RETURN_TO_SENDER, change, fields=("refunded_cents",), by=by, at=at)
