"""Taking baskets in."""

from datetime import timedelta

import pytest

from marketplace.models import Channel
from marketplace.refusals import Code
from marketplace.services import open_channel
from messaging.models import Notice
from orders import services
from orders.models import Basket, Event, Hold, Line, Order
from orders.services.placing import _letter
from orders.states import HoldKind, State
from sellers.models import Shop
from tests.conftest import ANA, AT, JAR, PLATE, Placing, basket

pytestmark = pytest.mark.django_db


@pytest.mark.rule("ORD-01")
def test_a_new_order_waits_for_acceptance_and_the_shop_is_told(place: Placing, shop: Shop) -> None:
    order = place(number="P-1")
    assert order.state == State.PENDING_ACCEPTANCE
    assert order.reference == "P-1-A"
    assert order.accept_by == AT + timedelta(hours=72)
    told = Notice.objects.filter(event="place").values_list("audience", "email").order_by("audience")
    assert list(told) == [("customer", ANA.email), ("seller", shop.contact_email)]


@pytest.mark.rule("ORD-14")
def test_a_basket_over_two_shops_is_an_order_a_shop_under_one_number(
    channel: Channel, shop: Shop, other_shop: Shop
) -> None:
    lines = (
        services.NewLine("1", shop.id, "A", "Jarrón", 1, 1000, 100),
        services.NewLine("2", other_shop.id, "B", "Manta", 1, 2000),
        services.NewLine("3", shop.id, "C", "Plato", 2, 300),
    )
    new = services.NewBasket("P-7", "EUR", AT, ANA, lines, shipping_cents=101)
    services.place(channel, [new])
    orders = list(Order.objects.order_by("reference").values_list("reference", "shop_id", "goods_cents"))
    assert orders == [("P-7-A", shop.id, 1600), ("P-7-B", other_shop.id, 2000)]
    # 101 by value over 1000, 2000 and 600, largest remainder: 28, 56, 17.
    assert list(Line.objects.order_by("external_id").values_list("shipping_cents", flat=True)) == [
        128,
        56,
        17,
    ]
    assert (
        sum(Order.objects.values_list("total_cents", flat=True)) == Basket.objects.get().total_cents == 3801
    )


@pytest.mark.rule("ORD-15")
def test_the_same_basket_twice_is_one_order(channel: Channel, shop: Shop, place: Placing) -> None:
    place(number="P-1")
    before = (Order.objects.count(), Event.objects.count(), Notice.objects.count(), Line.objects.count())
    twice = services.place(channel, [basket(shop, JAR, number="P-1"), basket(shop, JAR, number="P-1")])
    assert [(refusal.id, refusal.code) for refusal in twice.refused] == [
        (0, Code.DUPLICATE),
        (1, Code.DUPLICATE),
    ]
    assert (
        Order.objects.count(),
        Event.objects.count(),
        Notice.objects.count(),
        Line.objects.count(),
    ) == before


@pytest.mark.rule("ORD-15")
def test_the_same_number_twice_in_one_call_is_one_order(channel: Channel, shop: Shop) -> None:
    outcome = services.place(channel, [basket(shop, JAR, number="P-1"), basket(shop, PLATE, number="P-1")])
    assert len(outcome.moved) == 1
    assert [refusal.id for refusal in outcome.refused] == [1]
    assert Order.objects.get().goods_cents == 6600


def test_the_same_number_on_two_channels_is_two_orders_with_two_references(
    channel: Channel, shop: Shop
) -> None:
    other = open_channel("otra", "Otra tienda", by="pruebas", at=AT)
    for place_on in (channel, other):
        services.place(place_on, [basket(shop, JAR, number="P-1")])
    assert list(Order.objects.order_by("id").values_list("reference", flat=True)) == ["P-1-A", "P-1-B"]


@pytest.mark.rule("PAY-07")
@pytest.mark.parametrize(("difference", "held"), [(0, False), (1, True), (-1, True)])
def test_a_cent_of_difference_holds_every_order_of_the_basket(
    difference: int, held: bool, channel: Channel, shop: Shop, other_shop: Shop
) -> None:
    lines = (
        services.NewLine("1", shop.id, "A", "Jarrón", 1, 1000),
        services.NewLine("2", other_shop.id, "B", "Manta", 1, 2000),
    )
    paid = ({"method": "card", "amount_cents": 2500}, {"method": "voucher", "amount_cents": 500 + difference})
    services.place(channel, [services.NewBasket("P-1", "EUR", AT, ANA, lines, payments=paid)])
    holds = Hold.objects.filter(kind=HoldKind.PAYMENT_MISMATCH)
    assert [order.held_at is not None for order in Order.objects.all()] == [held, held]
    assert holds.count() == (2 if held else 0)
    if held:
        figures = {"paid_cents": 3000 + difference, "total_cents": 3000}
        assert [(hold.facts, hold.note) for hold in holds] == [(figures, "")] * 2
        assert [e.data["mismatch"] for e in Event.objects.order_by("id")] == [figures] * 4


@pytest.mark.rule("PAY-07")
def test_a_storefront_that_says_nothing_of_payments_is_not_compared(channel: Channel, shop: Shop) -> None:
    line = (services.NewLine("1", shop.id, "A", "Jarrón", 1, 1000),)
    services.place(channel, [services.NewBasket("P-1", "EUR", AT, ANA, line, payments=None)])
    services.place(channel, [services.NewBasket("P-2", "EUR", AT, ANA, line, payments=())])
    assert dict(Order.objects.values_list("reference", "held_at")) == {"P-1-A": None, "P-2-A": AT}


def test_letters_go_on_after_z() -> None:
    assert [_letter(n) for n in (0, 25, 26, 27, 51, 52, 701, 702)] == [
        "A",
        "Z",
        "AA",
        "AB",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
    ]
