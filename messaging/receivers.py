"""What moves of orders tell people."""

from datetime import datetime
from typing import Any

from django.dispatch import receiver

from messaging import replying, request_threads, services
from messaging.suppliers import tell_suppliers
from orders.signals import (
    Asked,
    Moved,
    carrier_requested,
    carrier_requests_answered,
    orders_moved,
    requests_answered,
    requests_made,
)
from orders.states import Verb
from sellers.desk import Actor


@receiver(orders_moved, dispatch_uid="messaging")
def tell_people(moves: list[Moved], verb: str, by: Actor, **_: Any) -> None:
    """Write the notices of these moves in their transaction; operators hear of baskets that do not add up."""
    services.tell_moves(moves, by=by)
    services.tell_managers(moves, by=by)
    tell_suppliers(moves)
    if verb in (Verb.PLACE, Verb.HOLD) and (held := [move for move in moves if move.data.get("mismatch")]):
        services.tell_mismatches(held)


@receiver(orders_moved, dispatch_uid="messaging_reply_addresses")
def close_reply_addresses(moves: list[Moved], verb: str, at: datetime, **_: Any) -> None:
    """A mail carries a link and a reply address: where the one is made void, so is the other (ROL-03, MSG-07)."""
    if verb == Verb.LINKS_REVOKED:
        replying.revoke_customers([move.order_id for move in moves], at=at)


@receiver(carrier_requested, dispatch_uid="messaging")
def tell_of_request(told: dict[str, Any], at: datetime, **_: Any) -> None:
    """Tell the operators that a shop asks for a carrier (SHP-04)."""
    services.tell_operators("carrier_asked", [told], at=at)


@receiver(carrier_requests_answered, dispatch_uid="messaging")
def tell_answer(granted: bool, told: list[tuple[int, dict[str, Any]]], at: datetime, **_: Any) -> None:
    """Tell the shops what became of the carriers that they asked for (SHP-04)."""
    services.tell_shops("carrier_granted" if granted else "carrier_declined", told, at=at)


@receiver(requests_made, dispatch_uid="messaging")
def write_of_requests(told: list[Asked], by: Actor, at: datetime, **_: Any) -> None:
    """Put what is asked for to whoever may do it, in a conversation of the order (ROL-05)."""
    for asked in told:
        request_threads.put(asked, by=by, at=at)


@receiver(requests_answered, dispatch_uid="messaging")
def write_of_answers(told: list[Asked], by: Actor, at: datetime, **_: Any) -> None:
    """Answer in the same conversation (ROL-05)."""
    for asked in told:
        request_threads.answer(asked, by=by, at=at)
