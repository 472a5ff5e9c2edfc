"""The page on which a customer asks for their invoice, and says whom it is made out to (DOC-02)."""

from django.http import HttpResponse
from django.utils import timezone

from customer import services as own
from customer.access import CustomerRequest, by_link
from customer.billing import usual_words
from customer.forms import InvoiceForm
from customer.views import either, finished, order_with, page_of
from marketplace.bell import ring
from marketplace.refusals import Code, MoveRefused, Refusal
from orders import services


@by_link
@either
def invoice(request: CustomerRequest) -> HttpResponse:
    """Ask for the invoice, or say anew whom it is made out to, until it is handed in (DOC-02)."""
    order, at = request.order, timezone.now()
    code = services.judge_invoice_wish(order, by=request.actor, at=at)
    if code is not None:
        return order_with(request, Refusal(order.id, code))
    posted = request.method == "POST"
    form = InvoiceForm(request.POST if posted else None, initial={"made_out_to": usual_words(order)})
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        return page_of(request, "customer_invoice", "customer/invoice.jinja", {"form": form}, status)
    try:
        own.ask_invoice(order, form.cleaned_data["made_out_to"], by=request.actor, at=at)
    except MoveRefused as refused:
        if refused.refusal.code == Code.TOO_OFTEN:
            told = {"form": form, "refusal": refused.refusal}
            return page_of(request, "customer_invoice", "customer/invoice.jinja", told, 429)
        return order_with(request, refused.refusal)
    ring("notices")
    return finished(request, "customer_order", "factura")
