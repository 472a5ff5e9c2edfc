"""Payments that the storefront or a webhook named: the provider is asked until it says, or nobody waits (ORD-07).

What a webhook says of money is never believed: it only names a payment, and that one is looked up. One that never
comes costs only time.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from marketplace import bulk, outbox, queries
from marketplace.models import Channel
from marketplace.refusals import Code
from orders import services as orders
from orders.models import Order
from orders.signals import Moved
from orders.states import HoldKind, State
from payments import beforehand
from payments.matching import Paid, Paying
from payments.models import Inquiry
from payments.providers import NoAnswer, Payment, Status, payment_named, provider
from payments.states import Learned
from payments.verdicts import Fate
from sellers.desk import PLATFORM


def open_inquiries(moves: Sequence[Moved]) -> None:
    """Write down the payments that baskets came with, where they are still to be made; they are asked about at once."""
    waiting = [
        (move, move.pay_by)
        for move in moves
        if move.after == State.PENDING_PAYMENT
        and move.pay_by is not None
        and payment_named(queries.channel(move.channel_id).provider, move.payment_token)
    ]
    if not waiting:
        return
    baskets = dict(
        Order.objects.filter(id__in=[move.order_id for move, _until in waiting]).values_list(
            "id", "basket_id"
        )
    )
    inquire(
        [(move.channel_id, baskets[move.order_id], move.payment_token, until) for move, until in waiting],
        at=waiting[0][0].at,
    )


def inquire(payments: Sequence[tuple[int, int, str, datetime]], *, at: datetime) -> None:
    """Have payments asked about at `at`: (channel id, basket id, reference, until when); one known already, again."""
    rows = {(basket, name): (channel, until) for channel, basket, name, until in payments}
    bulk.fetch(
        """
        INSERT INTO payments_inquiry AS old
               (channel_id, basket_id, provider, reference, ask_until, learned, message, due_at, tries, last_error)
        SELECT channel, basket, provider, name, until, 'nothing', '', %s, 0, ''
          FROM unnest(%s::bigint[], %s::bigint[], %s::varchar[], %s::varchar[], %s::timestamptz[])
               AS new (channel, basket, provider, name, until)
        ON CONFLICT (basket_id, reference) DO UPDATE SET due_at = EXCLUDED.due_at
         WHERE old.learned IN ('nothing', 'over', 'differs', 'elsewhere')
        RETURNING id
        """,
        [
            at,
            [channel for channel, _until in rows.values()],
            [basket for basket, _name in rows],
            [queries.channel(channel).provider for channel, _until in rows.values()],
            [name for _basket, name in rows],
            [until for _channel, until in rows.values()],
        ],
    )


def hear(channel: Channel, reference: str, named: str, *, at: datetime) -> bool | None:
    """A webhook named a payment and, in its metadata, an order or a commercial number; whether it is asked about now.

    False when what became of it is known already, None when it is nobody's here.
    """
    known = Inquiry.objects.filter(channel=channel, reference=reference).values_list("basket_id", "ask_until")
    wanted = [(channel.id, basket_id, reference, until) for basket_id, until in known]
    if not wanted and named:
        rows = list(Order.objects.filter(reference=named, channel=channel))
        rows = rows or list(Order.objects.filter(basket__channel=channel, basket__commercial_id=named))
        wanted = [
            (channel.id, order.basket_id, reference, order.pay_by)
            for order in rows
            if order.pay_by is not None and beforehand.can_be_paid(order)
        ]
    if not wanted:
        return None
    inquire(wanted, at=at)
    return Inquiry.objects.filter(channel=channel, reference=reference, due_at=at).exists()


def ask_inquiry(inquiry: Inquiry, *, at: datetime) -> None:
    """Ask the provider about one claimed payment, and act on what it says."""
    channel = queries.channel(inquiry.channel_id)
    try:
        payment = provider(inquiry.provider, channel.code).payment(inquiry.reference, at=at)
    except NoAnswer as silence:
        payment = Payment(Status.PENDING, message=str(silence))
    with transaction.atomic():
        rows = orders.lock_orders(
            Order.objects.filter(basket_id=inquiry.basket_id).values_list("id", flat=True)
        )
        row = outbox.mine(inquiry)
        if row is None:
            return
        at = max([at, *(order.moved_at for order in rows)])
        if payment.status in (Status.PENDING, Status.UNKNOWN):
            _later(row, payment, rows, at=at)
            return
        _learned(row, payment, _heed(row, payment, rows, channel, at=at), at=at)


def _later(row: Inquiry, payment: Payment, rows: Sequence[Order], *, at: datetime) -> None:
    """Ask again after a while, a last time when it should have been paid; then nobody waits for it any more."""
    if not any(order.state == State.PENDING_PAYMENT for order in rows):
        _learned(row, payment, Learned.SETTLED, at=at)
    elif at >= row.ask_until:
        _learned(row, payment, Learned.OVER, at=at)
    else:
        wait = min(outbox.back_off(row.tries), row.ask_until - at)
        outbox.again(row, at=at, error=payment.message, wait=wait)


def _heed(
    row: Inquiry, payment: Payment, rows: Sequence[Order], channel: Channel, *, at: datetime
) -> Learned:
    """What a payment that was made, or never will be, means for its basket."""
    number = row.basket.commercial_id
    if payment.named and payment.named not in {number, *(order.reference for order in rows)}:
        return Learned.ELSEWHERE
    waiting = [order for order in rows if order.state == State.PENDING_PAYMENT]
    if payment.status == Status.REFUSED:
        beforehand.fail([order.id for order in waiting], reason=payment.message, by=PLATFORM, at=at)
        return Learned.FAILED if waiting else Learned.SETTLED
    word = payment.named or number
    paid = Paid(0, word, payment.amount_cents, row.reference, at, payment.currency)
    (verdict,) = Paying(channel, PLATFORM, at).carry_out([paid])
    if verdict.fate in _ENDS:
        return _ENDS[verdict.fate]
    if verdict.code == Code.REFERENCE_TAKEN:
        return Learned.ELSEWHERE
    if verdict.code != Code.MISMATCH:
        return Learned.UNPLACED
    if not waiting:
        return Learned.UNPLACED
    facts = {"paid_cents": payment.amount_cents, "total_cents": sum(order.total_cents for order in waiting)}
    ids = [order.id for order in waiting]
    orders.hold(ids, HoldKind.PAYMENT_MISMATCH, facts=facts, by=PLATFORM, at=at)
    return Learned.DIFFERS


_ENDS = {Fate.DONE: Learned.PAID, Fate.RETURNED: Learned.RETURNED, Fate.HERE: Learned.SETTLED}


def _learned(row: Inquiry, payment: Payment, learned: Learned, *, at: datetime) -> None:
    row.learned, row.learned_at, row.message = learned, at, payment.message[:200]
    row.amount_cents = payment.amount_cents if payment.status == Status.SUCCEEDED else None
    row.due_at = row.claimed_until = row.claimed_by = None
    row.last_error = ""
    row.save()
