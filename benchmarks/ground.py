"""Ground for the benchmarks: many orders at one point of their life, made by set-based SQL in a moment."""

import os
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import django
from django.db import connection

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
django.setup()

AT = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)


def sql(statement: str, *params: Any) -> int:
    """Run one statement; answers how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)
        return int(cursor.rowcount)


def timed(what: str, rows: int, work: Callable[[], object]) -> float:
    """Run `work` once and say how many rows a second it did."""
    started = time.perf_counter()
    work()
    seconds = time.perf_counter() - started
    print(f"{what:<28} {rows:>9,} orders  {seconds:>7.2f} s  {rows / seconds:>9,.0f} orders/s", flush=True)
    return rows / seconds


def compare(one_round: Callable[[int], tuple[float, float]], *, wanted: float) -> None:
    """Run both sides in turn, so that a machine that slows down slows both, and say the median of the ratios: three
    rounds, or as many as the second argument says."""
    ratios = []
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS
    for number in range(rounds):
        ours, theirs = one_round(number)
        ratios.append(ours / theirs)
        print(f"ratio {ratios[-1]:.2f}", flush=True)
    print(f"ratio {median(ratios):.2f}, the median of {rounds} rounds (wanted: {wanted})")


ROUNDS = 3


def peak_mb() -> float:
    """The most memory that this process has had until now."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def count_asked(default: int = 100_000) -> int:
    """How many orders: the first argument, or 100,000."""
    return int(sys.argv[1]) if len(sys.argv) > 1 else default


def fresh(shops: int = 5000) -> int:
    """Empty every table (the triggers of the append-only ones aside) and make a channel and shops; answers its id."""
    from marketplace.services import open_channel

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(quote_ident(c.relname), ', ') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname ~ "
            "'^(orders|ledger|payments|messaging|settlements|sellers_shop|marketplace_(channel|policy|timerrun|parked))'"
        )
        tables = cursor.fetchone()[0]
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
        cursor.execute("SET session_replication_role = DEFAULT")
    channel = open_channel(
        "bench", "Bench", changes={"payout_needs_details": False}, by="bench", at=AT - timedelta(days=90)
    )
    sql(
        """
        INSERT INTO sellers_shop (code, name, legal_name, tax_id, contact_email, city, address, language, vat_seat, active)
        SELECT 's' || n, 'Tienda ' || n, '', '', 's' || n || '@tienda.example', '', '', 'es', 'domestic', true
          FROM generate_series(1, %s) n
        """,
        shops,
    )
    return channel.id


def orders(channel_id: int, count: int, state: str, batch: str) -> None:
    """Make `count` orders in a state, with a line and the first event each, spread over the shops."""
    sql(
        """
        WITH made AS (
            INSERT INTO orders_basket (channel_id, commercial_id, placed_at, currency, total_cents, paid_cents, payments)
            SELECT %s, %s || n, %s::timestamptz - n %% 1000 * interval '1 second', 'EUR', 8400, 8400, '[]'
              FROM generate_series(1, %s) n RETURNING id, commercial_id, placed_at)
        INSERT INTO orders_order (shop_id, channel_id, policy_id, basket_id, reference, state, currency, placed_at,
            moved_at, accept_by, accepted_at, receive_at, received_at, goods_cents, shipping_cents, total_cents, commission_cents,
            commission_vat_cents, charged_cents, refunded_cents, parcels, payment_token, customer_external_id,
            customer_name, customer_email, customer_language, customer_phone, street, postal_code, city, region, country,
            wants_invoice, items_text)
        SELECT s.id, %s, c.policy_id, m.id, m.commercial_id || '-A', %s, 'EUR', m.placed_at, m.placed_at,
               m.placed_at + interval '72 hours', m.placed_at, m.placed_at, m.placed_at, 7800, 600, 8400, 1008, 212,
               CASE WHEN %s = 'received' THEN 8400 ELSE 0 END, 0, 0, '', '', 'Ana Soler', 'ana@cliente.example', 'es', '',
               'Calle Mayor 14', '50001', 'Zaragoza', '', 'ES', false, 'Jarrón azul ×2 · Plato hondo'
          FROM made m
          JOIN marketplace_channel c ON c.id = %s
          JOIN sellers_shop s ON s.code = 's' || (1 + m.id %% (SELECT count(*) FROM sellers_shop))
        """,
        channel_id, batch, AT, count, channel_id, state, state, channel_id,
    )  # fmt: skip
    sql(
        """
        INSERT INTO orders_event (shop_id, order_id, verb, before, after, at, role, by, data)
        SELECT shop_id, id, 'place', '', state, moved_at, 'platform', 'bench', '{}' FROM orders_order
         WHERE reference LIKE %s
        """,
        batch + "%",
    )


def settle_down() -> None:
    """Let the database catch its breath, so that no run pays for the one before."""
    for statement in ("VACUUM ANALYZE", "CHECKPOINT"):
        sql(statement)
