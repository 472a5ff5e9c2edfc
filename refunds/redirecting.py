"""A parcel that could not be delivered goes on to another order of the same shop (EXC-03, EXC-04).

The first order ends as if its parcel had come back, and whoever paid is paid back; the other is shipped with the very
parcel. Both happen in one transaction, under the lock of both orders, taken in the order of their keys. The two stay
linked for the shop and the operator; nothing of one customer is written where the other, or their mails, can read it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from marketplace.models import Zone
from marketplace.policy import Role
from marketplace.refusals import Code, MoveRefused, Outcome, Refusal
from orders import services as orders
from orders.models import Order, Shipment
from orders.signals import Moved
from orders.states import Verb
from refunds.models import Redirect
from refunds.queries import Goods, Held, areas, awaited, candidates, distance, parcel_of
from sellers.desk import Actor

SHOWN = 20
"""How many orders are proposed, and how many are told why not."""

_WAITED = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Proposal:
    """An order that might have the parcel: `code` says why not, None that it fits. `collects_other` tells that the
    courier is to be paid another sum at its door, in cents."""

    order: Order
    code: Code | None
    zone: Zone | None
    collects_other: int | None = None


@dataclass(frozen=True, slots=True)
class Proposals:
    """What a parcel holds, where it is, and the orders that might have it: the best first; others do not fit."""

    held: Held | None
    zone: Zone | None
    fits: tuple[Proposal, ...] = ()
    others: tuple[Proposal, ...] = ()


def judge_source(order: Order, *, by: Actor, at: datetime) -> Code | None:
    """Say why an order's parcel cannot go on to another; None when it can."""
    code = orders.judge(order, Verb.REDIRECT, by=by, at=at)
    if code is None and order.parcels != 1:
        return Code.SEVERAL_PARCELS
    return code


def _judge_target(
    source: Order, target: Order, *, by: Actor, at: datetime, goods: Goods, waits: Goods, near: bool
) -> Code | None:
    """Say why a parcel cannot go to this order (EXC-04)."""
    if any(getattr(source, name) != getattr(target, name) for name in ("shop_id", "channel_id", "currency")):
        return Code.OTHER_SHOP
    if source.id == target.id:
        return Code.WRONG_STATE
    code = orders.judge(target, Verb.SHIP, by=by, at=at)
    if code is not None:
        return code
    if goods != waits:
        return Code.OTHER_SUPPLIER if _by_sku(goods) == _by_sku(waits) else Code.OTHER_ARTICLES
    if source.cash_on_delivery != target.cash_on_delivery:
        return Code.OTHER_PAYMENT
    return None if near else Code.OTHER_AREA


def _by_sku(goods: Goods) -> dict[str, int]:
    units: dict[str, int] = {}
    for (sku, _whose), n in goods.items():
        units[sku] = units.get(sku, 0) + n
    return units


def propose(source: Order, *, by: Actor, at: datetime) -> Proposals:
    """The orders that an undelivered parcel could go to, ranked: the closest postal code first, then what had to leave
    earliest; and some that it could not, each with why (EXC-04)."""
    held = parcel_of(source)
    if held is None:
        return Proposals(None, None)
    goods = held.goods
    zone = areas([source])[source.id]
    found = candidates(source, zone, goods)
    waits, where = awaited(order.id for order in found), areas(found)

    def judged(target: Order) -> Proposal:
        code = _judge_target(
            source,
            target,
            by=by,
            at=max(at, target.moved_at),
            goods=goods,
            waits=waits.get(target.id, {}),
            near=zone is not None and where[target.id] == zone,
        )
        other = source.cash_on_delivery and target.total_cents != source.total_cents
        return Proposal(target, code, where[target.id], target.total_cents if other else None)

    every = [judged(one) for one in found]
    fits = sorted((one for one in every if one.code is None), key=lambda one: _rank(source, one.order))
    others = [one for one in every if one.code is not None]
    return Proposals(held, zone, tuple(fits[:SHOWN]), tuple(others[:SHOWN]))


def _rank(source: Order, target: Order) -> tuple[object, ...]:
    return (
        *distance(source.postal_code, target.postal_code),
        target.ship_by is None,
        target.ship_by or target.placed_at,
        target.id,
    )


def redirect(order_id: int, target_id: int, *, by: Actor, at: datetime) -> Outcome[Moved]:
    """Have an undelivered parcel go to another order's customer: the first order ends and is paid back, the other is
    shipped, or neither (EXC-04). Moved are both, in that order.

    Refused for what stands in the way of either: `several_parcels`; `other_shop`, `other_articles`, `other_supplier`,
    `other_payment`, `other_area`; `wrong_state`, `held` of the one or the other. The refusal is of the order that
    it is about.
    """
    try:
        with transaction.atomic():
            return _redirect(order_id, target_id, by=by, at=at)
    except MoveRefused as refused:
        return Outcome([], [refused.refusal])


def _redirect(order_id: int, target_id: int, *, by: Actor, at: datetime) -> Outcome[Moved]:
    locked = {order.id: order for order in orders.lock_orders({order_id, target_id})}
    source = locked.get(order_id)
    if source is None:
        raise MoveRefused(Refusal(order_id, Code.UNKNOWN_ORDER))
    at = _then(list(locked.values()), by=by, at=at)
    held = _sure_of(source, judge_source(source, by=by, at=at))
    target = locked.get(target_id)
    if target is None:
        raise MoveRefused(Refusal(target_id, Code.UNKNOWN_ORDER))
    where = areas([source, target])
    zone = where[source.id]
    code = _judge_target(
        source,
        target,
        by=by,
        at=at,
        goods=held.goods,
        waits=awaited([target.id]).get(target.id, {}),
        near=zone is not None and where[target.id] == zone,
    )
    if code is not None:
        raise MoveRefused(Refusal(target.id, code))
    return _carry_over(source, target, held.parcel, by=by, at=at)


def _sure_of(source: Order, code: Code | None) -> Held:
    held = parcel_of(source) if code is None else None
    if held is None:
        raise MoveRefused(Refusal(source.id, code or Code.SEVERAL_PARCELS))
    return held


def _carry_over(source: Order, target: Order, parcel: Shipment, *, by: Actor, at: datetime) -> Outcome[Moved]:
    """Both moves, and what links them."""
    ended = orders.one(orders.redirect({source.id: target.reference}, by=by, at=at))
    same = orders.Parcel(
        carrier=parcel.carrier,
        carrier_name=parcel.carrier_name,
        tracking=parcel.tracking,
        tracking_url=parcel.tracking_url,
        from_order=source.reference,
    )
    sent = orders.one(orders.ship({target.id: same}, by=by, at=at))
    Redirect.objects.create(
        shop_id=source.shop_id,
        source_id=source.id,
        target_id=target.id,
        source_parcel=parcel,
        target_parcel=Shipment.objects.get(order_id=target.id, number=sent.data["parcel"]),
        at=at,
        by=by.label,
    )
    return Outcome([ended, sent])


def _then(locked: list[Order], *, by: Actor, at: datetime) -> datetime:
    """When it takes place: a person who waited for another to be done with either order acts after them."""
    last = max(order.moved_at for order in locked)
    waited = by.user_id is not None and by.role != Role.PLATFORM and last - _WAITED <= at < last
    return last if waited else at
