"""What holds the shop's money: every unpaid order by its cause, and what each closing should bring (SET-07)."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from dashboard import held_money, held_queries, queries
from dashboard.asked import Place
from dashboard.held_queries import Cause
from ledger import queries as ledger
from ledger.models import Account
from marketplace.money import format_money
from sellers.access import DeskRequest, at_the_desk


@require_safe
@at_the_desk
def held(request: DeskRequest) -> HttpResponse:
    """The unpaid orders of the shop, fifty at a time, those of one cause or of any."""
    now, member = timezone.now(), request.membership
    given = request.GET.get("causa", "")
    cause = Cause(given) if given in list(Cause) else None
    channels = queries.channels()
    after, before = _place(request.GET, "despues"), _place(request.GET, "antes")
    page = held_queries.page(member, cause, after, None if after else before)
    queries.furnish(page.orders, channels)
    coming = held_queries.expected(member, held_money.coming_closings(channels.values(), now))
    told: dict[str, Any] = {
        "section": "money",
        "now": now,
        "cause": cause,
        "causes": held_money.words(),
        "totals": held_money.totals(held_queries.by_cause(member), held_queries.loose(member)),
        "coming": [(moment, format_money(cents, currency)) for (moment, currency), cents in coming.items()],
        "rows": held_money.held(page.orders, now),
        "previous": _link(cause, antes=page.previous) if page.previous else "",
        "next": _link(cause, despues=page.next) if page.next else "",
        "waiting": queries.waiting(member),
    }
    return render(request, "dashboard/held.jinja", told)


def _place(given: Mapping[str, str], name: str) -> Place | None:
    try:
        return Place.read(given[name]) if given.get(name) else None
    except (ValueError, OverflowError):
        return None


def _link(cause: Cause | None, **places: Place) -> str:
    query = {"causa": str(cause)} if cause else {}
    return reverse("held_money", query=query | {name: str(place) for name, place in places.items()})


class MomentForm(forms.Form):
    """A moment of the past, on the site's clocks."""

    at = forms.DateTimeField(
        label=_("Día y hora"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )


@require_safe
@at_the_desk
def as_of(request: DeskRequest) -> HttpResponse:
    """What the books and the orders of the shop were at a moment of the past, worked out from what was written."""
    now, member = timezone.now(), request.membership
    form = MomentForm(request.GET if "at" in request.GET else None)
    at = form.cleaned_data["at"] if form.is_bound and form.is_valid() else now
    standings = ledger.as_of(request.shop.id, min(at, now))
    told = {
        "section": "money",
        "now": now,
        "at": min(at, now),
        "future": at > now,
        "form": form if form.is_bound else MomentForm(initial={"at": now}),
        "owed": [
            format_money(-one.cents, one.currency) for one in standings if one.account == Account.PAYABLE
        ],
        "standings": [
            (str(one.account.label), format_money(one.cents, one.currency), one.account == Account.PAYABLE)
            for one in standings
        ],
        "states": [(str(state.label), n) for state, n in held_queries.states_as_of(member, min(at, now))],
        "waiting": queries.waiting(member),
    }
    return render(request, "dashboard/as_of.jinja", told)
