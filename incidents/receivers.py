"""What is said in a conversation, and what becomes of an order, means for its incidents."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.dispatch import receiver

from incidents import services
from incidents.services.opening import CLAIMABLE
from marketplace.refusals import Code, MoveRefused, Refusal
from messaging.signals import Told, messages_taken_back, messages_written, nothing_waits, waits_changed
from orders.signals import Moved, orders_moved
from orders.states import FINAL
from sellers.desk import Actor


@receiver([messages_written, messages_taken_back], dispatch_uid="incidents")
def follow_messages(told: Sequence[Told], **_: Any) -> None:
    """A message moves the quiet time of its incident, its clock and whose turn it is (INC-05, INC-09)."""
    services.follow_threads({one.thread_id for one in told if one.order_id is not None})


@receiver(nothing_waits, dispatch_uid="incidents")
def follow_answers(thread_ids: Sequence[int], despite_incident: bool, **_: Any) -> None:
    """A message that needs no answer stops the clock of its incident; while one stands on its order, settled or not,
    only who was told so says it (MSG-08). Raises MoveRefused: `open_incident`."""
    if not despite_incident and services.stand_on(thread_ids):
        raise MoveRefused(Refusal(0, Code.OPEN_INCIDENT))
    services.follow_threads(thread_ids)


@receiver(waits_changed, dispatch_uid="incidents")
def follow_clocks(thread_ids: Sequence[int], **_: Any) -> None:
    """When another is waited for, or until another moment, the incident says the same (INC-05, INC-09)."""
    services.follow_threads(thread_ids)


@receiver(orders_moved, dispatch_uid="incidents")
def follow_orders(moves: Sequence[Moved], by: Actor, at: datetime, **_: Any) -> None:
    """A total refund closes the incidents of an order by itself, a partial one does not (INC-06); and so does its end
    when nothing was ever paid."""
    back = [
        move.order_id
        for move in moves
        if move.before in CLAIMABLE
        and move.refunded_cents == move.charged_cents
        and (move.charged_cents or move.after in FINAL)
    ]
    if back:
        services.close_refunded(back, by=by, at=at)
