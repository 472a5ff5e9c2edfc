"""The tables on the operators' page of an order."""

from collections.abc import Callable
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplace.reasons import Why, said
from marketplace.rooms import Panel, link, moment, money
from orders.models import Event, Order
from orders.services import is_billable
from orders.states import HoldKind, State
from orders.telling import (
    act_word,
    asked_words,
    confirmed,
    corrected,
    explanation,
    failed,
    kind_of,
    mismatch,
    refusal,
)
from sellers.desk import who

ORDER_PANELS: list[Callable[[Order], Panel]] = []
"""Tables that the apps above add to the page of an order."""


def lines_panel(order: Order) -> Panel:
    """What was bought, and what was answered to each line."""
    headers = (
        _("Artículo"),
        _("SKU"),
        _("Unidades"),
        _("Enviadas"),
        _("Importe"),
        _("Envío"),
        _("Respuesta"),
        _("Clase"),
        _("Confirmada al cliente"),
        _("Lo sirve"),
    )
    rows = [
        (one.title, one.sku, one.quantity, one.shipped_quantity, money(one.goods_cents, order.currency),
         money(one.shipping_cents, order.currency),
         f"{one.get_decision_display()} {refusal(one)}".strip(), one.get_kind_display(),
         " · ".join(filter(None, (moment(one.confirmed_at), one.access))) if one.confirmed_at else "–",
         str(one.supplier or _("la tienda")))
        for one in order.lines.select_related("supplier")
    ]  # fmt: skip
    return Panel(_("Líneas"), headers, rows, numbers=(2, 3, 4, 5))


def parcels_panel(order: Order) -> Panel:
    """What was handed to which carrier."""
    headers = (
        _("Bulto"),
        _("Transportista"),
        _("Seguimiento"),
        _("Entregado al transportista"),
        _("Entregado"),
    )
    rows = []
    for one in order.shipments.all():
        linked = one.tracking_url.startswith(("https://", "http://"))
        number = format_html(
            '<a href="{}" rel="noopener" class="text-link">{}</a>', one.tracking_url, one.tracking
        )
        rows.append(
            (one.number, one.carrier_name, number if linked else one.tracking, moment(one.handed_over_at),
             moment(one.delivered_at))
        )  # fmt: skip
    return Panel(_("Bultos"), headers, rows)


def holds_panel(order: Order) -> Panel:
    """Why the order waits or has waited."""
    headers = (
        _("Retención"),
        _("Explicación"),
        _("Desde"),
        _("Puesta por"),
        _("Hasta"),
        _("Levantada"),
        _("Por"),
    )
    rows = [
        (str(one), explanation(one, order.currency), moment(one.placed_at), who(one.placed_by),
         moment(one.until), moment(one.released_at), who(one.released_by))
        for one in order.holds.all()
    ]  # fmt: skip
    return Panel(_("Retenciones"), headers, rows)


def exceptions_panel(order: Order) -> Panel:
    """What the carrier could not deliver, and how that ended (EXC-02)."""
    headers = (_("Novedad"), _("Bulto"), _("Avisó"), _("Lo anotó"), _("Terminó"), _("Cómo"), _("Por"))
    rows = [
        (failed(one), one.shipment.number if one.shipment else "–", moment(one.reported_at), who(one.reported_by),
         moment(one.ended_at), one.get_how_display() or "–", who(one.ended_by))
        for one in order.exceptions.select_related("shipment")
    ]  # fmt: skip
    return Panel(_("Novedades de entrega"), headers, rows)


def requests_panel(order: Order) -> Panel:
    """What was asked for of the order, and the answers (ROL-05)."""
    headers = (_("Se pide"), _("Motivo"), _("Lo pide"), _("Cuándo"), _("Estado"), _("Respuesta"), _("Por"))
    rows = [
        (link(one, asked_words(one.verb, one.facts)), said(kind_of(one.verb), Why(one.reason_code, one.note)),
         who(one.asked_by), moment(one.asked_at), one.get_state_display(), one.answer, who(one.answered_by))
        for one in order.requests.all()
    ]  # fmt: skip
    return Panel(_("Peticiones"), headers, rows)


def invoice_words(order: Order) -> str:
    """How the customer's own invoice stands: who asked for it, and whether it is owed (DOC-02)."""
    if not order.wants_invoice:
        return _("no la ha pedido")
    if order.invoiced_at:
        return _("entregada el %(moment)s") % {"moment": moment(order.invoiced_at)}
    if order.owes_invoice:
        return _("la tienda la debe desde que se cobró, el %(moment)s") % {"moment": moment(order.debited_at)}
    return _("la tienda la deberá cuando se cobre") if is_billable(order) else _("no queda nada cobrado")


DETAILS = {
    "lines": gettext_lazy("líneas"),
    "total_cents": gettext_lazy("total"),
    "charged_cents": gettext_lazy("cobrado"),
    "refunded_cents": gettext_lazy("devuelto"),
    "refused": gettext_lazy("rechazadas"),
    "reason": gettext_lazy("motivo"),
    "mismatch": gettext_lazy("no coincide"),
    "kind": gettext_lazy("clase"),
    "note": gettext_lazy("nota"),
    "until": gettext_lazy("hasta"),
    "carrier": gettext_lazy("transportista"),
    "tracking": gettext_lazy("seguimiento"),
    "tracking_url": gettext_lazy("enlace"),
    "parcel": gettext_lazy("bulto"),
    "confirmed": gettext_lazy("confirmado"),
    "cycle": gettext_lazy("ciclo"),
    "assigned": gettext_lazy("lo sirve"),
    "asked": gettext_lazy("se pide"),
    "corrected": gettext_lazy("corregido"),
    "to_order": gettext_lazy("va al pedido"),
    "from_order": gettext_lazy("viene del pedido"),
    "incident": gettext_lazy("incidencia"),
    "return": gettext_lazy("devolución"),
    "files": gettext_lazy("archivos"),
    "anew": gettext_lazy("con otros datos"),
    "another": gettext_lazy("en lugar de la anterior"),
}
_SILENT = (
    "suppliers",
    "request",
    "number",
    "how",
    "presumed",
    "partly",
    "label",
    "where",
    "inspected",
    "sent",
)
"""What an event keeps for the code to read."""


def details(event: Event, currency: str) -> str:
    """What an event says besides its verb, in words; a key without words stands as it is."""
    told, kind = [], kind_of(event.data.get("asked") or event.verb)
    for key, value in event.data.items():
        if key == "reason":
            value = said(kind, value)
        elif key == "mismatch":
            value = mismatch(value, currency)
        elif key.endswith("_cents"):
            value = money(value, currency)
        elif key in _WORDS:
            value = _WORDS[key](value)
        elif key in _SILENT:
            continue
        elif key == "lines" and isinstance(value, list):
            value = ", ".join(str(one["title"]) for one in value)
        elif isinstance(value, list):
            value = "; ".join(_line(one, kind) if isinstance(one, dict) else str(one) for one in value)
        elif (
            parsed := parse_datetime(value) if isinstance(value, str) and key in ("until", "cycle") else None
        ):
            value = moment(parsed)
        if value:
            told.append(f"{DETAILS.get(key, key)}: {value}")
    return " · ".join(told)


_WORDS: dict[str, Callable[[Any], str]] = {
    "confirmed": lambda told: "; ".join(confirmed(told)),
    "corrected": lambda told: "; ".join(corrected(told)),
    "asked": act_word,
    "anew": lambda told: _("sí"),
    "another": lambda told: _("sí"),
    "kind": lambda kind: str(dict(HoldKind.choices).get(kind, kind)),
    "assigned": lambda told: "; ".join(_assigned(one) for one in told),
}


def _assigned(told: dict[str, Any]) -> str:
    was, now = ((told[key] or {}).get("name") or _("la tienda") for key in ("was", "is"))
    return f"{told['title']}: {was} → {now}"


def _line(told: dict[str, Any], kind: str) -> str:
    return f"{told.get('title') or told.get('line', '')}: {said(kind, told.get('reason'))}"


def events_panel(order: Order) -> Panel:
    """The history that nobody can edit (ORD-11)."""
    headers = (_("Cuándo"), _("Qué"), _("Antes"), _("Después"), _("Quién"), _("Detalle"))
    words = dict(State.choices)
    rows = [
        (moment(one.at), one.get_verb_display(), words.get(one.before, "–"), words.get(one.after, one.after),
         who(one.by), details(one, order.currency))
        for one in order.events.all()
    ]  # fmt: skip
    return Panel(_("Historial"), headers, rows)
