"""What each move of an order means in the books (the column «entry» of the table of moves)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.dispatch import receiver

from ledger.models import Account, EntryKind, Kind
from ledger.services import NewEntry, post
from orders.signals import Moved, orders_moved
from orders.states import Verb

A, K = Account, Kind


def _charge(move: Moved) -> NewEntry:
    amount = move.charged_cents
    return _entry(
        move,
        EntryKind.CHARGE,
        [(A.PROVIDER, K.ORDER_AMOUNT, amount), (A.PENDING, K.ORDER_AMOUNT, -amount)],
    )


def _collect(move: Moved) -> NewEntry:
    """What the courier was paid at the door is the courier's to hand over (PAY-06)."""
    amount = move.data.get("collected_cents", 0)
    return _entry(
        move,
        EntryKind.COLLECT,
        [(A.COURIER, K.ORDER_AMOUNT, amount), (A.PENDING, K.ORDER_AMOUNT, -amount)],
    )


def _refund(move: Moved) -> NewEntry:
    """What goes back to the customer by this move; a late charge, which says nothing else, wholly."""
    amount = move.data.get("refunded_cents", move.refunded_cents)
    postings = [(A.PENDING, K.REFUND_ORDER_AMOUNT, amount), (A.REFUND_DUE, K.REFUND_ORDER_AMOUNT, -amount)]
    entry = _entry(move, EntryKind.REFUND, postings)
    if move.refunded_cents == amount:
        return entry
    return replace(entry, key=f"{entry.key}:{move.refunded_cents}")


def _refunded(move: Moved) -> NewEntry:
    """A refund after shipping: out of what is pending until receipt, of the shop's balance after it, less what it has
    back of the commission (REF-07)."""
    return _of_refund(move, EntryKind.REFUND, 1)


def _refund_undone(move: Moved) -> NewEntry:
    """The provider did not pay it back: the entry of the refund the other way round, whatever has been since."""
    return _of_refund(move, EntryKind.REFUND_UNDONE, -1)


def _of_refund(move: Moved, kind: EntryKind, sign: int) -> NewEntry:
    told = move.data
    amount, fee, vat = (
        sign * told[name] for name in ("amount_cents", "commission_cents", "commission_vat_cents")
    )
    postings = [(A.REFUND_DUE, K.REFUND_ORDER_AMOUNT, -amount)]
    if told["received"]:
        postings += [
            (A.PAYABLE, K.REFUND_ORDER_AMOUNT, amount),
            (A.PAYABLE, K.COMMISSION_FEE, -fee),
            (A.PAYABLE, K.COMMISSION_VAT, -vat),
            (A.COMMISSION, K.COMMISSION_FEE, fee),
            (A.COMMISSION_VAT, K.COMMISSION_VAT, vat),
        ]
    else:
        postings.append((A.PENDING, K.REFUND_ORDER_AMOUNT, amount))
    return replace(_entry(move, kind, postings), key=f"{kind}:of:{told['refund']}")


def _receive(move: Moved) -> NewEntry:
    left = move.charged_cents - move.refunded_cents
    fee = move.commission_cents - move.commission_back_cents
    vat = move.commission_vat_cents - move.commission_vat_back_cents
    return _entry(
        move,
        EntryKind.RECEIVE,
        [
            (A.PENDING, K.ORDER_AMOUNT, left),
            (A.PAYABLE, K.ORDER_AMOUNT, -left),
            (A.PAYABLE, K.COMMISSION_FEE, fee),
            (A.PAYABLE, K.COMMISSION_VAT, vat),
            (A.COMMISSION, K.COMMISSION_FEE, -fee),
            (A.COMMISSION_VAT, K.COMMISSION_VAT, -vat),
        ],
    )


def _entry(move: Moved, kind: EntryKind, postings: list[tuple[Account, Kind, int]]) -> NewEntry:
    return NewEntry(
        key=f"{kind}:{move.order_id}",
        kind=kind,
        shop_id=move.shop_id,
        channel_id=move.channel_id,
        order_id=move.order_id,
        currency=move.currency,
        at=move.at,
        postings=postings,
    )


ENTRIES: dict[Verb, tuple[Callable[[Moved], NewEntry], ...]] = {
    Verb.DEBIT_SUCCEEDED: (_charge,),
    Verb.CONFIRM_PAYMENT: (_charge,),
    Verb.DELIVER: (_collect,),
    Verb.LATE_CHARGE: (_charge, _refund),
    Verb.SHORTEN: (_refund,),
    Verb.CANCEL: (_refund,),
    Verb.RETURN_TO_SENDER: (_refund,),
    Verb.REDIRECT: (_refund,),
    Verb.REFUND: (_refunded,),
    Verb.REFUND_UNDONE: (_refund_undone,),
    Verb.RECEIVE: (_collect, _receive),
}


@receiver(orders_moved, dispatch_uid="ledger")
def post_moves(moves: list[Moved], verb: str, **_: Any) -> None:
    """Post what the moves of orders mean, in their transaction."""
    makers = ENTRIES.get(Verb(verb), ())
    if makers:
        post(maker(move) for move in moves for maker in makers)
