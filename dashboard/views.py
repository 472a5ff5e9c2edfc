"""The pages of the panel that span apps: home, the orders list, the component page. They only read."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe

from dashboard import asked as asking
from dashboard import queries, samples
from dashboard.asked import DUE_WORDS, OF_SUPPLIERS, SELDOM, SORT_WORDS, TAB_WORDS, Asked
from dashboard.frame_counts import incidents_of, invoices_of, returns_of, talks_of
from dashboard.home import money_rows, next_settlement
from dashboard.rows import rows
from dashboard.words import greeting, today_words
from orders.queries import orders_of
from sellers.access import DeskRequest, at_the_desk, suppliers_too
from sellers.desk import Right
from sellers.queries import suppliers

NEXT_UP = 8


@require_safe
@at_the_desk
@suppliers_too
def home(request: DeskRequest) -> HttpResponse:
    """The counter boxes, what comes next, and where the money is (ORD-03)."""
    now = timezone.now()
    member = request.membership
    figures, talks = queries.figures(member, now), talks_of(member)
    coming = queries.comes_next(member, NEXT_UP)
    channels = queries.channels()
    queries.furnish(coming, channels)
    new = figures.quiet and not orders_of(member).exists()
    told: dict[str, Any] = {
        "section": "home",
        "at": now,
        "greeting": greeting(now),
        "today": today_words(now),
        "figures": figures,
        "waiting": figures.waiting,
        "talks": talks,
        "rows": rows(coming, by=request.actor, at=now),
        "supplier": member.supplier,
        "incidents": incidents_of(member),
        "returns": returns_of(member),
        "invoices": invoices_of(member),
        "may_accept": member.supplier is None and request.actor.may(Right.WORK_ORDERS),
        "money": money_rows(figures),
        "settlement": None if member.supplier else next_settlement(figures, channels.values(), now),
        "new": new,
    }
    return render(request, "dashboard/home.jinja", told)


@require_safe
@at_the_desk
@suppliers_too
def orders(request: DeskRequest) -> HttpResponse:
    """The orders of the shop, fifty at a time; the same address gives htmx the list alone."""
    now = timezone.now()
    channels = queries.channels()
    names = {channel.code: channel.name for channel in channels.values()}
    member = request.membership
    served = _suppliers(request)
    dues = DUE_WORDS if member.supplier is None else OF_SUPPLIERS
    asked = asking.read(request.GET, names, served, dues)
    by_tab = queries.count_by_tab(member, asked, now)
    page = queries.page(member, asked, now)
    queries.furnish(page.orders, channels)
    told = {
        "section": "orders",
        "at": now,
        "asked": asked,
        "tabs": _tabs(asked, by_tab),
        "total": by_tab[asked.tab],
        "rows": rows(page.orders, by=request.actor, at=now),
        "previous": asked.link(before=page.previous) if page.previous else "",
        "next": asked.link(after=page.next) if page.next else "",
        "chips": _chips(asked, names, served),
        "suppliers": served,
        "supplier": member.supplier,
        "channels": names if len(names) > 1 else {},
        "due_words": dues,
        "sort_words": SORT_WORDS,
        "waiting": queries.waiting(member),
        "may_accept": request.actor.may(Right.WORK_ORDERS),
        "here": asked.link(after=asked.after, before=asked.before),
    }
    told["partial"] = partial = (
        "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers
    )
    response = render(request, "dashboard/found.jinja" if partial else "dashboard/orders.jinja", told)
    response["Vary"] = "HX-Request, Cookie, Accept-Language"
    return response


def _suppliers(request: DeskRequest) -> dict[str, str]:
    """The names of the shop's suppliers by code, to narrow its list by; nothing is read where there are none."""
    if not request.has_suppliers or request.membership.supplier_id is not None:
        return {}
    return {one.code: one.name for one in suppliers(request.shop)}


def _tabs(asked: Asked, counts: dict[str, queries.Tally]) -> list[dict[str, object]]:
    return [
        {
            "text": text,
            "href": asked.link(tab=tab),
            "count": counts[tab].n,
            "more": counts[tab].more,
            "current": tab == asked.tab,
        }
        for tab, text in TAB_WORDS.items()
        if tab not in SELDOM or counts[tab].n or tab == asked.tab
    ]


def _chips(asked: Asked, channels: Mapping[str, str], suppliers: Mapping[str, str]) -> list[dict[str, str]]:
    """The filters in force, each with the list without it."""
    found = []
    if asked.channel:
        name = channels[asked.channel]
        found.append({"name": _("Canal"), "text": name, "remove": asked.link(channel="")})
    if asked.supplier:
        name = suppliers[asked.supplier]
        found.append(
            {"name": pgettext("of a shop", "Proveedor"), "text": name, "remove": asked.link(supplier="")}
        )
    if asked.words:
        found.append({"name": _("Busca"), "text": asked.words, "remove": asked.link(words="")})
    if asked.since:
        found.append(
            {"name": _("Recibido desde"), "text": f"{asked.since:%d/%m/%Y}", "remove": asked.link(since=None)}
        )
    if asked.until:
        found.append(
            {"name": _("Recibido hasta"), "text": f"{asked.until:%d/%m/%Y}", "remove": asked.link(until=None)}
        )
    if asked.due:
        found.append({"name": _("Plazo"), "text": str(DUE_WORDS[asked.due]), "remove": asked.link(due="")})
    if asked.sort != "nuevos":
        found.append(
            {"name": _("Orden"), "text": str(SORT_WORDS[asked.sort]), "remove": asked.link(sort="nuevos")}
        )
    return found


@require_safe
def design(request: HttpRequest) -> HttpResponse:
    """Every component in all its states, for those who build and run the site."""
    if not (settings.DEVELOPMENT or (request.user.is_authenticated and request.user.is_staff)):
        raise Http404
    return render(request, "dashboard/design.jinja", samples.everything(timezone.now()))
