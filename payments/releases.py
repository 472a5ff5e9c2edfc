"""Authorisations that nobody will charge: let go, so that the customer has the money again (ORD-02, ORD-05)."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from marketplace import outbox, queries
from orders.models import Order
from orders.signals import Moved
from orders.states import Verb
from payments.models import Release
from payments.providers import Answer, NoAnswer, Status, authorised
from payments.services import ASK_AGAIN, answered, begin, desk_of

_ENDS = frozenset({Verb.REFUSE, Verb.EXPIRE, Verb.LAPSE, Verb.CANCEL, Verb.DEBIT_FAILED})


def open_releases(moves: Sequence[Moved], verb: str) -> None:
    """Write down the authorisations of orders that have ended, or are worth nothing, without being charged."""
    Release.objects.bulk_create(
        Release(
            shop_id=move.shop_id,
            order_id=move.order_id,
            provider=provider,
            card=move.payment_token,
            amount_cents=move.total_cents,
            currency=move.currency,
            due_at=move.at,
        )
        for move in moves
        if (verb in _ENDS or (verb == Verb.ACCEPT and move.total_cents == 0))
        and move.charged_cents == 0
        and authorised(provider := queries.channel(move.channel_id).provider, move.payment_token)
    )


def ask_release(release: Release, *, at: datetime) -> None:
    """Have the provider let go of one authorisation, unless another order of the basket may still be charged on it.

    Then nothing is done: the charge of that order lets go of the rest, and its end asks for a release of its own.
    """
    if begin(release, at=at) is None:
        return
    answer = Answer(Status.REFUSED, message="kept for another order")
    if not _still_wanted(release):
        try:
            answer = desk_of(release).let_go(release.card, at=at)
        except NoAnswer as silence:
            answer = Answer(Status.PENDING, message=str(silence))
    with transaction.atomic():
        row = outbox.mine(release)
        if row is None:
            return
        if answer.status == Status.PENDING:
            outbox.again(row, at=at, error=answer.message, wait=ASK_AGAIN)
        else:
            answered(row, answer, at=at)


def _still_wanted(release: Release) -> bool:
    others = Order.objects.filter(
        basket_id=release.order.basket_id, payment_token=release.card, ended_at=None, debited_at=None
    )
    return others.exclude(id=release.order_id).exists()
