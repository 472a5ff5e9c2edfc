"""Ending an order before it ships; what was charged goes back in full (CAN-02, CAN-03, CAN-05)."""

from collections.abc import Iterable
from datetime import datetime

from marketplace.reasons import Reasoned, why
from marketplace.refusals import Code, Outcome
from orders.models import Order
from orders.services.move import Change, Refuse, _move, give_back
from orders.signals import Moved
from orders.states import Verb
from sellers.desk import Actor


def cancel(order_ids: Iterable[int], *, reason: Reasoned, by: Actor, at: datetime) -> Outcome[Moved]:
    """Cancel orders for a reason; whoever was charged is paid back everything (CAN-05).

    Refused as `parcel_on_its_way` once a parcel has left: it cannot be called back (CAN-04).
    """
    given = why(reason)

    def change(order: Order) -> Change:
        if not given:
            raise Refuse(Code.REASON_NEEDED)
        back = give_back(order)
        return Change({"reason": given.kept, "refunded_cents": back})

    return _move(order_ids, Verb.CANCEL, change, fields=("refunded_cents",), by=by, at=at)
