"""The incidents list of a shop: what is in hand, what to answer first, and what was closed (INC-02)."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from dashboard import incident_queries, queries
from dashboard.incident_queries import Asked
from dashboard.incidents import shown
from marketplace.models import ReasonKind
from marketplace.reasons import listed
from sellers.access import DeskRequest, at_the_desk


@require_safe
@at_the_desk
def incidents(request: DeskRequest) -> HttpResponse:
    """The incidents of the shop, fifty at a time; the same address gives htmx the list alone."""
    now, member = timezone.now(), request.membership
    reasons = listed(ReasonKind.INCIDENT)
    asked = incident_queries.read(request.GET, reasons)
    counts = incident_queries.counts(member, asked)
    page = incident_queries.page(member, asked, queries.channels())
    told: dict[str, Any] = {
        "section": "incidents",
        "at": now,
        "asked": asked,
        "tabs": _tabs(asked, counts),
        "total": counts[asked.tab],
        "rows": shown(page.incidents, by=request.actor, at=now),
        "previous": asked.link(before=page.previous) if page.previous else "",
        "next": asked.link(after=page.next) if page.next else "",
        "chips": _chips(asked, reasons),
        "turns": _turns(),
        "reasons": reasons,
        "waiting": queries.waiting(member),
    }
    partial = "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers
    told["partial"] = partial
    response = render(request, f"dashboard/incidents_{'found' if partial else 'page'}.jinja", told)
    response["Vary"] = "HX-Request, Cookie, Accept-Language"
    return response


def _turns() -> dict[str, str]:
    return {"tienda": _("la tienda"), "cliente": _("el cliente"), "operador": _("el operador")}


def _tabs(asked: Asked, counts: dict[str, queries.Tally]) -> list[dict[str, object]]:
    words = {"": _("En curso"), "cerradas": _("Cerradas")}
    return [
        {
            "text": text,
            "href": asked.link(tab=tab),
            "count": counts[tab].n,
            "more": counts[tab].more,
            "current": tab == asked.tab,
        }
        for tab, text in words.items()
    ]


def _chips(asked: Asked, reasons: dict[str, str]) -> list[dict[str, str]]:
    """The filters in force, each with the list without it."""
    each = (
        (_("Le toca a"), _turns().get(asked.turn, ""), "turn"),
        (_("Motivo"), reasons.get(asked.reason, ""), "reason"),
        (_("Busca"), asked.words, "words"),
    )
    return [
        {"name": name, "text": text, "remove": asked.link(**{field: ""})}
        for name, text, field in each
        if text
    ]
