"""Reads of orders: what is due, and the door of a shop to its own orders."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.http import Http404

from marketplace.batches import Key
from orders.models import Hold, Order
from orders.states import State
from sellers.models import Shop

_INSTANT = timedelta(microseconds=1)


def get_order(shop: Shop, reference: str) -> Order:
    """The order of this shop; a stranger's is not found (ROL-01). Raises Http404."""
    order = Order.objects.filter(shop=shop, reference=reference).select_related("policy", "channel").first()
    if order is None:
        raise Http404(reference)
    order.shop = shop
    return order


def _keys(rows: QuerySet[Order] | QuerySet[Hold], column: str, after: Key | None, count: int) -> Sequence[Key]:
    """The next (deadline, id) keys in the order of the partial index that carries them."""
    if after is not None:
        rows = rows.filter(Q(**{f"{column}__gt": after[0]}) | Q(**{column: after[0], "id__gt": after[1]}))
    return list(rows.order_by(column, "id").values_list(column, "id")[:count])


def _not_accepted() -> QuerySet[Order]:
    return Order.objects.filter(state=State.PENDING_ACCEPTANCE)


def due_expiries(after: Key | None, count: int, *, at: datetime) -> Sequence[Key]:
    """Orders whose acceptance deadline has passed (ORD-02)."""
    rows = _not_accepted().filter(accept_by__lt=at)
    return _keys(rows, "accept_by", after, count)


def next_expiry() -> datetime | None:
    """The first moment at which an order will have passed its acceptance deadline."""
    first = _not_accepted().order_by("accept_by").values_list("accept_by", flat=True).first()
    return first + _INSTANT if first else None


def _to_receive() -> QuerySet[Order]:
    return Order.objects.filter(
        state__in=[State.SHIPPED, State.DELIVERED], held_at=None, incident_at=None, receive_at__isnull=False
    )


def due_receipts(after: Key | None, count: int, *, at: datetime) -> Sequence[Key]:
    """Shipped orders that count as received by now, unless something holds them (SHP-07, SHP-08)."""
    rows = _to_receive().filter(receive_at__lte=at)
    return _keys(rows, "receive_at", after, count)


def next_receipt() -> datetime | None:
    """The first moment at which an order will count as received."""
    return _to_receive().order_by("receive_at").values_list("receive_at", flat=True).first()


def _presales() -> QuerySet[Hold]:
    return Hold.objects.filter(released_at=None, until__isnull=False)


def due_presale_ends(after: Key | None, count: int, *, at: datetime) -> Sequence[Key]:
    """Pre-sale holds whose date has come (ORD-06)."""
    rows = _presales().filter(until__lte=at)
    return _keys(rows, "until", after, count)


def next_presale_end() -> datetime | None:
    """The first date on which a pre-sale ends."""
    return _presales().order_by("until").values_list("until", flat=True).first()


def to_settle(channel_id: int, up_to: datetime, after: tuple[int, int] | None, count: int) -> list[tuple[int, int]]:
    """Received orders that nothing holds, as (shop id, order id) in that order (SET-01)."""
    rows = Order.objects.filter(
        channel_id=channel_id, state=State.RECEIVED, held_at=None, incident_at=None, received_at__lte=up_to
    )
    if after is not None:
        rows = rows.filter(Q(shop_id__gt=after[0]) | Q(shop_id=after[0], id__gt=after[1]))
    return list(rows.order_by("shop_id", "id").values_list("shop_id", "id")[:count])


