"""Refunds add up and agree with their orders; two orders that shared a parcel agree about it."""

from datetime import datetime

from marketplace.invariants import Broken, broken, invariant


@invariant("I27", "A refund is the sum of its lines, and no line has more given back than it was sold for.")
def refunds_add_up(at: datetime | None) -> Broken:
    return broken(
        """
        SELECT 'refund ' || r.id FROM refunds_refund r
          LEFT JOIN (SELECT refund_id, sum(goods_cents) AS goods, sum(goods_tax_cents) AS goods_tax,
                            sum(shipping_cents) AS shipping, sum(shipping_tax_cents) AS shipping_tax
                       FROM refunds_refundline GROUP BY 1) l ON l.refund_id = r.id
         WHERE (r.goods_cents, r.goods_tax_cents, r.shipping_cents, r.shipping_tax_cents)
               IS DISTINCT FROM (l.goods, l.goods_tax, l.shipping, l.shipping_tax)
        UNION ALL
        SELECT 'line ' || o.id FROM orders_line o
          JOIN (SELECT l.line_id, sum(l.goods_cents) AS goods, sum(l.shipping_cents) AS shipping
                  FROM refunds_refundline l JOIN refunds_refund r ON r.id = l.refund_id
                 WHERE r.state IN ('due', 'paid') GROUP BY 1) b ON b.line_id = o.id
         WHERE b.goods > o.goods_cents OR b.shipping > o.shipping_cents
        """
    )


@invariant(
    "I28", "What an order says that came back of its commission, and its refunds, agree with each other."
)
def orders_know_their_refunds(at: datetime | None) -> Broken:
    return broken(
        """
        WITH back AS (
            SELECT order_id, sum(amount_cents) AS cents, sum(commission_cents) AS fee, sum(commission_vat_cents) AS vat
              FROM refunds_refund WHERE state IN ('due', 'paid') GROUP BY 1)
        SELECT 'order ' || o.reference FROM orders_order o LEFT JOIN back b ON b.order_id = o.id
         WHERE (b.order_id IS NOT NULL OR o.commission_back_cents > 0 OR o.commission_vat_back_cents > 0)
           AND (o.commission_back_cents <> coalesce(b.fee, 0) OR o.commission_vat_back_cents <> coalesce(b.vat, 0)
                OR o.refunded_cents < coalesce(b.cents, 0))
        """
    )


@invariant(
    "I36", "What the operator covered of an order is what its refunds that stand say, and nothing else."
)
def covers_agree(at: datetime | None) -> Broken:
    return broken(
        """
        SELECT 'order ' || o.reference FROM orders_order o
          LEFT JOIN (SELECT e.order_id, sum(p.amount_cents) AS cents FROM ledger_entry e
                       JOIN ledger_posting p ON p.entry_id = e.id AND p.account = 'operator_cover'
                      WHERE e.kind = 'cover' GROUP BY 1) b ON b.order_id = o.id
          LEFT JOIN (SELECT order_id, sum(covered_cents) AS cents FROM refunds_refund
                      WHERE state IN ('due', 'paid') AND covered_cents > 0 GROUP BY 1) r ON r.order_id = o.id
         WHERE coalesce(b.cents, 0) <> coalesce(r.cents, 0)
        """
    )


@invariant("I29", "A refund that stands has its payback, of the same amount and answer.")
def refunds_are_asked_for(at: datetime | None) -> Broken:
    return broken(
        """
        SELECT 'refund ' || r.id FROM refunds_refund r JOIN orders_order o ON o.id = r.order_id
          LEFT JOIN payments_payback p ON p.id = r.payback_id
         WHERE (r.state IN ('due', 'paid', 'failed')) <> (p.id IS NOT NULL)
            OR p.amount_cents <> r.amount_cents OR p.order_id <> r.order_id
            OR (r.state = 'paid' AND p.state <> 'succeeded')
            OR (r.state = 'due' AND p.state IN ('succeeded', 'void'))
            OR (r.state = 'due' AND p.state = 'refused'
                AND (p.asked_anew OR p.undone OR o.state NOT IN ('returned', 'cancelled', 'refused', 'failed')))
            OR (r.state = 'failed' AND NOT (p.state = 'refused' AND p.undone))
        """
    )


@invariant("I26", "A redirected parcel ended one order and was sent with another, and both say so.")
def redirects_agree(at: datetime | None) -> Broken:
    return broken(
        """
        SELECT 'redirect ' || r.id FROM refunds_redirect r
          JOIN orders_order s ON s.id = r.source_id JOIN orders_order t ON t.id = r.target_id
          JOIN orders_shipment sp ON sp.id = r.source_parcel_id JOIN orders_shipment tp ON tp.id = r.target_parcel_id
         WHERE s.state <> 'returned' OR sp.order_id <> s.id OR tp.order_id <> t.id OR sp.redirected_at IS NULL
            OR sp.carrier_name <> tp.carrier_name OR sp.tracking <> tp.tracking
        UNION ALL
        SELECT 'exception ' || e.id FROM orders_deliveryexception e
          LEFT JOIN refunds_redirect r ON r.source_id = e.order_id
         WHERE e.how = 'redirected' AND r.id IS NULL
        """
    )


@invariant(
    "I32", "An order is held by a return exactly while one of it is accepted and has not ended, until it has."
)
def returns_hold_their_orders(at: datetime | None) -> Broken:
    return broken(
        """
        SELECT 'order ' || o.reference FROM orders_order o
          JOIN (SELECT order_id, bool_or(stands) AS stands, bool_or(held) AS held FROM (
                    SELECT order_id, true AS stands, false AS held FROM refunds_returnrequest
                     WHERE state IN ('accepted', 'instructed', 'sent', 'received', 'inspected')
                    UNION ALL
                    SELECT order_id, false, true FROM orders_hold
                     WHERE kind = 'return' AND released_at IS NULL) AS each GROUP BY 1) r ON r.order_id = o.id
         WHERE (r.held AND NOT r.stands)
            OR (r.stands AND NOT r.held AND o.state NOT IN ('closed', 'refused', 'cancelled', 'failed', 'returned'))
        """
    )


@invariant(
    "I33",
    "A return is of units that the customer has, none of them twice, and says of its refund what that one says.",
)
def returns_agree(at: datetime | None) -> Broken:
    return broken(
        """
        SELECT 'line ' || o.id FROM orders_line o
          JOIN (SELECT l.line_id, sum(l.units - CASE r.state WHEN 'replaced' THEN l.good ELSE 0 END) AS units
                  FROM refunds_returnline l
                  JOIN refunds_returnrequest r ON r.id = l.request_id
                 WHERE r.state NOT IN ('refused', 'withdrawn', 'lapsed') GROUP BY 1) b ON b.line_id = o.id
         WHERE b.units > o.shipped_quantity
        UNION ALL
        SELECT 'return ' || r.id FROM refunds_returnrequest r
          LEFT JOIN refunds_refund f ON f.id = r.refund_id
          LEFT JOIN (SELECT l.request_id, bool_and(l.good IS NOT NULL) AS looked_at, bool_or(l.good IS NOT NULL) AS any,
                            bool_or(o.order_id <> q.order_id) AS strange
                       FROM refunds_returnline l JOIN orders_line o ON o.id = l.line_id
                       JOIN refunds_returnrequest q ON q.id = l.request_id GROUP BY 1) l ON l.request_id = r.id
         WHERE l.request_id IS NULL OR l.strange OR l.looked_at <> l.any
            OR (r.inspected_at IS NOT NULL) <> l.looked_at
            OR (r.state = 'refunded') <> coalesce(f.state IN ('due', 'paid'), false) OR f.order_id <> r.order_id
            OR (r.state IN ('inspected', 'replaced', 'rejected')) AND r.inspected_at IS NULL
            OR (r.state = 'replaced') <> (r.new_carrier_name <> '')
            OR (r.state NOT IN ('asked', 'refused', 'withdrawn') AND r.accepted_at IS NULL)
        """
    )
