"""Two orders that shared a parcel agree about it."""

from datetime import datetime

from marketplace.invariants import broken, invariant


@invariant("I26", "A redirected parcel ended one order and was sent with another, and both say so.")
def redirects_agree(at: datetime | None) -> list[str]:
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
