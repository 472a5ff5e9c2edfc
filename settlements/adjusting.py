"""Adjustments: asked for with a reason, agreed to by a second person above an amount, posted once."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Abs

from ledger.services import adjust
from marketplace.models import Channel
from marketplace.money import format_money
from marketplace.policy import Role
from marketplace.refusals import Code, MoveRefused, Outcome, Refusal
from sellers.desk import Actor
from sellers.models import Shop
from settlements.models import Adjustment
from settlements.states import AdjustmentState

A_DAY = timedelta(hours=24)


def alone_cents(shop: Shop, channel: Channel, *, by: Actor, at: datetime) -> int:
    """How much one operator may still adjust this shop's balance by alone: what they did in the last 24 hours counts,
    on whatever channel, so that a large adjustment is not made of small ones."""
    if channel.policy is None:
        return 0
    rows = Adjustment.objects.filter(
        shop=shop,
        currency=channel.currency,
        asked_by=by.user_id,
        decided_by=by.user_id,
        asked_at__gt=at - A_DAY,
    ).exclude(entry=None)
    done = rows.aggregate(cents=Sum(Abs("amount_cents")))["cents"] or 0
    return max(channel.policy.rules.adjustment_alone_cents - done, 0)


@transaction.atomic
def ask(shop: Shop, channel: Channel, cents: int, *, reason: str, by: Actor, at: datetime) -> Adjustment:
    """Credit (above zero) or charge (below) a shop in the channel's currency: at once where the amount is small enough
    for one person, else once another agrees.

    Raises MoveRefused: `not_allowed`, `nothing_chosen` for zero, `reason_needed`.
    """
    if by.role != Role.OPERATOR or by.user_id is None:
        raise MoveRefused(Refusal(0, Code.NOT_ALLOWED))
    if not cents:
        raise MoveRefused(Refusal(0, Code.NOTHING_CHOSEN))
    if not reason.strip():
        raise MoveRefused(Refusal(0, Code.REASON_NEEDED))
    shop = Shop.objects.select_for_update(no_key=True).get(id=shop.id)
    alone = abs(cents) <= alone_cents(shop, channel, by=by, at=at)
    asked = Adjustment.objects.create(
        shop=shop,
        channel=channel,
        amount_cents=cents,
        currency=channel.currency,
        reason=reason.strip()[:200],
        asked_at=at,
        asked_by_id=by.user_id,
    )
    if alone:
        _post(asked, by=by, at=at)
    return asked


@transaction.atomic
def approve(ids: Sequence[int], *, by: Actor, at: datetime) -> Outcome[int]:
    """Agree to adjustments that others asked for; the books have them now, once (SET-04).

    Refused: `not_allowed`, `decided`, `own_request`.
    """
    rows, refused = _asked(ids, by)
    own = [row for row in rows if row.asked_by_id == by.user_id]
    refused += [Refusal(row.id, Code.OWN_REQUEST) for row in own]
    agreed = [row for row in rows if row.asked_by_id != by.user_id]
    for row in agreed:
        _post(row, by=by, at=at)
    return Outcome([row.id for row in agreed], refused)


@transaction.atomic
def decline(ids: Sequence[int], *, answer: str, by: Actor, at: datetime) -> Outcome[int]:
    """Say no to adjustments, or take one's own back; nothing is posted.

    Refused: `not_allowed`, `decided`, `reason_needed`.
    """
    if not answer.strip():
        return Outcome([], [Refusal(row_id, Code.REASON_NEEDED) for row_id in ids])
    rows, refused = _asked(ids, by)
    for row in rows:
        row.decline()
        row.decided_at, row.decided_by_id, row.answer = at, by.user_id, answer.strip()[:200]
        row.save(update_fields=["state", "decided_at", "decided_by", "answer"])
    return Outcome([row.id for row in rows], refused)


def lock_asked(ids: Sequence[int]) -> list[Adjustment]:
    """These adjustments as they stand now, locked in the order of their keys."""
    return list(Adjustment.objects.select_for_update(no_key=True).filter(id__in=ids).order_by("id"))


def _asked(ids: Sequence[int], by: Actor) -> tuple[list[Adjustment], list[Refusal]]:
    if by.role != Role.OPERATOR or by.user_id is None:
        return [], [Refusal(row_id, Code.NOT_ALLOWED) for row_id in ids]
    rows = lock_asked(ids)
    refused = [Refusal(row.id, Code.DECIDED) for row in rows if row.state != AdjustmentState.ASKED]
    return [row for row in rows if row.state == AdjustmentState.ASKED], refused


def _post(row: Adjustment, *, by: Actor, at: datetime) -> None:
    ids = adjust(
        row.shop_id,
        row.channel_id,
        row.amount_cents,
        row.currency,
        key=f"op:{row.id}",
        note=row.reason,
        at=at,
    )
    row.post()
    row.decided_at, row.decided_by_id, (row.entry_id,) = at, by.user_id, ids.values()
    row.save(update_fields=["state", "decided_at", "decided_by", "entry"])


def words(row: Adjustment) -> str:
    """An adjustment as lists name it."""
    return f"{row.shop} · {format_money(row.amount_cents, row.currency)}"
