"""What moves of orders tell people."""

from typing import Any

from django.dispatch import receiver

from messaging import services
from orders.signals import Moved, orders_moved
from orders.states import Verb
from sellers.desk import Actor


@receiver(orders_moved, dispatch_uid="messaging")
def tell_people(moves: list[Moved], verb: str, by: Actor, **_: Any) -> None:
    """Write the notices of these moves in their transaction; operators hear of baskets that do not add up."""
    services.tell_moves(moves, by=by)
    if verb in (Verb.PLACE, Verb.HOLD) and (held := [move for move in moves if move.data.get("mismatch")]):
        services.tell_mismatches(held)
