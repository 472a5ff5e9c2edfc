"""Every cent that a customer paid is somewhere, and a settled order is paid once."""

from datetime import datetime

from marketplace.invariants import Broken, broken, invariant


@invariant(
    "I3",
    "Per order: captured = owed or paid to the shop + commission and its VAT + refunded or due back + still pending.",
)
def every_cent_is_somewhere(at: datetime | None) -> Broken:
    return broken(
        """
        WITH books AS (
            SELECT e.order_id,
                   coalesce(sum(p.amount_cents) FILTER (WHERE e.kind IN ('charge', 'collect')
                                                      AND p.account IN ('provider', 'courier')), 0) AS captured,
                   -coalesce(sum(p.amount_cents) FILTER (WHERE p.account = 'pending'), 0) AS pending,
                   -coalesce(sum(p.amount_cents) FILTER (WHERE p.account IN ('payable', 'commission', 'commission_vat')), 0)
                       AS shared,
                   -coalesce(sum(p.amount_cents) FILTER (WHERE e.kind IN ('refund', 'refund_undone')
                                                       AND p.account = 'refund_due'), 0)
                       AS returned
              FROM ledger_entry e JOIN ledger_posting p ON p.entry_id = e.id
             WHERE e.order_id IS NOT NULL AND e.kind <> 'cover' GROUP BY 1)
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
def refunds_have_a_charge(at: datetime | None) -> Broken:
    return broken("SELECT 'order ' || reference FROM orders_order WHERE refunded_cents > charged_cents")


@invariant("I5", "A settled order is in exactly one statement; a statement in at most one payout.")
def settled_once(at: datetime | None) -> Broken:
    return broken(
        """
        SELECT 'order ' || o.reference FROM orders_order o
          LEFT JOIN (SELECT order_id, count(*) AS n FROM settlements_statementline
                      WHERE section = 'orders' GROUP BY 1) l ON l.order_id = o.id
         WHERE (o.state = 'closed') <> (coalesce(l.n, 0) = 1) OR coalesce(l.n, 0) > 1
        """
    )


@invariant(
    "I6",
    "A payout is the sum of its statement's lines, each section apart, and opening balance, and its entry.",
)
def payouts_add_up(at: datetime | None) -> Broken:
    return broken(
        """
        SELECT 'statement ' || s.id FROM settlements_statement s
          LEFT JOIN settlements_payout p ON p.statement_id = s.id
          LEFT JOIN (SELECT statement_id, count(*) AS n, sum(cents) AS cents,
                            sum(cents) FILTER (WHERE section = 'orders') AS orders,
                            sum(cents) FILTER (WHERE section = 'refund') AS refunds,
                            sum(cents) FILTER (WHERE section = 'cover') AS cover,
                            sum(cents) FILTER (WHERE section = 'adjustment') AS adjustments,
                            sum(cents) FILTER (WHERE section = 'returned') AS returned
                       FROM (SELECT statement_id, section,
                                    orders_cents - commission_cents - commission_vat_cents + other_cents AS cents
                               FROM settlements_statementline) line GROUP BY 1) l ON l.statement_id = s.id
          LEFT JOIN (SELECT e.key, sum(q.amount_cents) AS cents FROM ledger_entry e
                       JOIN ledger_posting q ON q.entry_id = e.id AND q.account = 'payable'
                      WHERE e.kind = 'statement' GROUP BY 1) b ON b.key = 'statement:' || s.id
         WHERE s.state = 'closed' AND (
               coalesce(l.orders, 0) <> s.orders_cents - s.commission_cents - s.commission_vat_cents
            OR coalesce(l.refunds, 0) <> s.refunds_cents + s.commission_back_cents + s.commission_vat_back_cents
            OR coalesce(l.cover, 0) <> s.cover_cents
            OR coalesce(l.adjustments, 0) <> s.adjustments_cents
            OR coalesce(l.returned, 0) <> s.returned_cents
            OR coalesce(l.cents, 0) + s.opening_cents <> s.payout_cents + s.carried_cents
            OR coalesce(l.n, 0) <> s.lines_count
            OR coalesce(p.amount_cents, 0) <> s.payout_cents
            OR coalesce(b.cents, 0) <> s.payout_cents)
        """
    )


@invariant("I11", "The numbers of each series of invoices are 1…n, without a gap.")
def no_number_is_missing(at: datetime | None) -> Broken:
    return broken(
        """
        SELECT 'series ' || s.code FROM settlements_series s
          LEFT JOIN (SELECT series_id, count(*) AS n, min(number) AS first, max(number) AS last
                       FROM settlements_invoice GROUP BY 1) i ON i.series_id = s.id
         WHERE coalesce(i.n, 0) <> s.last_number OR (s.last_number > 0 AND (i.first <> 1 OR i.last <> s.last_number))
        """
    )


@invariant(
    "I34", "What was billed of a statement, and given back, is what it says of its commission and its VAT."
)
def bills_agree(at: datetime | None) -> Broken:
    return broken(
        """
        SELECT 'statement ' || s.id FROM settlements_statement s
          JOIN (SELECT statement_id, sum(base_cents) FILTER (WHERE kind = 'invoice') AS base,
                       sum(vat_cents) FILTER (WHERE kind = 'invoice') AS vat,
                       sum(base_cents) FILTER (WHERE kind = 'credit') AS base_back,
                       sum(vat_cents) FILTER (WHERE kind = 'credit') AS vat_back
                  FROM settlements_invoice GROUP BY 1) i ON i.statement_id = s.id
         WHERE coalesce(i.base, 0) <> s.commission_cents OR coalesce(i.vat, 0) <> s.commission_vat_cents
            OR coalesce(i.base_back, 0) <> -s.commission_back_cents
            OR coalesce(i.vat_back, 0) <> -s.commission_vat_back_cents OR s.to_invoice
        UNION ALL
        SELECT 'invoice ' || i.id FROM settlements_invoice i
          JOIN (SELECT invoice_id, sum(base_cents) AS base, sum(vat_cents) AS vat
                  FROM settlements_invoicerate GROUP BY 1) r ON r.invoice_id = i.id
         WHERE (r.base, r.vat) IS DISTINCT FROM (i.base_cents, i.vat_cents)
        """
    )
