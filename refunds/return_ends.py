"""How a return ends: in a refund, in a replacement, or with a refund of everything that overtakes it (REF-09)."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from django.db import transaction

from marketplace.models import Carrier
from marketplace.refusals import Code, MoveRefused, Refusal
from orders import services as orders
from orders.models import Order
from orders.services import Refuse
from refunds import refunding
from refunds.models import Refund, ReturnLine, ReturnRequest
from refunds.queries import left_of
from refunds.refunding import Plan, Wish
from refunds.returning import Done, act, judge, single
from refunds.states import OPEN, RefundState, ReturnState
from sellers.desk import Actor

LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Replacement:
    """The parcel in which a replacement goes out: a carrier of the list or another by name, and its number."""

    carrier: Carrier | None = None
    carrier_name: str = ""
    tracking: str = ""

    @property
    def name(self) -> str:
        return self.carrier.name if self.carrier else self.carrier_name.strip()


@transaction.atomic
def refund(return_id: int, wish: Wish, *, by: Actor, at: datetime) -> Refund:
    """Refund a return that was looked at: of its lines at most the units that were good, or all that is left.

    With it the return ends; where the operator has to cover it first, as soon as they have. The same click again
    answers the same refund. Raises MoveRefused: `unknown_return`, `return_elsewhere`, `not_allowed`, `refund_waits`,
    `not_as_sent`, `duplicate` for the click of a refund that is not of this return, and what `refunding.refund`
    refuses.
    """
    row = _locked(return_id)
    if row.refund is not None and row.refund.key == wish.key:
        return row.refund
    code = judge(row, "pay", by=by, at=at) or _waits(row)
    if code is not None:
        raise MoveRefused(Refusal(row.id, code))
    if Refund.objects.filter(shop_id=row.shop_id, key=wish.key).exists():
        raise MoveRefused(Refusal(row.id, Code.DUPLICATE))
    _only_good(row, wish)
    made = refunding.refund(row.order_id, wish, by=by, at=at)
    ReturnRequest.objects.filter(id=row.id, state=ReturnState.INSPECTED).update(refund=made)
    if made.state != RefundState.ASKED:
        end_with(made.id, row.order_id, whole=False, by=by, at=at)
    return made


def _locked(return_id: int) -> ReturnRequest:
    """A return under the lock of its order. Raises MoveRefused."""
    order_id = ReturnRequest.objects.filter(id=return_id).values_list("order_id", flat=True).first()
    if order_id is None:
        raise MoveRefused(Refusal(return_id, Code.UNKNOWN_RETURN))
    orders.lock_orders([order_id])
    return ReturnRequest.objects.select_related("refund").get(id=return_id)


def _waits(row: ReturnRequest) -> Code | None:
    waits = row.refund is not None and row.refund.state == RefundState.ASKED
    return Code.REFUND_WAITS if waits else None


def _only_good(row: ReturnRequest, wish: Wish) -> None:
    if wish.parts is None:
        return
    good = dict(row.lines.values_list("line_id", "good"))
    for part in wish.parts:
        if (part.units or part.cents) and part.units > (good.get(part.line_id) or 0):
            raise MoveRefused(Refusal(row.id, Code.NOT_AS_SENT))


def end_with(refund_id: int, order_id: int, *, whole: bool, by: Actor, at: datetime) -> None:
    """A refund has been made: the return that it is of ends with it, and every other for which nothing is left to be
    given: those of articles that are paid back by now, and all with one that gives back all that was charged."""
    own = ReturnRequest.objects.filter(refund_id=refund_id, state=ReturnState.INSPECTED)
    _end([row.id for row in own], "pay", refund_id, by=by, at=at)
    others = list(ReturnRequest.objects.filter(order_id=order_id, state__in=OPEN).prefetch_related("lines"))
    if others:
        left = {} if whole else left_of(Order.objects.select_related("policy").get(id=order_id))
        ended = without(others, {one.line_id for one in left.values() if one.goods.left_cents})
        _end([row.id for row in ended], "overtake", refund_id, by=by, at=at)


def foreseen(order: Order, worked: Plan, given: ReturnRequest | None = None) -> list[ReturnRequest]:
    """The open returns of an order that a refund as worked out would end, besides the one that it is of."""
    others = ReturnRequest.objects.filter(order_id=order.id, state__in=OPEN).order_by("number")
    rows = [row for row in others.prefetch_related("lines") if given is None or row.id != given.id]
    if not rows or worked.is_total:
        return rows
    going = {part.line_id: part.goods_cents for part in worked.parts}
    left = {
        one.line_id for one in left_of(order).values() if one.goods.left_cents > going.get(one.line_id, 0)
    }
    return without(rows, left)


def without(requests: Iterable[ReturnRequest], line_ids: Set[int]) -> list[ReturnRequest]:
    """Those of these returns that are of none of these lines."""
    return [row for row in requests if line_ids.isdisjoint(one.line_id for one in row.lines.all())]


def _end(return_ids: list[int], verb: str, refund_id: int, *, by: Actor, at: datetime) -> None:
    def doing(row: ReturnRequest, order: Order, lines: Sequence[ReturnLine]) -> Done:
        del order
        row.refund_id = refund_id
        row.accepted_at = row.accepted_at or at
        return Done({"partly": any(one.good is not None and one.good < one.units for one in lines)})

    for return_id in return_ids:
        single(act([return_id], verb, doing, by=by, at=at))


def reopen(refund_id: int, *, by: Actor, at: datetime) -> None:
    """The provider did not make a refund: what ended with it goes on (REF-06)."""

    def doing(row: ReturnRequest, order: Order, lines: Sequence[ReturnLine]) -> Done:
        del order, lines
        row.refund_id = None
        return Done()

    ended = ReturnRequest.objects.filter(refund_id=refund_id, state=ReturnState.REFUNDED)
    for row in ended.order_by("id"):
        single(act([row.id], "reopen", doing, by=by, at=at))


def follow_url(carrier: Carrier | None, tracking: str) -> str:
    """Where a parcel can be followed; empty where nobody says."""
    if carrier is None or not tracking or not carrier.tracking_url:
        return ""
    return carrier.tracking_url.replace("{tracking}", quote(tracking, safe=""))


@transaction.atomic
def replace(return_id: int, parcel: Replacement, *, by: Actor, at: datetime) -> ReturnRequest:
    """Send the units that were good anew, at no charge on the same order.

    Raises MoveRefused: `unknown_carrier` without one, `too_long`, `no_unit_is_good`, `refund_waits`,
    `return_elsewhere`, `not_allowed`.
    """
    name, tracking = parcel.name, parcel.tracking.strip()
    if not name:
        raise MoveRefused(Refusal(return_id, Code.UNKNOWN_CARRIER))
    if max(len(name), len(tracking)) > LONGEST_NAME:
        raise MoveRefused(Refusal(return_id, Code.TOO_LONG))

    def doing(row: ReturnRequest, order: Order, lines: Sequence[ReturnLine]) -> Done:
        del order
        waits = _waits(row)
        if waits is not None:
            raise Refuse(waits)
        if not any(one.good for one in lines):
            raise Refuse(Code.NO_UNIT_IS_GOOD)
        row.new_carrier, row.new_carrier_name, row.new_tracking = parcel.carrier, name, tracking
        sent = [{"title": one.line.title, "units": one.good} for one in lines if one.good]
        told = {"carrier": name, "tracking": tracking, "sent": sent}
        return Done(told, {"tracking_url": follow_url(parcel.carrier, tracking)})

    return single(act([return_id], "replace", doing, by=by, at=at))
