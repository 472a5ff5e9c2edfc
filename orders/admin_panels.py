"""The tables on the operators' page of an order."""

from collections.abc import Callable

from django.utils.html import format_html
from django.utils.translation import gettext as _

from marketplace.rooms import Panel, moment, money
from orders.models import Order
from orders.states import State

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
    )
    rows = [
        (one.title, one.sku, one.quantity, one.shipped_quantity, money(one.goods_cents, order.currency),
         money(one.shipping_cents, order.currency),
         f"{one.get_decision_display()} {one.refuse_reason}".strip())
        for one in order.lines.all()
    ]  # fmt: skip
    return Panel(_("Líneas"), headers, rows)


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
        (str(one), one.note, moment(one.placed_at), one.placed_by, moment(one.until), moment(one.released_at),
         one.released_by)
        for one in order.holds.all()
    ]  # fmt: skip
    return Panel(_("Retenciones"), headers, rows)


def events_panel(order: Order) -> Panel:
    """The history that nobody can edit (ORD-11)."""
    headers = (_("Cuándo"), _("Qué"), _("Antes"), _("Después"), _("Quién"), _("Detalle"))
    words = dict(State.choices)
    rows = [
        (moment(one.at), one.get_verb_display(), words.get(one.before, "–"), words.get(one.after, one.after),
         one.by, ", ".join(f"{key}: {value}" for key, value in one.data.items() if value))
        for one in order.events.all()
    ]  # fmt: skip
    return Panel(_("Historial"), headers, rows)
