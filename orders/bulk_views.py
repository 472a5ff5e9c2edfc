"""Acts on many orders at once, from the list: one service call, and an answer for each order."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from marketplace.bell import ring
from orders import services
from orders.models import Order
from sellers.access import DeskRequest, at_the_desk

MOST = 200


@require_POST
@at_the_desk
def orders_accept(request: DeskRequest) -> HttpResponse:
    """Accept the chosen orders whole (ORD-05); what could not be accepted is named with its reason.

    `order` are references; `only` is the one whose own button was pressed. A stranger's is not there (ROL-01).
    """
    only = request.POST.get("only")
    references = [only] if only else request.POST.getlist("order")[:MOST]
    found = dict(
        Order.objects.filter(shop=request.shop, reference__in=[r for r in references if "\0" not in r])
        .order_by("id")
        .values_list("id", "reference")
    )
    if not found:
        messages.warning(request, _("No has elegido ningún pedido."))
        return _back(request)
    outcome = services.accept(list(found), by=request.actor, at=timezone.now())
    if outcome.moved:
        ring("charge", "notices")
        said = ngettext("%(n)s pedido aceptado.", "%(n)s pedidos aceptados.", len(outcome.moved))
        messages.success(request, said % {"n": len(outcome.moved)})
    if outcome.refused:
        said = ngettext("%(n)s no se ha aceptado:", "%(n)s no se han aceptado:", len(outcome.refused))
        each = [f"{found[refusal.id]}: {refusal.text}" for refusal in outcome.refused]
        messages.error(request, "\n".join([said % {"n": len(outcome.refused)}, *each]))
    return _back(request)


def _back(request: DeskRequest) -> HttpResponse:
    """Back to the list as it was asked for; never to another site."""
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    response = HttpResponseRedirect(target if safe else reverse("orders"))
    response.status_code = 303
    return response
