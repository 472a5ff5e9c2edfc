"""The one door of the order machine: lock the rows, look again, move, write, tell the others; in one transaction.

A move is always of many orders; a click is many of one. A refusal is an answer, never an error.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from marketplace import bulk, clocks, queries
from marketplace.clocks import Calendar
from marketplace.fsm import Step
from marketplace.models import Channel
from marketplace.policy import Role, Settings, ShippingClockFrom
from marketplace.refusals import Code, MoveRefused, Outcome, Refusal
from orders.models import Event, Hold, Order
from orders.queries import suppliers_of
from orders.services.lapsing import overtake, tell_overtaken
from orders.signals import Moved, orders_moved
from orders.states import FINAL, PAID, TABLE, State, Verb
from sellers.desk import PLATFORM, Actor, Right


class Refuse(Exception):
    """Raised by a change that looks again and finds it cannot be: the order stays as it is."""

    def __init__(self, code: Code, detail: str = "") -> None:
        super().__init__(str(code))
        self.code = code
        self.detail = detail


@dataclass(slots=True)
class Change:
    """What a move did to an order besides its state: details for the history, or `instead` a verb that stays put.

    `news` is told with them and not kept: what people wrote stays where they wrote it.
    """

    data: Mapping[str, Any] = field(default_factory=dict)
    instead: Verb | None = None
    news: Mapping[str, Any] = field(default_factory=dict)


type Changing = Callable[[Order], Change]

_NOTHING = Change()


def lock_orders(order_ids: Iterable[int], *, skip_locked: bool = False) -> list[Order]:
    """Lock orders in the order of their keys, so that two movers never wait for each other in a ring."""
    return bulk.lock(Order, list(order_ids), skip_locked=skip_locked)


def rules(order: Order) -> Settings:
    """The policy that the order arrived under."""
    return queries.policy(order.policy_id).rules


class Channels:
    """The channels of the orders in hand, each read once a move and only if a deadline needs it."""

    def __init__(self) -> None:
        self._read: dict[int, Channel] = {}

    def of(self, order: Order) -> Channel:
        if order.channel_id not in self._read:
            self._read[order.channel_id] = queries.channel(order.channel_id)
        return self._read[order.channel_id]


def promises(
    settings: Settings, calendar: Calendar, *, ships: bool = True, confirms: bool = False, at: datetime
) -> dict[str, datetime]:
    """The deadlines that start when an order can be prepared: to ship it, or to confirm to the customer what does not
    travel, and to deliver where the policy counts it from there (ORD-04, ORD-13, SHP-02)."""
    deadlines: dict[str, datetime] = {}
    if ships or confirms:
        deadlines["ship_by"] = clocks.deadline(at, settings.ship_within.span, calendar)
    if ships and settings.deliver_clock_from == ShippingClockFrom.AWAITING_SHIPMENT:
        deadlines["deliver_by"] = clocks.deadline(at, settings.deliver_within.span, calendar)
    return deadlines


_WAITED = timedelta(minutes=1)
"""The longest that a person's click can have waited for another's to be done with the order."""


def acts_at(order: Order, *, by: Actor, at: datetime) -> datetime:
    """When the act takes place: a person who waited for another to be done acts after them, not before."""
    waited = by.user_id is not None and order.moved_at - _WAITED <= at < order.moved_at
    return order.moved_at if waited else at


def _heard(order: Order, *, by: Actor, at: datetime) -> datetime:
    """When news of what happened elsewhere is noted: after whatever happened to the order while it was on its way."""
    del by
    return max(at, order.moved_at)


def judge(order: Order, verb: str, *, by: Actor, at: datetime) -> Code | None:
    """Say why this actor cannot make this move at this moment; None when they can (ORD-10, CAN-01).

    The pages ask the same question before they offer a button.
    """
    if at < order.moved_at:
        return Code.OUT_OF_ORDER
    state = order.__dict__["state"]
    if verb == Verb.FULFIL and state in PAID:
        state = State.AWAITING_SHIPMENT  # what is confirmed does not wait for what travels, nor hurries it
    step = TABLE.get((verb, state))
    roles = rules(order).rights.get(state, {}).get(verb)
    if step is None or roles is None:
        if state == State.DEBIT and verb in (Verb.SHIP, Verb.READY, Verb.FULFIL):
            return Code.HELD if order.held_at else Code.NOT_DEBITED
        return Code.WRONG_STATE
    if not has_right(order, verb, by, roles):
        return Code.NOT_ALLOWED
    if step.needs and not getattr(order, step.needs):
        return _LACKS[step.needs]
    return _untimely(order, step, at) or _stopped(order, step, by)


def _untimely(order: Order, step: Step, at: datetime) -> Code | None:
    if step.not_after and at > getattr(order, step.not_after):
        return Code.DEADLINE_PASSED
    if step.only_after and at <= getattr(order, step.only_after):
        return Code.TOO_EARLY
    if step.not_before and (getattr(order, step.not_before) is None or at < getattr(order, step.not_before)):
        return Code.TOO_EARLY
    return None


def _stopped(order: Order, step: Step, by: Actor) -> Code | None:
    if step.stopped_by_parcel and by.role != Role.OPERATOR and (order.parcels or order.confirmed_at):
        return Code.PARCEL_ON_ITS_WAY if order.parcels else Code.CONFIRMED
    if step.held_by_hold and order.held_at is not None:
        return Code.HELD
    if step.held_by_incident and order.incident_at is not None:
        return Code.OPEN_INCIDENT
    return None


_LACKS = {"ships": Code.NOTHING_TO_SHIP, "unconfirmed": Code.NOTHING_TO_CONFIRM}


OF_A_PART = frozenset({Verb.SHIP, Verb.FULFIL})
"""What can be done for a part of an order; everything else is done to the whole."""


def has_right(order: Order, verb: str, by: Actor, roles: Sequence[Role]) -> bool:
    """Whether this actor is one of those that the policy names (CAN-03, ROL-04).

    The right of the supplier is that of whoever fulfils it all, the seller where no supplier is named; where several
    do, it is nobody's but for what each can do for their own lines.
    """
    if by.role == Role.SUPPLIER:
        named = Role.SUPPLIER in roles and fulfils(order, verb, by)
    elif by.role in roles:
        named = True
    else:
        sellers_own = order.supplier_id is None and not order.shared
        named = by.role == Role.SELLER and Role.SUPPLIER in roles and sellers_own
    return named and by.may(Right.WORK_ORDERS)


def fulfils(order: Order, verb: str, by: Actor) -> bool:
    """Whether a supplier fulfils what this verb is about; of a shared order the lines say whose they are."""
    if by.supplier_id is None:
        return False
    return order.supplier_id == by.supplier_id or (order.shared and verb in OF_A_PART)


def _refusal(order: Order, verb: str, code: Code, *, by: Actor) -> Refusal:
    """A refusal, and who fulfils the order where that is what stands in the way. Suppliers are not told of others."""
    of_the_lines = Role.SUPPLIER in rules(order).rights.get(order.__dict__["state"], {}).get(verb, ())
    if code != Code.NOT_ALLOWED or not of_the_lines or by.role not in (Role.SELLER, Role.SUPPLIER):
        return Refusal(order.id, code)
    if order.shared:
        return Refusal(order.id, code, _("Lo sirven varios: solo puede hacerlo el operador."))
    if order.supplier_id is None or by.role == Role.SUPPLIER:
        return Refusal(order.id, code)
    names = ", ".join(one.name for one in suppliers_of(order))
    return Refusal(order.id, code, _("Lo sirve %(who)s.") % {"who": names})


def _move(
    order_ids: Iterable[int],
    verb: Verb,
    change: Changing | None = None,
    *,
    fields: Sequence[str] = (),
    also: Callable[[], object] | None = None,
    skip_locked: bool = False,
    judged: Callable[..., Code | None] = judge,
    news: bool = False,
    by: Actor,
    at: datetime,
) -> Outcome[Moved]:
    """Move many orders by one verb and answer for each: moved, or refused and why.

    `change` sets the columns named in `fields` on an order that may move; it may raise `Refuse`. `also` writes
    what belongs to the move in other tables, before the news goes out. With `skip_locked` (timers) orders that
    somebody else is moving are left for the next tick. `news` of what happened elsewhere is never too old: it is
    noted after the order's last event.
    """
    wanted = list(dict.fromkeys(order_ids))
    moved: list[Moved] = []
    changed: list[Order] = []
    events: list[tuple[object, ...]] = []
    refused: list[Refusal] = []
    let_go: list[int] = []
    left: list[Order] = []
    when = _heard if news else acts_at
    with transaction.atomic(savepoint=False), bulk.gathered():
        orders = lock_orders(wanted, skip_locked=skip_locked)
        for order in orders:
            then = when(order, by=by, at=at)
            code = judged(order, verb, by=by, at=then)
            if code is not None:
                refused.append(_refusal(order, verb, code, by=by))
                continue
            before: str = order.__dict__["state"]
            try:
                done = change(order) if change else _NOTHING
            except Refuse as refuse:
                refused.append(Refusal(order.id, refuse.code, refuse.detail))
                continue
            if done.instead is None and (verb, before) in TABLE:
                getattr(order, verb)()
                if order.__dict__["state"] in FINAL:
                    order.ended_at = at
                    if order.held_at or order.incident_at:
                        order.held_at = order.incident_at = None
                        let_go.append(order.id)
                if order.open_requests:
                    left.append(order)
            order.moved_at = then
            told = done.instead or verb
            changed.append(order)
            events.append(_event(order, told, before, done.data, by=by, at=then))
            heard = {**done.data, **done.news} if done.news else done.data
            moved.append(_moved(order, told, before, heard, at=then))
        if changed:
            overtaken = overtake(left) if left else []
            events += [
                _event(by_request.order, Verb.REQUEST_OVERTAKEN, by_request.order.__dict__["state"],
                       by_request.told, by=PLATFORM, at=by_request.order.moved_at)
                for by_request in overtaken
            ]  # fmt: skip
            _write(changed, events, _with(fields, let_go, left))
            if let_go:
                _let_go(let_go, by=by, at=at)
            if also:
                also()
            orders_moved.send(sender=Order, moves=moved, verb=verb, by=by, at=at)
            tell_overtaken(overtaken, at=at)
    if not skip_locked:
        missing = set(wanted).difference(order.id for order in orders)
        refused.extend(Refusal(order_id, Code.UNKNOWN_ORDER) for order_id in sorted(missing))
    return Outcome(moved, refused)


def _with(fields: Sequence[str], let_go: Sequence[int], left: Sequence[Order]) -> tuple[str, ...]:
    """The columns that a move writes: its own, and what it ended besides."""
    ended = ("held_at", "incident_at") if let_go else ()
    return (*fields, *ended, *(("open_requests",) if left else ()))


def _write(orders: list[Order], events: list[tuple[object, ...]], fields: Sequence[str]) -> None:
    names = ("id", "state", "moved_at", "ended_at", *fields)
    columns = itemgetter(*names)
    bulk.update(Order, names, [columns(order.__dict__) for order in orders])
    bulk.insert(Event, EVENT_COLUMNS, events)


def _let_go(order_ids: list[int], *, by: Actor, at: datetime) -> None:
    """An order that has ended waits for nothing any more."""
    bulk.write(
        Hold,
        "UPDATE orders_hold SET released_at = %s, released_by = %s WHERE order_id = ANY(%s::bigint[]) "
        "AND released_at IS NULL",
        [at, by.label, order_ids],
    )


EVENT_COLUMNS = ("shop_id", "order_id", "verb", "before", "after", "at", "role", "by", "user_id", "data")


def _event(
    order: Order, verb: Verb, before: str, data: Mapping[str, Any], *, by: Actor, at: datetime
) -> tuple[object, ...]:
    row = order.__dict__
    told = json.dumps(data) if data else "{}"
    return (
        row["shop_id"],
        row["id"],
        verb.value,
        before,
        row["state"],
        at,
        by.role.value,
        by.label,
        by.user_id,
        told,
    )


def _moved(order: Order, verb: Verb, before: str, data: Mapping[str, Any], *, at: datetime) -> Moved:
    row = order.__dict__  # read as the plain columns that they are: this runs for every order of every move
    return Moved(
        order_id=row["id"],
        shop_id=row["shop_id"],
        channel_id=row["channel_id"],
        policy_id=row["policy_id"],
        reference=row["reference"],
        currency=row["currency"],
        verb=verb.value,
        before=before,
        after=row["state"],
        at=at,
        total_cents=row["total_cents"],
        charged_cents=row["charged_cents"],
        refunded_cents=row["refunded_cents"],
        commission_cents=row["commission_cents"],
        commission_vat_cents=row["commission_vat_cents"],
        commission_back_cents=row["commission_back_cents"],
        commission_vat_back_cents=row["commission_vat_back_cents"],
        held=row["held_at"] is not None,
        payment_token=row["payment_token"],
        customer_name=row["customer_name"],
        customer_email=row["customer_email"],
        customer_language=row["customer_language"],
        items=row["items_text"],
        cash_on_delivery=row["cash_on_delivery"],
        ships=row["ships"],
        at_once=row["at_once"],
        to_confirm=row["to_confirm"],
        supplier_id=row["supplier_id"],
        shared=row["shared"],
        pay_by=row["pay_by"],
        accept_by=row["accept_by"],
        ship_by=row["ship_by"],
        deliver_by=row["deliver_by"],
        receive_at=row["receive_at"],
        data=data,
    )


def give_back(order: Order) -> int:
    """Count everything that was charged as going back; answers the cents that had not gone yet (CAN-05)."""
    back = order.charged_cents - order.refunded_cents
    order.refunded_cents = order.charged_cents
    return back


def one(outcome: Outcome[Moved]) -> Moved:
    """The move of a single order, or its refusal raised as `MoveRefused` for the page to show."""
    if outcome.refused:
        raise MoveRefused(outcome.refused[0])
    return outcome.moved[0]
