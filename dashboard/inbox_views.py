"""The inbox: every conversation of a shop, fifty at a time (MSG-01)."""

from dataclasses import dataclass
from datetime import datetime, tzinfo

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from dashboard import inbox_asked as asking
from dashboard import inbox_queries as queries
from dashboard.inbox_asked import TAB_WORDS, WHO_WORDS, Asked
from dashboard.kept_words import moment_words, what_is_left
from dashboard.order_acts import order_url
from dashboard.queries import waiting
from marketplace.clocks import Left
from marketplace.models import ReasonKind
from marketplace.policy import Role
from marketplace.queries import reason_labels
from messaging.models import Thread
from messaging.thread_words import title_of, to_words, writer_words
from sellers.access import DeskRequest, at_the_desk
from sellers.desk import Right

GIST = 240
"""Letters of the last message that a row shows."""


@dataclass(frozen=True, slots=True)
class Line:
    """A conversation as a line of the list."""

    thread: Thread
    href: str
    title: str
    who: str
    to: str
    gist: str
    at: datetime
    zone: tzinfo
    unread: bool
    mine: bool
    left: Left | None
    says: str


@require_safe
@at_the_desk
def inbox(request: DeskRequest) -> HttpResponse:
    """The conversations of the shop; the same address gives htmx the list alone."""
    now, member = timezone.now(), request.membership
    reasons = _reasons()
    asked = asking.read(request.GET, reasons)
    counts = queries.counts(member, now)
    page = queries.page(member, asked, by=request.actor, at=now)
    told = {
        "section": "messages",
        "at": now,
        "asked": asked,
        "tabs": _tabs(asked, counts),
        "rows": [_line(row, member.id, now) for row in page.rows],
        "previous": asked.link(before=page.previous) if page.previous else "",
        "next": asked.link(after=page.next) if page.next else "",
        "chips": _chips(asked, reasons),
        "who_words": WHO_WORDS,
        "reasons": reasons,
        "waiting": waiting(member),
        "may_write": request.actor.may(Right.ANSWER),
        "here": request.get_full_path(),
    }
    told["partial"] = partial = (
        "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers
    )
    response = render(request, "dashboard/inbox_found.jinja" if partial else "dashboard/inbox.jinja", told)
    response["Vary"] = "HX-Request, Cookie, Accept-Language"
    return response


def thread_url(thread: Thread) -> str:
    """Where a conversation is read: on the page of its order, else on its own."""
    if thread.order is None:
        return reverse("operator_thread", args=[thread.id])
    return order_url(thread.order, tab="mensajes", hilo=str(thread.id)) + f"#hilo-{thread.id}"


def _reasons() -> dict[str, str]:
    """What people write about, and what goes wrong, by code."""
    language = 1 if get_language() == "en" else 0
    kinds = (ReasonKind.INCIDENT, ReasonKind.CONTACT)
    return {code: words[language] for (kind, code), words in reason_labels().items() if kind in kinds}


def _line(row: queries.Row, member_id: int, now: datetime) -> Line:
    thread, last = row.thread, row.last
    zone = thread.order.channel.calendar.zone if thread.order else timezone.get_current_timezone()
    left, says = None, ""
    if thread.waiting and thread.answer_by:
        left = what_is_left(thread.answer_by, now, zone)
        ends = {"when": moment_words(thread.answer_by, now, zone, ends=True)}
        says = _("Hay que contestar como muy tarde %(when)s.") % ends
        if now > thread.answer_by:
            says = _("Había que contestar como muy tarde %(when)s.") % ends
    gist = " ".join(last.body.split())
    return Line(
        thread,
        thread_url(thread),
        title_of(thread),
        _("Tu tienda") if last.role == Role.SELLER else writer_words(last),
        to_words(last),
        gist if len(gist) <= GIST else gist[: GIST - 1] + "…",
        last.written_at,
        zone,
        row.unread,
        thread.assignee_id == member_id,
        left,
        says,
    )


def _tabs(asked: Asked, counts: queries.Counts) -> list[dict[str, object]]:
    n = {
        "esperan": counts.waiting,
        "retraso": counts.late,
        "sin-leer": counts.unread,
        "mias": counts.mine,
    }
    return [
        {
            "text": text,
            "href": asked.link(tab=tab),
            "count": n.get(tab),
            "more": n.get(tab) == queries.COUNTED,
            "current": tab == asked.tab,
        }
        for tab, text in TAB_WORDS.items()
    ]


def _chips(asked: Asked, reasons: dict[str, str]) -> list[dict[str, str]]:
    """The filters in force, each with the list without it."""
    each = (
        (_("Con"), str(WHO_WORDS.get(asked.who, "")), asked.link(who="")),
        (_("Motivo"), reasons.get(asked.reason, ""), asked.link(reason="")),
        (_("Busca"), asked.words, asked.link(words="")),
    )
    return [{"name": name, "text": text, "remove": remove} for name, text, remove in each if text]
