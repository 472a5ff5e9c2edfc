"""The door of the panel: who is signed in, for which shop, with which rights (ROL-01)."""

from collections.abc import Callable
from copy import copy
from functools import wraps
from typing import Any, Concatenate
from urllib.parse import urlsplit

from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.urls import resolve, reverse

from sellers import desk, desk_counts
from sellers.models import Membership, Shop, Supplier, User

CHOSEN = "shop"


class DeskRequest(HttpRequest):
    """A request of a shop's member; what it has beside the user is set by `at_the_desk`."""

    user: User
    shop: Shop
    membership: Membership
    memberships: list[Membership]
    actor: desk.Actor
    has_suppliers: bool


type DeskView[**P] = Callable[Concatenate[DeskRequest, P], HttpResponseBase]


def memberships(user: User) -> list[Membership]:
    """The active shops a person works in, or for an active supplier of, by name; `has_suppliers` says whether the
    shop has any, and `desk_counts.of` what waits there for them."""
    suppliers = Supplier.objects.filter(shop=OuterRef("shop"), active=True)
    return list(
        Membership.objects.filter(Q(supplier=None) | Q(supplier__active=True), user=user, shop__active=True)
        .select_related("shop__account_manager", "user", "supplier")
        .annotate(has_suppliers=Exists(suppliers), **desk_counts.annotations())
        .order_by("shop__name")
    )


_SUPPLIERS_TOO = "suppliers_too"


def suppliers_too[**P](view: DeskView[P]) -> DeskView[P]:
    """Let suppliers' members in as well: the view shows and moves nothing but what is theirs (ROL-04)."""
    setattr(view, _SUPPLIERS_TOO, True)
    return view


def at_the_desk[**P](view: DeskView[P]) -> Callable[..., HttpResponseBase]:
    """Let a signed-in member of a shop in, working for the shop they chose last; others go where they belong.

    An operator without a shop goes to the admin; a person without one is told so. To whoever works for a supplier
    only the views of `suppliers_too` are there. Raises Http404.
    """

    @login_required
    @wraps(view)
    def entered(request: Any, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        mine = memberships(request.user)
        if not mine:
            return HttpResponseRedirect(reverse("admin:index" if request.user.is_staff else "no_shop"))
        chosen = next((one for one in mine if one.shop_id == request.session.get(CHOSEN)), mine[0])
        if chosen.supplier_id is not None and not hasattr(view, _SUPPLIERS_TOO):
            raise Http404
        request.membership, request.shop, request.memberships = chosen, chosen.shop, mine
        request.actor = desk.member(chosen)
        request.has_suppliers = chosen.has_suppliers  # type: ignore[attr-defined]  # counted by `memberships`
        return view(request, *args, **kwargs)

    return entered


def visiting(request: DeskRequest, address: str) -> DeskRequest:
    """The same request as a visit to another address of the panel.

    A page that answers an act which did not come off is shown as if it had been visited: what leads back to it
    leads to a page, and not to the act.
    """
    parts = urlsplit(address)
    visit = copy(request)
    visit.method = "GET"
    visit.path = visit.path_info = parts.path
    visit.GET = QueryDict(parts.query)
    visit.META = request.META | {"QUERY_STRING": parts.query, "REQUEST_METHOD": "GET"}
    return visit


def shown_with(request: DeskRequest, address: str, attempt: object, status: int) -> HttpResponse:
    """The page at an address of the panel with an act that did not come off on it; it may belong to an app above, so
    it is found by its address."""
    found, visit = resolve(address), visiting(request, address)
    visit.attempt = attempt  # type: ignore[attr-defined]
    page: HttpResponse = found.func(visit, *found.args, **found.kwargs)
    page.status_code = status
    return page
