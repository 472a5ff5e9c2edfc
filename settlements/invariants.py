"""Every cent that a customer paid is somewhere, and a settled order is paid once."""

from datetime import datetime

from marketplace.invariants import broken, invariant


@invariant(
    "I3",
    "Per order: captured = owed or paid to the shop + commission and its VAT + refunded or due back + still pending.",
)
def every_cent_is_somewhere(at: datetime | None) -> list[str]:
    return broken(
        """
        WITH books AS (
            SELECT e.order_id,
                   coalesce(sum(p.amount_cents) FILTER (WHERE e.kind IN ('charge', 'collect')
                                                      AND p.account IN ('provider', 'courier')), 0) AS captured,
                   -coalesce(sum(p.amount_cents) FILTER (WHERE p.account = 'pending'), 0) AS pending,
                   -coalesce(sum(p.amount_cents) FILTER (WHERE p.account IN ('payable', 'commission', 'commission_vat')), 0)
                       AS shared,
                   -coalesce(sum(p.amount_cents) FILTER (WHERE e.kind = 'refund' AND p.account = 'refund_due'), 0)
                       AS returned
              FROM ledger_entry e JOIN ledger_posting p ON p.entry_id = e.id
             WHERE e.order_id IS NOT NULL GROUP BY 1)
        SELECT 'order ' || o.reference || ': captured ' || coalesce(b.captured, 0)
          FROM orders_order o LEFT JOIN books b ON b.order_id = o.id
         WHERE coalesce(b.captured, 0) <> o.charged_cents
            OR coalesce(b.returned, 0) <> o.refunded_cents
            OR coalesce(b.captured - b.pending - b.shared - b.returned, 0) <> 0
            OR (o.state IN ('received', 'closed', 'cancelled', 'refused', 'failed', 'returned') AND coalesce(b.pending, 0) <> 0)
            OR (o.state IN ('received', 'closed')
                AND coalesce(b.shared, 0) <> o.charged_cents - o.refunded_cents)
        """
    )


@invariant("I4", "No more is refunded than was charged.")
def refunds_have_a_charge(at: datetime | None) -> list[str]:
    return broken("SELECT 'order ' || reference FROM orders_order WHERE refunded_cents > charged_cents")


@invariant("I5", "A settled order is in exactly one statement; a statement in at most one payout.")
def settled_once(at: datetime | None) -> list[str]:
    return broken(
        """
        SELECT 'order ' || o.reference FROM orders_order o
          LEFT JOIN (SELECT order_id, count(*) AS n FROM settlements_statementline
                      WHERE other_cents = 0 AND order_id IS NOT NULL GROUP BY 1) l ON l.order_id = o.id
         WHERE (o.state = 'closed') <> (coalesce(l.n, 0) = 1) OR coalesce(l.n, 0) > 1
        """
    )


@invariant("I6", "A payout is the sum of its statement's lines and opening balance, and its entry.")
def payouts_add_up(at: datetime | None) -> list[str]:
    return broken(
        """
        SELECT 'statement ' || s.id FROM settlements_statement s
          LEFT JOIN settlements_payout p ON p.statement_id = s.id
          LEFT JOIN (SELECT statement_id, count(*) AS n,
                            sum(orders_cents - commission_cents - commission_vat_cents + other_cents) AS cents
                       FROM settlements_statementline GROUP BY 1) l ON l.statement_id = s.id
          LEFT JOIN (SELECT e.key, sum(q.amount_cents) AS cents FROM ledger_entry e
                       JOIN ledger_posting q ON q.entry_id = e.id AND q.account = 'payable'
                      WHERE e.kind = 'statement' GROUP BY 1) b ON b.key = 'statement:' || s.id
         WHERE s.state = 'closed' AND (
               coalesce(l.cents, 0) + s.opening_cents <> s.payout_cents + s.carried_cents
            OR coalesce(l.n, 0) <> s.lines_count
            OR coalesce(p.amount_cents, 0) <> s.payout_cents
            OR coalesce(b.cents, 0) <> s.payout_cents)
        """
    )
