"""What happens to settled orders, said in a line."""

import uuid
from datetime import datetime

from marketplace.reasons import Why
from orders.models import Order
from refunds import refunding
from refunds.amounts import Part
from refunds.models import Refund
from refunds.refunding import Wish
from sellers.desk import Actor


def refunded(order_id: int, cents: int, *, by: Actor, at: datetime) -> Refund:
    """Give so much of the first line of an order back."""
    line = Order.objects.get(id=order_id).lines.all()[0]
    wish = Wish(uuid.uuid4(), Why("damaged"), (Part(line.id, 1, cents, 0),), agreed="de acuerdo")
    return refunding.refund(order_id, wish, by=by, at=at)
