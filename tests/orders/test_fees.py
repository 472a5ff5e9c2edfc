"""Commission rates with dates: the most specific one wins, the cent is explained, and no order costs a query more."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from marketplace import money, queries, timers
from marketplace.celery import BY_NAME
from marketplace.models import Channel
from marketplace.policy import PRESETS, Preset
from marketplace.services import open_channel, publish_policy
from orders import services
from orders.models import CommissionRate, Order
from orders.services import fees
from orders.services.fees import Priced, Rate
from orders.states import HoldKind
from payments import beforehand
from sellers.models import Shop, User
from tests.conftest import AT, CLOCK, SELLER, again, basket

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
TODAY = AT.date()

type Rating = Callable[..., CommissionRate]


@pytest.fixture
def rate(channel: Channel) -> Rating:
    """A rate of the channel, in force for ever unless it is said otherwise."""

    def made(basis_points: int, category: str = "", shop: Shop | None = None, **days: Any) -> CommissionRate:
        told: dict[str, Any] = {"from_day": date(2026, 1, 1), **days}
        queries.forget()
        return CommissionRate.objects.create(
            channel=channel, category=category, shop=shop, basis_points=basis_points, **told
        )

    return made


def put(channel: Channel, shop: Shop, *categories: str, number: str = "P-1", at: datetime = AT) -> Order:
    """An order of a line of 10.00 € and 1.00 € shipping in each of these categories."""
    articles = [(f"SKU-{n}", f"Artículo {n}", 1, 1000, 100) for n in range(len(categories))]
    new = basket(shop, *articles, number=number, at=at)
    lines = tuple(
        replace(line, category=category) for line, category in zip(new.lines, categories, strict=True)
    )
    return Order.objects.get(id=services.place(channel, [replace(new, lines=lines)]).moved[0].order_id)


def accepted(order: Order, at: datetime = AT, **refused: Any) -> Order:
    services.one(services.accept({order.id: services.Answer(refused.get("lines", {}))}, by=SELLER, at=at))
    return again(order)


def test_without_rates_the_policys_commission_stands(channel: Channel, shop: Shop) -> None:
    order = accepted(put(channel, shop, "Hogar", "Libros"))
    assert (order.commission_cents, order.commission_vat_cents, order.commission_parts) == (264, 55, [])


def test_the_most_specific_rate_wins(channel: Channel, shop: Shop, rate: Rating) -> None:
    every = rate(1000)
    assert _parts(accepted(put(channel, shop, "Hogar", number="P-1"))) == [(every.id, 1000, 1100, 110)]
    of_category = rate(900, "Hogar")
    assert _parts(accepted(put(channel, shop, "Hogar", number="P-2"))) == [(of_category.id, 900, 1100, 99)]
    of_shop = rate(800, shop=shop)
    assert _parts(accepted(put(channel, shop, "Hogar", number="P-3"))) == [(of_shop.id, 800, 1100, 88)]
    both = rate(700, "Hogar", shop)
    assert _parts(accepted(put(channel, shop, "Hogar", number="P-4"))) == [(both.id, 700, 1100, 77)]
    other = Shop.objects.create(code="otra", name="Otra")
    assert _parts(accepted(put(channel, other, "Hogar", number="P-5"))) == [(of_category.id, 900, 1100, 99)]


def _parts(order: Order) -> list[tuple[Any, ...]]:
    assert order.commission_cents == sum(part["cents"] for part in order.commission_parts)
    return [
        (part["rate"], part["basis_points"], part["base_cents"], part["cents"])
        for part in order.commission_parts
    ]


def test_lines_of_different_categories_add_up(channel: Channel, shop: Shop, rate: Rating) -> None:
    home = rate(333, "hogar")
    order = accepted(put(channel, shop, "Hogar", "HOGAR", "Libros"))
    assert _parts(order) == [(home.id, 333, 2200, 73), (None, 1200, 1100, 132)]
    assert order.commission_vat_cents == money.rate(205, 2100)


def test_only_what_is_accepted_counts(channel: Channel, shop: Shop, rate: Rating) -> None:
    home = rate(500, "Hogar")
    order = put(channel, shop, "Hogar", "Hogar", "Libros")
    gone = order.lines.all()[0]
    order = accepted(order, lines={gone.id: "Sin existencias"})
    assert _parts(order) == [(home.id, 500, 1100, 55), (None, 1200, 1100, 132)]


@pytest.mark.parametrize(
    ("at", "counts"),
    [
        (datetime.fromisoformat("2026-03-02T23:59:59+01:00"), False),
        (datetime.fromisoformat("2026-03-03T00:00:00+01:00"), True),
        (datetime.fromisoformat("2026-03-04T23:59:59+01:00"), True),
        (datetime.fromisoformat("2026-03-05T00:00:00+01:00"), False),
    ],
)
def test_days_are_the_channels_and_the_last_is_out(
    channel: Channel, shop: Shop, rate: Rating, at: datetime, counts: bool
) -> None:
    rate(0, from_day=date(2026, 3, 3), until_day=date(2026, 3, 5))
    order = accepted(put(channel, shop, "Hogar", at=at), at=at)
    assert (order.commission_cents == 0) == counts


def test_paid_beforehand_the_rate_of_the_day_of_placing_counts(shop: Shop) -> None:
    channel = open_channel("antes", "Se paga antes", preset=Preset.PREPAID, by="pruebas", at=AT)
    CommissionRate.objects.create(channel=channel, basis_points=500, from_day=TODAY, until_day=TODAY + DAY)
    order = put(channel, shop, "Hogar")
    beforehand.confirm({order.id: "pi_1"}, by=CLOCK, at=AT + 2 * DAY)
    assert [one[1] for one in _parts(again(order))] == [500]


def test_cash_on_delivery_without_an_answer_is_rated_at_placing(shop: Shop) -> None:
    channel = open_channel("puerta", "A la puerta", preset=Preset.PREPAID, by="pruebas", at=AT)
    rules = PRESETS[Preset.PREPAID].model_copy(update={"cash_on_delivery": True})
    publish_policy(channel, rules, by="pruebas", at=AT)
    CommissionRate.objects.create(channel=channel, category="Hogar", basis_points=500, from_day=TODAY)
    order = put(Channel.objects.select_related("policy").get(pk=channel.pk), shop, "Hogar", "Libros")
    assert order.state == "awaiting_shipment"
    assert [one[1:] for one in _parts(order)] == [(500, 1100, 55), (1200, 1100, 132)]


@pytest.mark.parametrize("category", ["", "Hogar"])
def test_no_order_costs_a_query_more(channel: Channel, shop: Shop, rate: Rating, category: str) -> None:
    rate(900, category)
    counts = []
    for size in (1, 40):
        orders = [put(channel, shop, "Hogar", "Libros", number=f"{size}-{n}").id for n in range(size)]
        fees.rates_of(channel.id)
        with CaptureQueriesContext(connection) as asked:
            assert len(services.accept(orders, by=SELLER, at=AT).moved) == size
        counts.append(
            sum(1 for one in asked if "orders_line" in one["sql"] and one["sql"].startswith("SELECT"))
        )
        assert not any("orders_commissionrate" in one["sql"] for one in asked)
    assert counts == ([0, 0] if not category else [1, 1])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"from_day": TODAY}, {"from_day": TODAY + DAY}),
        ({"from_day": TODAY, "until_day": TODAY + 2 * DAY}, {"from_day": TODAY + DAY}),
        ({"from_day": TODAY, "category": "Hogar"}, {"from_day": TODAY, "category": "HOGAR"}),
    ],
)
def test_the_database_refuses_two_on_one_day(
    rate: Rating, one: dict[str, Any], other: dict[str, Any]
) -> None:
    rate(1000, **one)
    with pytest.raises(IntegrityError), transaction.atomic():
        rate(900, **other)
    assert CommissionRate.objects.count() == 1


def test_neighbours_and_other_matters_are_no_clash(rate: Rating, shop: Shop) -> None:
    rate(1000, until_day=TODAY)
    rate(900, from_day=TODAY)
    rate(800, "Hogar", from_day=TODAY)
    rate(700, "Hogar", shop, from_day=TODAY)
    rate(600, shop=shop, from_day=TODAY)
    assert CommissionRate.objects.count() == 5


@pytest.mark.parametrize("wrong", [{"until_day": TODAY, "from_day": TODAY}, {"basis_points": 10_001}])
def test_what_is_no_rate_is_refused(channel: Channel, wrong: dict[str, Any]) -> None:
    told = {"basis_points": 100, "from_day": TODAY, **wrong}
    with pytest.raises(IntegrityError), transaction.atomic():
        CommissionRate.objects.create(channel=channel, **told)
    assert not CommissionRate.objects.exists()


ARTICLES = st.lists(
    st.builds(
        Priced, st.sampled_from(["hogar", "libros", "otra"]), st.integers(0, 10**7), st.integers(0, 10**5)
    ),
    min_size=1,
    max_size=12,
)


@given(ARTICLES, st.integers(0, 10_000), st.integers(0, 10_000))
def test_parts_always_add_up_to_the_order(articles: list[Priced], one: int, other: int) -> None:
    rules = PRESETS[Preset.ACCEPT_FIRST]
    day = date(2026, 1, 1)
    fee = fees._by_rates(
        (Rate(1, "hogar", None, one, day, None), Rate(2, "libros", None, other, day, None)),
        articles,
        rules,
        2100,
    )
    base = sum(article.goods_cents + article.shipping_cents for article in articles)
    if fee.parts:
        assert sum(part["cents"] for part in fee.parts) == fee.cents
        assert sum(part["base_cents"] for part in fee.parts) == base
    else:
        assert fee.cents == money.rate(base, rules.commission_bp)
    assert 0 <= fee.cents <= base
    alone = [article for article in articles if article.category == "hogar"]
    if len(alone) == len(articles):
        assert fee.cents == money.rate(base, one)


def test_the_page_says_which_rate_applied(alice: User, channel: Channel, shop: Shop, rate: Rating) -> None:
    rate(950, "Hogar")
    rate(700, "Libros", shop)
    client = Client()
    client.force_login(alice)

    def page(order: Order) -> str:
        said = client.get(f"/pedidos/{order.reference}/").content.decode()
        return " ".join(said.replace("\N{NO-BREAK SPACE}", " ").split())

    order = put(channel, shop, "Hogar", "Libros", "Juegos")
    for one in (order, accepted(order)):
        told = page(one)
        assert "Comisión, 9,5 % (categoría Hogar)" in told
        assert "Comisión, 7 % (de esta tienda, categoría Libros)" in told
        assert "Comisión, 12 % (el resto)" in told
        for cents in ("1,05", "0,77", "1,32"):
            assert f"−{cents} €" in told or f"-{cents} €" in told
    plain = accepted(put(channel, shop, "Juegos", number="P-2"))
    assert "Comisión, 12 %<" in page(plain) or "Comisión, 12 % " in page(plain)
    assert "el resto" not in page(plain)


def test_what_would_be_left_is_rated_line_by_line(
    alice: User, channel: Channel, shop: Shop, rate: Rating
) -> None:
    rate(0, "Hogar")
    order = put(channel, shop, "Hogar", "Libros")
    client = Client()
    client.force_login(alice)
    home, books = order.lines.all()
    for refused, cents in ((home, "1,32"), (books, "0,00")):
        page = client.get(f"/pedidos/{order.reference}/", {f"answer_{refused.id}": "refuse"}).content.decode()
        assert f"{cents}\N{NO-BREAK SPACE}€" in page
    assert (again(order).commission_cents, again(order).commission_parts) == (0, [])


def test_an_old_order_keeps_what_it_was_charged(channel: Channel, shop: Shop, rate: Rating) -> None:
    order = accepted(put(channel, shop, "Hogar"))
    before = (order.commission_cents, order.commission_parts)
    rate(0)
    services.hold([order.id], HoldKind.STOCK, by=SELLER, at=AT + DAY)
    assert (again(order).commission_cents, again(order).commission_parts) == before


@pytest.mark.rule("ORD-06")
def test_what_is_left_keeps_the_rates_it_was_accepted_with(
    channel: Channel, shop: Shop, rate: Rating
) -> None:
    home = rate(500, "Hogar", until_day=TODAY + DAY)
    order = accepted(put(channel, shop, "Hogar", "Hogar", "Libros"))
    rate(9000, shop=shop)
    gone = order.lines.all()[0]
    timers.run(BY_NAME["charge"], at=AT)
    services.one(services.shorten({order.id: {gone.id: 0}}, by=SELLER, at=AT + 2 * DAY))
    order = again(order)
    assert _parts(order) == [(home.id, 500, 1100, 55), (None, 1200, 1100, 132)]
    assert order.commission_vat_cents == money.rate(187, 2100)
