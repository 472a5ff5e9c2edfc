"""What a database tells, without its serial numbers: two databases that tell the same went through the same."""

from typing import Any

from django.db import connection

TABLES = {
    "orders": """
        SELECT reference, state, moved_at, ended_at, charged_cents, refunded_cents FROM orders_order ORDER BY 1""",
    "events": """
        SELECT o.reference, e.verb, e.before, e.after, e.at, e.role, e.data
          FROM orders_event e JOIN orders_order o ON o.id = e.order_id ORDER BY o.reference, e.id""",
    "notices": """
        SELECT n.event, n.audience, n.email, coalesce(o.reference, ''), n.payload
          FROM messaging_notice n LEFT JOIN orders_order o ON o.id = n.order_id ORDER BY 1, 2, 3, 4""",
    "entries": """
        SELECT s.code, e.kind, coalesce(o.reference, ''), e.at, p.account, p.kind, p.amount_cents
          FROM ledger_entry e JOIN ledger_posting p ON p.entry_id = e.id JOIN sellers_shop s ON s.id = e.shop_id
          LEFT JOIN orders_order o ON o.id = e.order_id ORDER BY 1, 2, 3, 5, 6""",
    "balances": """
        SELECT s.code, b.payable_cents FROM ledger_balance b JOIN sellers_shop s ON s.id = b.shop_id ORDER BY 1""",
    "lines": """
        SELECT o.reference, l.section, l.orders_cents, l.commission_cents, l.commission_vat_cents, l.other_cents
          FROM settlements_statementline l LEFT JOIN orders_order o ON o.id = l.order_id ORDER BY 1, 2, 3, 4, 5, 6""",
    "statements": """
        SELECT s.code, c.closes_at, c.ended_at, t.state, t.lines_count, t.opening_cents, t.refunds_cents,
               t.adjustments_cents, t.payout_cents, t.carried_cents, t.carried_why, t.closed_at
          FROM settlements_statement t JOIN sellers_shop s ON s.id = t.shop_id
          JOIN settlements_cycle c ON c.id = t.cycle_id ORDER BY 1, 2""",
    "payouts": """
        SELECT s.code, p.amount_cents, p.state, p.created_at
          FROM settlements_payout p JOIN sellers_shop s ON s.id = p.shop_id ORDER BY 1, 2""",
    "parked": "SELECT timer, trace FROM marketplace_parked",
}


def told() -> dict[str, list[tuple[Any, ...]]]:
    """Everything that a worker may have written, by table, in an order of its own."""
    with connection.cursor() as cursor:
        answer = {}
        for name, query in TABLES.items():
            cursor.execute(query)
            answer[name] = cursor.fetchall()
    return answer
