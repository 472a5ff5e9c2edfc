"""Authorisations: let go when nobody will charge them; shared by the orders of one basket; payments made elsewhere."""

import uuid
from collections.abc import Sequence
from datetime import timedelta

import pytest

from marketplace.models import Channel
from orders import services
from orders.models import Order
from orders.services import NewBasket, NewLine
from orders.states import State
from payments.models import Charge, Release
from payments.providers import Payment, Status, provider
from payments.providers.sandbox import Sandbox
from payments.states import AskState
from sellers.models import Shop
from tests.conftest import ANA, CLOCK, CUSTOMER, OPERATOR, SELLER, Placing, again
from tests.orders.lives import tick
from tests.payments.conftest import NOW, authorise, intent, really_charged
from tests.payments.stripe_proxy import FAULTS_AFTER, FAULTS_BEFORE, Fault, Wire

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


@pytest.mark.rule("ORD-02")
@pytest.mark.rule("ORD-05")
@pytest.mark.parametrize("ending", ["refuse", "expire", "cancel", "cancel_debit"])
def test_an_order_that_ends_uncharged_lets_go_of_its_authorisation(
    stripe_channel: Channel, place: Placing, wire: Wire, ending: str
) -> None:
    token = authorise(wire, 8400)
    order = place(card=token, at=NOW)
    if ending == "refuse":
        services.refuse([order.id], reason="sin existencias", by=SELLER, at=NOW)
    elif ending == "expire":
        services.expire([order.id], by=CLOCK, at=NOW + 4 * DAY)
    elif ending == "cancel":
        services.cancel([order.id], reason="no lo quiere", by=CUSTOMER, at=NOW)
    else:
        services.accept([order.id], by=SELLER, at=NOW)
        services.cancel([order.id], reason="Fraude", by=OPERATOR, at=NOW)
    assert intent(wire, token)["status"] == "requires_capture"
    assert tick("let_go", NOW + 4 * DAY).done == 1
    assert Release.objects.get().state == AskState.SUCCEEDED
    assert intent(wire, token)["status"] == "canceled"
    assert really_charged(wire) == []
    assert tick("charge", NOW + 4 * DAY).idle


@pytest.mark.rule("ORD-02")
@pytest.mark.parametrize("fault", [*FAULTS_BEFORE, *FAULTS_AFTER])
def test_letting_go_is_asked_until_it_is_answered(
    stripe_channel: Channel, place: Placing, wire: Wire, fault: Fault
) -> None:
    token = authorise(wire, 8400)
    order = place(card=token, at=NOW)
    services.refuse([order.id], reason="sin existencias", by=SELLER, at=NOW)
    wire.fail("cancel", fault)
    tick("let_go", NOW)
    assert Release.objects.get().state == AskState.ASKED
    tick("let_go", NOW + 30 * SECOND)
    assert Release.objects.get().state == AskState.SUCCEEDED
    assert intent(wire, token)["status"] == "canceled"


@pytest.mark.parametrize("card", ["pm_card_visa", "ok", ""])
def test_what_blocks_no_money_is_not_let_go_of(stripe_channel: Channel, place: Placing, card: str) -> None:
    order = place(card=card, at=NOW)
    services.refuse([order.id], reason="sin existencias", by=SELLER, at=NOW)
    assert not Release.objects.exists()


def test_the_sandbox_has_nothing_to_let_go_of(place: Placing) -> None:
    order = place(card="pi_like", at=NOW)
    services.refuse([order.id], reason="sin existencias", by=SELLER, at=NOW)
    assert not Release.objects.exists()


@pytest.fixture
def two(stripe_channel: Channel, shop: Shop, other_shop: Shop, wire: Wire) -> tuple[str, Sequence[Order]]:
    """A basket of two shops under one authorisation, whose customer agreed to be charged again."""
    customer = wire.ask("POST", "/v1/customers", email="ana@cliente.example")["id"]
    token = authorise(wire, 3000, customer=customer, setup_future_usage="off_session")
    lines = (
        NewLine("1", shop.id, "JAR", "Jarrón", 1, 1000, 0), NewLine("2", other_shop.id, "LIN", "Lino", 1, 2000, 0),
    )  # fmt: skip
    paid = ({"method": "card", "amount_cents": 3000, "card": token},)
    basket = NewBasket("C-2", currency="EUR", placed_at=NOW, customer=ANA, lines=lines, payments=paid)
    moved = services.place(stripe_channel, [basket]).moved
    return token, [Order.objects.get(id=move.order_id) for move in moved]


@pytest.mark.rule("ORD-14")
@pytest.mark.rule("PAY-01")
@pytest.mark.parametrize("apart", [False, True], ids=["at once", "one after the other"])
def test_two_orders_of_one_authorisation_are_each_charged_once(
    two: tuple[str, Sequence[Order]], wire: Wire, apart: bool
) -> None:
    token, both = two
    for number, order in enumerate(both):
        services.accept([order.id], by=SELLER, at=NOW + number * SECOND)
        if apart:
            tick("charge", NOW + number * SECOND)
    tick("charge", NOW + 60 * SECOND)
    assert {again(order).state for order in both} == {State.AWAITING_SHIPMENT}
    assert really_charged(wire) == [1000, 2000]
    assert intent(wire, token)["status"] == "succeeded"
    assert Charge.objects.exclude(reference=token).count() == 1


@pytest.mark.rule("PAY-05")
def test_a_second_order_is_refused_where_the_customer_never_agreed(
    two: tuple[str, Sequence[Order]], wire: Wire
) -> None:
    _token, both = two
    wire.agreed.clear()
    for order in both:
        services.accept([order.id], by=SELLER, at=NOW)
    tick("charge", NOW)
    assert sorted(again(order).state for order in both) == [State.AWAITING_SHIPMENT, State.FAILED]
    assert Charge.objects.get(state=AskState.REFUSED).message == "payment taken already"
    assert really_charged(wire) == [Charge.objects.get(state=AskState.SUCCEEDED).amount_cents]


@pytest.mark.rule("ORD-14")
def test_an_authorisation_is_kept_while_another_order_may_be_charged_on_it(
    two: tuple[str, Sequence[Order]], wire: Wire
) -> None:
    token, (one, other) = two
    services.refuse([one.id], reason="sin existencias", by=SELLER, at=NOW)
    tick("let_go", NOW)
    assert intent(wire, token)["status"] == "requires_capture"
    assert Release.objects.values_list("state", "message").get() == (
        AskState.REFUSED,
        "kept for another order",
    )
    services.refuse([other.id], reason="sin existencias", by=SELLER, at=NOW + SECOND)
    tick("let_go", NOW + SECOND)
    assert intent(wire, token)["status"] == "canceled"


@pytest.mark.rule("PAY-01")
def test_a_payment_made_elsewhere_is_looked_up(wire: Wire) -> None:
    desk = provider("stripe", "tienda")
    paid = authorise(wire, 8400, capture_method="automatic")
    held = authorise(wire, 8400)
    gone = authorise(wire, 8400)
    wire.ask("POST", f"/v1/payment_intents/{gone}/cancel")
    open_ = wire.ask("POST", "/v1/payment_intents", amount=8400, currency="eur")["id"]
    assert desk.payment(paid, at=NOW) == Payment(Status.SUCCEEDED, 8400, "EUR")
    assert desk.payment(held, at=NOW) == Payment(Status.PENDING, 0, "EUR")
    assert desk.payment(open_, at=NOW) == Payment(Status.PENDING, 0, "EUR")
    assert desk.payment(gone, at=NOW) == Payment(Status.REFUSED, 0, "EUR", "authorisation gone")
    assert desk.payment("pi_unknown", at=NOW).status == Status.UNKNOWN
    assert desk.payment("TRANSFER-1", at=NOW) == Payment(Status.UNKNOWN)


@pytest.mark.rule("PAY-01")
def test_the_sandbox_looks_a_payment_up_by_the_key_of_its_charge(db: None) -> None:
    desk = Sandbox()
    key = uuid.uuid4()
    assert desk.payment(str(key), at=NOW) == desk.payment("pi_1", at=NOW) == Payment(Status.UNKNOWN)
    desk.charge(key, card="slow", amount_cents=8400, currency="EUR", at=NOW)
    assert desk.payment(str(key), at=NOW) == Payment(Status.PENDING, 0, "EUR")
    assert desk.payment(str(key), at=NOW + 30 * SECOND) == Payment(Status.SUCCEEDED, 8400, "EUR")
    other = uuid.uuid4()
    desk.charge(other, card="refused", amount_cents=8400, currency="EUR", at=NOW)
    assert desk.payment(str(other), at=NOW) == Payment(Status.REFUSED, 0, "EUR", "card declined")
