"""*Gestión de novedades*: the deliveries of the shop that a carrier could not make (EXC-02)."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from dashboard import exceptions
from dashboard.exceptions import AGE_WORDS, ENDED, Asked
from dashboard.queries import waiting
from marketplace.models import Reason, ReasonKind
from sellers import desk_counts
from sellers.access import DeskRequest, at_the_desk
from sellers.desk import Right


@require_safe
@at_the_desk
def exceptions_page(request: DeskRequest) -> HttpResponse:
    """What is in trouble, why and for how long, fifty at a time; the same address gives htmx the list alone."""
    now = timezone.now()
    member = request.membership
    reasons = {one.code: str(one) for one in Reason.objects.filter(kind=ReasonKind.EXCEPTION)}
    asked = exceptions.read(request.GET, reasons)
    page = exceptions.page(member, asked, now)
    told = {
        "section": "exceptions",
        "at": now,
        "asked": asked,
        "tabs": [
            {
                "text": _("Abiertas"),
                "href": asked.link(tab=""),
                "count": desk_counts.of(member)["exceptions"],
                "current": asked.tab != ENDED,
            },
            {"text": _("Terminadas"), "href": asked.link(tab=ENDED), "current": asked.tab == ENDED},
        ],
        "rows": page.rows,
        "previous": asked.link(before=page.previous) if page.previous else "",
        "next": asked.link(after=page.next) if page.next else "",
        "reasons": [("", _("cualquiera")), *reasons.items()],
        "ages": list(AGE_WORDS.items()),
        "chips": _chips(asked, reasons),
        "parcel_words": exceptions.parcel_words,
        "waiting": waiting(member),
        "may_decide": request.actor.may(Right.WORK_ORDERS),
        "zone": timezone.get_current_timezone(),
    }
    return render(request, "dashboard/exceptions.jinja", told)


def _chips(asked: Asked, reasons: dict[str, str]) -> list[dict[str, str]]:
    """The filters in force, each with the list without it."""
    found = []
    if asked.reason:
        text = reasons[asked.reason]
        found.append({"name": _("Motivo"), "text": text, "remove": asked.link(reason="")})
    if asked.age:
        text = str(AGE_WORDS[asked.age])
        found.append({"name": _("Antigüedad"), "text": text, "remove": asked.link(age="")})
    if asked.words:
        found.append({"name": _("Busca"), "text": asked.words, "remove": asked.link(words="")})
    return found
