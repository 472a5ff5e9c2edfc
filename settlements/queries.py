"""Reads of settlement: when a channel closes next, and what is there to be taken."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from django.db import connection

from marketplace import bulk
from marketplace.models import Channel
from orders.queries import first_received
from settlements.models import Cycle
from settlements.states import StatementState

LOOSE = ("adjustment", "payout_failed", "refund")


def closings(channel: Channel, since: datetime) -> list[datetime]:
    """The channel's closing moments around `since`: midnight, there, of each settlement day of three months."""
    calendar = channel.calendar
    if channel.policy is None:
        return []
    first = calendar.local_day(since).replace(day=1)
    months = [(first - timedelta(days=1)).replace(day=1), first, (first + timedelta(days=32)).replace(day=1)]
    days = [date(m.year, m.month, day) for m in months for day in channel.policy.rules.settlement_days]
    return [calendar.midnight(day).astimezone(UTC) for day in sorted(days)]


def last_closing(channel: Channel, at: datetime) -> datetime | None:
    """The latest closing moment that has come by `at`."""
    return max((moment for moment in closings(channel, at) if moment <= at), default=None)


def next_closing() -> datetime | None:
    """The first closing that will find something to take; None while nothing waits for one."""
    moments = [next_closing_of(channel) for channel in Channel.objects.select_related("policy")]
    return min((moment for moment in moments if moment), default=None)


def next_closing_of(channel: Channel) -> datetime | None:
    """The first closing of this channel that will find something to take, or has been left unfinished."""
    unfinished = Cycle.objects.filter(channel=channel, ended_at=None).order_by("closes_at").first()
    if unfinished:
        return unfinished.closes_at
    ended = (
        Cycle.objects.filter(channel=channel)
        .order_by("-closes_at")
        .values_list("closes_at", flat=True)
        .first()
    )
    firsts = [first_received(channel.id), _first_loose(channel)]
    if resting(channel, minimum_payout(channel), count=1):
        firsts.append(ended)
    since = min((moment for moment in firsts if moment), default=None)
    if since is None:
        return None
    if ended is not None and ended >= since:
        since = ended + timedelta(microseconds=1)
    return min((moment for moment in closings(channel, since) if moment >= since), default=None)


def _first_loose(channel: Channel) -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT min(e.at) {_LOOSE_FROM} AND e.channel_id = %s", [list(LOOSE), channel.id])
        moment: datetime | None = (cursor.fetchone() or (None,))[0]
    return moment


_LOOSE_FROM = """
    FROM ledger_entry e
    LEFT JOIN settlements_statementline taken ON taken.entry_id = e.id
    LEFT JOIN orders_order o ON o.id = e.order_id
    WHERE e.kind = ANY(%s) AND taken.id IS NULL AND (o.id IS NULL OR o.state = 'closed')
      AND EXISTS (SELECT 1 FROM ledger_posting p WHERE p.entry_id = e.id AND p.account = 'payable')
"""


def minimum_payout(channel: Channel) -> int:
    """The least that the channel pays out, in cents; a payout is never of nothing."""
    return max(channel.policy.rules.minimum_payout_cents if channel.policy else 0, 1)


def resting(channel: Channel, minimum_cents: int, *, count: int | None = None) -> list[tuple[int, str]]:
    """Shops, with a currency, whose last statement carried over what the channel would pay out by now."""
    return bulk.fetch(
        """
        SELECT s.shop_id, s.currency
          FROM settlements_statement s JOIN settlements_cycle c ON c.id = s.cycle_id
         WHERE s.channel_id = %s AND s.carried_cents >= %s AND s.carried_cents > 0
           AND NOT EXISTS (SELECT 1 FROM settlements_statement t JOIN settlements_cycle d ON d.id = t.cycle_id
                            WHERE t.shop_id = s.shop_id AND t.channel_id = s.channel_id
                              AND t.currency = s.currency AND d.closes_at > c.closes_at)
         ORDER BY s.shop_id, s.currency LIMIT %s
        """,
        [channel.id, minimum_cents, count],
    )


def loose_entries(channel: Channel, up_to: datetime) -> list[tuple[int, int, int | None, str, int]]:
    """Movements of payable balances that no statement has taken, as (entry, shop, order, currency, cents)."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT e.id, e.shop_id, e.order_id,
                   (SELECT min(p.currency) FROM ledger_posting p WHERE p.entry_id = e.id),
                   (SELECT -sum(p.amount_cents)::bigint FROM ledger_posting p
                     WHERE p.entry_id = e.id AND p.account = 'payable')
            {_LOOSE_FROM} AND e.channel_id = %s AND e.at <= %s ORDER BY e.shop_id, e.id
            """,
            [list(LOOSE), channel.id, up_to],
        )
        return list(cursor.fetchall())


def receipts(order_ids: Sequence[int]) -> dict[int, tuple[int, int, int, int]]:
    """What the books say of received orders: {order: (entry, amount, commission, its VAT)}, in cents."""
    rows = bulk.fetch(
        """
            SELECT e.order_id, e.id,
                   -coalesce(sum(p.amount_cents) FILTER (WHERE p.kind = 'ORDER_AMOUNT'), 0)::bigint,
                   coalesce(sum(p.amount_cents) FILTER (WHERE p.kind = 'COMMISSION_FEE'), 0)::bigint,
                   coalesce(sum(p.amount_cents) FILTER (WHERE p.kind = 'COMMISSION_VAT'), 0)::bigint
              FROM ledger_entry e JOIN ledger_posting p ON p.entry_id = e.id AND p.account = 'payable'
             WHERE e.order_id = ANY(%s::bigint[]) AND e.kind = 'receive'
             GROUP BY e.order_id, e.id
            """,
        [list(order_ids)],
    )
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}


def collecting(cycle: Cycle, after: int, count: int) -> list[int]:
    """Statements of a cycle that still collect."""
    rows = cycle.statements.filter(state=StatementState.COLLECTING, id__gt=after)
    return list(rows.order_by("id").values_list("id", flat=True)[:count])


def sums(statement_ids: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """What the lines of statements add up to: {statement: (lines, orders, amount, commission, its VAT, other)}."""
    rows = bulk.fetch(
        """
        SELECT statement_id, count(*), count(*) FILTER (WHERE order_id IS NOT NULL AND other_cents = 0),
               sum(orders_cents)::bigint, sum(commission_cents)::bigint,
               sum(commission_vat_cents)::bigint, sum(other_cents)::bigint
          FROM settlements_statementline WHERE statement_id = ANY(%s::bigint[]) GROUP BY 1
        """,
        [list(statement_ids)],
    )
    return {row[0]: row[1:] for row in rows}


def carried(channel_id: int, shop_ids: Sequence[int]) -> dict[tuple[int, str], int]:
    """What each shop's last closed statement carried over, by (shop, currency); negative ones too (SET-08)."""
    rows = bulk.fetch(
        """
        SELECT DISTINCT ON (s.shop_id, s.currency) s.shop_id, s.currency, s.carried_cents
          FROM settlements_statement s JOIN settlements_cycle c ON c.id = s.cycle_id
         WHERE s.channel_id = %s AND s.shop_id = ANY(%s::bigint[]) AND s.state = 'closed'
         ORDER BY s.shop_id, s.currency, c.closes_at DESC
        """,
        [channel_id, list(shop_ids)],
    )
    return {(shop_id, currency): cents for shop_id, currency, cents in rows}


def of_closed_statements(cycle: Cycle, order_ids: Sequence[int]) -> set[int]:
    """Those of these orders whose shop's statement of the cycle has been closed already."""
    rows = bulk.fetch(
        """
        SELECT o.id FROM orders_order o JOIN settlements_statement s
            ON s.shop_id = o.shop_id AND s.cycle_id = %s AND s.currency = o.currency AND s.state = 'closed'
         WHERE o.id = ANY(%s::bigint[])
        """,
        [cycle.id, list(order_ids)],
    )
    return {row[0] for row in rows}
