"""How the order page answers: in which language, to nonsense, to strangers, to htmx, and in how many reads."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from orders import services
from orders.models import Order
from orders.states import HoldKind, State
from sellers.models import User
from tests.conftest import CLOCK, SELLER, again
from tests.orders.test_order_page import HOUR, TABS, accepted, read, shipped, tick

pytestmark = pytest.mark.django_db


def test_speaks_english_to_who_does(recent: Callable[..., Order], alice: User) -> None:
    alice.language = "en"
    alice.save()
    order = recent()
    assert '<html lang="en">' in read(alice, order)
    assert "€71.80" in read(alice, order)


def test_nonsense_in_the_address_is_the_first_tab(recent: Callable[..., Order], alice: User) -> None:
    order = recent()
    assert "Artículos" in read(alice, order, "nada")
    assert "Artículos" in read(alice, order, acto="nada", antes="x")


def test_htmx_gets_the_part_it_swaps(recent: Callable[..., Order], alice: User) -> None:
    client = Client()
    client.force_login(alice)
    answer = client.get(f"/pedidos/{recent().reference}/", {"tab": "envio"}, headers={"hx-request": "true"})
    page = answer.content.decode()
    assert page.count('id="order"') == 1
    assert "<body" not in page
    assert "HX-Request" in answer["Vary"]


@pytest.mark.rule("ROL-01")
@pytest.mark.parametrize("tab", TABS)
def test_a_strangers_order_is_not_found(tab: str, recent: Callable[..., Order], charlie: User) -> None:
    client = Client()
    client.force_login(charlie)
    assert client.get(f"/pedidos/{recent().reference}/", {"tab": tab}).status_code == 404
    assert client.get("/pedidos/NO-HAY/", {"tab": tab}).status_code == 404


def test_no_style_and_no_script_in_the_markup(recent: Callable[..., Order], alice: User) -> None:
    order = shipped(recent())
    for tab in TABS:
        page = read(alice, order, tab)
        assert " style=" not in page
        assert " onclick=" not in page
        assert "<style" not in page


def reads(client: Client, order: Order, tab: str) -> int:
    client.get(f"/pedidos/{order.reference}/", {"tab": tab})
    with CaptureQueriesContext(connection) as caught:
        assert client.get(f"/pedidos/{order.reference}/", {"tab": tab}).status_code == 200
    return len(caught)


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize(
    "state",
    [
        "pending_acceptance",
        "held",
        "debit",
        "awaiting_shipment",
        "held_to_ship",
        "partly",
        "shipped",
        "closed",
    ],
)
def test_the_same_few_reads_whatever_the_size(
    state: str, tab: str, recent: Callable[..., Order], alice: User
) -> None:
    client = Client()
    client.force_login(alice)
    counts = []
    for size in (1, 50):
        articles = [(f"SKU-{n}", f"Artículo {n}", 2, 100, 10) for n in range(size)]
        order = recent(*articles, ago=timedelta(days=60) if state == "closed" else HOUR)
        _bring(order, state)
        counts.append(reads(client, again(order), tab))
    assert counts[0] == counts[1]
    assert counts[1] <= 10


def _bring(order: Order, state: str) -> None:
    at = order.placed_at + HOUR / 2
    if state in ("held", "held_to_ship"):
        services.one(services.hold([order.id], HoldKind.STOCK, by=SELLER, at=order.placed_at))
    if state in ("pending_acceptance", "held"):
        return
    if state == "held_to_ship":
        services.one(services.release([order.id], HoldKind.STOCK, by=SELLER, at=order.placed_at))
    accepted(order)
    if state == "debit":
        return
    tick("charge", order.placed_at + HOUR / 4)
    if state == "held_to_ship":
        services.one(services.hold([order.id], HoldKind.STOCK, by=SELLER, at=at))
    if state in ("partly", "shipped", "closed"):
        for line in list(order.lines.all())[: 25 if order.lines.count() > 1 else 1]:
            parcel = services.Parcel(carrier_name="SEUR", tracking=f"{line.id}", quantities={line.id: 1})
            services.one(services.ship({order.id: parcel}, by=SELLER, at=at))
    if state in ("shipped", "closed"):
        services.one(services.ship({order.id: services.Parcel(carrier_name="SEUR")}, by=SELLER, at=at))
    if state == "closed":
        received_at = at + timedelta(days=21)
        services.one(services.receive([order.id], by=CLOCK, at=received_at))
        for days in (17, 34):
            tick("statements", received_at + timedelta(days=days))
        assert again(order).state == State.CLOSED
