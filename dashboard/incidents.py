"""An incident as the panel shows it: its clock, whose turn it is, when it is reviewed and why (INC-02 … INC-09)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from dashboard.incident_queries import closings_of, of_order
from dashboard.kept_words import lasted_words, moment_words, what_is_left
from dashboard.order_acts import order_url
from dashboard.order_clocks import Running
from incidents.forms import ResolveForm
from incidents.models import Incident
from incidents.services import judge
from incidents.states import ClosedHow, State, Turn
from marketplace import clocks
from marketplace.clocks import Left
from marketplace.models import Reason, ReasonKind
from marketplace.reasons import Why, said
from messaging.answer_clock import calendar_with, window
from orders.forms import Attempt
from orders.models import Line, Order
from sellers.access import DeskRequest
from sellers.desk import Actor

TONES = {State.OPEN: "bad", State.RESOLVED: "wait", State.CLOSED: "done"}


@dataclass(frozen=True, slots=True)
class Shown:
    """An incident with its words: the reason, how it was solved and closed, whose turn it is, and the deadline that
    runs; `lasted` is how long it has been, or was, open (INC-08)."""

    incident: Incident
    lines: Sequence[Line]
    reason: str
    solved: str
    closed: str
    turn: str
    tone: str
    lasted: str
    running: Running | None
    may_resolve: bool
    page: str
    anchor: str
    form: ResolveForm | None = None
    tried: bool = False

    @property
    def titles(self) -> str:
        return ", ".join(line.title for line in self.lines)


def shown(incidents: Iterable[Incident], *, by: Actor, at: datetime) -> list[Shown]:
    """The incidents as they are given; each comes with its order, furnished, and its lines in `claimed`."""
    return [_shown(one, by=by, at=at) for one in incidents]


def _shown(incident: Incident, *, by: Actor, at: datetime) -> Shown:
    anchor = f"incidencia-{incident.number}"
    resolved = Why(incident.resolved_code, incident.resolved_note)
    opened = Why(incident.reason_code, incident.reason_note)
    return Shown(
        incident=incident,
        lines=incident.claimed,
        reason=said(ReasonKind.INCIDENT, opened),
        solved=said(ReasonKind.SOLVED, resolved) if incident.resolved_at else "",
        closed=str(ClosedHow(incident.closed_how).label) if incident.closed_how else "",
        turn=_turn(incident),
        tone=TONES[State(incident.state)],
        lasted=lasted_words((incident.closed_at or at) - incident.opened_at),
        running=clock_of(incident, at),
        may_resolve=judge(incident, "resolve", by=by, at=at) is None,
        page=reverse("order", args=[incident.order.reference]) + f"#{anchor}",
        anchor=anchor,
    )


def _turn(incident: Incident) -> str:
    """Who has the ball, to the shop that reads it (INC-05)."""
    if incident.turn == Turn.SHOP:
        return _("te toca a ti")
    if incident.turn == Turn.CUSTOMER:
        return _("le toca al cliente")
    return _("le toca al operador") if incident.turn == Turn.OPERATOR else ""


def clock_of(incident: Incident, now: datetime) -> Running | None:
    """The deadline that runs on an incident: the shop's to answer, or the quiet time until it is reviewed."""
    if incident.answer_by is not None:
        return _answering(incident, now)
    return _quiet(incident, now) if incident.close_due_at is not None else None


def _answering(incident: Incident, now: datetime) -> Running:
    assert incident.answer_by is not None
    calendar = incident.order.channel.calendar
    words = {"when": moment_words(incident.answer_by, now, calendar.zone, ends=True)}
    late = now > incident.answer_by
    says = (
        _("Había que contestar como muy tarde %(when)s.") if late else _("Contesta como muy tarde %(when)s.")
    )
    since: datetime | None = incident.waits_since
    why = partial(_why_then, incident, since, now) if since else str
    left = what_is_left(incident.answer_by, now, calendar.zone)
    return Running("incident_answer", incident.answer_by, left, says % words, why)


def _why_then(incident: Incident, since: datetime, now: datetime) -> str:
    """Why the shop has to answer by then, the days on which it is closed left out where the policy says so."""
    calendar, rules = incident.order.channel.calendar, incident.order.policy.rules
    if rules.answer_stops_on_shop_holidays:
        calendar = calendar_with(calendar, closings_of(incident))
    return _why(since, window(incident.thread, rules).span, calendar, now)


def _quiet(incident: Incident, now: datetime) -> Running:
    assert incident.close_due_at is not None
    calendar, rules = incident.order.channel.calendar, incident.order.policy.rules
    left = what_is_left(incident.close_due_at, now, calendar.zone)
    words = {"when": moment_words(incident.close_due_at, now, calendar.zone, ends=True)}
    if now >= incident.close_due_at:
        says = _("El operador la tiene por revisar: la cierra o te la devuelve.")
        left = Left("calm", _("por revisar"))
    elif rules.incident_closes_itself:
        says = _("Se cierra sola %(when)s si nadie dice nada más.") % words
    else:
        says = _("El operador la revisa %(when)s si nadie dice nada más.") % words
    span = rules.incident_close_after.span
    why = partial(_why, incident.quiet_since, span, calendar, now) if incident.quiet_since else str
    return Running("incident_quiet", incident.close_due_at, Left("calm", left.text), says, why)


def _why(start: datetime, span: clocks.Span, calendar: clocks.Calendar, now: datetime) -> str:
    return clocks.explain(start, span, calendar).sentence(now=now)


def money_waits(incidents: Sequence[Shown], now: datetime) -> str:
    """Until when an order is not paid because of its incidents; empty when none of them stands (INC-07)."""
    standing = [one.incident for one in incidents if one.incident.standing]
    if not standing:
        return ""
    due = [one.close_due_at for one in standing]
    moments = [moment for moment in due if moment is not None and moment > now]
    if len(moments) < len(standing):
        return _("Este pedido no se cobra hasta que se cierre la incidencia.")
    zone = standing[0].order.channel.calendar.zone
    words = {"when": moment_words(max(moments), now, zone, ends=True)}
    return _("Este pedido no se cobra hasta que se cierre la incidencia: toca revisarla %(when)s.") % words


def order_incidents(request: DeskRequest, order: Order, told: Mapping[str, Any]) -> dict[str, Any]:
    """What the page of an order says of its incidents, with the form of an act that did not come off; a supplier reads
    over their lines that there is one, and no more (ROL-04)."""
    now, attempt = told["now"], told["attempt"]
    found = shown(of_order(order), by=request.actor, at=now)
    claims: dict[int, list[Shown]] = {}
    for one in found:
        for line in one.lines:
            claims.setdefault(line.id, []).append(one)
    if told["supplier"]:
        return {"incidents": [], "claims": claims, "money_waits": "", "disputed": False}
    if any(one.may_resolve for one in found):
        listed = list(Reason.objects.filter(kind=ReasonKind.SOLVED, active=True))
        asks = order.policy.rules.incident_tells_operator
        found = [_formed(one, attempt, listed, asks) if one.may_resolve else one for one in found]
    standing = [one.incident.number for one in found if one.form]
    return {
        "incidents": found,
        "claims": claims,
        "disputed": any(one.incident.standing for one in found),
        "first_standing": standing[0] if standing else 0,
        "money_waits": money_waits(found, now) if order.incident_at else "",
        "messages_url": _messages_url(order, told["tabs"]),
    }


def _formed(one: Shown, attempt: Attempt | None, reasons: Sequence[Reason], asks: bool) -> Shown:
    tried = attempt is not None and attempt.act == f"resolve_{one.incident.number}"
    if attempt is not None and tried and isinstance(attempt.form, ResolveForm):
        return replace(one, form=attempt.form, tried=True)
    return replace(one, form=ResolveForm(reasons=reasons, asks_message=asks))


def _messages_url(order: Order, tabs: Sequence[Mapping[str, Any]]) -> str:
    """Where the conversations of the order are read, where its page has them."""
    address = order_url(order, tab="mensajes")
    return address if any(tab["href"] == address for tab in tabs) else ""
