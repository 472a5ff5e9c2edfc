"""What moves of orders mean for payments."""

from typing import Any

from django.dispatch import receiver

from orders.signals import Moved, orders_moved
from orders.states import Verb
from payments import couriers, inquiring, missing, releases, services


@receiver(orders_moved, dispatch_uid="payments")
def follow_orders(moves: list[Moved], verb: str, **_: Any) -> None:
    """Open, pause, resume or undo the charges of orders, in the transaction of their move."""
    if verb == Verb.ACCEPT:
        services.open_charges([move for move in moves if not move.cash_on_delivery])
    elif verb == Verb.PLACE:
        inquiring.open_inquiries(moves)
    elif verb == Verb.HOLD:
        services.pause_charges([move.order_id for move in moves if move.held])
    elif verb == Verb.RELEASE:
        services.resume_charges(moves)
    elif verb in (Verb.CANCEL, Verb.RETURN_TO_SENDER, Verb.REDIRECT):
        services.undo_charges(moves)
    elif verb in (Verb.DELIVER, Verb.RECEIVE):
        couriers.note_collections(moves)
    elif verb == Verb.SHORTEN:
        missing.pay_back_missing(moves)
    releases.open_releases(moves, verb)
