"""Money that goes back to the customer, each time once (CAN-05)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from ledger.models import Account, EntryKind, Kind
from ledger.services import NewEntry, post
from marketplace import outbox
from marketplace.refusals import Code, Outcome, Refusal
from messaging import services as messaging
from orders import services as orders
from orders.models import Order
from orders.states import Verb
from payments.models import Charge, Payback
from payments.providers import Answer, NoAnswer, Status
from payments.services.asking import ASK_AGAIN, answered, begin, desk_of, same_amount
from payments.signals import payback_answered, payback_asked_anew
from payments.states import AskState
from sellers.desk import PLATFORM, Actor

BY_TRANSFER = "transfer"
"""What stands for a provider where nobody charged a card."""


def open_payback(charge: Charge, amount_cents: int, *, at: datetime) -> Payback:
    """Write down money to return of a charge; the clock asks the provider for it, once."""
    return Payback.objects.create(
        shop_id=charge.shop_id,
        order_id=charge.order_id,
        charge=charge,
        provider=charge.provider,
        amount_cents=amount_cents,
        currency=charge.currency,
        due_at=at,
    )


def open_transfer(order: Order, amount_cents: int, *, at: datetime) -> Payback:
    """Write down money to return that no provider charged: an operator transfers it and says so."""
    return Payback.objects.create(
        shop_id=order.shop_id,
        order_id=order.id,
        provider=BY_TRANSFER,
        amount_cents=amount_cents,
        currency=order.currency,
        created_at=at,
    )


def _charge_of(payback: Payback) -> Charge:
    """The charge that a provider is to return money of. Raises ValueError for what is paid back by transfer."""
    if payback.charge is None:
        raise ValueError(f"payback {payback.id} is made by transfer: no provider charged it")
    return payback.charge


def undo_paybacks(payback_ids: Sequence[int]) -> None:
    """What was due by refused paybacks is due no more: the refunds that they were of are undone (REF-06)."""
    Payback.objects.filter(id__in=payback_ids, state=AskState.REFUSED).update(undone=True)


def ask_payback(payback: Payback, *, at: datetime) -> None:
    """Ask the provider to return money, once, and post it when it has (CAN-05)."""
    fresh = begin(payback, at=at)
    if fresh is None:
        return
    desk, charged = desk_of(payback), _charge_of(payback).reference
    answer = Answer(Status.UNKNOWN)
    try:
        if fresh is False:
            answer = desk.look_up_payback(payback.key, reference=charged, at=at)
        if answer.status == Status.UNKNOWN:
            answer = desk.pay_back(
                payback.key,
                reference=charged,
                amount_cents=payback.amount_cents,
                currency=payback.currency,
                at=at,
            )
    except NoAnswer as silence:
        answer = Answer(Status.PENDING, message=str(silence))
    with transaction.atomic():
        (order,) = orders.lock_orders([payback.order_id])
        row = outbox.mine(payback)
        if row is None:
            return
        if answer.status == Status.PENDING:
            outbox.again(row, at=at, error=answer.message, wait=ASK_AGAIN)
            return
        same_amount(row, answer)
        answered(row, answer, at=at)
        _write_answer(row, order, Account.PROVIDER, by=PLATFORM, at=max(at, order.moved_at))
        if answer.status != Status.SUCCEEDED:
            messaging.tell_operators("payback_refused", [_refused_payback(row)], at=at)


def _write_answer(row: Payback, order: Order, paid_from: Account, *, by: Actor, at: datetime) -> None:
    """Put what became of a payback into the order's history and the books, and tell whoever it was for."""
    succeeded = row.state == AskState.SUCCEEDED
    verb = Verb.PAID_BACK if succeeded else Verb.NOT_PAID_BACK
    orders.one(orders.note_payback(order.id, verb, cents=row.amount_cents, by=by, at=at))
    if succeeded:
        post([_paid_back(row, paid_from, at=at)])
    payback_answered.send(
        sender=Payback,
        payback_id=row.id,
        order_id=row.order_id,
        succeeded=succeeded,
        message=row.message,
        at=at,
    )


@transaction.atomic
def transferred(payback_ids: Sequence[int], *, reference: str, by: Actor, at: datetime) -> Outcome[int]:
    """Write down that an operator transferred money back that no provider had charged; each once (CAN-05, PAY-06).

    `reference` is the bank's, or how else it is found again. One that was transferred already, or that a provider pays
    back, is refused as `wrong_state`.
    """
    orders_of = Payback.objects.filter(id__in=payback_ids).values_list("order_id", flat=True)
    found = {order.id: order for order in orders.lock_orders(sorted(set(orders_of)))}
    rows = list(Payback.objects.select_for_update().filter(id__in=payback_ids).order_by("id"))
    due = [row for row in rows if row.provider == BY_TRANSFER and row.state == AskState.WAITING]
    for row in due:
        row.ask()
        answered(row, Answer(Status.SUCCEEDED, reference=reference), at=at)
        order = found[row.order_id]
        _write_answer(row, order, Account.BANK, by=by, at=max(at, order.moved_at))
    refused = [Refusal(row.id, Code.WRONG_STATE) for row in rows if row not in due]
    return Outcome([row.id for row in due], refused)


def _refused_payback(row: Payback) -> dict[str, Any]:
    return {
        "reference": row.order.reference,
        "order_id": row.order_id,
        "channel_id": row.order.channel_id,
        "shop": row.order.shop.name,
        "amount_cents": row.amount_cents,
        "currency": row.currency,
        "message": row.message,
    }


def _paid_back(row: Payback, paid_from: Account, *, at: datetime) -> NewEntry:
    word = Kind.REFUND_ORDER_AMOUNT
    return NewEntry(
        key=f"paid_back:{row.id}",
        kind=EntryKind.PAID_BACK,
        shop_id=row.shop_id,
        channel_id=row.order.channel_id,
        order_id=row.order_id,
        currency=row.currency,
        at=at,
        postings=[(Account.REFUND_DUE, word, row.amount_cents), (paid_from, word, -row.amount_cents)],
    )


@transaction.atomic
def pay_back_again(payback_ids: Sequence[int], *, at: datetime) -> Outcome[int]:
    """Ask anew, under a new key, for money that the provider refused to return; each refusal once (CAN-05).

    One that was not refused, or was asked anew already, is refused as `wrong_state`.
    """
    rows = list(Payback.objects.select_for_update().filter(id__in=payback_ids).order_by("id"))
    due = [row for row in rows if row.state == AskState.REFUSED and not (row.asked_anew or row.undone)]
    for row in due:
        row.asked_anew = True
        row.save(update_fields=["asked_anew"])
        anew = open_payback(_charge_of(row), row.amount_cents, at=at)
        payback_asked_anew.send(sender=Payback, payback_id=row.id, anew_id=anew.id)
    refused = [Refusal(row.id, Code.WRONG_STATE) for row in rows if row not in due]
    return Outcome([row.id for row in due], refused)


@transaction.atomic
def hurry_paybacks(payback_ids: Sequence[int], *, at: datetime) -> Outcome[int]:
    """Have paybacks that wait for an answer asked about at `at`; refused as `wrong_state` when they have it."""
    rows = Payback.objects.select_for_update().filter(id__in=payback_ids).order_by("id")
    open_ids = [row.id for row in rows if row.state in (AskState.WAITING, AskState.ASKED)]
    Payback.objects.filter(id__in=open_ids).update(due_at=at)
    return Outcome(open_ids, [Refusal(pk, Code.WRONG_STATE) for pk in payback_ids if pk not in open_ids])
