"""Reads of orders: what is due, and the door of a shop to its own orders."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from unicodedata import combining, normalize

from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404

from marketplace import bulk
from marketplace.batches import Key
from orders.models import Line, Order, Request
from orders.states import Decision, State
from sellers.models import Membership, Supplier

_INSTANT = timedelta(microseconds=1)


def orders_of(member: Membership) -> QuerySet[Order]:
    """The orders that a member of a shop sees: all of the shop's, or those that their supplier fulfils a part of
    (ROL-01, ROL-04). Each comes once."""
    rows = Order.objects.filter(shop_id=member.shop_id)
    return rows if member.supplier_id is None else rows.filter(parts__supplier_id=member.supplier_id)


def get_order(member: Membership, reference: str) -> Order:
    """The order of this member's shop, of their part in it; a stranger's is not found (ROL-01, ROL-04).

    `was_asked` says whether anything was ever asked for of it (ROL-05). Raises Http404.
    """
    asked = Request.objects.filter(order=OuterRef("id"))
    rows = orders_of(member).filter(reference=reference).select_related("policy", "channel")
    rows = rows.annotate(was_asked=Exists(asked))
    order = rows.first() if reference.isprintable() else None
    if order is None:
        raise Http404(reference)
    order.shop = member.shop
    return order


def lines_of(order: Order, member: Membership) -> list[Line]:
    """The lines of an order that are the member's to see, each with its supplier, if it has one (ROL-04)."""
    rows = order.lines.select_related("supplier")
    return list(rows if member.supplier_id is None else rows.filter(supplier_id=member.supplier_id))


_UNDONE = (State.REFUSED, State.CANCELLED, State.FAILED)


def may_reach(order: Order, lines: Iterable[Line]) -> bool:
    """Whether whoever fulfils these lines of an order needs to know where its customer lives and their telephone: there
    is something of theirs to deliver or to confirm, or it has left (ROL-04)."""
    live = order.state not in _UNDONE
    return any(
        line.shipped_quantity > 0 or (live and line.decision == Decision.ACCEPTED and not line.instant)
        for line in lines
    )


def suppliers_of(order: Order) -> list[Supplier]:
    """The suppliers who fulfil a part of an order, by name."""
    return list(Supplier.objects.filter(parts__order=order).order_by("name"))


def folded(text: str) -> str:
    """Small letters without accents, the way words are kept and looked for: «Jarrón» is found by «jarron»."""
    return "".join(c for c in normalize("NFKD", text.lower()) if not combining(c))


EARLIEST = (datetime.min.replace(tzinfo=UTC), 0)
"""Before every (deadline, id) key."""


def _keys(table: str, column: str, where: str, after: Key | None, count: int, moment: datetime) -> list[Key]:
    """The next (deadline, id) keys, in the order of the partial index that carries them."""
    since, row_id = after or EARLIEST
    rows = bulk.fetch(
        f"SELECT {column}, id FROM {table} WHERE {where} AND ({column}, id) > (%s, %s) ORDER BY {column}, id LIMIT %s",
        [moment, since, row_id, count],
    )
    return [(due_at, found) for due_at, found in rows]


def _first(column: str, where: str, table: str = "orders_order") -> datetime | None:
    moment: datetime | None = bulk.fetch(f"SELECT min({column}) FROM {table} WHERE {where}")[0][0]
    return moment


_UNPAID = "state = 'pending_payment'"
_UNANSWERED = "state = 'pending_acceptance'"
_ON_ITS_WAY = "state IN ('shipped', 'delivered') AND held_at IS NULL AND incident_at IS NULL"
_PRESALE = "released_at IS NULL AND until IS NOT NULL"


def due_expiries(after: Key | None, count: int, *, at: datetime) -> list[Key]:
    """Orders whose acceptance deadline has passed (ORD-02)."""
    return _keys("orders_order", "accept_by", f"{_UNANSWERED} AND accept_by < %s", after, count, at)


def next_expiry() -> datetime | None:
    """The first moment at which an order will have passed its acceptance deadline."""
    first = _first("accept_by", _UNANSWERED)
    return first + _INSTANT if first else None


def due_lapses(after: Key | None, count: int, *, at: datetime) -> list[Key]:
    """Orders that should have been paid by now (ORD-07)."""
    return _keys("orders_order", "pay_by", f"{_UNPAID} AND pay_by < %s", after, count, at)


def next_lapse() -> datetime | None:
    """The first moment at which an order should have been paid."""
    first = _first("pay_by", _UNPAID)
    return first + _INSTANT if first else None


def due_receipts(after: Key | None, count: int, *, at: datetime) -> list[Key]:
    """Shipped orders that count as received by now, unless something holds them (SHP-07, SHP-08)."""
    return _keys("orders_order", "receive_at", f"{_ON_ITS_WAY} AND receive_at <= %s", after, count, at)


def next_receipt() -> datetime | None:
    """The first moment at which an order will count as received."""
    return _first("receive_at", _ON_ITS_WAY)


def due_presale_ends(after: Key | None, count: int, *, at: datetime) -> list[Key]:
    """Pre-sale holds whose date has come (ORD-06)."""
    return _keys("orders_hold", "until", f"{_PRESALE} AND until <= %s", after, count, at)


def next_presale_end() -> datetime | None:
    """The first date on which a pre-sale ends."""
    return _first("until", _PRESALE, "orders_hold")


_RECEIVED = "channel_id = %s AND state = 'received' AND held_at IS NULL AND incident_at IS NULL"


def to_settle(
    channel_id: int, up_to: datetime, after: tuple[int, int] | None, count: int
) -> list[tuple[int, int]]:
    """Received orders that nothing holds, as (shop id, order id) in that order (SET-01).

    What counts is when they fell due, not when the clock came by: a late tick costs a shop no cycle.
    """
    shop_id, order_id = after or (0, 0)
    rows = bulk.fetch(
        f"""
        SELECT shop_id, id FROM orders_order
         WHERE {_RECEIVED} AND receive_at <= %s AND (shop_id, id) > (%s, %s) ORDER BY shop_id, id LIMIT %s
        """,
        [channel_id, up_to, shop_id, order_id, count],
    )
    return [(shop, order) for shop, order in rows]


def first_received(channel_id: int) -> datetime | None:
    """Since when the longest-waiting order of a channel has been waiting for a settlement."""
    moment: datetime | None = bulk.fetch(
        f"SELECT min(receive_at) FROM orders_order WHERE {_RECEIVED}", [channel_id]
    )[0][0]
    return moment
