"""`./run bench settle [N [ROUNDS]]`: closing a cycle over N received orders of 5,000 shops against the same writes as
bare SQL, and the most memory that it took.

The bare run writes the same rows into the same tables, with the same constraints and triggers, by set-based
statements in one transaction: orders, history, statements, lines, payouts, entries, postings, balances, notices.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from benchmarks import ground
from benchmarks.ground import sql, timed

CLOSES_AT = datetime(2026, 3, 31, 22, 0, tzinfo=UTC)


def received(channel_id: int, count: int, batch: str) -> None:
    """Orders that count as received, with their entries in the books and the shops' balances."""
    from django.db import transaction

    with transaction.atomic():
        ground.orders(channel_id, count, "received", batch)
        sql(
            """
            INSERT INTO ledger_entry (key, kind, shop_id, channel_id, order_id, at, note)
            SELECT kind || ':' || o.id, kind, o.shop_id, o.channel_id, o.id, o.moved_at, ''
              FROM orders_order o CROSS JOIN (VALUES ('charge'), ('receive')) AS k (kind) WHERE o.reference LIKE %s
            """,
            batch + "%",
        )
        sql(
            """
            INSERT INTO ledger_posting (entry_id, shop_id, account, kind, currency, amount_cents)
            SELECT e.id, e.shop_id, p.account, p.kind, 'EUR', p.cents FROM ledger_entry e
              JOIN orders_order o ON o.id = e.order_id AND o.reference LIKE %s
              JOIN (VALUES ('charge', 'provider', 'ORDER_AMOUNT', 8400), ('charge', 'pending', 'ORDER_AMOUNT', -8400),
                           ('receive', 'pending', 'ORDER_AMOUNT', 8400), ('receive', 'payable', 'ORDER_AMOUNT', -8400),
                           ('receive', 'payable', 'COMMISSION_FEE', 1008), ('receive', 'payable', 'COMMISSION_VAT', 212),
                           ('receive', 'commission', 'COMMISSION_FEE', -1008),
                           ('receive', 'commission_vat', 'COMMISSION_VAT', -212)) AS p (entry, account, kind, cents)
                ON p.entry = e.kind
            """,
            batch + "%",
        )
        sql(
            """
            INSERT INTO ledger_balance AS old (shop_id, channel_id, currency, payable_cents)
            SELECT shop_id, channel_id, 'EUR', 7180 * count(*) FROM orders_order WHERE reference LIKE %s GROUP BY 1, 2
            ON CONFLICT (shop_id, channel_id, currency)
            DO UPDATE SET payable_cents = old.payable_cents + EXCLUDED.payable_cents
            """,
            batch + "%",
        )


def product(channel_id: int, closes_at: datetime) -> None:
    from marketplace.models import Channel
    from marketplace.refusals import Tally
    from settlements import services

    channel = Channel.objects.select_related("policy").get(id=channel_id)
    services.close_cycle(channel, closes_at, tally=Tally(), at=closes_at)


def bare(channel_id: int, closes_at: datetime) -> None:
    from django.db import transaction

    with transaction.atomic():
        sql("INSERT INTO settlements_cycle (channel_id, closes_at, ended_at, asked_by) VALUES (%s, %s, %s, '')",
            channel_id, closes_at, closes_at)  # fmt: skip
        sql(
            """
            INSERT INTO settlements_statement (shop_id, channel_id, cycle_id, currency, state, opening_cents, orders_cents,
                commission_cents, commission_vat_cents, refunds_cents, commission_back_cents, commission_vat_back_cents, cover_cents,
                adjustments_cents, returned_cents, payout_cents, carried_cents, carried_why, to_invoice, lines_count, closed_at)
            SELECT o.shop_id, o.channel_id, c.id, o.currency, 'closed', 0, sum(o.charged_cents), sum(o.commission_cents),
                   sum(o.commission_vat_cents), 0, 0, 0, 0, 0, 0,
                   sum(o.charged_cents - o.commission_cents - o.commission_vat_cents), 0, '', true, count(*), %s
              FROM orders_order o JOIN settlements_cycle c ON c.channel_id = o.channel_id AND c.closes_at = %s
             WHERE o.state = 'received' AND o.held_at IS NULL AND o.incident_at IS NULL AND o.received_at <= %s
             GROUP BY 1, 2, 3, 4
            """,
            closes_at, closes_at, closes_at,
        )  # fmt: skip
        sql(
            """
            INSERT INTO settlements_statementline (shop_id, statement_id, order_id, entry_id, section, orders_cents,
                                                   commission_cents, commission_vat_cents, other_cents)
            SELECT o.shop_id, s.id, o.id, e.id, 'orders', o.charged_cents, o.commission_cents, o.commission_vat_cents, 0
              FROM orders_order o
              JOIN settlements_statement s ON s.shop_id = o.shop_id AND s.channel_id = o.channel_id AND s.closed_at = %s
              JOIN ledger_entry e ON e.order_id = o.id AND e.kind = 'receive'
             WHERE o.state = 'received' AND o.held_at IS NULL AND o.incident_at IS NULL AND o.received_at <= %s
            """,
            closes_at, closes_at,
        )  # fmt: skip
        sql(
            """
            INSERT INTO orders_event (shop_id, order_id, verb, before, after, at, role, by, user_id, data)
            SELECT shop_id, id, 'settle', 'received', 'closed', %s, 'platform', 'platform', NULL,
                   jsonb_build_object('cycle', %s::timestamptz)
              FROM orders_order
             WHERE state = 'received' AND held_at IS NULL AND incident_at IS NULL AND received_at <= %s
            """,
            closes_at, closes_at, closes_at,
        )  # fmt: skip
        sql(
            """
            UPDATE orders_order SET state = 'closed', moved_at = %s, ended_at = %s
             WHERE state = 'received' AND held_at IS NULL AND incident_at IS NULL AND received_at <= %s
            """,
            closes_at, closes_at, closes_at,
        )  # fmt: skip
        _bare_payments(closes_at)


def _bare_payments(closes_at: datetime) -> None:
    sql(
        """
        INSERT INTO settlements_payout (shop_id, statement_id, amount_cents, currency, state, created_at, answer)
        SELECT shop_id, id, payout_cents, currency, 'in_transit', closed_at, '' FROM settlements_statement
         WHERE closed_at = %s
        """,
        closes_at,
    )
    sql(
        """
        WITH made AS (
            INSERT INTO ledger_entry (key, kind, shop_id, channel_id, order_id, at, note)
            SELECT 'statement:' || id, 'statement', shop_id, channel_id, NULL, closed_at, '' FROM settlements_statement
             WHERE closed_at = %s RETURNING id, shop_id, key)
        INSERT INTO ledger_posting (entry_id, shop_id, account, kind, currency, amount_cents)
        SELECT m.id, m.shop_id, p.account, 'PAYMENT', s.currency, p.sign * s.payout_cents
          FROM made m JOIN settlements_statement s ON m.key = 'statement:' || s.id
         CROSS JOIN (VALUES ('payable', 1), ('in_transit', -1)) AS p (account, sign)
        """,
        closes_at,
    )
    sql(
        """
        UPDATE ledger_balance b SET payable_cents = b.payable_cents - s.payout_cents FROM settlements_statement s
         WHERE s.closed_at = %s AND b.shop_id = s.shop_id AND b.channel_id = s.channel_id AND b.currency = s.currency
        """,
        closes_at,
    )
    sql(
        """
        INSERT INTO messaging_notice (event, audience, shop_id, order_id, email, language, payload, muted, due_at, tries,
                                      last_error, message_id)
        SELECT 'statement_closed', 'seller', s.shop_id, NULL, h.contact_email, 'es',
               jsonb_build_object('shop', h.name, 'orders', s.lines_count, 'payout_cents', s.payout_cents), false, %s, 0,
               '', ''
          FROM settlements_statement s JOIN sellers_shop h ON h.id = s.shop_id WHERE s.closed_at = %s
        """,
        closes_at, closes_at,
    )  # fmt: skip


TABLES = ("orders_event", "settlements_statement", "settlements_statementline", "settlements_payout", "ledger_entry",
          "ledger_posting", "messaging_notice")  # fmt: skip


def written() -> dict[str, int]:
    from marketplace import bulk

    return {table: bulk.fetch(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}


def grown(work: Callable[[], object]) -> dict[str, int]:
    before = written()
    work()
    return {table: n - before[table] for table, n in written().items()}


def main() -> None:
    count = ground.count_asked()
    channel_id = ground.fresh()
    rates: list[float] = []

    def one_round(number: int) -> tuple[float, float]:
        rates.clear()
        first, second = (CLOSES_AT + timedelta(days=15 * (2 * number + n)) for n in (0, 1))
        received(channel_id, count, f"P{number}-")
        ground.settle_down()
        ours = grown(
            lambda: rates.append(timed("closing a cycle", count, lambda: product(channel_id, first)))
        )
        received(channel_id, count, f"B{number}-")
        ground.settle_down()
        theirs = grown(
            lambda: rates.append(timed("the same writes, bare SQL", count, lambda: bare(channel_id, second)))
        )
        if ours != theirs:
            raise SystemExit(f"not the same writes: {ours} against {theirs}")
        return rates[0], rates[1]

    ground.compare(one_round, wanted=0.6)
    print(f"at most {ground.peak_mb():.0f} MB (wanted: at most 400)")


if __name__ == "__main__":
    main()
