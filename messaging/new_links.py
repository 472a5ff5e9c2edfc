"""A new link to the page of their order, mailed to a customer whose own has ended (ROL-03)."""

import json
from datetime import datetime, timedelta

from django.db import transaction

from marketplace import bulk
from messaging.models import Audience, Notice
from messaging.services import COLUMNS, notice_row
from orders.models import Order

EVENT = "new_link"
MOST_A_DAY = 3
APART = timedelta(minutes=10)
"""Whoever holds an old link may have mails sent to the customer: seldom enough to be no nuisance."""


@transaction.atomic
def mail_new_link(order_id: int, *, at: datetime) -> bool:
    """Have a new link mailed to the address of the order, which nobody can choose here.

    Answers whether it will be; whoever asked is told the same in any case.
    """
    order = Order.objects.select_for_update(of=("self",), no_key=True).select_related("shop").get(id=order_id)
    told = Notice.objects.filter(order_id=order_id, event=EVENT)
    lately = list(told.filter(created_at__gt=at - timedelta(days=1)).values_list("created_at", flat=True))
    if not order.customer_email or len(lately) >= MOST_A_DAY or any(one > at - APART for one in lately):
        return False
    payload = {
        "reference": order.reference,
        "shop": order.shop.name,
        "channel_id": order.channel_id,
        "customer": order.customer_name,
        "at": at.isoformat(),
    }
    row = notice_row(
        EVENT,
        Audience.CUSTOMER,
        (order.customer_email, order.customer_language),
        json.dumps(payload),
        shop_id=order.shop_id,
        order_id=order.id,
        at=at,
    )
    return bulk.insert(Notice, COLUMNS, [row]) == 1
