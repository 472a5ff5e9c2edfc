"""Fewer units than were bought: what there is goes on, the rest is refused as a line of its own (ORD-06).

A line is accepted or refused as a whole, so that whoever counts units, money or parcels has one figure to read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from marketplace.policy import Role
from marketplace.reasons import Reasoned, why
from marketplace.refusals import Code, Outcome
from orders.models import Hold, Line, Order, Shipment
from orders.services.fees import FEE, charge_fee, fee_of_rest, priced
from orders.services.fulfilment import complete
from orders.services.holds import release
from orders.services.move import Change, Channels, Refuse, _move, judge
from orders.services.parts import SERVED, in_a_line, parts_of, rewrite, served_by, standing
from orders.services.shipping import COUNTED_FROM_HAND_OVER, count_from_hand_over, lines_of
from orders.services.splitting import NO_STOCK, Splits, refused_words
from orders.signals import Moved
from orders.states import OF_MONEY, Decision, HoldKind, State, Verb
from sellers.desk import Actor


def _judge_shortening(order: Order, verb: str, *, by: Actor, at: datetime) -> Code | None:
    """Whoever may ship an order may say what is missing of it, but for suppliers: it is the shop that refuses units and
    gives money back. A hold does not stop that, it waits for it."""
    code = judge(order, Verb.SHIP, by=by, at=at)
    if code is not None and (code != Code.HELD or order.state == State.DEBIT):
        return code
    return Code.NOT_ALLOWED if by.role == Role.SUPPLIER else None


def may_shorten(order: Order, *, by: Actor, at: datetime) -> Code | None:
    """Why this actor cannot say that units are missing at this moment; None when they can."""
    return _judge_shortening(order, Verb.SHORTEN, by=by, at=at)


@dataclass(slots=True)
class _Shortened:
    """What is to be written, and the orders of which everything that there is has left already."""

    splits: Splits = field(default_factory=Splits)
    complete: list[int] = field(default_factory=list)
    confirmed: list[int] = field(default_factory=list)
    served: list[int] = field(default_factory=list)
    parts: list[tuple[object, ...]] = field(default_factory=list)

    def write(self) -> None:
        """Write the lines, and the parts of those who fulfil them."""
        self.splits.write()
        rewrite(self.served, self.parts)

    def nothing_left(self, order: Order, lines: Sequence[Line]) -> None:
        """Nothing of an order will be shipped any more: it ends with its last parcel, or with what does not travel."""
        digital = any(not line.travels and line.decision == Decision.ACCEPTED for line in lines)
        if not order.parcels and not (digital and order.state == State.AWAITING_SHIPMENT):
            raise Refuse(Code.NOTHING_LEFT)
        _may_complete(order)
        if order.parcels:
            self.complete.append(order.id)
            return
        order.ships = False
        if not order.unconfirmed:
            self.confirmed.append(order.id)


@transaction.atomic
def shorten(
    there_are: Mapping[int, Mapping[int, int]], *, reason: Reasoned = NO_STOCK, by: Actor, at: datetime
) -> Outcome[Moved]:
    """Say how many units there are of what is still to be shipped; the rest is refused, and what was charged of it
    goes back (ORD-06, CAN-05).

    `there_are` maps order ids to {line id: units}; a line that is not named is all there. A stock hold is lifted, and
    an order of which nothing is left to ship counts as shipped with its last parcel, or is delivered with what does
    not travel. Refused as `nothing_chosen` when nothing is missing, `nothing_left` when nothing would be left of the
    order: that is a cancellation.
    """
    found = _Shortened()
    lines: dict[int, list[Line]] = {}

    def change(order: Order) -> Change:
        if not lines:
            lines.update(lines_of(there_are))
        mine = lines[order.id]
        missing = _missing(mine, there_are[order.id])
        left = sum(line.to_ship for line in mine) - sum(missing.values())
        if left == 0:
            found.nothing_left(order, mine)
        told = []
        for line in mine:
            if missing.get(line.id):
                told.append(refused_words(line, missing[line.id], why(reason)))
                _take_off(order, found.splits.refuse(line, missing[line.id], why(reason), among=mine))
        if order.supplier_id or order.shared:
            found.served.append(order.id)
            found.parts.extend(parts_of(order, standing(mine)))
        order.supplier_id, order.shared = served_by(standing(mine))
        order.items_text = in_a_line(line for line in mine if line.decision == Decision.ACCEPTED)
        return Change({"refused": told, "refunded_cents": _reckon(order, mine)})

    outcome = _move(
        there_are,
        Verb.SHORTEN,
        change,
        fields=(*_RECKONED, *SERVED),
        also=found.write,
        judged=_judge_shortening,
        by=by,
        at=at,
    )
    _lift_stock_holds([move.order_id for move in outcome.moved], by=by, at=at)
    _complete(found.complete, by=by, at=at)
    complete(found.confirmed, by=by, at=at)
    return outcome


_RECKONED = ("ships", "items_text", "goods_cents", "shipping_cents", "total_cents", "refunded_cents", *FEE)


def _missing(lines: Sequence[Line], there_are: Mapping[int, int]) -> dict[int, int]:
    """Units that are missing, by line; never more than are still to be shipped."""
    to_ship = {line.id: line.to_ship for line in lines if line.decision == Decision.ACCEPTED}
    if not set(there_are) <= set(to_ship):
        raise Refuse(Code.UNKNOWN_LINE)
    if any(not 0 <= units <= to_ship[line_id] for line_id, units in there_are.items()):
        raise Refuse(Code.TOO_MANY)
    missing = {line_id: to_ship[line_id] - units for line_id, units in there_are.items()}
    if not any(missing.values()):
        raise Refuse(Code.NOTHING_CHOSEN)
    return missing


def _take_off(order: Order, refused: Line) -> None:
    order.goods_cents -= refused.goods_cents
    order.shipping_cents -= refused.shipping_cents


def _reckon(order: Order, lines: Sequence[Line]) -> int:
    """Total and commission of what is left; answers the cents of what was charged that go back now."""
    order.total_cents = order.goods_cents + order.shipping_cents
    accepted = [line for line in lines if line.decision == Decision.ACCEPTED]
    charge_fee(order, fee_of_rest(order, priced(accepted)))
    back = max(order.charged_cents - order.refunded_cents - order.total_cents, 0)
    order.refunded_cents += back
    return back


def _may_complete(order: Order) -> None:
    """An order whose last units are missing counts as shipped at once, so nothing else may hold it."""
    others = Hold.objects.filter(order=order, released_at=None).exclude(kind__in=(HoldKind.STOCK, *OF_MONEY))
    if order.held_at is not None and others.exists():
        raise Refuse(Code.HELD)


def _lift_stock_holds(order_ids: Sequence[int], *, by: Actor, at: datetime) -> None:
    """What was waited for has been said."""
    waiting = Hold.objects.filter(order_id__in=order_ids, kind=HoldKind.STOCK, released_at=None)
    release(list(waiting.values_list("order_id", flat=True)), HoldKind.STOCK, by=by, at=at)


def _complete(order_ids: Sequence[int], *, by: Actor, at: datetime) -> None:
    """Everything that there is has left: the order is shipped, and its days count from its last parcel (SHP-07)."""
    if not order_ids:
        return
    rows = (
        Shipment.objects.filter(order_id__in=order_ids).order_by("order_id", "-number").distinct("order_id")
    )
    last = {shipment.order_id: shipment for shipment in rows}
    channels = Channels()

    def change(order: Order) -> Change:
        parcel = last[order.id]
        count_from_hand_over(order, parcel.handed_over_at, channels)
        return Change(
            {
                "carrier": parcel.carrier_name,
                "tracking": parcel.tracking,
                "tracking_url": parcel.tracking_url,
                "parcel": parcel.number,
            }
        )

    outcome = _move(order_ids, Verb.SHIP, change, fields=COUNTED_FROM_HAND_OVER, by=by, at=at)
    if outcome.refused:
        raise RuntimeError(f"orders with nothing left to ship stay unshipped: {outcome.refused}")
