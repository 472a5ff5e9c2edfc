"""The page on which an undelivered parcel is given to another order (EXC-04)."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from marketplace.bell import ring
from marketplace.refusals import Refusal
from orders.models import Order
from orders.queries import get_order
from orders.telling import failed
from refunds import redirecting
from sellers.access import DeskRequest, at_the_desk
from sellers.desk import Right, who_has

FOLLOWERS = ("payback", "notices")


class SeeOther(HttpResponseRedirect):
    """Done; look at the result there, with a GET."""

    status_code = 303


@require_http_methods(["GET", "HEAD", "POST"])
@at_the_desk
def order_redirect(request: DeskRequest, reference: str) -> HttpResponse:
    """Which orders could have the parcel, the best first, and why others could not; a POST gives it to one of them.

    Whoever may not, or an order whose parcel cannot go anywhere, leads back to the order. Raises Http404.
    """
    source = get_order(request.membership, reference)
    address = reverse("order", args=[source.reference])
    if request.method == "POST" and not request.actor.may(Right.WORK_ORDERS):
        told = {"order": source, "who": who_has(Right.WORK_ORDERS)}
        return render(request, "orders/no_right.jinja", told, status=403)
    if request.method != "POST":
        code = redirecting.judge_source(source, by=request.actor, at=max(timezone.now(), source.moved_at))
        if code is not None:
            messages.warning(request, str(code.label))
            return HttpResponseRedirect(address)
        return _page(request, source)
    target = get_order(request.membership, request.POST.get("target", ""))
    outcome = redirecting.redirect(source.id, target.id, by=request.actor, at=timezone.now())
    if outcome.refused:
        return _page(request, source, outcome.refused[0], target)
    ring(*FOLLOWERS)
    words = {"order": target.reference}
    messages.success(request, _("El bulto va ahora al pedido %(order)s.") % words)
    return SeeOther(reverse("order", args=[target.reference]))


def _page(
    request: DeskRequest, source: Order, refusal: Refusal | None = None, target: Order | None = None
) -> HttpResponse:
    now = timezone.now()
    found = redirecting.propose(source, by=request.actor, at=max(now, source.moved_at))
    told: dict[str, Any] = {
        "order": source,
        "now": now,
        "zone": source.channel.calendar.zone,
        "found": found,
        "exception": source.exceptions.filter(ended_at=None).first(),
        "failed_why": failed,
        "refusal": refusal,
        "target": target,
    }
    return render(request, "refunds/redirect.jinja", told, status=409 if refusal else 200)
