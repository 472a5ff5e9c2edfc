"""`./run bench expire [N]`: the 72-hour job over N due orders against the same writes as bare SQL.

The product takes its timer's way: due by index, locked, judged one by one in Python, moved through the machine, the
history and the notices written, some hundreds a transaction. The bare run writes the same rows with three statements
in one transaction.
"""

from datetime import timedelta

from benchmarks import ground
from benchmarks.ground import AT, sql, timed


def product() -> None:
    from marketplace import timers
    from marketplace.celery import BY_NAME

    timers.run(BY_NAME["expire"], at=AT + timedelta(hours=73), record=False)


def bare(batch: str) -> None:
    from django.db import transaction

    at = AT + timedelta(hours=73)
    with transaction.atomic():
        sql(
            """
            INSERT INTO orders_event (shop_id, order_id, verb, before, after, at, role, by, user_id, data)
            SELECT shop_id, id, 'expire', state, 'cancelled', %s, 'platform', 'platform', NULL, '{}' FROM orders_order
             WHERE state = 'pending_acceptance' AND accept_by < %s AND reference LIKE %s
            """,
            at, at, batch + "%",
        )  # fmt: skip
        sql(
            """
            INSERT INTO messaging_notice (event, audience, shop_id, order_id, email, language, payload, muted, due_at,
                                          tries, last_error, message_id)
            SELECT 'expire', who, o.shop_id, o.id, CASE who WHEN 'seller' THEN s.contact_email ELSE o.customer_email END,
                   'es', sample.payload || jsonb_build_object('reference', o.reference), false, %s, 0, '', ''
              FROM orders_order o JOIN sellers_shop s ON s.id = o.shop_id
             CROSS JOIN (VALUES ('customer'), ('seller')) AS audience (who)
             CROSS JOIN (SELECT payload FROM messaging_notice WHERE event = 'expire' LIMIT 1) AS sample
             WHERE o.state = 'pending_acceptance' AND o.accept_by < %s AND o.reference LIKE %s
            """,
            at, at, batch + "%",
        )  # fmt: skip
        sql(
            """
            UPDATE orders_order SET state = 'cancelled', moved_at = %s, ended_at = %s
             WHERE state = 'pending_acceptance' AND accept_by < %s AND reference LIKE %s
            """,
            at, at, at, batch + "%",
        )  # fmt: skip


def written() -> tuple[int, int, int]:
    return (
        sql("SELECT 1 FROM orders_order WHERE state = 'cancelled'"),
        sql("SELECT 1 FROM orders_event WHERE verb = 'expire'"),
        sql("SELECT 1 FROM messaging_notice"),
    )


def main() -> None:
    count = ground.count_asked()
    channel_id = ground.fresh()

    def one_round(number: int) -> tuple[float, float]:
        before = written()
        ground.orders(channel_id, count, "pending_acceptance", f"P{number}-")
        ground.settle_down()
        ours = timed("72-hour job", count, product)
        between = written()
        ground.orders(channel_id, count, "pending_acceptance", f"B{number}-")
        ground.settle_down()
        theirs = timed("the same writes, bare SQL", count, lambda: bare(f"B{number}-"))
        made = [n - m for n, m in zip(between, before, strict=True)]
        if made != [n - m for n, m in zip(written(), between, strict=True)] or made[0] != count:
            raise SystemExit(f"not the same writes: {made}")
        return ours, theirs

    ground.compare(one_round, wanted=0.5)


if __name__ == "__main__":
    main()
