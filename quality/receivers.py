"""What moves of orders mean for reviews."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from orders.signals import Moved, orders_moved
from orders.states import Verb
from quality import services

_HAS_IT = (Verb.DELIVER, Verb.FULFIL, Verb.RECEIVE)
_CAME_BACK = (Verb.CANCEL, Verb.RETURN_TO_SENDER)


@receiver(orders_moved, dispatch_uid="quality")
def plan_reviews(moves: list[Moved], verb: str, at: datetime, **_: Any) -> None:
    """A customer who has what they bought will be asked for a review; one whose order came back will not (REV-01)."""
    if verb in _HAS_IT:
        services.plan_requests(moves)
    elif verb in _CAME_BACK:
        services.drop_requests([move.order_id for move in moves], at=at)
