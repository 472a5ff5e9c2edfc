"""Giving money back after shipping: what of each line, who pays it, and asked of the provider one time (REF-01 …
REF-07).

A refund is worked out once and is the same for the page that shows it and for the service that makes it. Before receipt
it is paid out of what is pending of the order, after it out of the shop's balance, whose row is locked while it is
looked at: two refunds at once cannot both spend the same cents.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from ledger import queries as books
from ledger import services as ledger
from marketplace import money
from marketplace.policy import Role
from marketplace.reasons import Reasoned, Why, why
from marketplace.refusals import Code, MoveRefused, Refusal
from messaging import services as messaging
from messaging.models import Message
from orders import services as orders
from orders.models import Order
from orders.states import FINAL, PAST_RECEIPT
from payments import services as payments
from payments.models import Charge
from payments.states import AskState
from refunds import amounts
from refunds.amounts import Left, Part, TooMuch
from refunds.models import Refund, RefundLine
from refunds.queries import left_of
from refunds.states import RefundState
from sellers.desk import PLATFORM, Actor, Right

LONGEST_NOTE = 160
LONGEST_AGREEMENT = 200


@dataclass(frozen=True, slots=True)
class Plan:
    """A refund worked out: its parts with their taxes, what comes back of the commission, and what pays it.

    `balance_cents` is what the shop is owed before, None where the order pays it itself because it has not been
    received; `is_total` tells that nothing that was charged is left. Amounts in cents.
    """

    parts: Sequence[Part]
    commission_cents: int
    commission_vat_cents: int
    balance_cents: int | None
    is_total: bool

    @property
    def amount_cents(self) -> int:
        return sum(part.cents for part in self.parts)

    @property
    def tax_cents(self) -> int:
        """The taxes in the amount."""
        return sum(part.goods_tax_cents + part.shipping_tax_cents for part in self.parts)

    @property
    def cost_cents(self) -> int:
        """What it takes from the shop: the amount less what comes back of the commission."""
        return self.amount_cents - self.commission_cents - self.commission_vat_cents

    @property
    def short_cents(self) -> int:
        """What is missing of the shop's balance to pay it; a debt that it has already is not this refund's."""
        if self.balance_cents is None:
            return 0
        return max(self.cost_cents - max(self.balance_cents, 0), 0)

    @property
    def balance_after_cents(self) -> int | None:
        return None if self.balance_cents is None else self.balance_cents - self.cost_cents


def plan(order: Order, parts: Sequence[Part] | None = None, *, lock: bool = False) -> Plan:
    """Work out the refund of these parts of an order, of all that is left where none are given (REF-02, REF-03).

    Raises MoveRefused: `nothing_chosen`, `unknown_line`, `more_than_left` with what is left.
    """
    left = left_of(order)
    chosen = (
        amounts.all_of(left.values())
        if parts is None
        else [part for part in parts if part.units or part.cents]
    )
    if not any(part.cents for part in chosen):
        raise _refusal(order, Code.NOTHING_TO_REFUND if parts is None else Code.NOTHING_CHOSEN)
    if any(part.units < 1 or not part.cents for part in chosen):
        raise _refusal(order, Code.NOTHING_CHOSEN)
    try:
        taxed = amounts.with_taxes(chosen, left)
    except KeyError:
        raise _refusal(order, Code.UNKNOWN_LINE) from None
    except TooMuch as much:
        raise _refusal(order, Code.MORE_THAN_LEFT, _left_words(order, much)) from much
    commission, vat = _commission_back(order, left, taxed)
    received = order.state in PAST_RECEIPT
    balance = books.payable(order.shop_id, order.channel_id, order.currency, lock=lock) if received else None
    whole = order.refunded_cents + sum(part.cents for part in taxed) == order.charged_cents
    return Plan(taxed, commission, vat, balance, whole)


def _refusal(order: Order, code: Code, detail: str = "") -> MoveRefused:
    return MoveRefused(Refusal(order.id, code, detail))


def _left_words(order: Order, much: TooMuch) -> str:
    if much.component == "units":
        return str(much.left.units)
    component = much.left.goods if much.component == "goods" else much.left.shipping
    return money.format_money(component.left_cents, order.currency)


def _commission_back(order: Order, left: dict[int, Left], parts: Sequence[Part]) -> tuple[int, int]:
    """What comes back of the commission and its VAT: what the order bears now, less what is left of it would bear, so
    that any series of refunds gives all of it back, to the cent (REF-07)."""
    if not orders.rules(order).refund_returns_commission:
        return 0, 0
    going = {part.line_id: part for part in parts}
    rest = [
        orders.Priced(
            one.category,
            one.goods.left_cents - (going[one.line_id].goods_cents if one.line_id in going else 0),
            one.shipping.left_cents - (going[one.line_id].shipping_cents if one.line_id in going else 0),
        )
        for one in left.values()
    ]
    fee = orders.fee_of_left(order, rest)
    bears = order.commission_cents - order.commission_back_cents
    vat = order.commission_vat_cents - order.commission_vat_back_cents
    return max(bears - fee.cents, 0), max(vat - fee.vat_cents, 0)


@dataclass(frozen=True, slots=True)
class Wish:
    """A refund as somebody asks for it: the parts, or all that is left; why; and how it was agreed with the customer.

    `key` is of the click. With `cover` the operator pays what the shop's balance lacks: asked for by a shop, done by an
    operator (REF-04).
    """

    key: uuid.UUID
    reason: Reasoned
    parts: Sequence[Part] | None = None
    agreed: str = ""
    agreed_in: Message | None = None
    cover: bool = False


@transaction.atomic
def refund(order_id: int, wish: Wish, *, by: Actor, at: datetime) -> Refund:
    """Give money back to the customer of an order, and have the provider asked for it; or ask the operator to cover
    what the shop's balance lacks. The same click again answers the same refund.

    Raises MoveRefused: `wrong_state`, `not_allowed`, `deadline_passed`, `nothing_to_refund`, `reason_needed`,
    `nothing_chosen`, `unknown_line`, `more_than_left`, `balance_too_low` with the figures, `duplicate` for the click
    of another order's refund.
    """
    order = _locked(order_id)
    same = Refund.objects.filter(shop_id=order.shop_id, key=wish.key).first()
    if same is not None and same.order_id != order.id:
        raise _refusal(order, Code.DUPLICATE)
    if same is not None:
        return same
    at = orders.acts_at(order, by=by, at=at)
    code = orders.judge_refund(order, by=by, at=at)
    if code is not None:
        raise _refusal(order, code)
    if not why(wish.reason):
        raise _refusal(order, Code.REASON_NEEDED)
    worked = plan(order, wish.parts, lock=True)
    if worked.short_cents and not wish.cover:
        raise _refusal(order, Code.BALANCE_TOO_LOW, _short_words(order, worked))
    asks = bool(worked.short_cents) and by.role != Role.OPERATOR
    row = _write(order, worked, wish, asks=asks, by=by, at=at)
    if asks:
        messaging.tell_operators("cover_asked", [_told(row, order) | {"by": by.label}], at=at)
    else:
        _pay(row, order, worked, by=by, at=at)
    return row


def _told(row: Refund, order: Order) -> dict[str, Any]:
    """What mails say of a refund that the operator is to cover."""
    return {
        "reference": order.reference,
        "order_id": order.id,
        "channel_id": order.channel_id,
        "shop": order.shop.name,
        "currency": row.currency,
        "amount_cents": row.amount_cents,
        "cost_cents": row.cost_cents,
        "covered_cents": row.covered_cents,
    }


def _locked(order_id: int) -> Order:
    found = orders.lock_orders([order_id])
    if not found:
        raise MoveRefused(Refusal(order_id, Code.UNKNOWN_ORDER))
    return found[0]


def _short_words(order: Order, worked: Plan) -> str:
    figures = (worked.cost_cents, worked.balance_cents or 0, worked.short_cents)
    return " / ".join(money.format_money(cents, order.currency) for cents in figures)


def _write(order: Order, worked: Plan, wish: Wish, *, asks: bool, by: Actor, at: datetime) -> Refund:
    reason = why(wish.reason)
    last = Refund.objects.filter(order_id=order.id).aggregate(last=Max("number"))["last"] or 0
    row = Refund.objects.create(
        shop_id=order.shop_id,
        order_id=order.id,
        number=last + 1,
        key=wish.key,
        state=RefundState.ASKED if asks else RefundState.DUE,
        total=worked.is_total,
        reason_code=reason.code,
        reason_note=reason.note[:LONGEST_NOTE],
        currency=order.currency,
        **_sums(worked),
        covered_cents=worked.short_cents,
        received=worked.balance_cents is not None,
        agreed=wish.agreed[:LONGEST_AGREEMENT],
        agreed_in=wish.agreed_in,
        made_at=at,
        made_by=by.label,
        made_role=by.role.value,
    )
    RefundLine.objects.bulk_create(
        RefundLine(
            shop_id=order.shop_id,
            refund=row,
            line_id=part.line_id,
            units=part.units,
            goods_cents=part.goods_cents,
            goods_tax_cents=part.goods_tax_cents,
            shipping_cents=part.shipping_cents,
            shipping_tax_cents=part.shipping_tax_cents,
        )
        for part in worked.parts
    )
    return row


def _sums(worked: Plan) -> dict[str, int]:
    names = ("goods_cents", "goods_tax_cents", "shipping_cents", "shipping_tax_cents")
    return {
        "amount_cents": worked.amount_cents,
        "commission_cents": worked.commission_cents,
        "commission_vat_cents": worked.commission_vat_cents,
        **{name: sum(getattr(part, name) for part in worked.parts) for name in names},
    }


def _pay(row: Refund, order: Order, worked: Plan, *, by: Actor, at: datetime) -> None:
    """Post it, count it on the order, and write down the question to the provider; all in this transaction."""
    _cover(row, order, row.covered_cents, at=at)
    orders.one(orders.refund(order.id, told_of(row), asked_at=row.made_at, by=by, at=at))
    charge = Charge.objects.filter(order_id=order.id, state=AskState.SUCCEEDED).first()
    row.payback = (
        payments.open_payback(charge, row.amount_cents, at=at)
        if charge
        else payments.open_transfer(order, row.amount_cents, at=at)
    )
    row.save(update_fields=["payback"])


def _cover(row: Refund, order: Order, cents: int, *, at: datetime) -> None:
    if cents:
        ledger.cover(f"{row.id}", order.shop_id, order.channel_id, order.id, cents, order.currency, at=at)


def told_of(row: Refund) -> orders.Refunded:
    """What the order is told of a refund."""
    told: dict[str, Any] = {
        "number": row.number,
        "total": row.total,
        "reason": Why(row.reason_code, row.reason_note).kept,
        "covered_cents": row.covered_cents,
    }
    return orders.Refunded(row.id, row.amount_cents, row.commission_cents, row.commission_vat_cents, told)


@transaction.atomic
def cover(refund_id: int, *, by: Actor, at: datetime) -> Refund:
    """Pay what a shop's balance lacks for a refund that it asked to be covered, and make the refund (REF-04).

    It is worked out again: what the shop is owed by now pays first. Raises MoveRefused: `not_allowed`, `wrong_state`,
    `more_than_left`.
    """
    row, order = _to_decide(refund_id, by=by)
    at = orders.acts_at(order, by=by, at=at)
    parts = [Part(one.line_id, one.units, one.goods_cents, one.shipping_cents) for one in row.lines.all()]
    worked = plan(order, parts, lock=True)
    for name, cents in _sums(worked).items():
        setattr(row, name, cents)
    row.cover()
    row.total, row.received = worked.is_total, worked.balance_cents is not None
    row.covered_cents = worked.short_cents
    row.decided_at, row.decided_by = at, by.label
    row.save()
    for one in worked.parts:  # the tax in the same amount depends on what went back in between
        taxes = {"goods_tax_cents": one.goods_tax_cents, "shipping_tax_cents": one.shipping_tax_cents}
        row.lines.filter(line_id=one.line_id).update(**taxes)
    _pay(row, order, worked, by=by, at=at)
    messaging.tell_shops("cover_granted", [(row.shop_id, _told(row, order))], at=at)
    return row


@transaction.atomic
def decline(refund_id: int, *, answer: str, by: Actor, at: datetime) -> Refund:
    """Say that the operator does not cover a refund, and why. Raises MoveRefused: `not_allowed`, `wrong_state`,
    `reason_needed`."""
    row, order = _to_decide(refund_id, by=by)
    if not answer.strip():
        raise _refusal(order, Code.REASON_NEEDED)
    row.decline()
    row.answer, row.decided_at, row.decided_by = answer.strip()[:LONGEST_AGREEMENT], at, by.label
    row.save(update_fields=["state", "answer", "decided_at", "decided_by"])
    messaging.tell_shops("cover_declined", [(row.shop_id, _told(row, order) | {"answer": row.answer})], at=at)
    return row


@transaction.atomic
def withdraw(refund_id: int, *, by: Actor, at: datetime) -> Refund:
    """Take back a shop's own wish that the operator cover a refund. Raises MoveRefused: `not_allowed`,
    `wrong_state`."""
    row, order = _waiting(refund_id)
    if by.role != Role.SELLER or not by.may(Right.REFUND):
        raise _refusal(order, Code.NOT_ALLOWED)
    row.withdraw()
    row.decided_at, row.decided_by = at, by.label
    row.save(update_fields=["state", "decided_at", "decided_by"])
    return row


def _waiting(refund_id: int) -> tuple[Refund, Order]:
    """A refund that waits to be covered, under the lock of its order. Raises MoveRefused."""
    order_id = Refund.objects.filter(id=refund_id).values_list("order_id", flat=True).first()
    order = _locked(order_id or 0)
    row = Refund.objects.get(id=refund_id)
    if row.state != RefundState.ASKED:
        raise _refusal(order, Code.WRONG_STATE)
    return row, order


def _to_decide(refund_id: int, *, by: Actor) -> tuple[Refund, Order]:
    row, order = _waiting(refund_id)
    if by.role != Role.OPERATOR:
        raise _refusal(order, Code.NOT_ALLOWED)
    return row, order


def answered(payback_id: int, *, succeeded: bool, message: str, at: datetime) -> None:
    """What the provider answered to a refund: it is paid, or it is undone and leaves no trace in the books but entries
    that cancel each other, what the operator covered of it too (REF-06). A payback that is of no refund is passed over.

    Of an order that ended by giving everything back, what was refused stays due: the customer is owed it whoever asks
    for it, and an operator has it asked for anew.
    """
    row = Refund.objects.select_related("order").filter(payback_id=payback_id, state=RefundState.DUE).first()
    if row is None:
        return
    if not succeeded and row.order.state in FINAL - PAST_RECEIPT:
        row.answer = message[:LONGEST_AGREEMENT]
        row.save(update_fields=["answer"])
        return
    row.answered_at, row.answer = at, message[:LONGEST_AGREEMENT]
    if succeeded:
        row.pay()
    else:
        row.fail()
        payments.undo_paybacks([payback_id])
        orders.one(orders.undo_refund(row.order_id, told_of(row), by=PLATFORM, at=at))
        _cover(row, row.order, -row.covered_cents, at=at)
    row.save(update_fields=["state", "answered_at", "answer"])


def asked_anew(payback_id: int, *, anew_id: int) -> None:
    """The money of a refund that stands was refused and is asked for again: the refund waits for the new answer."""
    Refund.objects.filter(payback_id=payback_id, state=RefundState.DUE).update(payback_id=anew_id)
