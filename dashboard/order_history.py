"""The history of an order told in the trade's words: what, who, when, before and after (ORD-11)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marketplace import reasons
from marketplace.moments import moment_words
from marketplace.money import format_money
from marketplace.policy import ROLE_LABELS, Role
from messaging import bounces
from orders import telling
from orders.models import Event, Order
from orders.states import HoldKind, State, Verb


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the history."""

    event: Event
    what: str
    details: list[str]
    who: str
    before: str
    after: str


def history(order: Order, events: Sequence[Event], now: datetime) -> list[Told]:
    """Tell the events as they are given."""
    return [_told(order, event, now) for event in events]


def _told(order: Order, event: Event, now: datetime) -> Told:
    moved = event.before != event.after
    return Told(
        event,
        str(Verb(event.verb).label),
        _details(order, Verb(event.verb), event.data, now),
        _who(event),
        _state(event.before) if moved and event.before else "",
        _state(event.after) if moved else "",
    )


def _state(code: str) -> str:
    return str(State(code).label) if code in State.values else code


def _who(event: Event) -> str:
    """A person by name and part; the platform needs no name."""
    part = str(ROLE_LABELS[Role(event.role)]) if event.role in Role else event.role
    return part if event.role == Role.PLATFORM else f"{event.by} ({part})"


def _details(order: Order, verb: Verb, data: Mapping[str, Any], now: datetime) -> list[str]:
    """What the event carries, each thing in a sentence; what is not known is left out, never shown raw."""
    said = []
    if verb == Verb.PLACE and "lines" in data:
        n = int(data["lines"])
        said.append(ngettext("%(n)s línea", "%(n)s líneas", n) % {"n": n})
    for key, words in (("total_cents", _("Total: %(amount)s")), ("charged_cents", _("Cobrado: %(amount)s"))):
        if key in data:
            said.append(words % {"amount": format_money(data[key], order.currency)})
    if data.get("collected_cents"):
        amount = format_money(data["collected_cents"], order.currency)
        said.append(_("Cobrado por el mensajero: %(amount)s") % {"amount": amount})
    if data.get("amount_cents"):
        said.append(format_money(data["amount_cents"], order.currency))
    if data.get("refunded_cents"):
        amount = format_money(data["refunded_cents"], order.currency)
        said.append(_("Se devuelve: %(amount)s") % {"amount": amount})
    said += _reasons(verb, data)
    if "parcel" in data:
        said.append((_("Bulto %(parcel)s · %(carrier)s %(tracking)s") % data).strip())
    if data.get("kind") in HoldKind.values:
        said.append(str(HoldKind(data["kind"]).label))
    if verb == Verb.HOLD and data.get("mismatch"):
        said.append(telling.mismatch(data["mismatch"], order.currency))
    said += telling.confirmed(data.get("confirmed"))
    if verb == Verb.MAIL_BOUNCED:
        said.append(bounced(data))
    if data.get("note"):
        said.append(str(data["note"]))
    said += _moments(order, data, now)
    return said


def bounce_words(order: Order) -> str:
    """That a mail to the customer did not arrive, and why; empty when all of them did (NOT-01)."""
    notice = bounces.latest_of(order.id)
    if notice is None:
        return ""
    told = {"about": notice.event, "email": notice.email, "answer": notice.bounce_reason}
    return _("El correo al cliente no llegó: %(why)s") % {"why": bounced(told)}


def bounced(data: Mapping[str, Any]) -> str:
    """Which mail did not reach the customer, and what their server answered (NOT-01)."""
    about = data.get("about", "")
    name = str(Verb(about).label) if about in Verb.values else about
    answer = bounces.reason_words(data.get("answer", ""))
    return _("«%(mail)s» a %(email)s: %(answer)s") % {**data, "mail": name, "answer": answer}


def _reasons(verb: Verb, data: Mapping[str, Any]) -> list[str]:
    kind, said = telling.kind_of(verb), []
    for line in data.get("refused") or ():
        words = {"line": line["line"], "reason": reasons.said(kind, line["reason"])}
        if "units" in line:
            words |= {"units": line["units"], "title": line["title"]}
            said.append(_("Rechazado: %(units)s × %(title)s. %(reason)s") % words)
        else:
            said.append(_("Línea %(line)s rechazada: %(reason)s") % words)
    if data.get("reason"):
        said.append(_("Motivo: %(reason)s") % {"reason": reasons.said(kind, data["reason"])})
    return said


def _moments(order: Order, data: Mapping[str, Any], now: datetime) -> list[str]:
    said = []
    for key, words in (("until", _("Hasta %(when)s")), ("cycle", _("Liquidación que cerró %(when)s"))):
        if data.get(key):
            zone = order.channel.calendar.zone
            when = moment_words(datetime.fromisoformat(data[key]), now, zone, ends=True)
            said.append(words % {"when": when})
    return said
