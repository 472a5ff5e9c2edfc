"""What a shop does with the invoice that a customer asked for: hands it in under *Documentos* (DOC-02)."""

from dataclasses import replace

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from marketplace.bell import ring
from marketplace.refusals import MoveRefused, Refusal
from messaging import invoices
from messaging.forms import InvoiceForm
from orders import services
from orders.again import SeeOther, order_again
from orders.forms import Attempt
from orders.queries import get_order
from orders.states import Verb
from sellers.access import DeskRequest, at_the_desk, visiting
from sellers.desk import Right, who_has


@require_http_methods(["GET", "HEAD", "POST"])
@at_the_desk
def order_invoice(request: DeskRequest, reference: str) -> HttpResponse:
    """Hand in the invoice of an order; refused by a rule it is 409 and the order's page with the reason, not understood
    422 (DOC-02). Whoever visits its address is on the way to the order's documents."""
    order, at = get_order(request.membership, reference), timezone.now()
    address = reverse("order", args=[order.reference], query={"tab": "documentos"})
    if request.method != "POST":
        return HttpResponseRedirect(address)
    if not request.actor.may(Right.ANSWER):
        told = {"order": order, "who": who_has(Right.ANSWER)}
        return render(visiting(request, address), "orders/no_right.jinja", told, status=403)
    form = InvoiceForm(request.POST, request.FILES, rules=order.policy.rules)
    attempt = Attempt(Verb.INVOICE_GIVEN, form)
    code = services.judge_invoice(order, by=request.actor, at=at)
    if code is not None:
        return order_again(request, order, replace(attempt, refusal=Refusal(order.id, code)), 409)
    if not form.is_valid():
        return order_again(request, order, attempt, 422)
    try:
        invoices.hand_in_files(order, form.cleaned_data["files"], by=request.actor, at=at)
    except MoveRefused as refused:
        return order_again(request, order, replace(attempt, refusal=refused.refusal), 409)
    ring("notices")
    return SeeOther(f"{address}#factura")
