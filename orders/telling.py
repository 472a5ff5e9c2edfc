"""What the history and the holds of an order keep as codes and figures, put in the reader's words."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.models import ReasonKind
from marketplace.money import format_money
from marketplace.reasons import OF_PROVIDERS, Why, said
from orders.models import DeliveryException, Hold, Line
from orders.states import HoldKind, Verb

_KINDS: dict[str, str] = {
    Verb.DEBIT_FAILED: OF_PROVIDERS,
    Verb.ACCEPT: ReasonKind.REFUSE,
    Verb.REFUSE: ReasonKind.REFUSE,
    Verb.SHORTEN: ReasonKind.REFUSE,
    Verb.HOLD: ReasonKind.HOLD,
    Verb.REFUND: ReasonKind.REFUND,
    Verb.REFUND_UNDONE: ReasonKind.REFUND,
    Verb.RETURN_ASKED: ReasonKind.RETURN,
    Verb.RETURN_REFUSED: ReasonKind.NO_RETURN,
    Verb.RETURN_REJECTED: ReasonKind.NO_RETURN,
    Verb.REPORT_EXCEPTION: ReasonKind.EXCEPTION,
    Verb.INCIDENT_OPENED: ReasonKind.INCIDENT,
    Verb.INCIDENT_RESOLVED: ReasonKind.SOLVED,
}

_ACTS: dict[str, object] = {
    Verb.ACCEPT: gettext_lazy("Aceptar el pedido"),
    Verb.REFUSE: gettext_lazy("Rechazar el pedido"),
    Verb.CANCEL: gettext_lazy("Cancelar el pedido"),
    Verb.READY: gettext_lazy("Listo para recoger"),
    Verb.DELIVER: gettext_lazy("Confirmar la entrega"),
    Verb.RETRY: gettext_lazy("Enviar otra vez"),
    Verb.RETURN_TO_SENDER: gettext_lazy("Ha vuelto a la tienda"),
    Verb.RELEASE: gettext_lazy("Quitar la espera"),
}


def kind_of(verb: str) -> str:
    """The list that the reasons of a move are of: accepting an order gives those of the lines it refuses."""
    return str(_KINDS.get(verb, ReasonKind.CANCEL))


def act_word(verb: str) -> str:
    """What an act is called that somebody asks for."""
    return str(_ACTS.get(verb) or (Verb(verb).label if verb in Verb.values else verb))


def asked_words(verb: str, facts: Mapping[str, Any]) -> str:
    """The act that was asked for, and what of it (ROL-05)."""
    kind = facts.get("kind")
    return f"{act_word(verb)}: {HoldKind(kind).label}" if kind in HoldKind.values else act_word(verb)


def failed(row: DeliveryException) -> str:
    """Why a parcel could not be delivered (EXC-02)."""
    return said(ReasonKind.EXCEPTION, Why(row.reason_code, row.note))


def corrected(told: Any) -> list[str]:
    """What of an address was put right, each part as it was and as it is (EXC-03)."""
    return [
        _("%(part)s: %(was)s → %(now)s")
        % {"part": PARTS.get(name, name), "was": was or "–", "now": now or "–"}
        for name, (was, now) in (told or {}).items()
    ]


PARTS: dict[str, object] = {
    "street": gettext_lazy("Calle"),
    "postal_code": gettext_lazy("Código postal"),
    "city": gettext_lazy("Ciudad"),
    "region": gettext_lazy("Provincia"),
    "customer_phone": gettext_lazy("Teléfono"),
    "courier_note": gettext_lazy("Indicaciones para el transportista"),
}
"""What the parts of an address that can be corrected are called."""


def refusal(line: Line) -> str:
    """Why a line was refused (ORD-05)."""
    return said(ReasonKind.REFUSE, Why(line.refuse_code, line.refuse_reason))


def of_return(told: Mapping[str, Any]) -> list[str]:
    """What the history keeps of a return: which, what was found on looking at it, with whom it travels (REF-09)."""
    if "return" not in told:
        return []
    said = [_("Devolución %(number)s") % {"number": told["return"]}]
    if told.get("presumed"):
        said.append(_("la tienda no contestó a tiempo"))
    for one in told.get("inspected") or ():
        good = _("%(good)s de %(units)s bien") % one
        said.append(": ".join(filter(None, (f"{one['title']}, {good}", one["flaw"]))))
    carried = " ".join(filter(None, (told.get("carrier"), told.get("tracking"))))
    return [*said, carried] if carried else said


def of_invoice(told: Mapping[str, Any]) -> list[str]:
    """What the history keeps of an invoice: its files, and what it stands in for (DOC-02)."""
    said = [str(_("con otros datos"))] if told.get("anew") else []
    if told.get("another"):
        said.append(_("en lugar de la anterior"))
    return said + ([", ".join(told["files"])] if told.get("files") else [])


def confirmed(told: Any) -> list[str]:
    """What was confirmed to the customer and what was said of it, line by line (ORD-13)."""
    return [": ".join(filter(None, (str(one["title"]), str(one["access"])))) for one in told or ()]


def mismatch(told: Any, currency: str) -> str:
    """What was paid and what should have been, from {"paid_cents", "total_cents"}; an old text as it is (PAY-07)."""
    if not isinstance(told, Mapping):
        return str(told or "")
    paid, total = (format_money(told[name], currency) for name in ("paid_cents", "total_cents"))
    return _("Se pagó %(paid)s y el total es %(total)s.") % {"paid": paid, "total": total}


def explanation(hold: Hold, currency: str) -> str:
    """Why an order was put in wait, past the kind of the hold: its figures, its reason, its note."""
    figures = mismatch(hold.facts, currency) if hold.facts else ""
    reason = said(ReasonKind.HOLD, Why(hold.reason_code, hold.note))
    return " · ".join(filter(None, (figures, reason)))
