"""Orders as rows: baskets, orders, lines, parcels, holds, and the history that nobody can edit.

Children carry `shop_id` and refer to their order by (shop_id, id); the composite foreign keys are in the migrations,
so the database itself refuses a foreign parent (ROL-01, I10).
"""

from orders.models.carriers import CarrierRequest, Granting
from orders.models.exceptions import DeliveryException, Ending
from orders.models.goods import LONGEST_ACCESS, Line, Part, Shipment, ShipmentLine
from orders.models.order import LONGEST_INVOICE_TO, OWES_INVOICE, Basket, Child, Order, Words
from orders.models.rates import CommissionRate
from orders.models.requests import Asking, Request
from orders.models.trail import DocumentKind, Download, Event, HeardEvent, Hold

__all__ = [
    "LONGEST_ACCESS",
    "LONGEST_INVOICE_TO",
    "OWES_INVOICE",
    "Asking",
    "Basket",
    "CarrierRequest",
    "Child",
    "CommissionRate",
    "DeliveryException",
    "DocumentKind",
    "Download",
    "Ending",
    "Event",
    "Granting",
    "HeardEvent",
    "Hold",
    "Line",
    "Order",
    "Part",
    "Request",
    "Shipment",
    "ShipmentLine",
    "Words",
]
