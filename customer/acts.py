"""What the customer of an order can do with it as it stands (CAN-01, ROL-03)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from orders import services
from orders.documents import has_delivery_note
from orders.models import Line, Order
from orders.states import PAST_RECEIPT, State, Verb
from refunds import returns
from refunds.models import ReturnRequest
from sellers.desk import Actor

ARRIVED = (State.DELIVERED, *PAST_RECEIPT)


@dataclass(frozen=True, slots=True)
class Offers:
    """Which acts a customer is offered."""

    receive: bool
    cancel: bool
    give_back: bool
    note: bool


def offers(
    order: Order, lines: Sequence[Line], asked: Sequence[ReturnRequest], *, by: Actor, at: datetime
) -> Offers:
    """The acts that would not be refused now; `asked` are the returns asked for already."""
    may_return = returns.judge_return(order, by=by, at=at) is None
    return Offers(
        receive=services.judge(order, Verb.DELIVER, by=by, at=at) is None,
        cancel=services.judge(order, Verb.CANCEL, by=by, at=at) is None,
        give_back=may_return and bool(returns.left_of(lines, asked)),
        note=has_delivery_note(order),
    )
