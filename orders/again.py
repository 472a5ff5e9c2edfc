"""What the views of an order's acts share: back to its page, with what went wrong where something did."""

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import resolve, reverse

from orders.forms import Attempt
from orders.models import Order
from sellers.access import DeskRequest, visiting


class SeeOther(HttpResponseRedirect):
    """Done; look at the result there, with a GET."""

    status_code = 303


def order_again(request: DeskRequest, order: Order, attempt: Attempt, status: int) -> HttpResponse:
    """The order's page with what went wrong; it belongs to the app above, so it is found by its address."""
    address = reverse("order", args=[order.reference])
    found, visit = resolve(address), visiting(request, address)
    visit.attempt = attempt  # type: ignore[attr-defined]
    page: HttpResponse = found.func(visit, *found.args, **found.kwargs)
    page.status_code = status
    return page
