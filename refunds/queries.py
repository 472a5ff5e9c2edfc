"""Reads of refunds: what is left of an order; of redirecting: what a parcel holds, and the orders of the shop that
might have it (EXC-04)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import CharField, Exists, ExpressionWrapper, F, OuterRef, Sum, Value
from django.db.models.functions import Replace, Upper

from marketplace.models import Zone, ZonePrefix
from marketplace.zones import folded, zones_of
from orders.models import Line, Order, Shipment, ShipmentLine
from orders.services import rules as rules_of
from orders.states import Decision, State
from refunds.amounts import Component, Left, tax_in
from refunds.models import RefundLine
from refunds.states import STANDING

TO_SHIP = (State.AWAITING_SHIPMENT, State.AWAITING_PICKUP)
MOST = 100
"""Orders that are looked at closely: those of the same area first, then elsewhere, each by its deadline."""

type Goods = Mapping[tuple[str, int | None], int]
"""Units by SKU and by whoever fulfils them; the shop itself is None."""


@dataclass(frozen=True, slots=True)
class Held:
    """The only parcel of an order, and what travels in it; `titles` are what its articles are called, by SKU."""

    parcel: Shipment
    goods: dict[tuple[str, int | None], int]
    titles: dict[str, str]


def parcel_of(order: Order) -> Held | None:
    """The only parcel of an order with its carrier, in one read; None where there are several."""
    rows = list(
        ShipmentLine.objects.filter(shipment__order_id=order.id).select_related("shipment__carrier", "line")
    )
    if len({row.shipment_id for row in rows}) != 1:
        return None
    goods = _summed((row.line.sku, row.line.supplier_id, row.quantity) for row in rows)
    return Held(rows[0].shipment, goods, {row.line.sku: row.line.title for row in rows})


def left_of(order: Order) -> dict[int, Left]:
    """What is left to be given back of each line that was accepted, by its id, in two reads (REF-03)."""
    rules = rules_of(order)
    back = {
        line_id: sums
        for line_id, *sums in RefundLine.objects.filter(line__order_id=order.id, refund__state__in=STANDING)
        .values("line_id")
        .values_list(
            "line_id",
            Sum("goods_cents"),
            Sum("goods_tax_cents"),
            Sum("shipping_cents"),
            Sum("shipping_tax_cents"),
        )
    }
    found = {}
    for line in Line.objects.filter(order_id=order.id, decision=Decision.ACCEPTED).order_by("id"):
        goods, goods_tax, shipping, shipping_tax = back.get(line.id, (0, 0, 0, 0))
        bp = rules.sales_tax_bp if line.tax_bp is None else line.tax_bp
        shipping_bp = bp if line.shipping_tax_bp is None else line.shipping_tax_bp
        found[line.id] = Left(
            line.id,
            line.quantity,
            line.unit_price_cents,
            line.category,
            Component(line.goods_cents, tax_in(line.goods_cents, bp), goods, goods_tax),
            Component(line.shipping_cents, tax_in(line.shipping_cents, shipping_bp), shipping, shipping_tax),
        )
    return found


def goods_back(order: Order) -> dict[int, int]:
    """What went back for the articles of each line of an order, in cents; no read where nothing did."""
    if not order.refunded_cents:
        return {}
    rows = RefundLine.objects.filter(line__order_id=order.id, refund__state__in=STANDING)
    return dict(rows.values("line_id").values_list("line_id", Sum("goods_cents")))


def awaited(order_ids: Iterable[int]) -> dict[int, dict[tuple[str, int | None], int]]:
    """What each of these orders still waits to ship."""
    found: dict[int, list[tuple[str, int | None, int]]] = {}
    for line in Line.objects.filter(order_id__in=list(order_ids)).order_by("id"):
        if line.to_ship:
            found.setdefault(line.order_id, []).append((line.sku, line.supplier_id, line.to_ship))
    return {order_id: _summed(rows) for order_id, rows in found.items()}


def _summed(rows: Iterable[tuple[str, int | None, int]]) -> dict[tuple[str, int | None], int]:
    goods: dict[tuple[str, int | None], int] = {}
    for sku, supplier_id, units in rows:
        goods[sku, supplier_id] = goods.get((sku, supplier_id), 0) + units
    return goods


def candidates(source: Order, zone: Zone | None, goods: Goods) -> list[Order]:
    """Orders of the same shop and channel that wait to be shipped with one of these articles: those whose postal codes
    begin as the area's do, then others, each by its deadline."""
    alike = Line.objects.filter(order=OuterRef("id"), sku__in=sorted({sku for sku, _whose in goods}))
    theirs = ExpressionWrapper(OuterRef("bare_code"), output_field=CharField())
    inside = ZonePrefix.objects.filter(zone=zone).annotate(code=theirs).filter(code__startswith=F("prefix"))
    rows = (
        Order.objects.filter(shop_id=source.shop_id, channel_id=source.channel_id, state__in=TO_SHIP)
        .filter(Exists(alike), currency=source.currency)
        .exclude(id=source.id)
        .annotate(bare_code=Upper(Replace(Replace("postal_code", Value(" ")), Value("-"))))
        .annotate(near=Exists(inside))
        .select_related("policy", "channel")
    )
    return list(rows.order_by("-near", "ship_by", "id")[:MOST])


def areas(orders: Iterable[Order]) -> dict[int, Zone | None]:
    """The area that each order goes to, in one read."""
    rows = list(orders)
    found = zones_of({(order.country, order.postal_code) for order in rows})
    return {order.id: found[order.country, order.postal_code] for order in rows}


def distance(one: str, other: str) -> tuple[int, int]:
    """How far two postal codes are from each other, for ranking: how many letters they do not begin alike in, then how
    far apart they are as numbers."""
    left, right = folded(one), folded(other)
    alike = 0
    for a, b in zip(left, right, strict=False):
        if a != b:
            break
        alike += 1
    numbers = left.isdecimal() and right.isdecimal() and len(left) == len(right)
    return max(len(left), len(right)) - alike, abs(int(left) - int(right)) if numbers else 0
