"""What of an order each supplier fulfils: written from its lines, with the order's own word on it (ROL-04)."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from marketplace import bulk
from orders.models import Line, Order, Part
from orders.queries import folded
from orders.states import INSTANT, Decision

PART_COLUMNS = ("shop_id", "order_id", "supplier_id", "placed_at", "units", "items_text", "text")
SERVED = ("supplier_id", "shared")
"""The columns of an order that say who fulfils it."""


class Article(Protocol):
    """A line, written or about to be."""

    @property
    def supplier_id(self) -> int | None: ...
    @property
    def sku(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def quantity(self) -> int: ...
    @property
    def kind(self) -> str: ...


def standing(lines: Iterable[Line]) -> list[Line]:
    """The lines of an order that were not refused."""
    return [line for line in lines if line.decision != Decision.REFUSED]


def served_by(lines: Iterable[Article]) -> tuple[int | None, bool]:
    """Who fulfils these lines: the one supplier of them all, or whether there are several who do. What is confirmed by
    itself is nobody's to fulfil."""
    each = {line.supplier_id for line in lines if line.kind not in INSTANT}
    return (None, True) if len(each) > 1 else (each.pop() if each else None, False)


def in_a_line(lines: Iterable[Article]) -> str:
    """Articles and their units in one line, as lists show them."""
    said = (f"{line.title} ×{line.quantity}" if line.quantity > 1 else line.title for line in lines)
    return " · ".join(said)[:160]


def parts_of(order: Order, lines: Sequence[Article]) -> list[tuple[object, ...]]:
    """The rows of an order's parts. Their words are the order's, less where its customer is written to, and those
    of their own articles: nobody finds an order by what another fulfils of it. `lines` are those that stand."""
    shares: dict[int, list[Article]] = {}
    for line in lines:
        if line.supplier_id is not None and line.kind not in INSTANT:
            shares.setdefault(line.supplier_id, []).append(line)
    return [
        (
            order.shop_id,
            order.id,
            supplier_id,
            order.placed_at,
            sum(line.quantity for line in share),
            in_a_line(share),
            folded(" ".join([order.reference, order.customer_name, order.city, *_words(share)])),
        )
        for supplier_id, share in shares.items()
    ]


def _words(lines: Iterable[Article]) -> Iterable[str]:
    return (f"{line.sku} {line.title}" for line in lines)


def rewrite(order_ids: Sequence[int], rows: Sequence[tuple[object, ...]]) -> None:
    """Write the parts of these orders anew; nothing is written where there are none."""
    if not order_ids:
        return
    bulk.write(Part, "DELETE FROM orders_part WHERE order_id = ANY(%s::bigint[])", [list(order_ids)])
    bulk.insert(Part, PART_COLUMNS, rows)
