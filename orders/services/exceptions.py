"""Deliveries that a carrier could not make, as rows of their own: opened when it says so, ended by the next move."""

from collections.abc import Sequence
from datetime import datetime

from marketplace import bulk
from marketplace.reasons import Why
from orders.models import DeliveryException, Ending, Order
from sellers.desk import Actor


def open_exceptions(
    orders: Sequence[Order], reason: Why, parcel: int | None, *, by: Actor, at: datetime
) -> None:
    """Write down that orders could not be delivered, each with its parcel: the one named, or the last (EXC-02)."""
    bulk.write(
        DeliveryException,
        """
        INSERT INTO orders_deliveryexception
               (shop_id, order_id, shipment_id, reason_code, note, reported_at, reported_by, ended_by, how)
        SELECT failed.shop_id, failed.order_id,
               (SELECT s.id FROM orders_shipment s WHERE s.order_id = failed.order_id
                   AND s.number = coalesce(%s::integer, s.number) ORDER BY s.number DESC LIMIT 1),
               %s::varchar, %s::varchar, %s::timestamptz, %s::varchar, '', ''
          FROM unnest(%s::bigint[], %s::bigint[]) AS failed (shop_id, order_id)
        """,
        [
            parcel,
            reason.code,
            reason.note,
            at,
            by.label,
            [order.shop_id for order in orders],
            [order.id for order in orders],
        ],
    )


def end_exceptions(order_ids: Sequence[int], how: Ending, *, by: Actor, at: datetime) -> None:
    """Write down how the trouble with the deliveries of these orders ended."""
    if order_ids:
        bulk.write(
            DeliveryException,
            "UPDATE orders_deliveryexception SET ended_at = %s, ended_by = %s, how = %s "
            "WHERE order_id = ANY(%s::bigint[]) AND ended_at IS NULL",
            [at, by.label, str(how), list(order_ids)],
        )
