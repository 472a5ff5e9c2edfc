"""The history of an order told in the trade's words: what, who, when, before and after (ORD-11)."""

from collections.abc import Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from incidents.states import ClosedHow
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


@dataclass(frozen=True, slots=True)
class Own:
    """What of an order is a supplier's: the numbers of their parcels, of their lines in the storefront."""

    supplier_id: int
    parcels: Collection[int]
    lines: Collection[str]


_TOLD_TO_SUPPLIERS = {"reason", "refused", "carrier", "tracking", "parcel", "kind", "until", "assigned"}


def _of(own: Own, event: Event) -> Event:
    """An event as a supplier is told of it: no money, no notes, nothing of another's lines (ROL-04)."""
    data = {key: value for key, value in event.data.items() if key in _TOLD_TO_SUPPLIERS}
    if data.get("parcel") not in own.parcels:
        data.pop("parcel", None)
    if event.verb in (Verb.DEBIT_FAILED, Verb.HOLD):
        data.pop("reason", None)
    data["refused"] = [
        line
        for line in data.get("refused", ())
        if line.get("supplier", own.supplier_id) == own.supplier_id and line["line"] in own.lines
    ]
    data["assigned"] = [
        {**told, "was": _only(told["was"], own), "is": _only(told["is"], own)}
        for told in data.get("assigned", ())
        if own.supplier_id in [one["id"] for one in (told["was"], told["is"]) if one]
    ]
    mine = event.role != Role.SUPPLIER or event.data.get("parcel") in own.parcels
    shown = copy(event)
    shown.data, shown.by = data, event.by if mine or event.verb not in (Verb.SHIP, Verb.HAND_OVER) else ""
    return shown


def _only(whose: Mapping[str, Any] | None, own: Own) -> Mapping[str, Any] | None:
    """A supplier's own name; another's stays untold."""
    return whose if whose and whose["id"] == own.supplier_id else None


def history(order: Order, events: Sequence[Event], now: datetime, own: Own | None = None) -> list[Told]:
    """Tell the events as they are given; `own` is what of the order is the reader's, where it is not the seller."""
    return [_told(order, _of(own, event) if own else event, now, own) for event in events]


def _told(order: Order, event: Event, now: datetime, own: Own | None) -> Told:
    moved = event.before != event.after
    return Told(
        event,
        str(Verb(event.verb).label),
        [*_details(order, Verb(event.verb), event.data, now), *_assigned(event.data, own)],
        _who(event),
        _state(event.before) if moved and event.before else "",
        _state(event.after) if moved else "",
    )


def _state(code: str) -> str:
    return str(State(code).label) if code in State.values else code


def _who(event: Event) -> str:
    """A person by name and part; the platform needs no name."""
    part = str(ROLE_LABELS[Role(event.role)]) if event.role in Role else event.role
    return part if event.role == Role.PLATFORM or not event.by else f"{event.by} ({part})"


def _assigned(data: Mapping[str, Any], own: Own | None) -> list[str]:
    """Whose each line was and whose it is; a supplier hears what was given to them and what was taken."""
    said = []
    for told in data.get("assigned") or ():
        words = {"line": told["title"], "was": (told["was"] or {}).get("name") or _("la tienda")}
        words["is"] = (told["is"] or {}).get("name") or _("la tienda")
        if own is None:
            said.append(_("%(line)s: lo servía %(was)s y ahora %(is)s") % words)
        elif told["is"]:
            said.append(_("%(line)s: ahora lo sirves tú") % words)
        else:
            said.append(_("%(line)s: ya no lo sirves tú") % words)
    return said


def _details(order: Order, verb: Verb, data: Mapping[str, Any], now: datetime) -> list[str]:
    """What the event carries, each thing in a sentence; what is not known is left out, never shown raw."""
    said = [telling.asked_words(data["asked"], data)] if data.get("asked") else []
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
    said += _incident(verb, data)
    said += telling.of_return(data)
    said += telling.of_invoice(data)
    said += _reasons(verb, data)
    if "parcel" in data:
        said.append((_("Bulto %(parcel)s · %(carrier)s %(tracking)s") % data).strip())
    if data.get("kind") in HoldKind.values and not data.get("asked"):
        said.append(str(HoldKind(data["kind"]).label))
    if verb == Verb.HOLD and data.get("mismatch"):
        said.append(telling.mismatch(data["mismatch"], order.currency))
    said += telling.confirmed(data.get("confirmed"))
    said += telling.corrected(data.get("corrected"))
    said += _linked(data)
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


def _linked(data: Mapping[str, Any]) -> list[str]:
    """Which order a parcel went on to, or came from; to the shop alone, and its number alone (EXC-04)."""
    words = (
        ("to_order", _("Su bulto va ahora al pedido %(order)s")),
        ("from_order", _("El bulto viene del pedido %(order)s")),
    )
    return [told % {"order": data[key]} for key, told in words if data.get(key)]


def _reasons(verb: Verb, data: Mapping[str, Any]) -> list[str]:
    kind, said = telling.kind_of(data.get("asked") or verb), []
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


def _incident(verb: Verb, data: Mapping[str, Any]) -> list[str]:
    """Which incident, on which articles, and what closed it (INC-01, INC-06)."""
    if "incident" not in data:
        return []
    said = [str(data["incident"])]
    if verb == Verb.INCIDENT_OPENED and data.get("lines"):
        said.append(", ".join(str(line["title"]) for line in data["lines"]))
    if data.get("how") in ClosedHow.values:
        said.append(str(ClosedHow(data["how"]).label))
    return said


def _moments(order: Order, data: Mapping[str, Any], now: datetime) -> list[str]:
    said = []
    for key, words in (("until", _("Hasta %(when)s")), ("cycle", _("Liquidación que cerró %(when)s"))):
        if data.get(key):
            zone = order.channel.calendar.zone
            when = moment_words(datetime.fromisoformat(data[key]), now, zone, ends=True)
            said.append(words % {"when": when})
    return said
