"""Acts on many orders at once, from the list: one service call, and an answer for each order."""

from urllib.parse import urlsplit

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from marketplace.bell import ring
from marketplace.refusals import Code
from orders import services
from orders.models import Order
from sellers.access import DeskRequest, at_the_desk, visiting

MOST = 200
_LISTS = ("orders", "home")


@require_http_methods(["GET", "HEAD", "POST"])
@at_the_desk
def orders_accept(request: DeskRequest) -> HttpResponse:
    """Accept the chosen orders whole (ORD-05); what could not be accepted is named with its reason.

    `order` are references; `only` is the one whose own button was pressed. A stranger's is not there (ROL-01).
    Where nothing was moved the answer is 409, or 403 to who may not, and the list as it stands now.
    """
    if request.method != "POST":
        return HttpResponseRedirect(reverse("orders"))
    only = request.POST.get("only")
    chosen = list(dict.fromkeys([only] if only else request.POST.getlist("order")))
    if not chosen:
        messages.warning(request, _("No has elegido ningún pedido."))
        return _back(request)
    found = _found(request, chosen[:MOST])
    if not found:
        raise Http404
    outcome = services.accept(list(found), by=request.actor, at=timezone.now())
    if outcome.moved:
        ring("charge", "notices")
        said = ngettext("%(n)s pedido aceptado.", "%(n)s pedidos aceptados.", len(outcome.moved))
        messages.success(request, said % {"n": len(outcome.moved)})
    unknown = [reference for reference in chosen[:MOST] if reference not in found.values()]
    each = [f"{found[refusal.id]}: {refusal.text}" for refusal in outcome.refused]
    each += [f"{reference[:80]}: {Code.UNKNOWN_ORDER.label}" for reference in unknown]
    if each:
        said = ngettext("%(n)s no se ha aceptado:", "%(n)s no se han aceptado:", len(each))
        messages.error(request, "\n".join([said % {"n": len(each)}, *each]))
    if len(chosen) > MOST:
        words = {"most": MOST, "n": len(chosen) - MOST}
        messages.warning(
            request,
            _("De una vez se aceptan %(most)s como mucho: los otros %(n)s siguen como estaban.") % words,
        )
    if outcome.moved:
        return _back(request)
    return _list(request, 403 if set(outcome.codes) == {Code.NOT_ALLOWED} else 409)


def _found(request: DeskRequest, references: list[str]) -> dict[int, str]:
    """Which of the orders are the shop's: their references by id."""
    orders = Order.objects.filter(shop=request.shop, reference__in=[r for r in references if "\0" not in r])
    return dict(orders.order_by("id").values_list("id", "reference"))


def _next(request: DeskRequest) -> str:
    """The list as it was asked for; never another site's."""
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if safe else reverse("orders")


def _back(request: DeskRequest) -> HttpResponse:
    response = HttpResponseRedirect(_next(request))
    response.status_code = 303
    return response


def _list(request: DeskRequest, status: int) -> HttpResponse:
    """The list with what was said; it belongs to the app above, so it is found by its address."""
    address = _next(request)
    try:
        found = resolve(urlsplit(address).path)
    except Resolver404:
        found = None
    if found is None or found.url_name not in _LISTS:
        address = reverse("orders")
        found = resolve(address)
    page: HttpResponse = found.func(visiting(request, address), *found.args, **found.kwargs)
    page.status_code = status
    return page
