"""Runs of settlement by hand or on the calendar, and their rehearsal: the same code, undone (SET-01, SET-02)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction

from marketplace import bulk
from marketplace.models import Channel
from marketplace.moments import day_words
from marketplace.refusals import Code, MoveRefused, Refusal, Tally
from orders.tasks import receive_shipped
from sellers.desk import PLATFORM, Actor
from settlements import queries
from settlements.models import Cycle
from settlements.services import alone, close_alone

FURTHEST = timedelta(days=366)
"""How far ahead a rehearsal looks."""


class Due(NamedTuple):
    """What a shop would be paid by a closing, and why; in cents, as the statement says them.

    `last_cents` is what its statement before this one paid, None where there is none.
    """

    shop_id: int
    shop: str
    currency: str
    orders: int
    opening_cents: int
    orders_cents: int
    commission_cents: int
    commission_vat_cents: int
    refunds_cents: int
    commission_back_cents: int
    commission_vat_back_cents: int
    cover_cents: int
    adjustments_cents: int
    returned_cents: int
    carried_cents: int
    carried_why: str
    payout_cents: int
    last_cents: int | None

    @property
    def difference_cents(self) -> int:
        """What it is paid more than last time; below zero, less."""
        return self.payout_cents - (self.last_cents or 0)


class LeftOut(NamedTuple):
    """Orders of a shop that would be settled if nothing held them: by what, how many, what was charged for them."""

    shop_id: int
    shop: str
    currency: str
    by: str
    orders: int
    cents: int


@dataclass(slots=True)
class Run:
    """What a run did, or a rehearsal would do: the closings, what it tells of each shop, and of what is left out."""

    closings: list[datetime] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    due: list[Due] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def count_receipts(*, tally: Tally, at: datetime) -> None:
    """Count as received what is due by now, so that a late clock costs no shop a cycle."""
    received = Tally()
    receive_shipped(at=at, tally=received)
    received.done = 0  # the timer of receipts counts them; here an order is done once it is in a statement
    tally.join(received)


def settle(channel: Channel, *, as_of: datetime | None = None, by: Actor, at: datetime) -> Run:
    """Close what the calendar has come to, or an extra cycle at a moment that has come; what a killed run left is
    finished first (SET-01, SET-03).

    What was received by that moment and is free now is taken. Raises MoveRefused: `run_at_work`, `nothing_due`,
    `not_yet`, `settled_since`.
    """
    with alone(channel) as mine:
        closings = _closings(channel, as_of, mine, False, at)
        _ask(channel, closings[-1], by)
        return _settle(channel, closings, at)


def rehearse(channel: Channel, *, as_of: datetime | None = None, at: datetime) -> Run:
    """Do what `settle` would do, tell it, and undo it all (SET-02).

    A moment to come is lived through as far as it follows from the calendar alone: what has been sent by now counts as
    received when its days are over. Raises MoveRefused like `settle`, with `too_far_ahead` for
    `not_yet`.
    """
    with alone(channel) as mine:
        closings = _closings(channel, as_of, mine, True, at)
        with transaction.atomic():
            run = _settle(channel, closings, max(at, closings[-1]))
            with connection.cursor() as cursor:
                cursor.execute(
                    "SET CONSTRAINTS ALL IMMEDIATE"
                )  # what a commit would refuse is refused here too
            run.due, run.left_out = _due(channel, closings), _left_out(channel, closings[-1])
            transaction.set_rollback(True)
    return run


@transaction.atomic
def start(channel: Channel, *, as_of: datetime | None = None, by: Actor, at: datetime) -> Cycle:
    """Open the cycle that `settle` would close, for the timer to close it at its next tick.

    Raises MoveRefused like `settle`.
    """
    with alone(channel) as mine:
        closes_at = _closings(channel, as_of, mine, False, at)[-1]
        return _ask(channel, closes_at, by)


def _ask(channel: Channel, closes_at: datetime, by: Actor) -> Cycle:
    """The cycle of a closing, with who asked for it where it is opened now."""
    asked = {"asked_by": by.label}
    return Cycle.objects.get_or_create(channel=channel, closes_at=closes_at, defaults=asked)[0]


def _settle(channel: Channel, closings: Sequence[datetime], at: datetime) -> Run:
    """Settling is the platform's, whoever asks for it."""
    run = Run(list(closings))
    count_receipts(tally=run.tally, at=at)
    for closes_at in closings:
        close_alone(channel, closes_at, tally=run.tally, by=PLATFORM, at=at)
    return run


def _closings(
    channel: Channel, as_of: datetime | None, mine: bool, rehearsed: bool, at: datetime
) -> list[datetime]:
    """The moments to close at, in order: what was left unfinished, then what is asked for."""
    if not mine:
        raise MoveRefused(Refusal(channel.id, Code.RUN_AT_WORK))
    cycles = Cycle.objects.filter(channel=channel)
    closings = list(cycles.filter(ended_at=None).order_by("closes_at").values_list("closes_at", flat=True))
    if as_of is None:
        due = queries.due_closing(channel, at)
        if due is None and not closings:
            raise MoveRefused(Refusal(channel.id, Code.NOTHING_DUE))
        return sorted({*closings, due} if due else closings)
    if as_of > at and not rehearsed:
        raise MoveRefused(Refusal(channel.id, Code.NOT_YET))
    if as_of > at + FURTHEST:
        raise MoveRefused(Refusal(channel.id, Code.TOO_FAR_AHEAD))
    last = cycles.filter(closes_at__gte=as_of).exclude(ended_at=None).order_by("closes_at").first()
    if last or any(moment > as_of for moment in closings):
        day = channel.calendar.local_day(last.closes_at if last else closings[-1])
        raise MoveRefused(Refusal(channel.id, Code.SETTLED_SINCE, f"({day_words(day, year=True)})"))
    return sorted({*closings, as_of})


_TOLD = ", ".join(f"s.{name}" for name in Due._fields[4:17])


def _due(channel: Channel, closings: Sequence[datetime]) -> list[Due]:
    """What the statements of these closings say, and what each shop was paid the time before."""
    rows: list[tuple[Any, ...]] = bulk.fetch(
        f"""
        SELECT s.shop_id, shop.name, s.currency,
               (SELECT count(*) FROM settlements_statementline l
                 WHERE l.statement_id = s.id AND l.section = 'orders'), {_TOLD},
               (SELECT last.payout_cents FROM settlements_statement last
                  JOIN settlements_cycle before ON before.id = last.cycle_id
                 WHERE last.shop_id = s.shop_id AND last.channel_id = s.channel_id AND last.currency = s.currency
                   AND before.closes_at < c.closes_at ORDER BY before.closes_at DESC LIMIT 1)
          FROM settlements_statement s JOIN settlements_cycle c ON c.id = s.cycle_id
          JOIN sellers_shop shop ON shop.id = s.shop_id
         WHERE c.channel_id = %s AND c.closes_at = ANY(%s::timestamptz[]) AND s.state = 'closed'
         ORDER BY shop.name, s.shop_id, s.currency, c.closes_at
        """,
        [channel.id, list(closings)],
    )
    return [Due(*row) for row in rows]


def _left_out(channel: Channel, up_to: datetime) -> list[LeftOut]:
    """What would have been taken by then if no hold and no incident stood on it, by shop and by what stands."""
    rows: list[tuple[Any, ...]] = bulk.fetch(
        """
        SELECT o.shop_id, shop.name, o.currency, h.kind, count(*), sum(o.charged_cents - o.refunded_cents)::bigint
          FROM (SELECT id, shop_id, currency, charged_cents, refunded_cents FROM orders_order
                 WHERE channel_id = %s AND state IN ('shipped', 'delivered', 'received') AND receive_at <= %s
                   AND (held_at IS NOT NULL OR incident_at IS NOT NULL)) o
          JOIN sellers_shop shop ON shop.id = o.shop_id
         CROSS JOIN LATERAL (
            SELECT kind FROM orders_hold WHERE order_id = o.id AND released_at IS NULL
             ORDER BY kind = 'incident' DESC, kind = 'return' DESC, id LIMIT 1) h
         GROUP BY o.shop_id, shop.name, o.currency, h.kind ORDER BY shop.name, o.shop_id, h.kind
        """,
        [channel.id, up_to],
    )
    return [LeftOut(*row) for row in rows]
