"""That a customer asks to return articles, told in the history of the order (REF-09)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marketplace.refusals import Code, Outcome
from orders.models import Order
from orders.services.move import Change, _move
from orders.signals import Moved
from orders.states import Verb
from sellers.desk import Actor


def note_return_asked(order_id: int, told: Mapping[str, Any], *, by: Actor, at: datetime) -> Outcome[Moved]:
    """Note that a return was asked for; `told` is what the history and the notices say of it."""
    return _move([order_id], Verb.RETURN_ASKED, lambda order: Change(told), judged=_in_order, by=by, at=at)


def _in_order(order: Order, verb: str, *, by: Actor, at: datetime) -> Code | None:
    del verb, by
    return Code.OUT_OF_ORDER if at < order.moved_at else None
