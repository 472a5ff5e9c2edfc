"""The door of the panel: who is signed in, for which shop, with which rights (ROL-01)."""

from collections.abc import Callable
from copy import copy
from functools import wraps
from typing import Any, Concatenate
from urllib.parse import urlsplit

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from sellers import desk
from sellers.models import Membership, Shop, User

CHOSEN = "shop"


class DeskRequest(HttpRequest):
    """A request of a shop's member; what it has beside the user is set by `at_the_desk`."""

    user: User
    shop: Shop
    membership: Membership
    memberships: list[Membership]
    actor: desk.Actor


type DeskView[**P] = Callable[Concatenate[DeskRequest, P], HttpResponse]


def memberships(user: User) -> list[Membership]:
    """The active shops a person works in, by name."""
    return list(
        Membership.objects.filter(user=user, shop__active=True)
        .select_related("shop__account_manager", "user")
        .order_by("shop__name")
    )


def at_the_desk[**P](view: DeskView[P]) -> Callable[..., HttpResponse]:
    """Let a signed-in member of a shop in, working for the shop they chose last; others go where they belong.

    An operator without a shop goes to the admin; a person without one is told so.
    """

    @login_required
    @wraps(view)
    def entered(request: Any, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        mine = memberships(request.user)
        if not mine:
            return HttpResponseRedirect(reverse("admin:index" if request.user.is_staff else "no_shop"))
        chosen = next((one for one in mine if one.shop_id == request.session.get(CHOSEN)), mine[0])
        request.membership, request.shop, request.memberships = chosen, chosen.shop, mine
        request.actor = desk.seller(chosen)
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
