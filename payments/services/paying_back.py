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
from orders.states import Verb
from payments.models import Charge, Payback
from payments.providers import Answer, NoAnswer, Status
from payments.services.asking import ASK_AGAIN, answered, begin, desk_of, same_amount
from payments.states import AskState
from sellers.desk import PLATFORM


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


def ask_payback(payback: Payback, *, at: datetime) -> None:
    """Ask the provider to return money, once, and post it when it has (CAN-05)."""
    fresh = begin(payback, at=at)
    if fresh is None:
        return
    desk, charged = desk_of(payback), payback.charge.reference
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
        succeeded = answer.status == Status.SUCCEEDED
        verb = Verb.PAID_BACK if succeeded else Verb.NOT_PAID_BACK
        at = max(at, order.moved_at)
        orders.one(orders.note_payback(order.id, verb, cents=row.amount_cents, by=PLATFORM, at=at))
        if succeeded:
            post([_paid_back(row, at=at)])
        else:
            messaging.tell_operators("payback_refused", [_refused_payback(row)], at=at)


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


def _paid_back(row: Payback, *, at: datetime) -> NewEntry:
    word = Kind.REFUND_ORDER_AMOUNT
    return NewEntry(
        key=f"paid_back:{row.id}",
        kind=EntryKind.PAID_BACK,
        shop_id=row.shop_id,
        channel_id=row.order.channel_id,
        order_id=row.order_id,
        currency=row.currency,
        at=at,
        postings=[(Account.REFUND_DUE, word, row.amount_cents), (Account.PROVIDER, word, -row.amount_cents)],
    )


@transaction.atomic
def pay_back_again(payback_ids: Sequence[int], *, at: datetime) -> Outcome[int]:
    """Ask anew, under a new key, for money that the provider refused to return; each refusal once (CAN-05).

    One that was not refused, or was asked anew already, is refused as `wrong_state`.
    """
    rows = list(Payback.objects.select_for_update().filter(id__in=payback_ids).order_by("id"))
    anew = [row for row in rows if row.state == AskState.REFUSED and not row.asked_anew]
    for row in anew:
        row.asked_anew = True
        row.save(update_fields=["asked_anew"])
        open_payback(row.charge, row.amount_cents, at=at)
    refused = [Refusal(row.id, Code.WRONG_STATE) for row in rows if row not in anew]
    return Outcome([row.id for row in anew], refused)


@transaction.atomic
def hurry_paybacks(payback_ids: Sequence[int], *, at: datetime) -> Outcome[int]:
    """Have paybacks that wait for an answer asked about at `at`; refused as `wrong_state` when they have it."""
    rows = Payback.objects.select_for_update().filter(id__in=payback_ids).order_by("id")
    open_ids = [row.id for row in rows if row.state in (AskState.WAITING, AskState.ASKED)]
    Payback.objects.filter(id__in=open_ids).update(due_at=at)
    return Outcome(open_ids, [Refusal(pk, Code.WRONG_STATE) for pk in payback_ids if pk not in open_ids])
