"""Reads of settlement: when a channel closes next, and what is there to be taken."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from django.db import connection

from marketplace import bulk
from marketplace.models import Channel
from marketplace.policy import Settings, SettlementBy
from orders.queries import first_received
from settlements.models import Cycle
from settlements.states import Section, StatementState

LOOSE = ("adjustment", "payout_failed", "refund", "refund_undone", "cover")


def closings(channel: Channel, since: datetime) -> list[datetime]:
    """The channel's closing moments around `since`, as its policy says (SET-01): midnight, there, of days of the
    month, of days of the week, or of each so many days from one on."""
    if channel.policy is None:
        return []
    calendar = channel.calendar
    days = _DAYS[channel.policy.rules.settlement_by](channel.policy.rules, calendar.local_day(since))
    return [calendar.midnight(day).astimezone(UTC) for day in sorted(days)]


def _month_days(rules: Settings, around: date) -> Iterator[date]:
    first = around.replace(day=1)
    for month in (
        (first - timedelta(days=1)).replace(day=1),
        first,
        (first + timedelta(days=32)).replace(day=1),
    ):
        yield from (month.replace(day=day) for day in rules.settlement_days)


def _weekdays(rules: Settings, around: date) -> Iterator[date]:
    days = (around + timedelta(days=n) for n in range(-7, 8))
    return (day for day in days if day.isoweekday() in rules.settlement_weekdays)


def _every_days(rules: Settings, around: date) -> Iterator[date]:
    """None before the first; where that is still to come, it is the next."""
    span, first = rules.settlement_every_days, rules.settlement_from
    turn = max((around - first).days // span, 0)
    days = (first + timedelta(days=span * n) for n in range(turn - 1, turn + 2))
    return (day for day in days if day >= first)


_DAYS: dict[SettlementBy, Callable[[Settings, date], Iterator[date]]] = {
    SettlementBy.MONTH_DAYS: _month_days,
    SettlementBy.WEEKDAYS: _weekdays,
    SettlementBy.EVERY_DAYS: _every_days,
}


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


def next_invoice() -> datetime | None:
    """The first moment at which a statement was closed whose commission can be billed now."""
    moment: datetime | None = bulk.fetch(
        """
        SELECT min(s.closed_at) FROM settlements_statement s
         WHERE s.to_invoice AND EXISTS (SELECT FROM settlements_payee p WHERE p.shop_id = s.shop_id)
           AND EXISTS (SELECT FROM settlements_issuer i WHERE i.channel_id = s.channel_id)
        """
    )[0][0]
    return moment


def due_closing(channel: Channel, at: datetime) -> datetime | None:
    """The closing that the calendar has come to by now and that will find something to take; None while there is
    none."""
    due_at = next_closing_of(channel)
    return last_closing(channel, at) if due_at and due_at <= at else None


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


def needs_details(channel: Channel) -> bool:
    """Whether the channel pays only shops that have told their bank and tax details."""
    return channel.policy is not None and channel.policy.rules.payout_needs_details


def resting(channel: Channel, minimum_cents: int, *, count: int | None = None) -> list[tuple[int, str]]:
    """Shops, with a currency, whose last statement carried over what the channel would pay out by now: it asks for less
    than it did, or the shop has told its bank details since."""
    return bulk.fetch(
        """
        SELECT s.shop_id, s.currency
          FROM settlements_statement s JOIN settlements_cycle c ON c.id = s.cycle_id
         WHERE s.channel_id = %s AND s.carried_cents >= %s AND s.carried_cents > 0
           AND (NOT %s OR EXISTS (SELECT 1 FROM settlements_payee p WHERE p.shop_id = s.shop_id))
           AND NOT EXISTS (SELECT 1 FROM settlements_statement t JOIN settlements_cycle d ON d.id = t.cycle_id
                            WHERE t.shop_id = s.shop_id AND t.channel_id = s.channel_id
                              AND t.currency = s.currency AND d.closes_at > c.closes_at)
         ORDER BY s.shop_id, s.currency LIMIT %s
        """,
        [channel.id, minimum_cents, needs_details(channel), count],
    )


def loose_entries(
    cycle: Cycle, after: tuple[int, int], count: int
) -> list[tuple[int, int, int | None, str, str, int, int, int]]:
    """The next movements of payable balances that no statement has taken, in the order of (shop, entry), as (entry,
    shop, order, currency, kind, commission, its VAT, the rest), in cents; what the shop has back of a commission is
    below zero.

    What comes late for a statement of the cycle that is closed, which a killed run leaves, waits for the next.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT e.id, e.shop_id, e.order_id, b.currency, e.kind, b.fee, b.vat, b.rest
              FROM (SELECT e.id, e.shop_id, e.order_id, e.kind {_LOOSE_FROM} AND e.channel_id = %s AND e.at <= %s
                       AND (e.shop_id, e.id) > (%s, %s)
                       AND NOT EXISTS (SELECT FROM settlements_statement s
                                        WHERE s.cycle_id = %s AND s.shop_id = e.shop_id AND s.state = 'closed')
                     ORDER BY e.shop_id, e.id LIMIT %s) e
             CROSS JOIN LATERAL (
                SELECT p.currency,
                       coalesce(sum(p.amount_cents) FILTER (WHERE p.kind = 'COMMISSION_FEE'), 0)::bigint AS fee,
                       coalesce(sum(p.amount_cents) FILTER (WHERE p.kind = 'COMMISSION_VAT'), 0)::bigint AS vat,
                       -coalesce(sum(p.amount_cents)
                                 FILTER (WHERE p.kind NOT IN ('COMMISSION_FEE', 'COMMISSION_VAT')), 0)::bigint AS rest
                  FROM ledger_posting p WHERE p.entry_id = e.id AND p.account = 'payable' GROUP BY p.currency) b
             ORDER BY e.shop_id, e.id
            """,
            [list(LOOSE), cycle.channel_id, cycle.closes_at, *after, cycle.id, count],
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


SUMS = {
    "orders_cents": ("orders_cents", Section.ORDERS, 1),
    "commission_cents": ("commission_cents", Section.ORDERS, 1),
    "commission_vat_cents": ("commission_vat_cents", Section.ORDERS, 1),
    "refunds_cents": ("other_cents", Section.REFUND, 1),
    "commission_back_cents": ("commission_cents", Section.REFUND, -1),
    "commission_vat_back_cents": ("commission_vat_cents", Section.REFUND, -1),
    "cover_cents": ("other_cents", Section.COVER, 1),
    "adjustments_cents": ("other_cents", Section.ADJUSTMENT, 1),
    "returned_cents": ("other_cents", Section.RETURNED, 1),
}
"""What each sum of a statement is of: a column of its lines, of one section, and the sign that it is told with."""


def sums(statement_ids: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """What the lines of statements add up to: {statement: (lines, orders, then each of `SUMS`)}."""
    columns = ", ".join(
        f"coalesce({sign} * sum({name}) FILTER (WHERE section = '{section}'), 0)::bigint"
        for name, section, sign in SUMS.values()
    )
    rows = bulk.fetch(
        f"""
        SELECT statement_id, count(*), count(*) FILTER (WHERE section = 'orders'), {columns}
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


def unexplained(channels: Sequence[Channel]) -> list[int]:
    """Statements of these channels that the books do not explain to the cent: the balance before, with what the
    postings of the entries taken moved and less what was carried over, is not what was paid (SET-06)."""
    rows = bulk.fetch(
        """
        SELECT s.id FROM settlements_statement s
          LEFT JOIN settlements_payout p ON p.statement_id = s.id
          LEFT JOIN (SELECT l.statement_id, -sum(q.amount_cents) AS cents FROM settlements_statementline l
                       JOIN ledger_posting q ON q.entry_id = l.entry_id AND q.account = 'payable' GROUP BY 1) t
                 ON t.statement_id = s.id
          LEFT JOIN (SELECT e.key, sum(q.amount_cents) AS cents FROM ledger_entry e
                       JOIN ledger_posting q ON q.entry_id = e.id AND q.account = 'payable'
                      WHERE e.kind = 'statement' GROUP BY 1) b ON b.key = 'statement:' || s.id
         WHERE s.state = %s AND s.channel_id = ANY(%s)
           AND (s.opening_cents + coalesce(t.cents, 0) - s.carried_cents <> coalesce(b.cents, 0)
                OR coalesce(b.cents, 0) <> coalesce(p.amount_cents, 0))
         ORDER BY s.id
        """,
        [StatementState.CLOSED.value, [channel.id for channel in channels]],
    )
    return [row[0] for row in rows]
