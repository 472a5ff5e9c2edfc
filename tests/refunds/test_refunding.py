"""Refunds after shipping: what the customer gets, what it costs the shop, what the provider is asked; and refusals."""

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ledger.models import Account, Posting
from ledger.queries import payable
from ledger.services import adjust, cover
from marketplace import invariants
from marketplace.models import Channel
from marketplace.policy import PRESETS, Preset, Role
from marketplace.reasons import Why
from marketplace.refusals import Code, MoveRefused
from marketplace.services import publish_policy
from messaging.models import Notice
from orders.models import Order
from orders.states import State
from payments.models import Payback, SandboxBook
from payments.states import AskState
from refunds import refunding
from refunds.amounts import Part
from refunds.models import Refund
from refunds.refunding import Wish
from refunds.states import RefundState
from sellers.desk import Actor
from sellers.models import Shop, User
from settlements.models import Statement
from tests.conftest import AT, OPERATOR, SELLER, again
from tests.orders.lives import HOUR, brought_to, tick
from tests.orders.test_matrix import everything_of

pytestmark = pytest.mark.django_db
BROKEN = Why("damaged")
SOON = AT + timedelta(days=60)


def order_in(state: State, channel: Channel, shop: Shop) -> Order:
    return Order.objects.get(id=brought_to(state, channel, shop)[0])


def not_paid_back() -> None:
    """Have the customer's bank take nothing back."""
    SandboxBook.objects.filter(kind="charge").update(card="norefund")


def wish(*parts: Part, **wishes: Any) -> Wish:
    return Wish(uuid.uuid4(), BROKEN, parts or None, **wishes)


def part(order: Order, goods_cents: int, shipping_cents: int = 0, *, units: int = 1, line: int = 0) -> Part:
    return Part(order.lines.all()[line].id, units, goods_cents, shipping_cents)


def sums(order: Order) -> dict[str, int]:
    """What each account holds of an order, by the books."""
    found: dict[str, int] = {}
    for account, cents in Posting.objects.filter(entry__order_id=order.id).values_list(
        "account", "amount_cents"
    ):
        found[account] = found.get(account, 0) + cents
    return {account: cents for account, cents in found.items() if cents}


@pytest.mark.rule("REF-01", "REF-02", "REF-05", "REF-07")
@pytest.mark.parametrize(
    "state", [State.SHIPPED, State.DELIVERED, State.EXCEPTION, State.RECEIVED, State.CLOSED]
)
def test_a_total_refund_gives_everything_back(state: State, channel: Channel, shop: Shop) -> None:
    order = order_in(state, channel, shop)
    if state == State.CLOSED:
        adjust(shop.id, channel.id, 10_000, "EUR", key="x", note="x", at=SOON)
    made = refunding.refund(order.id, wish(), by=SELLER, at=SOON)
    order = again(order)
    assert (made.total, made.amount_cents, order.refunded_cents) == (True, 8400, 8400)
    assert (order.commission_back_cents, order.commission_vat_back_cents) == (
        order.commission_cents,
        order.commission_vat_cents,
    )
    assert sums(order)[Account.REFUND_DUE] == -8400
    assert sums(order).get(Account.COMMISSION, 0) == 0
    tick("payback", SOON)
    assert Refund.objects.get().state == RefundState.PAID
    assert Account.REFUND_DUE not in sums(order)
    assert Payback.objects.get().state == AskState.SUCCEEDED
    told = Notice.objects.filter(order_id=order.id, event__in=("refund", "paid_back"))
    assert sorted(told.values_list("event", "audience")) == [
        ("paid_back", "customer"),
        ("refund", "customer"),
    ]


@pytest.mark.rule("REF-03", "REF-07")
def test_the_worked_example_of_the_books(channel: Channel, shop: Shop) -> None:
    order = order_in(State.RECEIVED, channel, shop)
    before = payable(shop.id, channel.id, "EUR")
    made = refunding.refund(order.id, wish(part(order, 2000)), by=SELLER, at=SOON)
    assert (made.amount_cents, made.commission_cents, made.commission_vat_cents) == (2000, 240, 51)
    assert (made.goods_tax_cents, made.shipping_tax_cents) == (347, 0)
    assert payable(shop.id, channel.id, "EUR") == before - 1709
    refunding.refund(order.id, wish(), by=SELLER, at=SOON)
    assert payable(shop.id, channel.id, "EUR") == 0
    assert set(sums(order)) == {Account.PROVIDER, Account.REFUND_DUE}


@pytest.mark.rule("REF-07")
def test_a_channel_may_keep_its_commission(channel: Channel, shop: Shop) -> None:
    rules = PRESETS[Preset.ACCEPT_FIRST].model_copy(update={"refund_returns_commission": False})
    publish_policy(channel, rules, by="x", at=AT)
    order = order_in(State.RECEIVED, channel, shop)
    adjust(shop.id, channel.id, 10_000, "EUR", key="x", note="x", at=SOON)
    made = refunding.refund(order.id, wish(), by=SELLER, at=SOON)
    assert (made.commission_cents, made.cost_cents) == (0, 8400)
    assert sums(order)[Account.COMMISSION] == -order.commission_cents


@pytest.mark.rule("REF-01", "REF-03", "ROL-01")
@pytest.mark.parametrize(
    ("state", "code", "by", "at", "chosen"),
    [
        (State.AWAITING_SHIPMENT, Code.WRONG_STATE, SELLER, SOON, None),
        (State.CANCELLED, Code.WRONG_STATE, SELLER, SOON, None),
        (State.RETURNED, Code.WRONG_STATE, SELLER, SOON, None),
        (State.SHIPPED, Code.NOT_ALLOWED, Actor(Role.CUSTOMER, "Ana"), SOON, None),
        (State.SHIPPED, Code.NOT_ALLOWED, Actor(Role.SELLER, "Rita", rights=frozenset()), SOON, None),
        (State.SHIPPED, Code.NOT_ALLOWED, Actor(Role.SUPPLIER, "Nuria", supplier_id=1), SOON, None),
        (State.SHIPPED, Code.DEADLINE_PASSED, SELLER, AT + timedelta(days=201), None),
        (State.SHIPPED, Code.NOTHING_CHOSEN, SELLER, SOON, (0, 0, 0)),
        (State.SHIPPED, Code.NOTHING_CHOSEN, SELLER, SOON, (0, 100, 0)),
        (State.SHIPPED, Code.MORE_THAN_LEFT, SELLER, SOON, (1, 6601, 0)),
        (State.SHIPPED, Code.MORE_THAN_LEFT, SELLER, SOON, (1, 0, 401)),
        (State.SHIPPED, Code.MORE_THAN_LEFT, SELLER, SOON, (3, 100, 0)),
        (State.SHIPPED, Code.MORE_THAN_LEFT, SELLER, SOON, (1, -1, 2)),
    ],
)
def test_what_may_not_be_changes_nothing(
    *,
    state: State,
    code: Code,
    by: Actor,
    at: Any,
    chosen: tuple[int, int, int] | None,
    channel: Channel,
    shop: Shop,
) -> None:
    order = order_in(state, channel, shop)
    before = everything_of(order.id)
    units, goods, shipping = chosen or (0, 0, 0)
    wanted = wish(part(order, goods, shipping, units=units)) if chosen else wish()
    with pytest.raises(MoveRefused) as refused:
        refunding.refund(order.id, wanted, by=by, at=at)
    assert refused.value.refusal.code == code
    assert everything_of(order.id) == before
    assert not Refund.objects.exists()


@pytest.mark.rule("REF-03", "REF-06")
def test_nothing_is_refunded_twice(channel: Channel, shop: Shop) -> None:
    order = order_in(State.SHIPPED, channel, shop)
    click = wish()
    first = refunding.refund(order.id, click, by=SELLER, at=SOON)
    assert refunding.refund(order.id, click, by=SELLER, at=SOON) == first
    before = everything_of(order.id)
    with pytest.raises(MoveRefused) as refused:
        refunding.refund(order.id, wish(), by=SELLER, at=SOON)
    assert refused.value.refusal.code == Code.NOTHING_TO_REFUND
    assert everything_of(order.id) == before
    tick("payback", SOON)
    assert Payback.objects.count() == 1


@pytest.mark.rule("REF-04")
def test_a_balance_that_is_too_low_refuses_it_with_the_figures(channel: Channel, shop: Shop) -> None:
    order = order_in(State.CLOSED, channel, shop)
    before = everything_of(order.id)
    assert payable(shop.id, channel.id, "EUR") == 0
    with pytest.raises(MoveRefused) as refused:
        refunding.refund(order.id, wish(), by=SELLER, at=SOON)
    assert refused.value.refusal.code == Code.BALANCE_TOO_LOW
    assert "71,80" in refused.value.refusal.detail.replace("\u00a0", " ")
    assert everything_of(order.id) == before


@pytest.mark.rule("REF-04", "ROL-05")
def test_the_operator_covers_what_the_balance_lacks(channel: Channel, shop: Shop, olga: User) -> None:
    order = order_in(State.CLOSED, channel, shop)
    adjust(shop.id, channel.id, 1000, "EUR", key="x", note="x", at=SOON)
    before = everything_of(order.id)
    asked = refunding.refund(order.id, wish(cover=True), by=SELLER, at=SOON)
    assert (asked.state, asked.covered_cents) == (RefundState.ASKED, asked.cost_cents - 1000)
    told = Notice.objects.filter(order_id=order.id, event="cover_asked")
    assert [one.email for one in told] == ["olga@operador.example"]
    told.delete()
    assert everything_of(order.id) == before
    with pytest.raises(MoveRefused) as refused:
        refunding.cover(asked.id, by=SELLER, at=SOON)
    assert refused.value.refusal.code == Code.NOT_ALLOWED
    refunding.cover(asked.id, by=OPERATOR, at=SOON + HOUR)
    assert payable(shop.id, channel.id, "EUR") == 0
    assert sums(order)[Account.OPERATOR_COVER] == asked.covered_cents
    tick("payback", SOON + HOUR)
    assert Refund.objects.get().state == RefundState.PAID
    with pytest.raises(MoveRefused):
        refunding.cover(asked.id, by=OPERATOR, at=SOON + HOUR)


@pytest.mark.rule("REF-04")
def test_what_is_not_covered_changes_nothing(channel: Channel, shop: Shop) -> None:
    order = order_in(State.CLOSED, channel, shop)
    before = everything_of(order.id)
    first = refunding.refund(order.id, wish(cover=True), by=SELLER, at=SOON)
    refunding.decline(first.id, answer="Hay que recoger primero la pieza", by=OPERATOR, at=SOON)
    second = refunding.refund(order.id, wish(cover=True), by=SELLER, at=SOON)
    refunding.withdraw(second.id, by=SELLER, at=SOON)
    states = Refund.objects.order_by("id").values_list("state", flat=True)
    assert list(states) == [RefundState.DECLINED, RefundState.WITHDRAWN]
    assert everything_of(order.id) == before


@pytest.mark.rule("REF-06")
@pytest.mark.parametrize("state", [State.SHIPPED, State.RECEIVED])
def test_a_refusal_of_the_provider_leaves_no_false_trace(
    state: State, channel: Channel, shop: Shop, olga: User
) -> None:
    order = order_in(state, channel, shop)
    not_paid_back()
    books = sums(order)
    refunding.refund(order.id, wish(), by=SELLER, at=SOON)
    tick("payback", SOON)
    made, order = Refund.objects.get(), again(order)
    assert (made.state, made.answer) == (RefundState.FAILED, "card declined")
    assert (order.refunded_cents, order.commission_back_cents) == (0, 0)
    assert sums(order) == books
    assert Notice.objects.filter(event="payback_refused", email=olga.email).count() == 1
    refunding.refund(order.id, wish(), by=SELLER, at=SOON + HOUR)
    assert again(order).refunded_cents == 8400


@pytest.mark.rule("REF-04", "REF-06")
def test_what_was_covered_goes_back_to_the_operator_when_the_provider_refuses(
    channel: Channel, shop: Shop, olga: User
) -> None:
    order = order_in(State.CLOSED, channel, shop)
    adjust(shop.id, channel.id, 1000, "EUR", key="x", note="x", at=SOON)
    not_paid_back()
    books = sums(order)
    asked = refunding.refund(order.id, wish(cover=True), by=SELLER, at=SOON)
    refunding.cover(asked.id, by=OPERATOR, at=SOON)
    assert sums(order)[Account.OPERATOR_COVER] == asked.covered_cents > 0
    tick("payback", SOON)
    assert Refund.objects.get().state == RefundState.FAILED
    assert sums(order) == books
    assert payable(shop.id, channel.id, "EUR") == 1000
    assert broken_covers() == []
    tick("statements", SOON + timedelta(days=40))
    last = Statement.objects.latest("id")
    assert (last.cover_cents, last.refunds_cents, last.payout_cents) == (0, 0, 1000)


@pytest.mark.broken_books
def test_a_cover_that_stays_without_its_refund_is_noticed(channel: Channel, shop: Shop) -> None:
    order = order_in(State.CLOSED, channel, shop)
    cover("x", shop.id, channel.id, order.id, 500, "EUR", at=SOON)
    assert broken_covers() == [f"order {order.reference}"]


def broken_covers() -> list[str]:
    (found,) = [one for one in invariants.check_all(at=None) if one.invariant.code == "I36"]
    return list(found.failures)


@pytest.mark.rule("REF-06")
def test_the_click_of_another_orders_refund_makes_none(channel: Channel, shop: Shop) -> None:
    first, second = (order_in(State.SHIPPED, channel, shop) for _ in range(2))
    click = wish(part(first, 100))
    made = refunding.refund(first.id, click, by=SELLER, at=SOON)
    before = everything_of(second.id)
    with pytest.raises(MoveRefused) as refused:
        refunding.refund(second.id, replace(click, parts=(part(second, 100),)), by=SELLER, at=SOON)
    assert (refused.value.refusal.code, everything_of(second.id)) == (Code.DUPLICATE, before)
    assert refunding.refund(first.id, click, by=SELLER, at=SOON) == made


@pytest.mark.rule("REF-06")
def test_one_that_fails_after_receipt_gives_the_shop_its_money(
    channel: Channel, shop: Shop, olga: User
) -> None:
    order = order_in(State.SHIPPED, channel, shop)
    not_paid_back()
    refunding.refund(order.id, wish(part(order, 1000)), by=SELLER, at=order.moved_at)
    tick("receive", AT + timedelta(days=90))
    tick("payback", AT + timedelta(days=90))
    order = again(order)
    assert (order.state, order.refunded_cents) == (State.RECEIVED, 0)
    assert -sums(order)[Account.PAYABLE] == 8400 - order.commission_cents - order.commission_vat_cents
