"""Putting orders in wait and letting them go on where they were (ORD-06); what an incident holds is of `incidents`."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from marketplace import bulk, clocks
from marketplace.policy import Role, ShippingClockFrom
from marketplace.reasons import Reasoned, why
from marketplace.refusals import Code, Outcome
from orders.models import Hold, Order
from orders.services.fulfilment import fulfil_at_once
from orders.services.move import Change, Channels, Refuse, _move, rules
from orders.signals import Moved
from orders.states import FINAL, OF_MONEY, SELLER_HOLDS, HoldKind, Verb
from sellers.desk import Actor, Right


class _Standing:
    """The open holds of the orders in hand, read once and under their lock."""

    def __init__(self, order_ids: list[int]) -> None:
        self._ids = order_ids
        self._holds: dict[int, list[Hold]] | None = None

    def of(self, order: Order) -> list[Hold]:
        if self._holds is None:
            self._holds = {}
            for one in Hold.objects.filter(order_id__in=self._ids, released_at=None).order_by("id"):
                self._holds.setdefault(one.order_id, []).append(one)
        return self._holds.get(order.id, [])


def judge_hold(order: Order, verb: str, *, by: Actor, at: datetime) -> Code | None:
    """Say why nobody like this actor can put or lift a hold on an order at this moment; None when they can."""
    del verb
    if at < order.moved_at:
        return Code.OUT_OF_ORDER
    if order.state in FINAL:
        return Code.WRONG_STATE
    if by.role in (Role.CUSTOMER, Role.SUPPLIER) or not by.may(Right.WORK_ORDERS):
        return Code.NOT_ALLOWED
    return None


def _may_touch(kind: HoldKind, by: Actor) -> bool:
    """A seller puts and lifts the shop's own kinds of hold; the others are the operator's and the platform's.

    That of an incident or of a return comes and goes with it.
    """
    if kind in OF_MONEY:
        return False
    return by.role in (Role.OPERATOR, Role.PLATFORM) or kind in SELLER_HOLDS


def judge_release(order: Order, verb: str, *, kind: str, by: Actor, at: datetime) -> Code | None:
    """Say why this actor cannot lift a hold of this kind; None when they can."""
    code = judge_hold(order, verb, by=by, at=at)
    if code is None and not _may_touch(HoldKind(kind), by):
        return Code.NOT_ALLOWED
    if code is None and not order.holds.filter(kind=kind, released_at=None).exists():
        return Code.NO_SUCH_HOLD
    return code


def hold(
    order_ids: Iterable[int],
    kind: HoldKind,
    *,
    note: Reasoned = "",
    until: datetime | None = None,
    facts: Mapping[str, int] | None = None,
    by: Actor,
    at: datetime,
) -> Outcome[Moved]:
    """Put orders in wait. A pre-sale says until when, and ends by itself then; the acceptance clock runs on.

    `note` may carry a reason of the operators' list as well (`Why`); `facts` are the figures that do not agree.

    Refused as `duplicate` when a hold of this kind stands already, `reason_needed` for a pre-sale without its date.
    """
    held: list[Hold] = []
    given = why(note)
    wanted = list(order_ids)
    standing = _Standing(wanted)

    def change(order: Order) -> Change:
        if not _may_touch(kind, by):
            raise Refuse(Code.NOT_ALLOWED)
        if kind == HoldKind.PRESALE and (until is None or until <= at):
            raise Refuse(Code.REASON_NEEDED)
        if any(one.kind == kind for one in standing.of(order)):
            raise Refuse(Code.DUPLICATE)
        order.held_at = order.held_at or at
        held.append(
            Hold(
                shop_id=order.shop_id,
                order_id=order.id,
                kind=kind,
                reason_code=given.code,
                note=given.note,
                until=until,
                facts=dict(facts or {}),
                placed_at=at,
                placed_by=by.label,
            )
        )
        told: dict[str, Any] = {
            "kind": kind.value,
            "note": given.note,
            "until": until.isoformat() if until else None,
        }
        if facts:
            told["mismatch"] = dict(facts)
        return Change({**told, "reason": {"code": given.code}} if given.code else told)

    return _move(
        wanted,
        Verb.HOLD,
        change,
        fields=("held_at",),
        also=lambda: Hold.objects.bulk_create(held),
        judged=judge_hold,
        by=by,
        at=at,
    )


def release(
    order_ids: Iterable[int],
    kind: HoldKind,
    *,
    note: str = "",
    only: Collection[int] | None = None,
    by: Actor,
    at: datetime,
) -> Outcome[Moved]:
    """Lift a hold: the order goes on where it was (ORD-06); `note` is told in its history, `only` are the ids of the
    holds that are meant, whichever stands if there are none.

    When nothing else holds it, the promises still to keep move by the time it stood, and what was to be confirmed at
    once is; the acceptance and receipt clocks have run on. Refused as `wrong_state` when no such hold stands.
    """
    channels = Channels()
    lifted: list[tuple[object, ...]] = []
    wanted = list(order_ids)
    standing = _Standing(wanted)

    def change(order: Order) -> Change:
        if not _may_touch(kind, by):
            raise Refuse(Code.NOT_ALLOWED)
        holds = standing.of(order)
        mine = [one for one in holds if one.kind == kind and (only is None or one.id in only)]
        if not mine:
            raise Refuse(Code.NO_SUCH_HOLD)
        lifted.extend((one.id, at, by.label) for one in mine)
        rest = [one for one in holds if one.kind != kind]
        if all(one.kind in OF_MONEY for one in rest):
            _let_go(order, channels.of(order).calendar, at)
        return Change({"kind": kind.value, "note": note} if note else {"kind": kind.value})

    with transaction.atomic(savepoint=False):
        outcome = _move(
            wanted,
            Verb.RELEASE,
            change,
            fields=("held_at", "ship_by", "deliver_by"),
            also=lambda: bulk.update(Hold, ("id", "released_at", "released_by"), lifted),
            judged=judge_hold,
            by=by,
            at=at,
        )
        fulfil_at_once(outcome.moved)
    return outcome


def _let_go(order: Order, calendar: clocks.Calendar, at: datetime) -> None:
    """Move each running promise by the time that it stood still, measured on its own clock.

    It stood from the hold on, or from its start if that came later.
    """
    held_at, order.held_at = order.held_at, None
    if held_at is None:
        return
    settings = rules(order)
    if order.ship_by and order.accepted_at and order.shipped_at is None and order.delivered_at is None:
        stood_from = max(held_at, order.accepted_at)
        order.ship_by = _postponed(order.ship_by, stood_from, at, settings.ship_within.span.clock, calendar)
    from_hand_over = settings.deliver_clock_from == ShippingClockFrom.HAND_OVER
    started_at = order.shipped_at if from_hand_over else order.debited_at
    if order.deliver_by and started_at and order.delivered_at is None:
        stood_from = max(held_at, started_at)
        order.deliver_by = _postponed(
            order.deliver_by, stood_from, at, settings.deliver_within.span.clock, calendar
        )


def _postponed(
    deadline: datetime, stood_from: datetime, at: datetime, clock: clocks.ClockKind, calendar: clocks.Calendar
) -> datetime:
    return clocks.postponed(deadline, clocks.elapsed(stood_from, at, clock, calendar), clock, calendar)


def end_presale(hold_ids: Iterable[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
    """Lift pre-sale holds whose date has come (ORD-06); one lifted or replaced by a later one meanwhile is refused."""
    due = dict(
        Hold.objects.filter(id__in=list(hold_ids), released_at=None, until__lte=at).values_list(
            "id", "order_id"
        )
    )
    return release(due.values(), HoldKind.PRESALE, only=due.keys(), by=by, at=at)
