"""What the customer of an order can do with it as it stands (CAN-01, ROL-03)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from customer.claims import Claim, free_lines
from incidents.services import judge_opening
from orders import services
from orders.documents import has_delivery_note
from orders.models import Line, Order
from orders.states import PAST_RECEIPT, State, Verb
from quality.services import judge_review
from refunds import returns
from refunds.models import ReturnRequest
from refunds.queries import goods_back
from sellers.desk import Actor

ARRIVED = (State.DELIVERED, *PAST_RECEIPT)


@dataclass(frozen=True, slots=True)
class Offers:
    """Which acts a customer is offered."""

    receive: bool
    cancel: bool
    ask_cancel: bool
    give_back: bool
    claim: bool
    note: bool
    invoice: bool
    review: bool


def offers(
    order: Order,
    lines: Sequence[Line],
    asked: Sequence[ReturnRequest],
    claims: Sequence[Claim],
    *,
    by: Actor,
    at: datetime,
) -> Offers:
    """The acts that would not be refused now; `asked` are the returns asked for already, `claims` the incidents."""
    may_cancel = services.judge(order, Verb.CANCEL, by=by, at=at) is None
    may_claim = judge_opening(order, by=by, at=at) is None
    may_return = returns.judge_return(order, by=by, at=at) is None
    return Offers(
        receive=services.judge(order, Verb.DELIVER, by=by, at=at) is None,
        cancel=may_cancel,
        ask_cancel=not may_cancel and services.asked_of(order, Verb.CANCEL, by=by, at=at) is not None,
        give_back=may_return and bool(returns.left_of(lines, asked, goods_back(order))),
        claim=may_claim and bool(free_lines(lines, claims)),
        note=has_delivery_note(order),
        invoice=not order.wants_invoice and services.judge_invoice_wish(order, by=by, at=at) is None,
        review=judge_review(order, by=by) is None,
    )
