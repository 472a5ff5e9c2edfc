"""What a shop does to an incident: one form, one service, then back to the order's page."""

from dataclasses import replace

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from incidents import services
from incidents.forms import ResolveForm
from incidents.queries import get_incident
from marketplace.bell import ring
from marketplace.models import Reason, ReasonKind
from marketplace.refusals import MoveRefused, Refusal
from orders.again import SeeOther, order_again
from orders.forms import Attempt
from sellers.access import DeskRequest, at_the_desk, visiting
from sellers.desk import Right, who_has


@require_http_methods(["GET", "HEAD", "POST"])
@at_the_desk
def incident_resolve(request: DeskRequest, reference: str, number: int) -> HttpResponse:
    """Say that an incident is solved, and how (INC-04). Whoever visits the address is on the way to the order."""
    incident = get_incident(request.membership, reference, number)
    order, by, at = incident.order, request.actor, timezone.now()
    order.shop = request.shop
    address = reverse("order", args=[order.reference])
    if request.method != "POST":
        return HttpResponseRedirect(address)
    if not (by.may(Right.WORK_ORDERS) or by.may(Right.ANSWER)):
        told = {"order": order, "who": who_has(Right.ANSWER)}
        return render(visiting(request, address), "orders/no_right.jinja", told, status=403)
    reasons = list(Reason.objects.filter(kind=ReasonKind.SOLVED, active=True))
    form = ResolveForm(request.POST, reasons=reasons, asks_message=order.policy.rules.incident_tells_operator)
    attempt = Attempt(f"resolve_{incident.number}", form)
    if not form.is_valid():
        code = services.judge(incident, "resolve", by=by, at=at)
        if code is None:
            return order_again(request, order, attempt, 422)
        return order_again(request, order, replace(attempt, refusal=Refusal(incident.id, code)), 409)
    try:
        services.resolve(incident.id, reason=form.why, message=form.cleaned_data["message"], by=by, at=at)
    except MoveRefused as refused:
        return order_again(request, order, replace(attempt, refusal=refused.refusal), 409)
    ring("notices")
    messages.success(request, _("Incidencia resuelta: la cierra el operador cuando la revise."))
    return SeeOther(address)
