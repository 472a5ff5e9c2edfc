"""The site of the operators (ROL-02): who gets in, how they sign in, and what its pages may load."""

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.core.exceptions import BadRequest
from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.csp import CSP
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy
from django.views.decorators.csp import csp_override
from unfold.admin import ModelAdmin
from unfold.sites import UnfoldAdminSite

from marketplace import waits
from marketplace.list_questions import typed

_SITE: Any = settings.SECURE_CSP

# Alpine, which draws unfold's menus, builds functions from attributes; unfold writes its colours into the
# page and opens related records in a frame of its own. Nothing comes from elsewhere; no inline script runs.
CONTENT_SECURITY: dict[str, list[str]] = {
    **_SITE,
    "script-src": [CSP.SELF, CSP.UNSAFE_EVAL],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
    "frame-ancestors": [CSP.SELF],
}


def _typed(request: HttpRequest) -> bool:
    """Whether what the address asks for could have been typed; a list of a room names what could not."""
    match = request.resolver_match
    if match and str(match.url_name).endswith("_changelist"):
        return True
    return all(typed(word) for name, values in request.GET.lists() for word in (name, *values))


def _exactness(item: dict[str, Any]) -> int:
    return len(str(item["link_callback"]))


def is_operator(request: HttpRequest) -> bool:
    """Whether an operator is asking: a person who is active and marked as staff."""
    return bool(request.user.is_active and getattr(request.user, "is_staff", False))


class OperatorsSite(UnfoldAdminSite):  # type: ignore[misc]
    """Operators get in; everyone else who has signed in finds nothing. Signing in is the product's own."""

    index_title = gettext_lazy("Inicio")
    index_template = "rooms/front.html"
    empty_value_display = "–"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Take rooms in; what libraries would put here beside them has no place in an operator's day."""
        if admin_class is not None and issubclass(admin_class, ModelAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        inner = csp_override(CONTENT_SECURITY)(super().admin_view(view, cacheable))

        def entered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.user.is_authenticated and not self.has_permission(request):
                raise Http404
            if not _typed(request):
                raise BadRequest
            response: HttpResponseBase = inner(request, *args, **kwargs)
            if request.method == "POST":
                waits.forget()
            return response

        return entered

    def app_index(
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Rooms are grouped by what operators do, not by app: the front page is the only way in."""
        return HttpResponseRedirect(reverse(f"{self.name}:index"))

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Every room, looked up when something reads the list: the menu is our own, and few pages do."""
        return SimpleLazyObject(partial(super().get_app_list, request, app_label))

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Find a room by its name; a page that is no number, or is past the last, is not there."""
        try:
            answer: HttpResponse = super().search(request, extra_context)
        except (ValueError, InvalidPage) as wrong:
            raise Http404 from wrong
        return answer

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        """The groups of links: one of them is where the reader is, and what waits has its count beside it."""
        groups: list[dict[str, Any]] = super().get_sidebar_list(request)
        numbers = waits.counts()
        links = [item for group in groups for item in group["items"]]
        for item in links:
            if "waits" in item:
                item["badge"] = waits.words(numbers.get(item["waits"], 0))
        here = max((item for item in links if item["active"]), key=_exactness, default=None)
        for item in links:
            item["active"] = item is here
        return groups

    def _get_is_active(self, request: HttpRequest, link: Any, is_tab: bool = False) -> bool:
        """A link with filters leads to where the reader is only if all of them are set."""
        address = urlsplit(str(link(request) if callable(link) else link))
        wanted = parse_qs(address.query)
        is_here = request.path == address.path or (
            request.path.startswith(address.path) and address.path != reverse(f"{self.name}:index")
        )
        return is_here and all(request.GET.getlist(name) == values for name, values in wanted.items())

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send people to the sign-in that counts tries; an operator who is in already goes on."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise Http404
        response: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return response

    def has_permission(self, request: HttpRequest) -> bool:
        return is_operator(request)
