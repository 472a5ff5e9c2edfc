"""The page on which money is given back to a customer: all that is left, or line by line, with what it means
(REF-01)."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from marketplace.bell import ring
from marketplace.models import Reason, ReasonKind
from marketplace.refusals import Code, MoveRefused, Refusal
from messaging.conversations import with_customer
from orders import services
from orders.again import SeeOther
from orders.models import Order
from orders.queries import get_order, lines_of
from orders.states import HoldKind
from refunds import refunding, return_ends
from refunds.forms import DETAILED, RefundForm, fresh_key
from refunds.models import Refund, ReturnRequest
from refunds.queries import left_of
from refunds.refunding import Plan
from refunds.return_queries import get_return
from refunds.return_queries import lines_of as lines_of_return
from refunds.states import RefundState
from sellers.access import DeskRequest, at_the_desk
from sellers.desk import Actor, Right, who_has

FOLLOWERS = ("payback", "notices")
MESSAGES = 6
"""How many of the last messages with the customer stand beside the form."""


@require_http_methods(["GET", "HEAD", "POST"])
@at_the_desk
def order_refund(request: DeskRequest, reference: str) -> HttpResponse:
    """What of an order is to go back to its customer, and what comes of it before it is done. A GET with what was typed
    works it out and changes nothing; a POST does it.

    Whoever may not, or an order that cannot be refunded, leads back to the order. Raises Http404.
    """
    order = get_order(request.membership, reference)
    address = reverse("order", args=[order.reference])
    if not request.actor.may(Right.REFUND):
        told = {"order": order, "who": who_has(Right.REFUND)}
        return render(request, "orders/no_right.jinja", told, status=403)
    given = _given_back(request, order)
    code = services.judge_refund(order, by=request.actor, at=max(timezone.now(), order.moved_at))
    if request.method != "POST":
        if code is not None:
            messages.warning(request, str(code.label))
            return HttpResponseRedirect(address)
        return _page(request, order, _form(request, order, request.GET or None, given), given=given)
    form = _form(request, order, request.POST, given)
    if not form.is_valid():
        return _page(request, order, form, given=given, status=422)
    try:
        made = _refund(order, given, form, by=request.actor)
    except MoveRefused as refused:
        return _page(request, order, form, refused.refusal, given=given, status=409)
    ring(*FOLLOWERS)
    if made.state == RefundState.ASKED:
        messages.success(request, _("Pedido al operador: si lo cubre, el reembolso se hace solo."))
    else:
        messages.success(request, _("Reembolso hecho: el dinero va camino del cliente."))
    return SeeOther(reverse("return", args=[order.reference, given.number]) if given else address)


def _given_back(request: DeskRequest, order: Order) -> ReturnRequest | None:
    """The return that the refund is of, by the number in the address or the form. Raises Http404."""
    number = request.POST.get("devolucion") or request.GET.get("devolucion") or ""
    if not number:
        return None
    if not (number.isascii() and number.isdigit() and len(number) < 5):
        raise Http404(number)
    return get_return(request.membership, order.reference, int(number))


def _refund(order: Order, given: ReturnRequest | None, form: RefundForm, *, by: Actor) -> Refund:
    at = timezone.now()
    if given is None:
        return refunding.refund(order.id, form.wish, by=by, at=at)
    return return_ends.refund(given.id, form.wish, by=by, at=at)


def _prefilled(given: ReturnRequest) -> QueryDict:
    """The form of a return as its inspection has it: the units that were good."""
    data = QueryDict(mutable=True)
    data["how"], data["reason"] = DETAILED, "returned"
    for one in lines_of_return(given):
        data[f"units_{one.line_id}"] = str(one.good or 0)
    return data


def _form(
    request: DeskRequest, order: Order, data: QueryDict | None, given: ReturnRequest | None = None
) -> RefundForm:
    if given is not None and (data is None or "how" not in data):
        data = _prefilled(given)
    return RefundForm(
        data,
        lines=lines_of(order, request.membership),
        left=left_of(order),
        reasons=list(Reason.objects.filter(kind=ReasonKind.REFUND, active=True)),
        said=with_customer(order, request.membership, most=MESSAGES, by=request.actor, at=timezone.now()),
        currency=order.currency,
    )


def _page(
    request: DeskRequest,
    order: Order,
    form: RefundForm,
    refusal: Refusal | None = None,
    *,
    given: ReturnRequest | None = None,
    status: int = 200,
) -> HttpResponse:
    worked, flaw = _worked(order, form)
    told: dict[str, Any] = {
        "order": order,
        "now": timezone.now(),
        "zone": order.channel.calendar.zone,
        "form": form,
        "given": given,
        "disputed": order.holds.filter(kind=HoldKind.INCIDENT, released_at=None).exists(),
        "key": form.data.get("key") or fresh_key(),
        "worked": worked,
        "ended": return_ends.foreseen(order, worked, given) if worked else [],
        "flaw": "" if refusal else flaw,
        "refusal": refusal,
        "short": refusal is not None and refusal.code == Code.BALANCE_TOO_LOW,
        "manager": request.shop.account_manager,
        "until": services.refund_by(order),
    }
    return render(request, "refunds/refund.jinja", told, status=status)


def _worked(order: Order, form: RefundForm) -> tuple[Plan | None, str]:
    """What the form comes to, or why it comes to nothing."""
    if form.is_bound:
        form.is_valid()
    if form.chosen == DETAILED and not getattr(form, "cleaned_data", None):
        return None, ""
    try:
        return refunding.plan(order, form.parts if form.is_bound else None), ""
    except MoveRefused as refused:
        return None, refused.refusal.text
