"""What suppliers are told: of their own lines, and no amount of anything (ROL-04, NOT-01)."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from marketplace import bulk
from messaging.models import Audience, Notice
from messaging.services import COLUMNS, notice_row
from orders.signals import Moved
from orders.states import INSTANT, LineKind, State, Verb
from sellers.queries import contacts, supplier_contacts

TO_PREPARE = (State.AWAITING_SHIPMENT, State.AWAITING_PICKUP)
OF_PARCELS = (Verb.REPORT_EXCEPTION, Verb.RETURN_TO_SENDER, Verb.REDIRECT)
"""What is said of that which travels alone."""


class _Articles(NamedTuple):
    """Of a supplier's articles, those that travel and those that they confirm to the customer."""

    goods: list[str]
    confirms: list[str]


class _News(NamedTuple):
    """What a supplier hears of a move, and of which of their articles."""

    move: Moved
    event: str
    supplier_id: int
    articles: _Articles


def tell_suppliers(moves: Sequence[Moved]) -> int:
    """Write the notices that these moves cause to suppliers; answers how many. Nothing is read where none has a part
    in them."""
    news = [
        *_of_orders(moves),
        *(one for move in moves if move.verb == Verb.ASSIGN for one in _of_lines(move)),
        *(one for move in moves if move.verb == Verb.SHORTEN for one in _of_missing(move)),
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
                    supplier_payload(
                        one.move,
                        one.articles.goods,
                        one.articles.confirms,
                        supplier=to.name,
                        shop=shops[one.move.shop_id].name,
                    )
                ),
                shop_id=one.move.shop_id,
                order_id=one.move.order_id,
                at=one.move.at,
            )
            for one in news
            if (to := suppliers.get(one.supplier_id)) and to.contact_email
        ],
    )


def _event(move: Moved) -> str:
    """What a move means to those who fulfil the order; "" when it is nothing to them."""
    if move.after in TO_PREPARE and move.before not in TO_PREPARE:
        return "prepare"
    if move.verb == Verb.SHIP and move.data.get("from_order"):
        return "relieved"  # another order's parcel goes to this customer: nobody prepares one
    if move.verb == Verb.CANCEL and move.before in TO_PREPARE:
        return "cancel"
    return str(move.verb) if move.verb in OF_PARCELS else ""


def _of_orders(moves: Sequence[Moved]) -> Iterator[_News]:
    """To each supplier of an order what became of it, with the articles that were accepted and are theirs to fulfil."""
    concerned = [
        (move, event) for move in moves if (move.supplier_id or move.shared) and (event := _event(move))
    ]
    if not concerned:
        return
    heard: dict[int, dict[int, _Articles]] = defaultdict(lambda: defaultdict(_none))
    rows = bulk.fetch(
        "SELECT order_id, supplier_id, title, quantity, kind FROM orders_line WHERE order_id = ANY(%s::bigint[]) "
        "AND supplier_id IS NOT NULL AND decision = 'accepted' ORDER BY id",
        [[move.order_id for move, _event in concerned]],
    )
    for order_id, supplier_id, title, quantity, kind in rows:
        _add(heard[order_id][supplier_id], kind, title, quantity)
    for move, event in concerned:
        for supplier_id, own in heard[move.order_id].items():
            told = _Articles(own.goods, []) if event in OF_PARCELS else own
            if any(told):
                yield _News(move, event, supplier_id, told)


def _of_lines(move: Moved) -> Iterator[_News]:
    """To whom lines were given, and from whom they were taken, of an order that is being prepared."""
    if move.after not in TO_PREPARE:
        return
    heard: dict[tuple[str, int], _Articles] = defaultdict(_none)
    for told in move.data["assigned"]:
        for event, whose in (("relieved", told["was"]), ("prepare", told["is"])):
            if whose:
                kind = told.get("kind", LineKind.GOODS)
                _add(heard[event, whose["id"]], kind, told["title"], told["units"])
    for (event, supplier_id), articles in heard.items():
        if any(articles):
            yield _News(move, event, supplier_id, articles)


def _of_missing(move: Moved) -> Iterator[_News]:
    """To whom some units are not asked for any more (ORD-06)."""
    heard: dict[int, _Articles] = defaultdict(_none)
    for told in move.data["refused"]:
        if "supplier" in told:
            _add(heard[told["supplier"]], LineKind.GOODS, told["title"], told["units"])
    for supplier_id, articles in heard.items():
        yield _News(move, "relieved", supplier_id, articles)


def _none() -> _Articles:
    return _Articles([], [])


def _add(articles: _Articles, kind: str, title: str, units: int) -> None:
    """What is confirmed by itself is nothing that anybody prepares."""
    if kind not in INSTANT:
        (articles.goods if kind == LineKind.GOODS else articles.confirms).append(_item(title, units))


def _item(title: str, quantity: int) -> str:
    return f"{title} ×{quantity}"


def supplier_payload(
    move: Moved, goods: Sequence[str], confirms: Sequence[str] = (), *, supplier: str, shop: str
) -> dict[str, Any]:
    """What a mail to a supplier may say of a move: their articles, the deadline, the reason; no amount of anything.
    `confirms` are those that do not travel."""
    return {
        "reference": move.reference,
        "shop": shop,
        "supplier": supplier,
        "channel_id": move.channel_id,
        "customer": move.customer_name,
        "lines": list(goods),
        "confirms": list(confirms),
        "held": move.held,
        "at": move.at.isoformat(),
        "ship_by": move.ship_by.isoformat() if move.ship_by else None,
        "reason": move.data.get("reason", ""),
    }
