"""What the customer paid before anything was asked of the shop, as an operator or the provider tells it (ORD-07)."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from marketplace import bulk, queries
from marketplace.refusals import Code, Outcome
from orders import services as orders
from orders.signals import Moved
from payments.models import Charge
from payments.services import open_payback
from payments.states import AskState
from sellers.desk import PLATFORM, Actor


@transaction.atomic
def confirm(references: Mapping[int, str], *, by: Actor, at: datetime) -> Outcome[Moved]:
    """Confirm payments; `references` maps order ids to what the provider (or the bank) calls the payment.

    Each becomes a succeeded charge. What is paid once its order has lapsed, or would have, is noted and goes straight
    back to the customer; it is answered as refused all the same.
    """
    outcome = orders.confirm_payment(references, by=by, at=at)
    _write_charges(outcome.moved, references)
    late = [refusal.id for refusal in outcome.refused if refusal.code == Code.DEADLINE_PASSED]
    orders.lapse(late, by=PLATFORM, at=at)
    _give_back([refusal.id for refusal in outcome.refused], references, at=at)
    return outcome


def _give_back(order_ids: Iterable[int], references: Mapping[int, str], *, at: datetime) -> None:
    late = orders.late_charge(order_ids, by=PLATFORM, at=at).moved
    _write_charges(late, references)
    charges = Charge.objects.filter(order_id__in=[move.order_id for move in late], state=AskState.SUCCEEDED)
    for charge in charges.order_by("id"):
        open_payback(charge, charge.amount_cents, at=at)


def _write_charges(moves: Sequence[Moved], references: Mapping[int, str]) -> None:
    bulk.insert(
        Charge,
        ("shop_id", "order_id", "attempt", "key", "provider", "state", "amount_cents", "currency", "card",
         "asked_at", "answered_at", "tries", "last_error", "reference", "message"),
        [
            (move.shop_id, move.order_id, 1, uuid.uuid4(), queries.channel(move.channel_id).provider,
             str(AskState.SUCCEEDED), move.charged_cents, move.currency, move.payment_token, move.at, move.at, 0, "",
             references[move.order_id][:120], "")
            for move in moves
            if move.charged_cents
        ],
    )  # fmt: skip


@transaction.atomic
def fail(order_ids: Iterable[int], *, reason: str, by: Actor, at: datetime) -> Outcome[Moved]:
    """Say that payments beforehand failed for good: *Fallido*, with the reason shown (ORD-08)."""
    return orders.debit_failed(order_ids, reason=reason, by=by, at=at)
