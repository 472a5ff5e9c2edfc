"""The address of a customer's page, as their mails have it."""

from datetime import datetime

from django.utils import timezone

from messaging.customer_links import customer_url
from orders.models import Order


def path_of(order: Order, at: datetime | None = None) -> str:
    """The address of an order's page, without the site's name; of a mail sent now, or then."""
    return "/" + customer_url(order.id, at=at or timezone.now()).split("/", 3)[3]
