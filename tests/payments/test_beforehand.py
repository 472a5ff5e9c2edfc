"""Paid before the shop is asked, or at the door: who waits for whom, and where every cent stands."""

from dataclasses import replace
from datetime import timedelta

import pytest

from ledger.models import Account, Posting
from marketplace.models import Channel
from marketplace.policy import PRESETS, Preset
from marketplace.refusals import Code
from marketplace.services import publish_policy
from orders import services
from orders.models import Event, Order
from orders.states import Decision, State, Verb
from payments import beforehand
from payments.models import Charge, Payback
from payments.states import AskState
from sellers.models import Shop
from tests.conftest import AT, CLOCK, OPERATOR, SELLER, Placing, again, basket, sure
from tests.orders.lives import HOUR, brought_to, tick

pytestmark = pytest.mark.django_db
H72 = timedelta(hours=72)
DAYS_21 = timedelta(days=21)
SEUR = services.Parcel(carrier_name="SEUR", tracking="1")


@pytest.fixture
def prepaid(channel: Channel) -> Channel:
    publish_policy(channel, PRESETS[Preset.PREPAID], by="x", at=AT)
    return channel


@pytest.fixture
def at_the_door(channel: Channel) -> Channel:
    publish_policy(channel, PRESETS[Preset.CASH_ON_DELIVERY], by="x", at=AT)
    return channel


def books(order: Order) -> list[tuple[str, str, int]]:
    rows = Posting.objects.filter(entry__order_id=order.id).order_by("id")
    return list(rows.values_list("entry__kind", "account", "amount_cents"))


@pytest.mark.rule("ORD-07")
def test_an_order_paid_beforehand_waits_for_its_payment_and_then_for_the_shop(
    prepaid: Channel, place: Placing
) -> None:
    order = place(at=AT)
    assert (order.state, order.pay_by, order.accept_by) == (State.PENDING_PAYMENT, AT + H72, None)
    assert services.ship({order.id: SEUR}, by=SELLER, at=AT).refused[0].code == Code.WRONG_STATE
    moved = beforehand.confirm({order.id: "pi_77"}, by=CLOCK, at=AT + HOUR).moved
    order = again(order)
    assert [move.after for move in moved] == [order.state] == [State.AWAITING_SHIPMENT]
    assert (order.charged_cents, order.commission_cents, order.commission_vat_cents) == (8400, 1008, 212)
    assert sure(order.ship_by) > AT + HOUR
    assert set(order.lines.values_list("decision", flat=True)) == {Decision.ACCEPTED}
    charge = Charge.objects.get(order=order)
    assert (charge.state, charge.reference, charge.amount_cents, charge.due_at) == (
        AskState.SUCCEEDED,
        "pi_77",
        8400,
        None,
    )
    assert books(order) == [
        ("charge", Account.PROVIDER, 8400),
        ("charge", Account.PENDING, -8400),
    ]


@pytest.mark.rule("ORD-07")
def test_a_payment_is_confirmed_once(prepaid: Channel, place: Placing) -> None:
    order = place(at=AT)
    beforehand.confirm({order.id: "pi_1"}, by=OPERATOR, at=AT + HOUR)
    outcome = beforehand.confirm({order.id: "pi_1"}, by=OPERATOR, at=AT + HOUR)
    assert [refusal.code for refusal in outcome.refused] == [Code.WRONG_STATE]
    assert (Charge.objects.count(), Payback.objects.count(), len(books(order))) == (1, 0, 2)


@pytest.mark.rule("ORD-07")
def test_to_the_second_it_is_in_time_and_after_it_lapses(prepaid: Channel, place: Placing) -> None:
    in_time, late = place(at=AT), place(at=AT)
    assert beforehand.confirm({in_time.id: "pi_1"}, by=CLOCK, at=AT + H72).moved
    assert services.lapse([late.id], by=CLOCK, at=AT + H72).refused[0].code == Code.TOO_EARLY
    tick("lapse", AT + H72)
    assert again(late).state == State.PENDING_PAYMENT
    tick("lapse", AT + H72 + timedelta(seconds=1))
    assert (again(late).state, again(in_time).state) == (State.CANCELLED, State.AWAITING_SHIPMENT)
    assert Event.objects.filter(order=late).latest("id").verb == Verb.LAPSE


@pytest.mark.rule("ORD-07", "CAN-05")
@pytest.mark.parametrize("lapsed", [True, False], ids=["lapsed", "about to lapse"])
def test_money_that_comes_too_late_goes_straight_back(prepaid: Channel, place: Placing, lapsed: bool) -> None:
    order = place(at=AT, card="ok")
    late = AT + H72 + timedelta(minutes=1)
    if lapsed:
        tick("lapse", late)
    assert not beforehand.confirm({order.id: "pi_9"}, by=CLOCK, at=late + HOUR).moved
    order = again(order)
    assert (order.state, order.charged_cents, order.refunded_cents) == (State.CANCELLED, 8400, 8400)
    payback = Payback.objects.get(order=order)
    assert (payback.amount_cents, sure(payback.charge).reference) == (8400, "pi_9")
    assert sum(cents for _, account, cents in books(order) if account == Account.PENDING) == 0
    beforehand.confirm({order.id: "pi_9"}, by=CLOCK, at=late + HOUR)
    assert Payback.objects.count() == 1
    tick("payback", late + HOUR)
    assert Payback.objects.get(order=order).state == AskState.SUCCEEDED
    assert {account: cents for kind, account, cents in books(order) if kind == "paid_back"} == {
        Account.REFUND_DUE: 8400,
        Account.PROVIDER: -8400,
    }


@pytest.mark.rule("ORD-08")
def test_a_payment_that_failed_is_an_order_that_failed_with_its_reason(
    prepaid: Channel, place: Placing
) -> None:
    order = place(at=AT)
    beforehand.fail([order.id], reason="sin fondos", by=CLOCK, at=AT + HOUR)
    assert again(order).state == State.FAILED
    assert Event.objects.filter(order=order).latest("id").data["reason"] == "sin fondos"
    assert not books(order)


@pytest.mark.rule("SHP-07")
def test_receipt_counts_from_the_delivery_or_from_shipping_when_nobody_reported_one(
    prepaid: Channel, shop: Shop
) -> None:
    told, untold = brought_to(State.SHIPPED, prepaid, shop, 2)
    shipped_at = sure(Order.objects.get(id=told).shipped_at)
    services.deliver([told], by=CLOCK, at=shipped_at + timedelta(days=5))
    assert Order.objects.get(id=told).receive_at == shipped_at + timedelta(days=5) + DAYS_21
    assert Order.objects.get(id=untold).receive_at == shipped_at + DAYS_21
    tick("receive", shipped_at + DAYS_21)
    states = dict(Order.objects.values_list("id", "state"))
    assert (states[told], states[untold]) == (State.DELIVERED, State.RECEIVED)


@pytest.mark.rule("ORD-07", "PAY-06")
def test_cash_on_delivery_waits_for_no_payment_on_a_channel_that_is_paid_beforehand(
    prepaid: Channel, shop: Shop
) -> None:
    new = replace(basket(shop, at=AT), cash_on_delivery=True, payments=())
    order = Order.objects.get(id=services.place(prepaid, [new]).moved[0].order_id)
    assert (order.state, order.held_at, order.pay_by) == (State.AWAITING_SHIPMENT, None, None)
    assert order.commission_cents == 1008
    assert services.ship({order.id: SEUR}, by=SELLER, at=AT + HOUR).moved


@pytest.mark.rule("PAY-06", "SHP-10")
def test_the_courier_collects_at_the_door_and_the_shop_owes_the_commission(
    at_the_door: Channel, place: Placing
) -> None:
    order = place(at=AT)
    services.accept([order.id], by=SELLER, at=AT + HOUR)
    assert again(order).state == State.AWAITING_SHIPMENT
    assert not Charge.objects.exists()
    services.ready([order.id], by=SELLER, at=AT + HOUR)
    services.ship({order.id: SEUR}, by=SELLER, at=AT + 2 * HOUR)
    assert (again(order).charged_cents, books(order)) == (0, [])
    services.deliver([order.id], by=CLOCK, at=AT + 3 * HOUR)
    assert books(order) == [("collect", Account.COURIER, 8400), ("collect", Account.PENDING, -8400)]
    tick("receive", AT + 3 * HOUR + DAYS_21)
    received = [row for row in books(order) if row[0] == "receive"]
    assert (
        received[1],
        received[4],
    ) == (("receive", Account.PAYABLE, -8400), ("receive", Account.COMMISSION, -1008))
    assert again(order).charged_cents == 8400


@pytest.mark.rule("PAY-06")
def test_where_nobody_reported_a_delivery_receipt_tells_the_collection(
    at_the_door: Channel, shop: Shop
) -> None:
    (order_id,) = brought_to(State.SHIPPED, at_the_door, shop)
    order = Order.objects.get(id=order_id)
    tick("receive", sure(order.receive_at))
    assert again(order).charged_cents == 8400
    assert [kind for kind, _, _ in books(order)[:2]] == ["collect", "collect"]


@pytest.mark.rule("PAY-06", "CAN-05")
def test_what_comes_back_from_the_door_owes_nobody_anything(at_the_door: Channel, shop: Shop) -> None:
    (order_id,) = brought_to(State.RETURNED, at_the_door, shop)
    order = Order.objects.get(id=order_id)
    assert (order.charged_cents, order.refunded_cents, books(order)) == (0, 0, [])
    assert not Payback.objects.exists()


@pytest.mark.rule("CAN-05")
def test_what_was_paid_goes_back_when_the_parcel_does(channel: Channel, shop: Shop) -> None:
    (order_id,) = brought_to(State.RETURNED, channel, shop)
    assert Order.objects.get(id=order_id).refunded_cents == 8400
    assert Payback.objects.get().amount_cents == 8400


@pytest.mark.rule("SHP-07")
def test_after_a_second_try_the_days_start_again(channel: Channel, shop: Shop) -> None:
    (order_id,) = brought_to(State.EXCEPTION, channel, shop)
    order = Order.objects.get(id=order_id)
    much_later = sure(order.receive_at) + timedelta(days=3)
    tick("receive", much_later)
    assert again(order).state == State.EXCEPTION
    services.one(services.retry([order_id], by=SELLER, at=much_later))
    assert again(order).receive_at == much_later + DAYS_21


@pytest.mark.rule("PAY-07")
def test_there_is_nothing_to_compare_where_the_courier_collects(at_the_door: Channel, shop: Shop) -> None:
    new = replace(basket(shop, at=AT, paid_cents=1))
    moved = services.place(at_the_door, [new]).moved
    assert Order.objects.get(id=moved[0].order_id).held_at is None


@pytest.mark.rule("ORD-07")
def test_what_was_paid_in_time_is_in_time_however_late_it_is_told(prepaid: Channel, place: Placing) -> None:
    order, late = place(), place()
    due = sure(order.pay_by)
    told = due + timedelta(hours=8)
    confirmed = beforehand.confirm_paid(
        {order.id: "TR-1", late.id: "TR-2"},
        paid_at={order.id: due, late.id: due + timedelta(seconds=1)},
        by=CLOCK,
        at=told,
    )
    assert [move.order_id for move in confirmed.outcome.moved] == [order.id]
    assert confirmed.returned == {late.id}
    assert (again(order).state, again(late).state) == (State.AWAITING_SHIPMENT, State.CANCELLED)
    assert sure(again(order).ship_by) > told


@pytest.mark.rule("ORD-08", "CAN-05")
def test_money_for_an_order_that_failed_goes_back(prepaid: Channel, place: Placing) -> None:
    order = place()
    beforehand.fail([order.id], reason="card declined", by=CLOCK, at=AT + HOUR)
    confirmed = beforehand.confirm_paid({order.id: "TR-1"}, by=CLOCK, at=AT + 2 * HOUR)
    assert (list(confirmed.outcome.moved), set(confirmed.returned)) == ([], {order.id})
    order = again(order)
    assert (order.state, order.charged_cents, order.refunded_cents) == (State.FAILED, 8400, 8400)
    tick("payback", AT + 2 * HOUR)
    assert Payback.objects.get(order=order).amount_cents == 8400
