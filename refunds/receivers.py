"""What becomes of money on its way back means for the refund that it is of, and for the return that ended with it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.dispatch import receiver

from orders.signals import Moved, orders_moved
from orders.states import Verb
from payments.signals import payback_answered, payback_asked_anew
from refunds import refunding, return_ends
from sellers.desk import Actor


@receiver(payback_answered, dispatch_uid="refunds")
def follow_paybacks(payback_id: int, *, succeeded: bool, message: str, at: datetime, **_: Any) -> None:
    """A refund is paid, or undone, with the answer of the provider (REF-06)."""
    refunding.answered(payback_id, succeeded=succeeded, message=message, at=at)


@receiver(payback_asked_anew, dispatch_uid="refunds")
def follow_the_new_question(payback_id: int, *, anew_id: int, **_: Any) -> None:
    """A refund waits for the answer to what was asked last."""
    refunding.asked_anew(payback_id, anew_id=anew_id)


@receiver(orders_moved, dispatch_uid="refunds")
def follow_refunds(moves: Sequence[Moved], by: Actor, at: datetime, **_: Any) -> None:
    """A return ends with its refund, all of an order with a total one; one that the provider did not make ends none."""
    for move in moves:
        if move.verb == Verb.REFUND and "refund" in move.data:
            whole = move.refunded_cents == move.charged_cents
            return_ends.end_with(move.data["refund"], move.order_id, whole=whole, by=by, at=at)
        elif move.verb == Verb.REFUND_UNDONE and "refund" in move.data:
            return_ends.reopen(move.data["refund"], by=by, at=at)
