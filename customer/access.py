"""The door of the customer's pages: whoever holds the link of an order is its customer (ROL-03).

A link of ours that has ended says so and offers another by mail; any other is one and the same 404. Nothing of these
pages is kept by whoever passes them on, found by search engines, or told to the pages that they lead to.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.csp import CSP
from django.views.decorators.csp import csp_override
from django.views.decorators.csrf import csrf_exempt

from marketplace.policy import Role
from messaging import customer_links
from orders.models import Order
from sellers.desk import Actor

SPEAKS = "idioma"
"""The parameter that asks for another language than the customer's."""

NO_SCRIPTS: dict[str, list[str]] = {
    "default-src": [CSP.NONE],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
    "base-uri": [CSP.NONE],
}

HEADERS = {
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-store",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}


@dataclass(frozen=True, slots=True)
class Way:
    """The addresses of one link's pages, in the language that was asked for."""

    token: str
    spoken: str
    own: str

    def to(self, name: str, *args: object, speaks: str = "", **query: str) -> str:
        """The address of a page of this link."""
        language = speaks or self.spoken
        asked = {**query, SPEAKS: language} if language != self.own else query
        return reverse(name, args=[self.token, *args], query=asked or None)

    @property
    def files(self) -> str:
        """What the number of a file is put to."""
        return f"{reverse('customer_order', args=[self.token])}archivos/"


class CustomerRequest(HttpRequest):
    """A request with a good link; what it has beside is set by `by_link`."""

    order: Order
    actor: Actor
    way: Way


type CustomerView[**P] = Callable[Concatenate[CustomerRequest, P], HttpResponseBase]


def by_link[**P](view: CustomerView[P]) -> Callable[..., HttpResponseBase]:
    """Let the holder of a valid link in, as the customer of its order; 404 and 410 for everybody else.

    There is no cookie to be abused from elsewhere: the secret of each form is the address that it is sent to (ADR 18).
    """

    def entered(request: Any, token: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        order, ended = _opened(token)
        if order is None:
            return no_page(request)
        request.way = way = _way(request, token, order)
        with translation.override(way.spoken):
            if ended:
                return page(request, "customer/ended.jinja", {}, 410)
            request.order = order
            request.actor = Actor(Role.CUSTOMER, order.customer_name)
            return view(request, *args, **kwargs)

    return _guarded(wraps(view)(entered))


def by_old_link[**P](view: CustomerView[P]) -> Callable[..., HttpResponseBase]:
    """Let in whoever holds a link of ours that was not made void, ended or not; 404 for everybody else."""

    def entered(request: Any, token: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        order, _ended = _opened(token)
        if order is None:
            return no_page(request)
        request.way = way = _way(request, token, order)
        request.order = order
        with translation.override(way.spoken):
            return view(request, *args, **kwargs)

    return _guarded(wraps(view)(entered))


def look_again(request: CustomerRequest) -> Order:
    """The order as it stands now, after somebody else was faster."""
    order, _ended = _opened(request.way.token)
    request.order = order or request.order
    return request.order


def page(request: Any, template: str, told: dict[str, Any], status: int = 200) -> HttpResponse:
    """A page of a link, in its language."""
    return render(request, template, {"way": request.way, **told}, status=status)


def no_page(request: HttpRequest) -> HttpResponse:
    """What is said to a link that opens nothing, whatever is wrong with it."""
    return render(request, "customer/no_page.jinja", status=404)


def _guarded(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        answer = view(request, *args, **kwargs)
        for name, value in HEADERS.items():
            answer.headers[name] = value
        way = getattr(request, "way", None)
        if way is not None:
            answer.headers["Content-Language"] = way.spoken
        return answer

    return csrf_exempt(csp_override(NO_SCRIPTS)(answered))


@_guarded
def nowhere(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Whatever else is asked for under the customers' addresses: the same answer as to a link that opens nothing."""
    del rest
    return no_page(request)


def _opened(token: str) -> tuple[Order | None, bool]:
    """The order that a link opens, and whether the link has ended; none for one that was not ours or was made void."""
    link = customer_links.read(token)
    if link is None:
        return None, False
    rows = Order.objects.filter(id=link.order_id, link_version=link.version)
    order = rows.select_related("policy", "channel", "shop").first()
    return order, timezone.now() > link.expires_at


def _way(request: HttpRequest, token: str, order: Order) -> Way:
    """The customer's own language, unless another of ours is asked for."""
    spoken = dict(settings.LANGUAGES)
    own = order.customer_language if order.customer_language in spoken else settings.LANGUAGE_CODE
    asked = request.GET.get(SPEAKS, "")
    return Way(token, asked if asked in spoken else own, own)
