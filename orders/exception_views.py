"""What a shop decides of a parcel that could not be delivered (EXC-03); another order is in `refunds`."""

from django import forms
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from orders import services
from orders.exception_forms import RetryForm
from orders.forms import Attempt
from orders.models import Order
from orders.views import _act, _try
from sellers.access import DeskRequest


@_act
def order_retry(request: DeskRequest, order: Order) -> HttpResponse:
    """Send out again what could not be delivered, where the order says or where it is corrected to."""
    form = RetryForm(request.POST, order=order)
    by, at = request.actor, timezone.now()
    return _try(
        request,
        order,
        Attempt("retry", form),
        lambda: services.retry(
            [order.id], corrections={order.id: form.correction} if form.correction else None, by=by, at=at
        ),
        said=_("Vuelve a estar en camino."),
    )


@_act
def order_return(request: DeskRequest, order: Order) -> HttpResponse:
    """Say that the parcel came back to the shop: the order ends, and what was charged goes back (CAN-05)."""
    by, at = request.actor, timezone.now()
    said = _("El pedido ha vuelto a la tienda.")
    if order.charged_cents:
        said = _("El pedido ha vuelto a la tienda. Lo cobrado se devuelve al cliente.")
    return _try(
        request,
        order,
        Attempt("return_to_sender", forms.Form(request.POST)),
        lambda: services.return_to_sender([order.id], by=by, at=at),
        said=said,
        bells=("payback", "notices"),
    )
