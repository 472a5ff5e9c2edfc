"""The history of an order as its customer is told it: what concerns them, and of that what they may know (ROL-03).

It is told by what is named here, and nothing else: an event or a detail without words of its own stays untold.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from marketplace import reasons
from marketplace.money import format_money
from marketplace.policy import Role
from orders import telling
from orders.models import Event, Order
from orders.states import FINAL, Verb

MOST = 60
"""So many events are told: what has more is an order of very many parcels."""


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that happened to the order, in words; `ends` when it was the end of it."""

    verb: str
    text: str
    at: datetime
    note: str = ""
    ends: bool = False


def _because(event: Event) -> str:
    return reasons.said(telling.kind_of(event.verb), event.data.get("reason"))


def _missing(event: Event) -> str:
    """The articles that the shop has refused, by name where the event has it."""
    titles = [str(line.get("title") or "") for line in event.data.get("refused") or ()]
    names = ", ".join(filter(None, titles))
    return _("No puede servirte: %(lines)s") % {"lines": names} if names else ""


def _carried(event: Event) -> str:
    return " ".join(str(event.data.get(name) or "") for name in ("carrier", "tracking")).strip()


def _wanted(event: Event) -> str:
    return ", ".join(f"{one['units']} × {one['title']}" for one in event.data.get("wanted") or ())


def _about(event: Event) -> str:
    return ", ".join(str(one["title"]) for one in event.data.get("lines") or ())


def _cancelled(event: Event, shop: str) -> str:
    if event.role == Role.CUSTOMER:
        return _("Lo cancelaste")
    if event.role in (Role.SELLER, Role.SUPPLIER):
        return _("%(shop)s lo canceló") % {"shop": shop}
    return _("Cancelado")


def _arrived(event: Event) -> str:
    return _("Confirmaste que te llegó") if event.role == Role.CUSTOMER else _("Entregado")


def _parcel(event: Event) -> str:
    return _("Salió el bulto %(parcel)s") % {"parcel": event.data.get("parcel", 1)}


def _titles(event: Event) -> str:
    return ", ".join(str(one["title"]) for one in event.data.get("confirmed") or ())


def _amount(name: str) -> Callable[[Event, Order], str]:
    def told(event: Event, order: Order) -> str:
        cents = event.data.get(name)
        return format_money(cents, order.currency) if cents else ""

    return told


type Words = Callable[[Event, Order], str]

TEXTS: Mapping[str, Words] = {
    Verb.PLACE: lambda event, order: _("Pedido recibido"),
    Verb.CONFIRM_PAYMENT: lambda event, order: _("Pagado"),
    Verb.LAPSE: lambda event, order: _("Cancelado: no se pagó a tiempo"),
    Verb.ACCEPT: lambda event, order: _("%(shop)s lo confirmó") % {"shop": order.shop.name},
    Verb.REFUSE: lambda event, order: _("%(shop)s no puede servirlo") % {"shop": order.shop.name},
    Verb.EXPIRE: lambda event, order: _("Cancelado: la tienda no respondió a tiempo"),
    Verb.CANCEL: lambda event, order: _cancelled(event, order.shop.name),
    Verb.DEBIT_SUCCEEDED: lambda event, order: _("Cobrado"),
    Verb.DEBIT_FAILED: lambda event, order: _("No se pudo cobrar"),
    Verb.SHORTEN: lambda event, order: _("Faltan unidades"),
    Verb.READY: lambda event, order: _("Listo para que lo recoja el transportista"),
    Verb.HAND_OVER: lambda event, order: _parcel(event),
    Verb.SHIP: lambda event, order: _parcel(event) if order.parcels > 1 else _("Salió de la tienda"),
    Verb.REPORT_EXCEPTION: lambda event, order: _("No se pudo entregar"),
    Verb.RETRY: lambda event, order: _("Salió otra vez"),
    Verb.RETURN_TO_SENDER: lambda event, order: _("Volvió a la tienda"),
    Verb.DELIVER: lambda event, order: _arrived(event),
    Verb.NOTE_DELIVERY: lambda event, order: _arrived(event),
    Verb.FULFIL: lambda event, order: _("Confirmado: te llegó por correo"),
    Verb.CONFIRM: lambda event, order: _("Confirmado: te llegó por correo"),
    Verb.LATE_CHARGE: lambda event, order: _("Se cobró tarde y se te devuelve"),
    Verb.REFUND: lambda event, order: _("La tienda te devuelve dinero"),
    Verb.PAID_BACK: lambda event, order: _("Dinero devuelto"),
    Verb.INCIDENT_OPENED: lambda event, order: _("Incidencia abierta"),
    Verb.INCIDENT_RESOLVED: lambda event, order: _("Incidencia resuelta, según la tienda"),
    Verb.INCIDENT_SENT_BACK: lambda event, order: _("La incidencia sigue abierta"),
    Verb.INCIDENT_CLOSED: lambda event, order: _("Incidencia cerrada"),
    Verb.REDIRECT: lambda event, order: _("No llegará: la tienda lo da por devuelto"),
    Verb.RETURN_ASKED: lambda event, order: _("Pediste devolver artículos"),
    Verb.RETURN_ACCEPTED: lambda event, order: _("Devolución aceptada"),
    Verb.RETURN_REFUSED: lambda event, order: _("La tienda no acepta la devolución"),
    Verb.RETURN_INSTRUCTED: lambda event, order: _("La tienda te dice cómo mandar la devolución"),
    Verb.RETURN_SENT: lambda event, order: _("Mandaste la devolución"),
    Verb.RETURN_WITHDRAWN: lambda event, order: _("Retiraste la devolución"),
    Verb.RETURN_LAPSED: lambda event, order: _("La devolución ha caducado"),
    Verb.RETURN_RECEIVED: lambda event, order: _("La tienda recibió la devolución"),
    Verb.RETURN_INSPECTED: lambda event, order: _("Devolución revisada"),
    Verb.RETURN_REPLACED: lambda event, order: _("Te mandan otro, sin coste"),
    Verb.RETURN_REJECTED: lambda event, order: _("La tienda no admite lo que devolviste"),
}
"""How each event is told; the others are not the customer's."""

NOTES: Mapping[str, Words] = {
    Verb.ACCEPT: lambda event, order: _missing(event),
    Verb.SHORTEN: lambda event, order: _missing(event),
    Verb.REFUSE: lambda event, order: _because(event),
    Verb.CANCEL: lambda event, order: _because(event),
    Verb.REPORT_EXCEPTION: lambda event, order: _because(event),
    Verb.HAND_OVER: lambda event, order: _carried(event),
    Verb.SHIP: lambda event, order: _carried(event),
    Verb.FULFIL: lambda event, order: _titles(event),
    Verb.CONFIRM: lambda event, order: _titles(event),
    Verb.REFUND: _amount("amount_cents"),
    Verb.PAID_BACK: _amount("amount_cents"),
    Verb.LATE_CHARGE: _amount("charged_cents"),
    Verb.INCIDENT_OPENED: lambda event, order: _about(event),
    Verb.RETURN_ASKED: lambda event, order: _wanted(event),
    Verb.RETURN_REFUSED: lambda event, order: _because(event),
    Verb.RETURN_REJECTED: lambda event, order: _because(event),
    Verb.RETURN_SENT: lambda event, order: _carried(event),
    Verb.RETURN_REPLACED: lambda event, order: _carried(event),
}
"""What is told beside it: what the mail about it says too."""


def happened_to(order: Order) -> list[Happened]:
    """What happened to an order, oldest first."""
    rows = order.events.filter(verb__in=list(TEXTS)).order_by("-id")[:MOST]
    return [_told(event, order) for event in reversed(rows)]


def _ends(event: Event) -> bool:
    return event.before != event.after and event.after in FINAL


def _told(event: Event, order: Order) -> Happened:
    note = NOTES[event.verb](event, order) if event.verb in NOTES else ""
    return Happened(event.verb, TEXTS[event.verb](event, order), event.at, note, _ends(event))
