"""What was paid for units that turned out not to be there goes back to the customer (ORD-06, CAN-05)."""

from collections.abc import Sequence

from orders.signals import Moved
from payments.models import Charge
from payments.services import open_payback
from payments.states import AskState


def pay_back_missing(moves: Sequence[Moved]) -> None:
    """Write down what is to be returned of the charges of shortened orders; the clock asks for it."""
    amounts = {move.order_id: move.data["refunded_cents"] for move in moves if move.data["refunded_cents"]}
    for charge in Charge.objects.filter(order_id__in=list(amounts), state=AskState.SUCCEEDED).order_by("id"):
        open_payback(charge, amounts[charge.order_id], at=moves[0].at)
