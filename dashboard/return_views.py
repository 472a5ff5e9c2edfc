"""The returns of a shop: the list, and the page of one with what comes next (REF-09)."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from dashboard import queries, return_queries
from dashboard.return_queries import Asked
from dashboard.returns import shown
from messaging import attachments
from orders.forms import Attempt
from refunds.models import ReturnRequest
from refunds.return_queries import get_return
from refunds.return_views import form_of
from refunds.states import ReturnState
from sellers.access import DeskRequest, at_the_desk, suppliers_too
from sellers.desk import Right

NEXT = {
    ReturnState.ASKED: "accept",
    ReturnState.ACCEPTED: "instruct",
    ReturnState.INSTRUCTED: "receive",
    ReturnState.SENT: "receive",
    ReturnState.RECEIVED: "inspect",
    ReturnState.INSPECTED: "pay",
}
"""The act that comes next in each state; of one in which nothing came back as it was sent, `reject`."""


@require_safe
@at_the_desk
@suppliers_too
def returns(request: DeskRequest) -> HttpResponse:
    """The returns of the shop, fifty at a time; the same address gives htmx the list alone."""
    now, member = timezone.now(), request.membership
    asked = return_queries.read(request.GET)
    counts = return_queries.counts(member, asked)
    page = return_queries.page(member, asked, queries.channels())
    partial = "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers
    told: dict[str, Any] = {
        "section": "returns",
        "at": now,
        "asked": asked,
        "tabs": _tabs(asked, counts),
        "total": counts[asked.tab],
        "rows": shown(page.returns, by=request.actor, at=now),
        "previous": asked.link(before=page.previous) if page.previous else "",
        "next": asked.link(after=page.next) if page.next else "",
        "chips": _chips(asked),
        "waiting": queries.waiting(member),
        "partial": partial,
    }
    response = render(request, f"dashboard/returns_{'found' if partial else 'page'}.jinja", told)
    response["Vary"] = "HX-Request, Cookie, Accept-Language"
    return response


def _tabs(asked: Asked, counts: dict[str, queries.Tally]) -> list[dict[str, object]]:
    words = {
        "": _("En curso"),
        "tienda": _("Te toca a ti"),
        "cliente": _("Por mandar"),
        "camino": _("En camino"),
        "terminadas": _("Terminadas"),
    }
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


def _chips(asked: Asked) -> list[dict[str, str]]:
    each = (
        (_("Plazo"), _("con retraso") if asked.late else "", "late"),
        (_("Busca"), asked.words, "words"),
    )
    return [
        {"name": name, "text": text, "remove": asked.link(**{field: ""})}
        for name, text, field in each
        if text
    ]


@require_safe
@at_the_desk
@suppliers_too
def return_page(request: DeskRequest, reference: str, number: int) -> HttpResponse:
    """A return: what, why, how far it has come, and what to do now; after a failed act, with the attempt.

    A supplier reads of it what concerns their lines (ROL-04). Raises Http404.
    """
    now, member = timezone.now(), request.membership
    row = get_return(member, reference, number)
    attempt: Attempt | None = getattr(request, "attempt", None)
    row.order.shop = request.shop
    return_queries.furnish([row], {row.order.channel_id: row.order.channel}, member)
    (one,) = shown([row], by=request.actor, at=now)
    act = _next(row, one.good) if member.supplier is None else ""
    told: dict[str, Any] = {
        "section": "returns",
        "order": row.order,
        "now": now,
        "zone": row.order.channel.calendar.zone,
        "one": one,
        "attempt": attempt,
        "next": act if act in one.may else "",
        "forms": {} if member.supplier else _forms(row, one.may, attempt),
        "may_work": request.actor.may(Right.WORK_ORDERS),
        "supplier": member.supplier,
        "files": attachments.of([row.instructions]).get(row.instructions.id, ()) if row.instructions else (),
        "waiting": queries.waiting(member),
    }
    return render(request, "dashboard/return.jinja", told)


def _next(row: ReturnRequest, good: int) -> str:
    act = NEXT.get(ReturnState(row.state), "")
    return "reject" if act == "pay" and not good else act


def _forms(row: ReturnRequest, may: frozenset[str], attempt: Attempt | None) -> dict[str, Any]:
    """The form of each act that can be done; that of the one that did not come off, as it was sent."""
    found = {act: form_of(row, act) for act in may if act != "pay"}
    if attempt is not None and attempt.act in found:
        found[attempt.act] = attempt.form
    return found
