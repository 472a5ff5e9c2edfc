"""Reads of redirecting: what a parcel holds, and the orders of the shop that might have it (EXC-04)."""

from collections.abc import Iterable, Mapping

from django.db.models import Exists, OuterRef, Q

from marketplace.models import Zone
from marketplace.zones import folded, zones_of
from orders.models import Line, Order, Shipment, ShipmentLine
from orders.states import State

TO_SHIP = (State.AWAITING_SHIPMENT, State.AWAITING_PICKUP)
MOST = 60
"""Orders that are looked at closely, nearest deadline first: in the same area, and elsewhere."""

type Goods = Mapping[tuple[str, int | None], int]
"""Units by SKU and by whoever fulfils them; the shop itself is None."""


def parcel_of(order: Order) -> Shipment | None:
    """The only parcel of an order, with its carrier; None where there are several."""
    found = list(Shipment.objects.filter(order_id=order.id).select_related("carrier")[:2])
    return found[0] if len(found) == 1 else None


def goods_of(parcel: Shipment) -> dict[tuple[str, int | None], int]:
    """What travels in a parcel."""
    rows = ShipmentLine.objects.filter(shipment=parcel).values_list(
        "line__sku", "line__supplier_id", "quantity"
    )
    return _summed(rows)


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
    begin as the area's do, and as many of the others, each kind by its deadline."""
    alike = Line.objects.filter(order=OuterRef("id"), sku__in=sorted({sku for sku, _whose in goods}))
    rows = (
        Order.objects.filter(shop_id=source.shop_id, channel_id=source.channel_id, state__in=TO_SHIP)
        .filter(Exists(alike), currency=source.currency)
        .exclude(id=source.id)
        .select_related("policy", "channel")
        .order_by("ship_by", "id")
    )
    if zone is None:
        return list(rows[:MOST])
    inside = Q()
    for prefix in zone.prefixes.values_list("prefix", flat=True):
        inside |= Q(postal_code__istartswith=prefix)
    near = list(rows.filter(inside, country=zone.country)[:MOST])
    known = [order.id for order in near]
    return near + list(rows.exclude(id__in=known)[:MOST])


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
