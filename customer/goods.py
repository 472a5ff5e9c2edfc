"""The articles, the parcels and the amounts of an order as its customer is shown them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from marketplace.money import format_money
from orders.models import Line, Order, Shipment, ShipmentLine
from orders.states import Decision


@dataclass(frozen=True, slots=True)
class Parcel:
    """A parcel, where it can be followed, and what is in it."""

    shipment: Shipment
    follow_url: str
    contents: list[tuple[Line, int]] = field(default_factory=list)


def parcels_of(order: Order, lines: Sequence[Line]) -> list[Parcel]:
    """The parcels of an order by number; none is read where none has left."""
    if not order.parcels:
        return []
    by_id = {line.id: line for line in lines}
    found: dict[int, Parcel] = {}
    rows = ShipmentLine.objects.filter(shipment__order=order).select_related("shipment")
    for row in rows.order_by("shipment__number", "line_id"):
        parcel = found.get(row.shipment_id)
        if parcel is None:
            url = row.shipment.tracking_url
            follow = url if urlsplit(url).scheme in ("http", "https") else ""
            parcel = found[row.shipment_id] = Parcel(row.shipment, follow)
        parcel.contents.append((by_id[row.line_id], row.quantity))
    return list(found.values())


def amounts_of(order: Order, lines: Sequence[Line]) -> tuple[list[tuple[str, str]], tuple[str, str]]:
    """What the order comes to: its parts, and the total under them."""

    def money(cents: int) -> str:
        return format_money(cents, order.currency)

    served = [line for line in lines if line.decision != Decision.REFUSED] or list(lines)
    pairs = [
        (_("Artículos"), money(sum(line.goods_cents for line in served))),
        (_("Envío"), money(sum(line.shipping_cents for line in served))),
    ]
    total = (
        _("Total con impuestos"),
        money(sum(line.goods_cents + line.shipping_cents for line in served)),
    )
    return pairs, total


def paid_words(order: Order) -> list[str]:
    """What became of the money, in sentences."""
    said = []
    if order.charged_cents:
        said.append(_("Pagado: %(amount)s.") % {"amount": format_money(order.charged_cents, order.currency)})
    elif order.cash_on_delivery and order.ended_at is None:
        said.append(_("Lo pagas al mensajero cuando te llegue."))
    if order.refunded_cents:
        said.append(
            _("Devuelto: %(amount)s.") % {"amount": format_money(order.refunded_cents, order.currency)}
        )
    return said
