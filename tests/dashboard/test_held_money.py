"""Qué retiene mi dinero: every unpaid order by what holds it, when it should come, and what frees it."""

import re
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dashboard import held_money, held_queries, queries
from dashboard.held_queries import Cause
from ledger.services import adjust
from marketplace.models import Channel
from orders import services
from orders.models import Order
from orders.states import HoldKind, State
from refunds import refunding
from refunds.states import ReturnState
from sellers.models import Membership, Shop, User
from tests.conftest import AT, OPERATOR, SELLER
from tests.dashboard.pages import browser, get, link, listed
from tests.incidents.claims import claimed
from tests.orders.lives import HOUR, brought_to
from tests.refunds.giving_back import brought_back
from tests.refunds.test_refunding import part, wish
from tests.settlements.test_cycles import APRIL, MID_APRIL, NET

pytestmark = pytest.mark.django_db

CAUSE = re.compile(
    r'<dt><a href="[^"]*\?causa=([\w-]+)"[^>]*>[^<]*</a> <small>(\d+) pedidos?</small></dt><dd>([^<]*)</dd>'
)
TOTAL = re.compile(r'<div class="sum"><dt>En total</dt><dd>([^<]*)</dd>')


def euros(cents: int) -> str:
    return f"{cents // 100},{cents % 100:02} €"


@pytest.fixture
def one_of_each(channel: Channel, shop: Shop) -> dict[Cause, Order]:
    """An order for each thing that can hold its money."""
    states = {
        Cause.SHIP: State.AWAITING_SHIPMENT,
        Cause.FAILED: State.EXCEPTION,
        Cause.SENT: State.SHIPPED,
        Cause.READY: State.RECEIVED,
        Cause.INCIDENT: State.DELIVERED,
        Cause.RETURN: State.DELIVERED,
        Cause.HOLD: State.AWAITING_SHIPMENT,
        Cause.DEBIT: State.DEBIT,
    }
    ids = {cause: brought_to(state, channel, shop)[0] for cause, state in states.items()}
    claimed(ids[Cause.INCIDENT], by=OPERATOR, at=AT + 5 * HOUR)
    brought_back(ReturnState.INSTRUCTED, ids[Cause.RETURN])
    services.hold([ids[Cause.HOLD]], HoldKind.STOCK, by=SELLER, at=AT + 5 * HOUR)
    return {cause: Order.objects.get(id=order_id) for cause, order_id in ids.items()}


@pytest.mark.rule("SET-07")
def test_each_unpaid_order_has_its_cause_and_they_add_up(
    one_of_each: dict[Cause, Order], alice: User
) -> None:
    page = get(browser(alice), "/liquidaciones/retenido/")
    assert {name: (int(n), amount) for name, n, amount in CAUSE.findall(page)} == {
        str(cause): (1, euros(NET)) for cause in Cause
    }
    assert TOTAL.findall(page) == [euros(len(Cause) * NET)]
    assert set(listed(page)) == {order.reference for order in one_of_each.values()}
    for cause, order in one_of_each.items():
        only = get(browser(alice), f"/liquidaciones/retenido/?causa={cause}")
        assert listed(only) == [order.reference]
    assert link(page, "Resolver la incidencia").startswith(
        f"/pedidos/{one_of_each[Cause.INCIDENT].reference}/"
    )
    assert link(page, "Decidir").startswith(f"/pedidos/{one_of_each[Cause.FAILED].reference}/")


@pytest.mark.rule("SET-07")
def test_what_goes_back_to_the_customer_is_not_coming(channel: Channel, shop: Shop, alice: User) -> None:
    (order_id,) = brought_to(State.SHIPPED, channel, shop)
    refunding.refund(order_id, wish(part(Order.objects.get(id=order_id), 2000)), by=SELLER, at=AT + 5 * HOUR)
    left = NET - (2000 - 240 - 51)
    page = get(browser(alice), "/liquidaciones/retenido/")
    assert TOTAL.findall(page) == [euros(left)]
    (row,) = queries.figures(Membership.objects.get(user=alice), timezone.now()).money.values()
    assert row["sent"] == left


@pytest.mark.rule("SET-07")
def test_what_the_books_owe_besides_open_orders_is_told_apart(
    channel: Channel, shop: Shop, alice: User
) -> None:
    brought_to(State.RECEIVED, channel, shop)
    adjust(shop.id, channel.id, -500, "EUR", key="1", note="Embalaje", at=AT)
    page = get(browser(alice), "/liquidaciones/retenido/")
    assert "<dt>Ya en tu saldo, sin pedido abierto</dt><dd>−5,00 €</dd>" in page
    assert TOTAL.findall(page) == [euros(NET - 500)]


@pytest.mark.rule("SET-07")
def test_each_closing_is_expected_to_bring_what_counts_as_received_by_then(
    one_of_each: dict[Cause, Order], channel: Channel, alice: User
) -> None:
    member, now = Membership.objects.get(user=alice), AT + timedelta(days=22)
    sent, late = one_of_each[Cause.SENT], brought_to(State.SHIPPED, channel, member.shop)[0]
    Order.objects.filter(id=late).update(receive_at=MID_APRIL)
    assert sent.receive_at is not None
    assert sent.receive_at < APRIL
    moments = held_money.coming_closings([channel], now)
    assert moments[channel.id] == [APRIL, MID_APRIL]
    assert held_queries.expected(member, moments) == {(APRIL, "EUR"): 2 * NET, (MID_APRIL, "EUR"): NET}
    Order.objects.filter(id=late).update(receive_at=MID_APRIL + timedelta(microseconds=1))
    assert held_queries.expected(member, moments) == {(APRIL, "EUR"): 2 * NET}


def test_fifty_rows_cost_what_one_does(channel: Channel, shop: Shop, alice: User) -> None:
    client, counted = browser(alice), []
    for more in (1, 59):
        brought_to(State.AWAITING_SHIPMENT, channel, shop, more)
        get(client, "/liquidaciones/retenido/")
        with CaptureQueriesContext(connection) as seen:
            page = get(client, "/liquidaciones/retenido/")
        counted.append((len(listed(page)), len(seen)))
    assert [rows for rows, _queries in counted] == [1, 50]
    assert counted[0][1] == counted[1][1]
    second = get(client, link(page, "Siguientes"))
    assert len(listed(second)) == 10
    assert listed(get(client, link(second, "Anteriores"))) == listed(page)
    assert listed(get(client, "/liquidaciones/retenido/?despues=x&causa=y")) == listed(page)


def test_with_nothing_to_come_it_says_so(alice: User) -> None:
    assert "Nada retiene tu dinero" in get(browser(alice), "/liquidaciones/retenido/")


@pytest.mark.rule("SET-06")
def test_the_shop_as_it_was_at_a_moment(channel: Channel, shop: Shop, alice: User) -> None:
    """Each moment of one order's life says what the books and the orders were then, and not what came after."""
    brought_to(State.CLOSED, channel, shop)
    address, here = "/liquidaciones/a-fecha/?at=", timezone.get_current_timezone()

    def seen(at: datetime) -> list[tuple[str, str]]:
        page = get(browser(alice), address + f"{at.astimezone(here):%Y-%m-%dT%H:%M:%S}")
        return re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", page)

    received = AT + 2 * HOUR + timedelta(days=21)
    assert seen(AT - HOUR) == []
    assert seen(AT) == [("Pendiente de aceptación", "1")]
    pending = [("Proveedor de pagos", "84,00 €"), ("Pendiente de recibir", "−84,00 €")]
    assert seen(AT + HOUR) == [*pending, ("Esperando envío", "1")]
    assert seen(received - timedelta(seconds=1)) == [*pending, ("Enviado", "1")]
    owed = [("A pagar a la tienda", "−71,80 €"), ("Comisión", "−10,08 €"), ("IVA de la comisión", "−2,12 €")]
    assert seen(received) == [pending[0], *owed, ("Recibido", "1")]
    paid = seen(AT + timedelta(days=41))
    assert paid == [pending[0], ("Transferencia en curso", "−71,80 €"), *owed[1:]]
    then = f"{received.astimezone(here):%Y-%m-%dT%H:%M:%S}"
    assert re.search(
        r"71,80 €\s*</[^>]+>\s*(<[^>]+>\s*)*Tu saldo entonces", get(browser(alice), address + then)
    )


def test_a_moment_that_cannot_be_read_is_told(alice: User) -> None:
    page = get(browser(alice), "/liquidaciones/a-fecha/?at=ayer")
    assert 'aria-invalid="true"' in page
    assert "Ese momento no ha llegado" in get(browser(alice), "/liquidaciones/a-fecha/?at=2199-01-01T00:00")
