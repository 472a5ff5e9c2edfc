"""What the tests of returns share: delivered orders of which a return stands in any state."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from marketplace.reasons import Why
from orders.models import Order
from refunds import return_ends, return_verbs
from refunds.models import ReturnRequest
from refunds.return_ends import Replacement
from refunds.returns import ask_return
from refunds.states import ReturnState
from refunds.tasks import pass_deadlines
from tests.conftest import AT, CLOCK, CUSTOMER, SELLER
from tests.orders.lives import HOUR

DAY = timedelta(days=1)
ASKED_AT = AT + 3 * HOUR + DAY
"""A day after `brought_to(State.DELIVERED)` has orders delivered."""

USED = Why("used")
HOW = "Usa la misma caja."


def asked(order_id: int, units: int = 1, *, at: datetime = ASKED_AT, **wishes: Any) -> ReturnRequest:
    """A return of so many units of the first line of an order."""
    line = Order.objects.get(id=order_id).lines.order_by("id")[0]
    return ask_return(
        order_id, {line.id: units}, reason="changed-mind", text="No pega", by=CUSTOMER, at=at, **wishes
    )


def line_of(row: ReturnRequest) -> int:
    """The only line of a return."""
    return int(row.lines.get().line_id)


def now(row: ReturnRequest) -> ReturnRequest:
    """The return as it stands now."""
    return ReturnRequest.objects.get(id=row.id)


type Step = Callable[[ReturnRequest, datetime], object]

STEPS: dict[str, tuple[Step, ...]] = {}
"""What happens to a return that was asked for until it is in a state, an hour after the other."""


def _accept(row: ReturnRequest, at: datetime) -> object:
    return return_verbs.accept(row.id, by=SELLER, at=at)


def _explain(row: ReturnRequest, at: datetime) -> object:
    return return_verbs.accept(row.id, instructions=HOW, by=SELLER, at=at)


def _send(row: ReturnRequest, at: datetime) -> object:
    return return_verbs.send(row.id, carrier="Correos", tracking="PQ1", by=CUSTOMER, at=at)


def _receive(row: ReturnRequest, at: datetime) -> object:
    return return_verbs.receive(row.id, by=SELLER, at=at)


def _inspect(row: ReturnRequest, at: datetime) -> object:
    return return_verbs.inspect(row.id, {line_of(row): row.lines.get().units}, by=SELLER, at=at)


def _find_bad(row: ReturnRequest, at: datetime) -> object:
    return return_verbs.inspect(row.id, {line_of(row): 0}, {line_of(row): "Roto"}, by=SELLER, at=at)


def _replace(row: ReturnRequest, at: datetime) -> object:
    return return_ends.replace(row.id, Replacement(carrier_name="SEUR", tracking="S1"), by=SELLER, at=at)


def _reject(row: ReturnRequest, at: datetime) -> object:
    return return_verbs.reject(row.id, reason=USED, by=SELLER, at=at)


def _refuse(row: ReturnRequest, at: datetime) -> object:
    return return_verbs.refuse(row.id, reason=USED, by=SELLER, at=at)


def _refund(row: ReturnRequest, at: datetime) -> object:
    from tests.refunds.test_refunding import part, wish

    return return_ends.refund(row.id, wish(part(row.order, 3300)), by=SELLER, at=at)


def _withdraw(row: ReturnRequest, at: datetime) -> object:
    return return_verbs.withdraw(row.id, by=CUSTOMER, at=at)


def _lapse(row: ReturnRequest, at: datetime) -> object:
    return return_verbs.lapse([row.id], by=CLOCK, at=at + 15 * DAY)


_BACK = (_explain, _send, _receive)
STEPS.update(
    {
        ReturnState.ASKED: (),
        ReturnState.REFUSED: (_refuse,),
        ReturnState.ACCEPTED: (_accept,),
        ReturnState.INSTRUCTED: (_explain,),
        ReturnState.SENT: (_explain, _send),
        ReturnState.RECEIVED: _BACK,
        ReturnState.INSPECTED: (*_BACK, _inspect),
        ReturnState.REFUNDED: (*_BACK, _inspect, _refund),
        ReturnState.REPLACED: (*_BACK, _inspect, _replace),
        ReturnState.REJECTED: (*_BACK, _find_bad, _reject),
        ReturnState.WITHDRAWN: (_withdraw,),
        ReturnState.LAPSED: (_explain, _lapse),
    }
)


def brought_back(state: str, order_id: int) -> ReturnRequest:
    """A return of one unit that has come to a state through the doors that real ones come through."""
    row = asked(order_id)
    for n, step in enumerate(STEPS[state], 1):
        step(row, ASKED_AT + n * HOUR)
    row = now(row)
    assert row.state == state
    return row


__all__ = ["pass_deadlines"]
