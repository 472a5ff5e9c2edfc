"""What every question to a provider has in common: written down before it is put, answered once."""

from datetime import datetime, timedelta

from django.db import transaction

from marketplace import bulk, outbox, queries
from payments.models import Ask, Charge
from payments.providers import KEYED, Answer, Provider, Status, provider
from payments.states import AskState

ASK_AGAIN = timedelta(seconds=30)


def begin(ask: Ask, *, at: datetime) -> bool | None:
    """Mark a claimed question as asked: True the first time, False when it was asked before, None to leave it be."""
    with transaction.atomic():
        row = outbox.mine(ask)
        if row is None or row.state not in (AskState.WAITING, AskState.ASKED):
            return None
        if row.state == AskState.ASKED:
            return False
        if row.due_at is None:  # paused by a hold since it was claimed
            bulk.update(type(row), ("id", "claimed_until", "claimed_by"), [(row.id, None, None)])
            return None
        row.ask()
        bulk.update(type(row), ("id", "state", "asked_at"), [(row.id, row.state, at)])
        return True


def desk_of(ask: Ask) -> Provider:
    """The provider that something is asked of, with the keys of its order's channel where it has such."""
    if ask.provider not in KEYED:
        return provider(ask.provider)
    ((channel_id,),) = bulk.fetch("SELECT channel_id FROM orders_order WHERE id = %s", [ask.order_id])
    return provider(ask.provider, queries.channel(channel_id).code)


def answered(row: Ask, answer: Answer, *, at: datetime) -> None:
    if answer.status == Status.SUCCEEDED:
        row.succeed()
    else:
        row.refuse()
    row.answered_at, row.message = at, answer.message[:200]
    row.reference = answer.reference or row.reference
    row.due_at = row.claimed_until = row.claimed_by = None
    names: tuple[str, ...] = _ANSWERED
    if isinstance(row, Charge):
        row.alert_at = None
        names = (*_ANSWERED, "alert_at")
    bulk.update(type(row), names, [tuple(getattr(row, name) for name in names)])


_ANSWERED = ("id", "state", "answered_at", "reference", "message", "due_at", "claimed_until", "claimed_by")


def same_amount(row: Ask, answer: Answer) -> None:
    """What was moved is what was asked; if not, nothing is posted and people see to it (PAY-01, PAY-03)."""
    if answer.amount_cents not in (None, row.amount_cents):
        raise ValueError(
            f"asked for {row.amount_cents}, and {answer.amount_cents} was moved: {answer.reference}"
        )
