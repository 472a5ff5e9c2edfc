"""What suppliers are told: of their own lines, and no amount of anything (ROL-04, NOT-01)."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from marketplace import bulk
from messaging.models import Audience, Notice
from messaging.services import COLUMNS, notice_row
from orders.signals import Moved
from orders.states import State, Verb
from sellers.queries import contacts, supplier_contacts

TO_PREPARE = (State.AWAITING_SHIPMENT, State.AWAITING_PICKUP)


class _News(NamedTuple):
    """What a supplier hears of a move, and of which of their articles."""

    move: Moved
    event: str
    supplier_id: int
    items: list[str]


def tell_suppliers(moves: Sequence[Moved]) -> int:
    """Write the notices that these moves cause to suppliers; answers how many. Nothing is read where none has a part
    in them."""
    news = [
        *_of_orders(moves),
        *(one for move in moves if move.verb == Verb.ASSIGN for one in _of_lines(move)),
    ]
    if not news:
        return 0
    shops = contacts({one.move.shop_id for one in news})
    suppliers = supplier_contacts({one.supplier_id for one in news})
    return bulk.insert(
        Notice,
        COLUMNS,
        [
            notice_row(
                one.event,
                Audience.SUPPLIER,
                (to.contact_email, to.language),
                json.dumps(
                    supplier_payload(one.move, one.items, supplier=to.name, shop=shops[one.move.shop_id].name)
                ),
                shop_id=one.move.shop_id,
                order_id=one.move.order_id,
                at=one.move.at,
            )
            for one in news
            if (to := suppliers[one.supplier_id]).contact_email
        ],
    )


def _event(move: Moved) -> str:
    """What a move means to those who fulfil the order; "" when it is nothing to them."""
    if move.after in TO_PREPARE and move.before not in TO_PREPARE:
        return "prepare"
    if move.verb == Verb.CANCEL and move.before in TO_PREPARE:
        return "cancel"
    return "report_exception" if move.verb == Verb.REPORT_EXCEPTION else ""


def _of_orders(moves: Sequence[Moved]) -> Iterator[_News]:
    """To each supplier of an order what became of it, with the articles that were accepted and are theirs."""
    concerned = [
        (move, event) for move in moves if (move.supplier_id or move.shared) and (event := _event(move))
    ]
    if not concerned:
        return
    items: dict[int, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    rows = bulk.fetch(
        "SELECT order_id, supplier_id, title, quantity FROM orders_line WHERE order_id = ANY(%s::bigint[]) "
        "AND supplier_id IS NOT NULL AND decision = 'accepted' ORDER BY id",
        [[move.order_id for move, _event in concerned]],
    )
    for order_id, supplier_id, title, quantity in rows:
        items[order_id][supplier_id].append(_item(title, quantity))
    for move, event in concerned:
        for supplier_id, own in items[move.order_id].items():
            yield _News(move, event, supplier_id, own)


def _of_lines(move: Moved) -> Iterator[_News]:
    """To whom lines were given, and from whom they were taken, of an order that is being prepared."""
    if move.after not in TO_PREPARE:
        return
    heard: dict[tuple[str, int], list[str]] = defaultdict(list)
    for told in move.data["assigned"]:
        for event, whose in (("relieved", told["was"]), ("prepare", told["is"])):
            if whose:
                heard[event, whose["id"]].append(_item(told["title"], told["units"]))
    for (event, supplier_id), items in heard.items():
        yield _News(move, event, supplier_id, items)


def _item(title: str, quantity: int) -> str:
    return f"{title} ×{quantity}"


def supplier_payload(move: Moved, items: Sequence[str], *, supplier: str, shop: str) -> dict[str, Any]:
    """What a mail to a supplier may say of a move: their articles, the deadline, the reason; no amount of anything."""
    return {
        "reference": move.reference,
        "shop": shop,
        "supplier": supplier,
        "channel_id": move.channel_id,
        "customer": move.customer_name,
        "lines": list(items),
        "held": move.held,
        "at": move.at.isoformat(),
        "ship_by": move.ship_by.isoformat() if move.ship_by else None,
        "reason": move.data.get("reason", ""),
    }
