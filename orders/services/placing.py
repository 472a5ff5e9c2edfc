"""Taking a basket in: one order a shop, each with its acceptance clock running (ORD-01, ORD-14, ORD-15, PAY-07)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from psycopg.types.json import Jsonb

from marketplace import bulk, clocks, money
from marketplace.models import Channel, Policy
from marketplace.policy import Settings, StartsWith
from marketplace.refusals import Code, Outcome, Refusal
from orders.models import Basket, Event, Hold, Line, Order, Part, Words
from orders.queries import folded
from orders.services.acceptance import made_of
from orders.services.fees import Fees, Priced, charge_fee
from orders.services.move import EVENT_COLUMNS, _event, _moved, promises
from orders.services.new_baskets import NewBasket, NewLine
from orders.services.parts import PART_COLUMNS, in_a_line, parts_of, served_by
from orders.signals import Moved, orders_moved
from orders.states import Decision, HoldKind, LineKind, State, Verb
from sellers.desk import PLATFORM, Actor


def place(channel: Channel, baskets: Sequence[NewBasket], *, by: Actor = PLATFORM) -> Outcome[Moved]:
    """Take baskets in at their `placed_at`; one that is already here is the same one and is refused as `duplicate`.

    One that the courier is to be paid for may hold only what travels, and one alone may fulfil what each shop sells of
    it: it is refused as `cash_for_digital` or `cash_for_several`.
    A refusal's `id` is the position of the basket in `baskets`. Raises nothing for a known basket; anything else that
    the database refuses undoes the whole call.
    """
    policy = channel.policy
    if policy is None:
        raise ValueError(f"channel {channel.code} has no policy in force")
    with transaction.atomic(savepoint=False), bulk.gathered():
        rows, refused = _new_baskets(channel, baskets, policy.rules)
        taken = _letters_taken([new.commercial_id for _, new in rows], channel)
        drafts = [
            draft
            for basket_id, new in rows
            for draft in _drafts(basket_id, new, channel, policy, taken.get(new.commercial_id, 0))
        ]
        moved = _write(drafts, by=by)
    return Outcome(moved, refused)


def _new_baskets(
    channel: Channel, baskets: Sequence[NewBasket], rules: Settings
) -> tuple[list[tuple[int, NewBasket]], list[Refusal]]:
    """Write the baskets that are not here yet; two writers of the same one meet at its unique key."""
    first: dict[str, NewBasket] = {}
    barred = {n: code for n, new in enumerate(baskets) if _cash(new, rules) and (code := _not_for_cash(new))}
    for n, new in enumerate(baskets):
        if n not in barred:
            first.setdefault(new.commercial_id, new)
    written = bulk.insert_missing(
        Basket,
        ("commercial_id", "channel_id", "placed_at", "currency", "total_cents", "paid_cents", "payments"),
        [
            (
                new.commercial_id,
                channel.id,
                new.placed_at,
                new.currency,
                _total(new),
                _paid(new),
                Jsonb(list(new.payments or ())),
            )
            for new in first.values()
        ],
    )
    rows: list[tuple[int, NewBasket]] = []
    refused: list[Refusal] = []
    for position, new in enumerate(baskets):
        if position in barred:
            refused.append(Refusal(position, barred[position], new.commercial_id))
        elif first[new.commercial_id] is new and new.commercial_id in written:
            rows.append((written[new.commercial_id], new))
        else:
            refused.append(Refusal(position, Code.DUPLICATE, new.commercial_id))
    return rows, refused


def _cash(new: NewBasket, rules: Settings) -> bool:
    """Whether the courier is paid for it, at the door."""
    return new.cash_on_delivery or rules.cash_on_delivery


def _not_for_cash(new: NewBasket) -> Code | None:
    """Why the courier cannot be paid for it: one courier is paid the whole of an order, for parcels of one place."""
    if not all(map(_travels, new.lines)):
        return Code.CASH_FOR_DIGITAL
    whose = {(line.shop_id, line.supplier_id) for line in new.lines}
    return Code.CASH_FOR_SEVERAL if len(whose) > len({shop for shop, _supplier in whose}) else None


def _travels(line: NewLine) -> bool:
    return line.kind == LineKind.GOODS


def _total(new: NewBasket) -> int:
    return new.shipping_cents + sum(
        line.unit_price_cents * line.quantity + line.shipping_cents for line in new.lines
    )


def _paid(new: NewBasket) -> int:
    return sum(int(payment["amount_cents"]) for payment in new.payments or ())


@dataclass(slots=True)
class _Draft:
    """An order about to be written, with its lines (and their shipping); what was paid, where it does not fit."""

    order: Order
    lines: list[tuple[NewLine, int]]
    mismatch: dict[str, int]


def _letters_taken(commercial_ids: list[str], channel: Channel) -> dict[str, int]:
    """How many orders other channels already have under the same commercial number: references never collide."""
    rows = bulk.fetch(
        """
        SELECT b.commercial_id, count(*) FROM orders_basket b JOIN orders_order o ON o.basket_id = b.id
         WHERE b.commercial_id = ANY(%s::varchar[]) AND b.channel_id <> %s GROUP BY 1
        """,
        [commercial_ids, channel.id],
    )
    return dict(rows)


def _letter(position: int) -> str:
    """A, B … Z, AA, AB …"""
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _drafts(basket_id: int, new: NewBasket, channel: Channel, policy: Policy, taken: int) -> list[_Draft]:
    """Split a basket by shop, in the order in which its shops first appear; spread the basket's shipping by value
    over what travels, if anything does."""
    travels = [_travels(line) for line in new.lines]
    values = [line.unit_price_cents * line.quantity for line in new.lines]
    if any(travels):
        weights = [value if moves else 0 for value, moves in zip(values, travels, strict=True)]
        values = weights if any(weights) else list(map(int, travels))
    shares = money.apportion(new.shipping_cents, values)
    shops: dict[int, list[tuple[NewLine, int]]] = {}
    for line, share in zip(new.lines, shares, strict=True):
        shops.setdefault(line.shop_id, []).append((line, line.shipping_cents + share))
    total, paid = _total(new), _paid(new)
    mismatch = {}
    cash = _cash(new, policy.rules)
    if new.payments is not None and total != paid and not cash:
        mismatch = {"paid_cents": paid, "total_cents": total}
    first = _first_step(new, cash, policy.rules, channel)
    return [
        _Draft(
            _order(
                basket_id,
                new,
                lines,
                shop_id=shop_id,
                channel=channel,
                policy=policy,
                first=first,
                reference=f"{new.commercial_id}-{_letter(taken + n)}",
                held=bool(mismatch),
            ),
            lines,
            mismatch,
        )
        for n, (shop_id, lines) in enumerate(shops.items())
    ]


def _first_step(new: NewBasket, cash: bool, rules: Settings, channel: Channel) -> dict[str, Any]:
    """Where an order's life begins and the deadline of its first step (ORD-01, ORD-07): cash on delivery waits for
    nobody's payment."""
    at, calendar = new.placed_at, channel.calendar
    step: dict[str, Any] = {"cash_on_delivery": cash}
    if rules.starts_with == StartsWith.ACCEPTANCE:
        accept_by = clocks.deadline(at, rules.accept_within.span, calendar)
        return {**step, "state": State.PENDING_ACCEPTANCE, "accept_by": accept_by}
    if not cash:
        pay_by = clocks.deadline(at, rules.pay_within.span, calendar)
        return {**step, "state": State.PENDING_PAYMENT, "pay_by": pay_by}
    return {**step, "state": State.AWAITING_SHIPMENT, "accepted_at": at, **promises(rules, calendar, at=at)}


def _order(
    basket_id: int,
    new: NewBasket,
    lines: list[tuple[NewLine, int]],
    *,
    shop_id: int,
    channel: Channel,
    policy: Policy,
    first: dict[str, Any],
    reference: str,
    held: bool,
) -> Order:
    customer = new.customer
    goods = sum(line.unit_price_cents * line.quantity for line, _ in lines)
    shipping = sum(cents for _, cents in lines)
    ships, at_once, to_confirm = made_of(line.kind for line, _ in lines)
    supplier_id, shared = served_by(line for line, _ in lines)
    order = Order(
        shop_id=shop_id,
        channel_id=channel.id,
        policy_id=policy.id,
        basket_id=basket_id,
        reference=reference,
        currency=new.currency,
        placed_at=new.placed_at,
        moved_at=new.placed_at,
        promised_at=new.promised_at,
        held_at=new.placed_at if held else None,
        goods_cents=goods,
        shipping_cents=shipping,
        total_cents=goods + shipping,
        ships=ships,
        at_once=at_once,
        to_confirm=to_confirm,
        payment_token=next((str(p["card"]) for p in new.payments or () if p.get("card")), ""),
        customer_external_id=customer.external_id,
        customer_name=customer.name,
        customer_email=customer.email,
        customer_language=customer.language,
        customer_phone=customer.phone,
        street=customer.street,
        postal_code=customer.postal_code,
        city=customer.city,
        region=customer.region,
        country=customer.country,
        wants_invoice=customer.wants_invoice or policy.rules.invoice_always,
        items_text=in_a_line(line for line, _ in lines),
        supplier_id=supplier_id,
        shared=shared,
        commission_parts="[]",
        **first,
    )
    if order.state == State.AWAITING_SHIPMENT:
        articles = [
            Priced(line.category, line.unit_price_cents * line.quantity, cents) for line, cents in lines
        ]
        charge_fee(order, Fees().of(order, at=new.placed_at, articles=articles))
    return order


ORDER_COLUMNS = tuple(field.attname for field in Order._meta.concrete_fields if field.attname != "id")

LINE_COLUMNS = (
    "shop_id",
    "order_id",
    "external_id",
    "sku",
    "title",
    "kind",
    "category",
    "quantity",
    "unit_price_cents",
    "goods_cents",
    "shipping_cents",
    "decision",
    "refuse_code",
    "refuse_reason",
    "shipped_quantity",
    "promised_ship_by",
    "access",
    "supplier_id",
    "tax_bp",
    "shipping_tax_bp",
)


def _write(drafts: list[_Draft], *, by: Actor) -> list[Moved]:
    """Write orders, lines, holds and the first line of each history, and tell the others."""
    if not drafts:
        return []
    ids = bulk.insert_numbered(
        Order, ORDER_COLUMNS, [[getattr(d.order, name) for name in ORDER_COLUMNS] for d in drafts]
    )
    for draft, order_id in zip(drafts, ids, strict=True):
        draft.order.id = order_id
    bulk.insert(Words, ("order_id", "shop_id", "text"), [_words(draft) for draft in drafts])
    bulk.insert(
        Line, LINE_COLUMNS, [_line_row(d.order, line, cents) for d in drafts for line, cents in d.lines]
    )
    served = [draft for draft in drafts if draft.order.supplier_id or draft.order.shared]
    bulk.insert(
        Part, PART_COLUMNS, [row for d in served for row in parts_of(d.order, [line for line, _ in d.lines])]
    )
    events, moves = [], []
    for draft in drafts:
        order = draft.order
        data: dict[str, Any] = {"lines": len(draft.lines), "total_cents": order.total_cents}
        if draft.mismatch:
            data["mismatch"] = draft.mismatch
        events.append(_event(order, Verb.PLACE, "", data, by=by, at=order.placed_at))
        moves.append(_moved(order, Verb.PLACE, "", data, at=order.placed_at))
    holds = [d for d in drafts if d.mismatch]
    for draft in holds:
        told = {"kind": HoldKind.PAYMENT_MISMATCH.value, "mismatch": draft.mismatch}
        events.append(
            _event(draft.order, Verb.HOLD, draft.order.state, told, by=by, at=draft.order.placed_at)
        )
    Hold.objects.bulk_create(
        [
            Hold(
                shop_id=d.order.shop_id,
                order_id=d.order.id,
                kind=HoldKind.PAYMENT_MISMATCH,
                facts=d.mismatch,
                placed_at=d.order.placed_at,
                placed_by=by.label,
            )
            for d in holds
        ]
    )
    bulk.insert(Event, EVENT_COLUMNS, events)
    orders_moved.send(sender=Order, moves=moves, verb=Verb.PLACE, by=by, at=moves[-1].at)
    return moves


def _words(draft: _Draft) -> tuple[int, int, str]:
    order = draft.order
    parts = [order.reference, order.customer_name, order.customer_email, order.city]
    parts += [f"{line.sku} {line.title}" for line, _ in draft.lines]
    return (order.id, order.shop_id, folded(" ".join(parts)))


def _line_row(order: Order, line: NewLine, shipping_cents: int) -> tuple[object, ...]:
    decision = Decision.ACCEPTED if order.state == State.AWAITING_SHIPMENT else Decision.PENDING
    return (
        order.shop_id,
        order.id,
        line.external_id,
        line.sku,
        line.title,
        str(line.kind),
        line.category,
        line.quantity,
        line.unit_price_cents,
        line.unit_price_cents * line.quantity,
        shipping_cents,
        str(decision),
        "",
        "",
        0,
        line.promised_ship_by,
        line.access,
        line.supplier_id,
        line.tax_bp,
        line.shipping_tax_bp,
    )
