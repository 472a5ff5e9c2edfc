"""What incidents mean to their order: its history tells them, and one that stands holds its receipt and its settlement
(ORD-11, SHP-08). The incidents themselves live in an app above."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from marketplace import bulk
from marketplace.reasons import Why
from marketplace.refusals import Code, Outcome
from orders.models import Hold, Order
from orders.services.move import Change, _move
from orders.signals import Moved
from orders.states import FINAL, HoldKind, Verb
from sellers.desk import Actor

_NO_REASON = Why()


@dataclass(frozen=True, slots=True)
class Followed:
    """What became of an incident of an order: whether any of the order stands now, what its history keeps of it, and
    what is told besides; `reason` is that of the one that was opened."""

    stands: bool
    data: Mapping[str, Any]
    news: Mapping[str, Any] = field(default_factory=dict)
    reason: Why = _NO_REASON


def _timely(order: Order, verb: str, *, by: Actor, at: datetime) -> Code | None:
    del verb, by
    return Code.OUT_OF_ORDER if at < order.moved_at else None


def follow_incidents(
    order_ids: Iterable[int],
    verb: Verb,
    follow: Callable[[Order], Followed],
    *,
    also: Callable[[], object],
    skip_locked: bool = False,
    by: Actor,
    at: datetime,
) -> Outcome[Moved]:
    """Tell in the history of orders what became of their incidents, under the lock of the order.

    `follow` decides about each, and may raise `Refuse`; `also` writes the incidents. While one stands the order is held
    from receipt and settlement, in whatever state it is; one that has ended has nothing left to be held. A receipt that
    fell due meanwhile falls due when it is let go, so that it comes into the settlement after that.
    """
    placed: list[Hold] = []
    lifted: list[int] = []

    def change(order: Order) -> Change:
        told = follow(order)
        if told.stands and order.incident_at is None and order.state not in FINAL:
            order.incident_at = at
            placed.append(
                Hold(
                    shop_id=order.shop_id,
                    order_id=order.id,
                    kind=HoldKind.INCIDENT,
                    reason_code=told.reason.code,
                    note=told.reason.note,
                    placed_at=at,
                    placed_by=by.label,
                )
            )
        elif not told.stands and order.incident_at is not None:
            order.incident_at = None
            if order.receive_at is not None and order.receive_at < at:
                order.receive_at = (
                    at  # what fell due meanwhile falls due now: no closing that has been takes it
                )
            lifted.append(order.id)
        return Change(told.data, news=told.news)

    def write() -> None:
        Hold.objects.bulk_create(placed)
        if lifted:
            bulk.write(
                Hold,
                "UPDATE orders_hold SET released_at = %s, released_by = %s WHERE order_id = ANY(%s::bigint[]) "
                "AND kind = 'incident' AND released_at IS NULL",
                [at, by.label, lifted],
            )
        also()

    return _move(
        order_ids,
        verb,
        change,
        fields=("incident_at", "receive_at"),
        also=write,
        skip_locked=skip_locked,
        judged=_timely,
        by=by,
        at=at,
    )
