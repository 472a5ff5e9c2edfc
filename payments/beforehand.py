"""What the customer paid before anything was asked of the shop, as an operator or the provider tells it (ORD-07)."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from marketplace import bulk, queries
from marketplace.refusals import Code, Outcome, Refusal
from orders import services as orders
from orders.models import Order
from orders.signals import Moved
from orders.states import State
from payments.models import Charge
from payments.services import open_payback
from payments.states import AskState
from sellers.desk import PLATFORM, Actor


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What became of payments: the orders that go on, those refused, and those whose money goes back."""

    outcome: Outcome[Moved]
    returned: frozenset[int] = frozenset()


def confirm(references: Mapping[int, str], *, by: Actor, at: datetime) -> Outcome[Moved]:
    """Confirm payments; `references` maps order ids to what the provider (or the bank) calls the payment.

    Each becomes a succeeded charge. What is paid once its order has lapsed, or would have, is noted and goes straight
    back to the customer; it is answered as refused all the same. Refused as `reference_taken` when the payment has
    paid another basket.
    """
    return confirm_paid(references, by=by, at=at).outcome


@transaction.atomic
def confirm_paid(
    references: Mapping[int, str], *, paid_at: Mapping[int, datetime] | None = None, by: Actor, at: datetime
) -> Confirmed:
    """Confirm payments, and say as well which of them go back; `paid_at` is when they were made, where it is known."""
    taken = _taken(orders.lock_orders(references), references)
    wanted = [pk for pk in references if pk not in taken]
    outcome = orders.confirm_payment(wanted, paid_at=paid_at, by=by, at=at)
    _write_charges(outcome.moved, references, paid_at or {})
    if not outcome.refused and not taken:
        return Confirmed(outcome)
    late = [refusal.id for refusal in outcome.refused if refusal.code == Code.DEADLINE_PASSED]
    orders.lapse(late, by=PLATFORM, at=at)
    returned = _give_back([refusal.id for refusal in outcome.refused], references, paid_at or {}, at=at)
    elsewhere = [Refusal(order_id, Code.REFERENCE_TAKEN, references[order_id]) for order_id in sorted(taken)]
    return Confirmed(Outcome(outcome.moved, [*outcome.refused, *elsewhere]), frozenset(returned))


def can_be_paid(order: Order) -> bool:
    """Whether money for an order does anything: it goes on, or, ended unpaid, its money goes back."""
    state = order.__dict__["state"]
    ended = state in (State.CANCELLED, State.FAILED)
    return state == State.PENDING_PAYMENT or (ended and order.charged_cents == 0)


def _taken(locked: Sequence[Order], references: Mapping[int, str]) -> set[int]:
    """Claim each payment for the basket that it pays; answers the orders whose payment has paid another basket.

    Two that claim one payment meet at its unique key: the second sees whose it is.
    """
    payable = [order for order in locked if can_be_paid(order) and references[order.id]]
    if not payable:
        return set()
    wanted: dict[tuple[int, str], int] = {}
    for order in payable:
        wanted.setdefault((order.channel_id, references[order.id][:120]), order.basket_id)
    columns = list(
        zip(*((channel, word, basket) for (channel, word), basket in sorted(wanted.items())), strict=True)
    )
    rows = bulk.fetch(
        """
        INSERT INTO payments_paymentreference AS old (channel_id, reference, basket_id)
        SELECT * FROM unnest(%s::bigint[], %s::varchar[], %s::bigint[])
        ON CONFLICT (channel_id, reference) DO UPDATE SET basket_id = old.basket_id
        RETURNING channel_id, reference, basket_id
        """,
        [list(column) for column in columns],
    )
    owner = {(channel_id, reference): basket_id for channel_id, reference, basket_id in rows}
    return {
        order.id
        for order in payable
        if owner[order.channel_id, references[order.id][:120]] != order.basket_id
    }


def _give_back(
    order_ids: Iterable[int],
    references: Mapping[int, str],
    paid_at: Mapping[int, datetime],
    *,
    at: datetime,
) -> list[int]:
    late = orders.late_charge(order_ids, by=PLATFORM, at=at).moved
    _write_charges(late, references, paid_at)
    returned = [move.order_id for move in late]
    charges = Charge.objects.filter(order_id__in=returned, state=AskState.SUCCEEDED)
    noted_at = {move.order_id: move.at for move in late}
    for charge in charges.order_by("id"):
        open_payback(charge, charge.amount_cents, at=noted_at[charge.order_id])
    return returned


def _write_charges(
    moves: Sequence[Moved], references: Mapping[int, str], paid_at: Mapping[int, datetime]
) -> None:
    bulk.insert(
        Charge,
        ("shop_id", "order_id", "attempt", "key", "provider", "state", "amount_cents", "currency", "card",
         "asked_at", "answered_at", "tries", "last_error", "reference", "message"),
        [
            (move.shop_id, move.order_id, 1, uuid.uuid4(), queries.channel(move.channel_id).provider,
             str(AskState.SUCCEEDED), move.charged_cents, move.currency, move.payment_token,
             paid_at.get(move.order_id, move.at), move.at, 0, "", references[move.order_id][:120], "")
            for move in moves
            if move.charged_cents
        ],
    )  # fmt: skip


@transaction.atomic
def fail(order_ids: Iterable[int], *, reason: str, by: Actor, at: datetime) -> Outcome[Moved]:
    """Say that payments beforehand failed for good: *Fallido*, with the reason shown (ORD-08)."""
    return orders.debit_failed(order_ids, reason=reason, by=by, at=at)
