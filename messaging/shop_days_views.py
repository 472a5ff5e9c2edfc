"""The page on which a shop tells beforehand on which days it is closed, and takes them back (MSG-09)."""

from functools import partial

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from marketplace.moments import day_words
from marketplace.refusals import MoveRefused
from messaging import shop_days as services
from messaging.forms import HolidayForm
from sellers.access import DeskRequest, at_the_desk, visiting
from sellers.desk import Right, who_has
from sellers.models import ShopHoliday


class SeeOther(HttpResponseRedirect):
    """Done; look at the result there, with a GET."""

    status_code = 303


@require_http_methods(["GET", "HEAD", "POST"])
@at_the_desk
def shop_days(request: DeskRequest) -> HttpResponse:
    """The closings of a shop that are not over; owners and managers publish more."""
    if request.method != "POST":
        return _page(request, HolidayForm(), 200)
    if not request.actor.may(Right.TEAM):
        return _no_right(request)
    form = HolidayForm(request.POST)
    if not form.is_valid():
        return _page(request, form, 422)
    try:
        services.publish(request.shop, form.closing, by=request.actor, at=timezone.now())
    except MoveRefused as refused:
        form.add_error("first_day", refused.refusal.text)
        return _page(request, form, 409)
    messages.success(request, _("Publicado: los plazos de respuesta que corren cuentan ya con esos días."))
    return SeeOther(reverse("shop_days"))


@require_POST
@at_the_desk
def withdraw_days(request: DeskRequest, holiday_id: int) -> HttpResponse:
    """Take back the days of a closing that are still to come."""
    if not ShopHoliday.objects.filter(shop=request.shop, id=holiday_id).exists():
        raise Http404
    if not request.actor.may(Right.TEAM):
        return _no_right(request)
    try:
        services.withdraw(holiday_id, by=request.actor, at=timezone.now())
    except MoveRefused as refused:
        messages.error(request, refused.refusal.text)
    else:
        messages.success(request, _("Retirado: los plazos de respuesta que corren cuentan ya sin esos días."))
    return SeeOther(reverse("shop_days"))


def _page(request: DeskRequest, form: HolidayForm, status: int) -> HttpResponse:
    today = timezone.localdate()
    told = {
        "form": form,
        "closings": services.of_shop(request.shop, today),
        "today": today,
        "day_words": partial(day_words, year=True),
        "may_publish": request.actor.may(Right.TEAM),
        "who_may": who_has(Right.TEAM),
        "most": services.MOST_DAYS,
    }
    return render(visiting(request, reverse("shop_days")), "messaging/shop_days.jinja", told, status=status)


def _no_right(request: DeskRequest) -> HttpResponse:
    told = {"who": who_has(Right.TEAM)}
    return render(visiting(request, reverse("shop_days")), "orders/no_right.jinja", told, status=403)
