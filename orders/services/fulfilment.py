"""Confirming to the customer what does not travel: at once when it is paid, or when the shop says so (ORD-13)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from marketplace import bulk
from marketplace.policy import Role
from marketplace.refusals import Code, Outcome
from orders.models import Line, Order
from orders.services.move import Change, Channels, Refuse, _move
from orders.services.receipt import count_receipt
from orders.services.shipping import lines_of
from orders.signals import Moved
from orders.states import PAID, State, Verb
from sellers.desk import PLATFORM, Actor

type Accesses = Mapping[int, str]
"""Lines to confirm, by id, and what the customer is told of each; "" is what the storefront gave, if it did."""


def fulfil(confirmed: Mapping[int, Accesses], *, by: Actor, at: datetime) -> Outcome[Moved]:
    """Confirm lines of orders to the customer, who is told at once how to get at them (ORD-13).

    `confirmed` maps order ids to their lines. The order is delivered with its last line when nothing of it travels;
    until then, and where something does, the move is told as `confirm` and the state stays. Receipt counts from
    whatever reached the customer last. Refused as `held` while the order waits, `duplicate` when one of the lines was
    confirmed already, `unknown_line`, `nothing_chosen`. A supplier confirms their own lines alone; another's is
    `unknown_line` (ROL-04).
    """

    def chosen(order: Order, lines: Sequence[Line]) -> list[Line]:
        wanted = confirmed[order.id]
        mine = [line for line in lines if line.id in wanted and _theirs(line, by)]
        if any(line.confirmed_at for line in mine):
            raise Refuse(Code.DUPLICATE)
        if len(mine) != len(wanted) or not all(line.to_confirm for line in mine):
            raise Refuse(Code.UNKNOWN_LINE)
        for line in mine:
            line.access = wanted[line.id] or line.access
        return mine

    return _confirm(confirmed, chosen, by=by, at=at)


def _theirs(line: Line, by: Actor) -> bool:
    return by.role != Role.SUPPLIER or line.supplier_id == by.supplier_id


def fulfil_at_once(moves: Sequence[Moved]) -> Outcome[Moved]:
    """Confirm what is confirmed by itself, of orders that were just paid or let go; a hold stops it (ORD-13).

    Where there is none of it nothing is read.
    """
    free = [move for move in moves if move.at_once and not move.held and move.after in PAID]
    if not free:
        return Outcome()
    return _confirm(
        [move.order_id for move in free],
        lambda order, lines: [line for line in lines if line.instant and line.to_confirm],
        by=PLATFORM,
        at=max(move.at for move in free),
    )


type _Choosing = Callable[[Order, Sequence[Line]], list[Line]]


def _confirm(order_ids: Iterable[int], choose: _Choosing, *, by: Actor, at: datetime) -> Outcome[Moved]:
    channels, wanted = Channels(), list(order_ids)
    lines: dict[int, list[Line]] = {}
    written: list[tuple[int, datetime, str]] = []

    def change(order: Order) -> Change:
        if not lines:
            lines.update(lines_of(wanted))
        chosen = choose(order, lines[order.id])
        if not chosen:
            raise Refuse(Code.NOTHING_CHOSEN)
        written.extend((line.id, at, line.access) for line in chosen)
        by_itself = sum(line.instant for line in chosen)
        order.at_once -= by_itself
        order.to_confirm -= len(chosen) - by_itself
        order.confirmed_at = at
        data = {"confirmed": [_told(line) for line in chosen]}
        if order.shipped_at or not order.ships:
            count_receipt(order, at, channels)
        if order.unconfirmed or order.ships:
            return Change(data, instead=Verb.CONFIRM)
        order.delivered_at = at
        return Change(data)

    return _move(
        wanted,
        Verb.FULFIL,
        change,
        fields=("at_once", "to_confirm", "confirmed_at", "delivered_at", "receive_at"),
        also=lambda: bulk.update(Line, ("id", "confirmed_at", "access"), written),
        by=by,
        at=at,
    )


def complete(order_ids: Iterable[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
    """Deliver orders of which nothing is left to ship and everything else was confirmed before: the customer is told
    once more what they have (ORD-06, ORD-13)."""
    wanted, channels = list(order_ids), Channels()
    if not wanted:
        return Outcome()
    lines = lines_of(wanted)

    def change(order: Order) -> Change:
        order.delivered_at = at
        count_receipt(order, order.confirmed_at or at, channels)
        return Change({"confirmed": [_told(line) for line in lines[order.id] if line.confirmed_at]})

    return _move(
        wanted,
        Verb.FULFIL,
        change,
        fields=("delivered_at", "receive_at"),
        judged=_nothing_left,
        by=by,
        at=at,
    )


def _nothing_left(order: Order, verb: str, *, by: Actor, at: datetime) -> Code | None:
    """It follows from what was said of the order in the same breath, and needs no right of its own."""
    del verb, by
    if at < order.moved_at:
        return Code.OUT_OF_ORDER
    done = order.state == State.AWAITING_SHIPMENT and not order.ships and not order.unconfirmed
    return None if done else Code.WRONG_STATE


def _told(line: Line) -> dict[str, str | int]:
    return {
        "line": line.external_id,
        "title": line.title,
        "quantity": line.quantity,
        "kind": line.kind,
        "access": line.access,
    }
