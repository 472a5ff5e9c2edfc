"""The site of the operators (ROL-02): who gets in, how they sign in, and what its pages may load."""

import re
from collections.abc import Callable
from typing import Any

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.csp import CSP
from django.utils.translation import gettext_lazy
from django.views.decorators.csp import csp_override
from unfold.admin import ModelAdmin
from unfold.sites import UnfoldAdminSite

_SITE: Any = settings.SECURE_CSP

# Alpine, which draws unfold's menus, builds functions from attributes; unfold writes its colours into the
# page and opens related records in a frame of its own. Nothing comes from elsewhere; no inline script runs.
CONTENT_SECURITY: dict[str, list[str]] = {
    **_SITE,
    "script-src": [CSP.SELF, CSP.UNSAFE_EVAL],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
    "frame-ancestors": [CSP.SELF],
}


_UNTYPED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _typed(request: HttpRequest) -> bool:
    """Whether what the address asks for could have been typed: the database takes no control characters."""
    words = (word for name, values in request.GET.lists() for word in (name, *values))
    return not any(_UNTYPED.search(word) for word in words)


def is_operator(request: HttpRequest) -> bool:
    """Whether an operator is asking: a person who is active and marked as staff."""
    return bool(request.user.is_active and getattr(request.user, "is_staff", False))


class OperatorsSite(UnfoldAdminSite):  # type: ignore[misc]
    """Operators get in; everyone else who has signed in finds nothing. Signing in is the product's own."""

    index_title = gettext_lazy("Las salas del operador")

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
            return response

        return entered

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send people to the sign-in that counts tries; an operator who is in already goes on."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise Http404
        response: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return response

    def has_permission(self, request: HttpRequest) -> bool:
        return is_operator(request)
