"""What the views of an order's acts share: back to its page, with what went wrong where something did."""

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from orders.forms import Attempt
from orders.models import Order
from sellers.access import DeskRequest, shown_with


class SeeOther(HttpResponseRedirect):
    """Done; look at the result there, with a GET."""

    status_code = 303


def order_again(request: DeskRequest, order: Order, attempt: Attempt, status: int) -> HttpResponse:
    """The order's page with what went wrong."""
    return shown_with(request, reverse("order", args=[order.reference]), attempt, status)
