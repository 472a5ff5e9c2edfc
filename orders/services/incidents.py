"""What incidents and returns mean to their order: its history tells them, and one that stands holds its receipt and its
settlement (ORD-11, SHP-08, REF-09). They themselves live in apps above."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from marketplace import bulk
from marketplace.reasons import Why
from marketplace.refusals import Code, Outcome
from orders.models import Hold, Order
from orders.services.move import Change, _move
from orders.signals import Moved
from orders.states import FINAL, OF_MONEY, HoldKind, Verb
from sellers.desk import Actor

_NO_REASON = Why()


@dataclass(frozen=True, slots=True)
class Followed:
    """What became of an incident or a return of an order: whether any of the order stands now, what its history keeps
    of it, and what is told besides; `reason` is that of the one that was opened."""

    stands: bool
    data: Mapping[str, Any]
    news: Mapping[str, Any] = field(default_factory=dict)
    reason: Why = _NO_REASON


class _Holds:
    """The holds of one kind of the orders in hand, placed and lifted; the others of the money are looked at."""

    def __init__(self, kind: HoldKind, order_ids: Collection[int], *, by: Actor, at: datetime) -> None:
        self.kind, self._ids, self._by, self._at = kind, order_ids, by, at
        self._standing: dict[int, set[str]] | None = None
        self.placed: list[Hold] = []
        self.lifted: list[int] = []

    def _of(self, order: Order) -> set[str]:
        if order.incident_at is None:
            return set()
        if self._standing is None:
            self._standing = {}
            rows = Hold.objects.filter(order_id__in=self._ids, kind__in=OF_MONEY, released_at=None)
            for order_id, kind in rows.values_list("order_id", "kind"):
                self._standing.setdefault(order_id, set()).add(kind)
        return self._standing.get(order.id, set())

    def follow(self, order: Order, told: Followed) -> None:
        """Place the hold, or lift it; with the last that keeps its money a receipt falls due that did so meanwhile."""
        standing = self._of(order)
        if told.stands and self.kind not in standing and order.state not in FINAL:
            order.incident_at = order.incident_at or self._at
            self.placed.append(self._hold(order, told.reason))
        elif not told.stands and self.kind in standing:
            self.lifted.append(order.id)
            if standing == {self.kind}:
                order.incident_at = None
                if order.receive_at is not None and order.receive_at < self._at:
                    # what fell due meanwhile falls due now: no closing that has been takes it
                    order.receive_at = self._at

    def _hold(self, order: Order, reason: Why) -> Hold:
        return Hold(
            shop_id=order.shop_id,
            order_id=order.id,
            kind=self.kind,
            reason_code=reason.code,
            note=reason.note,
            placed_at=self._at,
            placed_by=self._by.label,
        )

    def write(self) -> None:
        Hold.objects.bulk_create(self.placed)
        if self.lifted:
            bulk.write(
                Hold,
                "UPDATE orders_hold SET released_at = %s, released_by = %s WHERE order_id = ANY(%s::bigint[]) "
                "AND kind = %s AND released_at IS NULL",
                [self._at, self._by.label, self.lifted, self.kind.value],
            )


def _timely(order: Order, verb: str, *, by: Actor, at: datetime) -> Code | None:
    del verb, by
    return Code.OUT_OF_ORDER if at < order.moved_at else None


def follow_incidents(
    order_ids: Iterable[int],
    verb: Verb,
    follow: Callable[[Order], Followed],
    *,
    also: Callable[[], object],
    kind: HoldKind = HoldKind.INCIDENT,
    skip_locked: bool = False,
    by: Actor,
    at: datetime,
) -> Outcome[Moved]:
    """Tell in the history of orders what became of their incidents, or returns, under the lock of the order.

    `follow` decides about each, and may raise `Refuse`; `also` writes them. While one stands the order is held from
    receipt and settlement, in whatever state it is; one that has ended has nothing left to be held. A receipt that fell
    due meanwhile falls due when it is let go, so that it comes into the settlement after that.
    """
    wanted = list(order_ids)
    holds = _Holds(kind, wanted, by=by, at=at)

    def change(order: Order) -> Change:
        told = follow(order)
        holds.follow(order, told)
        return Change(told.data, news=told.news)

    def write() -> None:
        holds.write()
        also()

    return _move(
        wanted,
        verb,
        change,
        fields=("incident_at", "receive_at"),
        also=write,
        skip_locked=skip_locked,
        judged=_timely,
        by=by,
        at=at,
    )
