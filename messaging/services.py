"""Writing notices down, in the transaction of what they tell (NOT-01)."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from django.db.models import Q

from marketplace import bulk
from marketplace.policy import Role
from messaging.models import Audience, Notice
from messaging.notice_table import NOT_ONES_OWN, TABLE
from orders.models import Order
from orders.signals import Moved
from sellers.desk import Actor
from sellers.models import User
from sellers.queries import Contact, contacts

_muted: ContextVar[bool] = ContextVar("muted", default=False)

COLUMNS = ("event", "audience", "shop_id", "order_id", "email", "language", "payload", "muted", "due_at",
            "tries", "last_error", "message_id")  # fmt: skip


@contextmanager
def muted() -> Iterator[None]:
    """Write notices down as not to be sent, while history is replayed or a demonstration is made."""
    token = _muted.set(True)
    try:
        yield
    finally:
        _muted.reset(token)


type Recipient = tuple[str, str]


def notice_row(
    event: str,
    audience: Audience,
    to: Recipient,
    payload: str,
    *,
    shop_id: int | None,
    order_id: int | None,
    at: datetime,
) -> tuple[object, ...]:
    """A notice as a row of `COLUMNS`, due at once unless history is being told."""
    quiet = _muted.get()
    due_at = None if quiet else at
    return (event, str(audience), shop_id, order_id, *to, payload, quiet, due_at, 0, "", "")


def tell_moves(moves: Sequence[Moved], *, by: Actor) -> int:
    """Write the notices that these moves cause to customers and shops; whoever has no address is told nothing.

    Answers how many.
    """
    rows: list[tuple[object, ...]] = []
    audiences = {event: _audiences(event, by) for event in {move.verb for move in moves}}
    if not any(audiences.values()):
        return 0
    shops = contacts({move.shop_id for move in moves})
    for move in moves:
        shop = shops[move.shop_id]
        told = {
            Audience.CUSTOMER: (move.customer_email, move.customer_language),
            Audience.SELLER: (shop.contact_email, shop.language),
        }
        payload = json.dumps(payload_of(move, shop, by))
        rows.extend(
            notice_row(
                move.verb,
                audience,
                told[audience],
                payload,
                shop_id=shop.id,
                order_id=move.order_id,
                at=move.at,
            )
            for audience in audiences[move.verb]
            if audience in told and told[audience][0]
        )
    return bulk.insert(Notice, COLUMNS, rows)


def _audiences(event: str, by: Actor) -> tuple[Audience, ...]:
    told = TABLE.get(event, ())
    if event in NOT_ONES_OWN and by.role == Role.SELLER:
        return tuple(audience for audience in told if audience != Audience.SELLER)
    return told


def _told(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def payload_of(move: Moved, shop: Contact, by: Actor) -> dict[str, Any]:
    """What a notice of a move carries, so that its mail needs to read nothing else."""
    return {
        "reference": move.reference,
        "shop": shop.name,
        "channel_id": move.channel_id,
        "customer": move.customer_name,
        "items": move.items,
        "currency": move.currency,
        "total_cents": move.total_cents,
        "refunded_cents": move.data.get("refunded_cents", move.refunded_cents),
        "before": move.before,
        "held": move.held,
        "by": str(by.role),
        "at": move.at.isoformat(),
        "after": move.after,
        "cash_on_delivery": move.cash_on_delivery,
        "ships": move.ships,
        "at_once": move.at_once,
        "to_confirm": move.to_confirm,
        **{name: _told(getattr(move, name)) for name in ("pay_by", "accept_by", "ship_by", "deliver_by")},
        **move.data,
    }


def tell_mismatches(moves: Sequence[Moved]) -> int:
    """Tell the operators of baskets whose payments do not add up, both figures, once a basket (PAY-07)."""
    by_id = {move.order_id: move for move in moves}
    baskets: dict[int, list[Order]] = defaultdict(list)
    for order in Order.objects.filter(id__in=list(by_id)).select_related("basket", "shop").order_by("id"):
        baskets[order.basket_id].append(order)
    told = 0
    for orders in baskets.values():
        first = by_id[orders[0].id]
        basket = orders[0].basket
        payload = {
            "commercial_id": basket.commercial_id,
            "order_id": first.order_id,
            "orders": [{"reference": order.reference, "shop": order.shop.name} for order in orders],
            "channel_id": first.channel_id,
            "currency": basket.currency,
            **first.data["mismatch"],
            "accept_by": _told(first.accept_by),
        }
        told += tell_operators("mismatch", [payload], at=first.at)
    return told


def tell_managers(moves: Sequence[Moved], *, by: Actor) -> int:
    """Tell the operator whom each shop has, or all of them where it has none, of moves that the table tells operators
    and that are not an operator's own; answers how many notices were written."""
    told = [move for move in moves if Audience.OPERATOR in TABLE.get(move.verb, ())]
    if not told or by.role == Role.OPERATOR:
        return 0
    shops = contacts({move.shop_id for move in told})
    rows = [
        notice_row(
            move.verb,
            Audience.OPERATOR,
            to,
            json.dumps(payload_of(move, shops[move.shop_id], by)),
            shop_id=move.shop_id,
            order_id=move.order_id,
            at=move.at,
        )
        for move in told
        for to in operators_of(move.shop_id)
    ]
    return bulk.insert(Notice, COLUMNS, rows)


def operators_of(shop_id: int) -> list[Recipient]:
    """Where the operators of a shop are written to: its account manager where it has one, else every operator."""
    operators = User.objects.filter(is_staff=True, is_active=True)
    managing = operators.filter(managed_shops=shop_id)
    return list((managing if managing.exists() else operators).values_list("email", "language"))


def tell_operators(event: str, payloads: Sequence[dict[str, Any]], *, at: datetime) -> int:
    """Tell every operator of something that needs them; answers how many notices were written."""
    if not payloads:
        return 0
    operators = list(User.objects.filter(is_staff=True, is_active=True).values_list("email", "language"))
    return bulk.insert(
        Notice,
        COLUMNS,
        [
            notice_row(
                event,
                Audience.OPERATOR,
                to,
                json.dumps(payload),
                shop_id=None,
                order_id=payload.get("order_id"),
                at=at,
            )
            for payload in payloads
            for to in operators
        ],
    )


def tell_shops(event: str, payloads: Sequence[tuple[int, dict[str, Any]]], *, at: datetime) -> int:
    """Tell shops, by their id, of something that is about no order; answers how many notices were written."""
    shops = contacts(shop_id for shop_id, _ in payloads)
    return bulk.insert(
        Notice,
        COLUMNS,
        [
            notice_row(
                event,
                Audience.SELLER,
                (shops[shop_id].contact_email, shops[shop_id].language),
                json.dumps({"shop": shops[shop_id].name, **payload}),
                shop_id=shop_id,
                order_id=None,
                at=at,
            )
            for shop_id, payload in payloads
            if shops[shop_id].contact_email
        ],
    )


def send_again(notice_ids: Sequence[int], *, at: datetime) -> int:
    """Have notices that were given up, came back, or wait for their next try, sent at `at`; answers how many (NOT-01).

    What was sent already and did not come back, and what was written down as not to be sent, stays as it is.
    """
    rows = Notice.objects.filter(id__in=list(notice_ids), muted=False)
    rows = rows.filter(Q(sent_at=None) | Q(bounced_at__isnull=False))
    return rows.update(
        due_at=at,
        sent_at=None,
        given_up_at=None,
        tries=0,
        bounced_at=None,
        bounce_reason="",
        bounce_seen_at=None,
    )


def see_bounces(notice_ids: Sequence[int], *, at: datetime) -> int:
    """Take mails that came back off the operators' list: one of them has seen to it. Answers how many."""
    rows = Notice.objects.filter(id__in=list(notice_ids), bounced_at__isnull=False, bounce_seen_at=None)
    return rows.update(bounce_seen_at=at)
