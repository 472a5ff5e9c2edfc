"""What the payment provider answered (PAY-01, PAY-05); payments call these, below them nobody knows a provider."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db import transaction

from marketplace import clocks
from marketplace.policy import ShippingClockFrom
from marketplace.refusals import Code, Outcome
from orders.models import Order
from orders.services.acceptance import accept_all_lines
from orders.services.fees import FEE, Fees, charge_fee
from orders.services.fulfilment import fulfil_at_once
from orders.services.move import Change, Channels, _move, judge, promises, rules
from orders.signals import Moved
from orders.states import State, Verb
from sellers.desk import Actor


def debit_succeeded(order_ids: Iterable[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
    """The customer has been charged what was accepted: now it can be shipped (PAY-04), and what is confirmed at once
    is (ORD-13)."""
    channels = Channels()

    def change(order: Order) -> Change:
        settings = rules(order)
        order.charged_cents = order.total_cents
        order.debited_at = at
        if order.ships and settings.deliver_clock_from == ShippingClockFrom.AWAITING_SHIPMENT:
            order.deliver_by = clocks.deadline(at, settings.deliver_within.span, channels.of(order).calendar)
        return Change({"charged_cents": order.charged_cents})

    with transaction.atomic(savepoint=False):
        outcome = _move(
            order_ids,
            Verb.DEBIT_SUCCEEDED,
            change,
            fields=("charged_cents", "debited_at", "deliver_by"),
            by=by,
            at=at,
        )
        fulfil_at_once(outcome.moved)
    return outcome


def confirm_payment(
    order_ids: Iterable[int], *, paid_at: Mapping[int, datetime] | None = None, by: Actor, at: datetime
) -> Outcome[Moved]:
    """The customer has paid beforehand: the order can be prepared, and the shop's clock starts (ORD-07, PAY-06);
    what is confirmed at once is (ORD-13).

    Refused as `deadline_passed` once it should have been paid; what was paid in time by `paid_at` is in time while the
    order still waits, however late the news comes.
    """
    wanted, made = list(order_ids), paid_at or {}

    def in_time(order: Order, verb: str, *, by: Actor, at: datetime) -> Code | None:
        code = judge(order, verb, by=by, at=at)
        said = made.get(order.id)
        on_time = said is not None and order.pay_by is not None and said <= order.pay_by
        return None if code == Code.DEADLINE_PASSED and on_time else code

    channels, fees = Channels(), Fees(wanted)
    paid: list[int] = []

    def change(order: Order) -> Change:
        settings = rules(order)
        paid.append(order.id)
        order.charged_cents = order.total_cents
        order.debited_at = order.accepted_at = at
        charge_fee(order, fees.of(order, at=order.placed_at))
        calendar, confirms = channels.of(order).calendar, order.to_confirm > 0
        promised = promises(settings, calendar, ships=order.ships, confirms=confirms, at=at)
        for name, deadline in promised.items():
            setattr(order, name, deadline)
        return Change({"charged_cents": order.charged_cents})

    with transaction.atomic(savepoint=False):
        outcome = _move(
            wanted,
            Verb.CONFIRM_PAYMENT,
            change,
            fields=("charged_cents", "debited_at", "accepted_at", "ship_by", "deliver_by", *FEE),
            also=lambda: accept_all_lines(paid),
            judged=in_time,
            by=by,
            at=at,
        )
        fulfil_at_once(outcome.moved)
    return outcome


def lapse(order_ids: Iterable[int], *, skip_locked: bool = False, by: Actor, at: datetime) -> Outcome[Moved]:
    """Cancel orders that were not paid in time; nothing was charged (ORD-07)."""
    return _move(order_ids, Verb.LAPSE, skip_locked=skip_locked, by=by, at=at)


def debit_failed(order_ids: Iterable[int], *, reason: str, by: Actor, at: datetime) -> Outcome[Moved]:
    """The provider refused the charge for good: *Fallido*, nothing is owed (PAY-05, ORD-08).

    The same when a payment beforehand fails.
    """
    return _move(order_ids, Verb.DEBIT_FAILED, lambda order: Change({"reason": reason}), by=by, at=at)


def _ended_uncharged(order: Order, verb: str, *, by: Actor, at: datetime) -> Code | None:
    del verb, by, at
    ended = order.state in (State.CANCELLED, State.FAILED)
    return None if ended and order.charged_cents == 0 else Code.WRONG_STATE


def late_charge(order_ids: Iterable[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
    """A charge succeeded after its order had been cancelled, or had failed: it is noted and goes straight back."""

    def change(order: Order) -> Change:
        order.charged_cents = order.refunded_cents = order.total_cents
        order.debited_at = max(at, order.moved_at)
        return Change({"charged_cents": order.charged_cents})

    return _move(
        order_ids,
        Verb.LATE_CHARGE,
        change,
        fields=("charged_cents", "refunded_cents", "debited_at"),
        judged=_ended_uncharged,
        news=True,
        by=by,
        at=at,
    )


def note_payback(order_id: int, verb: Verb, *, cents: int, by: Actor, at: datetime) -> Outcome[Moved]:
    """Tell in the history that the provider returned money of an order, or refuses to (CAN-05); nothing else moves.

    `verb` is PAID_BACK or NOT_PAID_BACK.
    """
    return _move(
        [order_id], verb, lambda order: Change({"amount_cents": cents}), judged=_always, by=by, at=at
    )


def note_bounce(
    order_id: int, *, about: Verb, email: str, answer: str, by: Actor, at: datetime
) -> Outcome[Moved]:
    """Tell in the history that the customer's mail about a move did not arrive, and what was answered (NOT-01)."""
    told = {"about": about.value, "email": email, "answer": answer}
    return _move(
        [order_id], Verb.MAIL_BOUNCED, lambda order: Change(told), judged=_always, news=True, by=by, at=at
    )


def _always(order: Order, verb: str, *, by: Actor, at: datetime) -> Code | None:
    del verb, by
    return Code.OUT_OF_ORDER if at < order.moved_at else None
