"""What a shop does with an answer of its own that went to the operator: one click sends it on (MSG-07)."""

from django.forms import Form
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import resolve, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from marketplace.bell import ring
from marketplace.refusals import MoveRefused
from messaging import astray
from messaging.message_views import SeeOther, tab_url
from messaging.models import Message
from orders.forms import Attempt
from orders.models import Order
from orders.queries import get_order
from sellers.access import DeskRequest, at_the_desk, visiting
from sellers.desk import Right, who_has


@require_http_methods(["GET", "HEAD", "POST"])
@at_the_desk
def message_send_on(request: DeskRequest, reference: str, message_id: int) -> HttpResponse:
    """Send the text of an answer by mail to whom it was meant for; refused, the order's page says why.

    Whoever visits its address is on the way to the conversations.
    """
    order = get_order(request.membership, reference)
    address = tab_url(order)
    if request.method != "POST":
        return HttpResponseRedirect(address)
    if not request.actor.may(Right.ANSWER):
        told = {"order": order, "who": who_has(Right.ANSWER)}
        return render(visiting(request, address), "orders/no_right.jinja", told, status=403)
    if not Message.objects.filter(id=message_id, thread__order=order, misdirected=True).exists():
        raise Http404
    try:
        sent = astray.send_on(message_id, by=request.actor, at=timezone.now())
    except MoveRefused as refused:
        return _refused(request, order, Attempt("send_on", Form(), refused.refusal), address)
    ring("notices")
    return SeeOther(tab_url(order, enviado=str(sent.id)) + f"#hilo-{sent.thread_id}")


def _refused(request: DeskRequest, order: Order, attempt: Attempt, address: str) -> HttpResponse:
    """The order's page with the reason; the page belongs to the app above: its address finds it."""
    found, visit = resolve(reverse("order", args=[order.reference])), visiting(request, address)
    visit.attempt = attempt  # type: ignore[attr-defined]
    page: HttpResponse = found.func(visit, *found.args, **found.kwargs)
    page.status_code = 409
    return page
