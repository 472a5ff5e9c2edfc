"""Who is at the desk, changed: the language, the shop; and the page of a person without a shop."""

from typing import Any

from allauth.account import views as account
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import set_language

from sellers import services
from sellers.access import CHOSEN, DeskRequest, at_the_desk, memberships, suppliers_too
from sellers.models import User


class SignIn(account.LoginView):  # type: ignore[misc]
    """The door. Too many tries with one address are answered like too many from one place: 429."""

    def form_invalid(self, form: Any) -> HttpResponse:
        page: HttpResponse = super().form_invalid(form)
        if form.has_error(NON_FIELD_ERRORS, "too_many_login_attempts"):
            page.status_code = 429
        return page


@require_POST
def speak(request: HttpRequest) -> HttpResponse:
    """Change the language of the panel, for the person where one is signed in, and go back to the page."""
    language = request.POST.get("language", "")
    if isinstance(request.user, User) and language in dict(settings.LANGUAGES):
        services.speak(request.user, language)
    answer: HttpResponse = set_language(request)
    return answer


@require_POST
@at_the_desk
@suppliers_too
def switch_shop(request: DeskRequest) -> HttpResponse:
    """Work for another of one's shops; a stranger's is not found (ROL-01)."""
    chosen = next((one for one in request.memberships if str(one.shop_id) == request.POST.get("shop")), None)
    if chosen is None:
        raise Http404
    request.session[CHOSEN] = chosen.shop_id
    messages.success(request, _("Ahora trabajas en %(shop)s.") % {"shop": chosen.shop})
    return HttpResponseRedirect(reverse("home"))


@require_safe
@login_required
def no_shop(request: HttpRequest) -> HttpResponse:
    """A person who belongs to no shop is told so, and whom to ask."""
    if isinstance(request.user, User) and memberships(request.user):
        return HttpResponseRedirect(reverse("home"))
    return render(request, "account/no_shop.html", status=403)
