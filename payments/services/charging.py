"""The charges of accepted orders: written down, paused, undone, and asked of the provider once (PAY-01, PAY-02)."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from marketplace import bulk, clocks, outbox, queries
from orders import services as orders
from orders.models import Order
from orders.signals import Moved
from orders.states import State
from payments.models import Charge
from payments.providers import Answer, NoAnswer, Provider, Status
from payments.services.asking import ASK_AGAIN, answered, begin, desk_of, same_amount
from payments.services.paying_back import open_payback
from payments.states import AskState
from sellers.desk import PLATFORM


def open_charges(moves: Sequence[Moved]) -> None:
    """Write down the charge of each accepted order; it waits, without alarm, while its order is held (PAY-01).

    An order worth nothing is not charged: it goes on at once.
    """
    for_nothing = [move.order_id for move in moves if move.total_cents == 0 and not move.held]
    to_charge = [move for move in moves if move.total_cents > 0]
    bulk.insert(
        Charge,
        ("shop_id", "order_id", "attempt", "key", "provider", "state", "amount_cents", "currency", "card", "due_at",
         "alert_at", "tries", "last_error", "reference", "message"),
        [
            (move.shop_id, move.order_id, 1, uuid.uuid4(), queries.channel(move.channel_id).provider,
             str(AskState.WAITING), move.total_cents, move.currency, move.payment_token,
             None if move.held else move.at, None if move.held else _alert_at(move), 0, "", "", "")
            for move in to_charge
        ],
    )  # fmt: skip
    if for_nothing:
        orders.debit_succeeded(for_nothing, by=PLATFORM, at=moves[0].at)


def _patience_ends(policy_id: int, channel_id: int, since: datetime) -> datetime:
    """When a debit that runs since then will have taken too long (PAY-03)."""
    window = queries.policy(policy_id).rules.debit_alert_after
    return clocks.deadline(since, window.span, queries.channel(channel_id).calendar)


def _alert_at(move: Moved) -> datetime:
    return _patience_ends(move.policy_id, move.channel_id, move.at)


def pause_charges(order_ids: Sequence[int]) -> None:
    """A hold stops a debit that has not been asked yet (SEMANTICS: holds)."""
    Charge.objects.filter(order_id__in=order_ids, state=AskState.WAITING).update(due_at=None, alert_at=None)


def resume_charges(moves: Sequence[Moved]) -> None:
    """The hold is over: the debits that it paused are asked now, and their hour of patience starts now.

    A second try still waits for its time, however often its order is held and let go.
    """
    free = {move.order_id: move for move in moves if not move.held}
    paused = Charge.objects.select_for_update().filter(
        order_id__in=list(free), state=AskState.WAITING, due_at=None
    )
    for charge in paused:
        move = free[charge.order_id]
        charge.due_at = max(move.at, charge.not_before) if charge.not_before else move.at
        charge.alert_at = _patience_ends(move.policy_id, move.channel_id, charge.due_at)
        charge.save(update_fields=["due_at", "alert_at"])
    charged = set(Charge.objects.filter(order_id__in=list(free)).values_list("order_id", flat=True))
    worthless = [
        order_id
        for order_id, move in free.items()
        if order_id not in charged and move.after == State.DEBIT and move.total_cents == 0
    ]
    if worthless:
        orders.debit_succeeded(worthless, by=PLATFORM, at=next(iter(free.values())).at)


def undo_charges(moves: Sequence[Moved]) -> None:
    """Orders were cancelled: what was not asked yet is void, what was charged is paid back (CAN-05).

    A charge whose answer is not known is left to be asked about; if it turns out to have succeeded it is paid back.
    """
    amounts = {move.order_id: move.data["refunded_cents"] for move in moves}
    for charge in Charge.objects.select_for_update().filter(order_id__in=list(amounts)).order_by("id"):
        if charge.state == AskState.WAITING:
            charge.make_void()
            charge.due_at = charge.alert_at = None
            charge.save(update_fields=["state", "due_at", "alert_at"])
        elif charge.state == AskState.SUCCEEDED and amounts[charge.order_id]:
            open_payback(charge, amounts[charge.order_id], at=moves[0].at)


def ask_charge(charge: Charge, *, at: datetime) -> None:
    """Ask the provider for one claimed charge, or what became of it, and act on the answer.

    The question is written down before it is put, so that whoever finds it unanswered looks it up first.
    """
    fresh = begin(charge, at=at)
    if fresh is None:
        return
    desk = desk_of(charge)
    answer: Answer | None = Answer(Status.UNKNOWN)
    try:
        if fresh is False:
            answer = desk.look_up(charge.key, reference=charge.reference, at=at)
        if answer and answer.status == Status.UNKNOWN:
            answer = _charge(desk, charge, answer.reference, at=at)
    except NoAnswer as silence:
        answer = Answer(Status.PENDING, message=str(silence))
    if answer is not None:
        _heed_charge(charge, answer, at=at)


def _charge(desk: Provider, charge: Charge, prepared: str, *, at: datetime) -> Answer | None:
    """Prepare the charge, save what it is called at the provider's, then have it done; None once it is not ours."""
    asked: dict[str, Any] = {
        "card": charge.card,
        "amount_cents": charge.amount_cents,
        "currency": charge.currency,
        "at": at,
    }
    ready = desk.prepare(charge.key, reference=prepared, **asked)
    if ready.status == Status.REFUSED:
        return ready
    if ready.reference != charge.reference:
        with transaction.atomic():
            if outbox.mine(charge) is None:
                return None
            bulk.update(Charge, ("id", "reference"), [(charge.id, ready.reference)])
    return desk.charge(charge.key, reference=ready.reference, **asked)


def _heed_charge(charge: Charge, answer: Answer, *, at: datetime) -> None:
    with transaction.atomic(), bulk.gathered():
        (order,) = orders.lock_orders([charge.order_id])
        row = outbox.mine(charge)
        if row is None:
            return
        # The answer is heard after whatever happened to the order while it was on its way.
        at = max(at, order.moved_at)
        if answer.status in (Status.PENDING, Status.UNKNOWN):
            outbox.again(row, at=at, error=answer.message, wait=ASK_AGAIN)
            return
        same_amount(row, answer)
        if answer.status == Status.SUCCEEDED:
            _charged(row, at=at)
            answered(row, answer, at=at)
        else:
            answered(row, answer, at=at)
            _declined(row, answer.message, at=at)


def _charged(charge: Charge, *, at: datetime) -> None:
    """The money is there: the order goes on, or, if it was cancelled meanwhile, the money goes back by itself."""
    outcome = orders.debit_succeeded([charge.order_id], by=PLATFORM, at=at)
    if outcome.refused:
        orders.one(orders.late_charge([charge.order_id], by=PLATFORM, at=at))
        open_payback(charge, charge.amount_cents, at=at)


def _declined(charge: Charge, message: str, *, at: datetime) -> None:
    """Try again where the policy says so, else the order has failed (PAY-05)."""
    order = Order.objects.get(id=charge.order_id)
    rules = orders.rules(order)
    calendar = queries.channel(order.channel_id).calendar
    retry_at = clocks.deadline(at, rules.debit_retry_after.span, calendar)
    if order.state == State.DEBIT and charge.attempt <= rules.debit_retries:
        Charge.objects.create(
            shop_id=charge.shop_id,
            order=order,
            attempt=charge.attempt + 1,
            provider=charge.provider,
            amount_cents=charge.amount_cents,
            currency=charge.currency,
            card=charge.card,
            not_before=retry_at,
            due_at=None if order.held_at else retry_at,
            alert_at=None if order.held_at else _patience_ends(order.policy_id, order.channel_id, retry_at),
        )
    elif order.state == State.DEBIT:
        orders.one(orders.debit_failed([charge.order_id], reason=message, by=PLATFORM, at=at))
