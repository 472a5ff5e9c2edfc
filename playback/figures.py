"""The closing table of a replay, counted from what stands in the database: a second run counts the same."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Sum

from ledger.models import Account, Posting
from marketplace.invariants import check_all
from marketplace.models import Channel
from orders.models import Event, HeardEvent, Hold, Order
from orders.states import HoldKind, Verb
from playback.player import DONE, IGNORED
from refunds.models import Refund
from refunds.states import STANDING
from settlements.models import Payout, Statement
from settlements.queries import unexplained


@dataclass(frozen=True, slots=True)
class Figures:
    """What became of a channel's orders; amounts in cents.

    `unexplained` counts statements whose postings do not come to what was paid (SET-06); `paid_cents` is what
    statements paid out; `pending_cents` what customers paid for orders not received yet;
    `payable_cents` what shops are owed beyond their last statement; `couriers_cents` and `providers_cents` what
    couriers and payment providers hold, which is what is under way with them (PAY-06).
    """

    orders: int
    states: dict[str, int]
    auto_cancelled: int
    held_mismatch: int
    refused: dict[str, int]
    ignored: dict[str, int]
    refunds: int
    refunded_cents: int
    statements: int
    unexplained: int
    paid_cents: int
    pending_cents: int
    payable_cents: int
    couriers_cents: int
    providers_cents: int
    parked: int
    seconds: float
    invariants_failed: list[str]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def count(*channels: Channel, at: datetime | None, seconds: float, parked: int) -> Figures:
    """Count the figures of channels that were played into and check every invariant, deadlines judged by `at`."""
    mine = Order.objects.filter(channel__in=channels)
    heard = HeardEvent.objects.filter(channel__in=channels)

    refunds = Refund.objects.filter(order__channel__in=channels, state__in=STANDING)

    def standing(account: Account) -> int:
        return _sum(Posting.objects.filter(entry__channel__in=channels, account=account))

    return Figures(
        orders=mine.count(),
        states=dict(mine.values_list("state").annotate(n=Count("id")).order_by("state")),
        auto_cancelled=Event.objects.filter(
            order__channel__in=channels, verb__in=(Verb.EXPIRE, Verb.LAPSE)
        ).count(),
        held_mismatch=Hold.objects.filter(order__channel__in=channels, kind=HoldKind.PAYMENT_MISMATCH)
        .values("order_id")
        .distinct()
        .count(),
        refused=dict(
            heard.exclude(outcome__in=[DONE, IGNORED])
            .values_list("outcome")
            .annotate(n=Count("id"))
            .order_by("outcome")
        ),
        ignored=dict(
            heard.filter(outcome=IGNORED).values_list("kind").annotate(n=Count("id")).order_by("kind")
        ),
        refunds=refunds.count(),
        refunded_cents=_sum(refunds),
        statements=Statement.objects.filter(channel__in=channels).count(),
        unexplained=len(unexplained(channels)),
        paid_cents=_sum(Payout.objects.filter(statement__channel__in=channels)),
        pending_cents=-standing(Account.PENDING),
        payable_cents=-standing(Account.PAYABLE),
        couriers_cents=standing(Account.COURIER),
        providers_cents=standing(Account.PROVIDER),
        parked=parked,
        seconds=round(seconds, 1),
        invariants_failed=[result.invariant.code for result in check_all(at=at) if result.failures],
    )


def _sum(rows: Any) -> int:
    return int(rows.aggregate(cents=Sum("amount_cents"))["cents"] or 0)


def analyse() -> None:
    """Let the planner know what has been written: a replay fills empty tables faster than autovacuum looks."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
