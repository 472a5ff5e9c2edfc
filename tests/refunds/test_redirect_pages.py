"""The page on which a parcel is given to another order, and the operators' act for it (EXC-04)."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from marketplace.models import Channel
from orders.models import Order
from orders.states import State
from refunds.models import Redirect
from sellers.models import Shop, Supplier, User
from tests.conftest import again
from tests.dashboard.pages import browser, get
from tests.orders.test_matrix import everything_of
from tests.refunds.test_redirecting import FAR, to_ship, undelivered

pytestmark = [pytest.mark.django_db, pytest.mark.rule("EXC-04")]


def address(order: Order) -> str:
    return reverse("order_redirect", args=[order.reference])


def test_the_page_proposes_says_why_not_and_does_it(channel: Channel, shop: Shop, alice: User) -> None:
    first, other, far = undelivered(channel, shop), to_ship(channel, shop), to_ship(channel, shop, FAR)
    desk = browser(alice)
    page = get(desk, address(first))
    assert f"Redirigir a {other.reference}" in page
    assert f"Redirigir a {far.reference}" not in page
    assert "No está en la misma zona. Madrid" in page
    answer = desk.post(address(first), {"target": other.reference})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/pedidos/{other.reference}/")
    assert (again(first).state, again(other).state) == (State.RETURNED, State.SHIPPED)
    assert desk.get(address(first)).headers["Location"] == f"/pedidos/{first.reference}/"


def test_what_is_refused_is_told_beside_the_proposals_and_changes_nothing(
    channel: Channel, shop: Shop, alice: User
) -> None:
    first, far = undelivered(channel, shop), to_ship(channel, shop, FAR)
    before = everything_of(first.id), everything_of(far.id)
    answer = browser(alice).post(address(first), {"target": far.reference})
    assert answer.status_code == 409
    assert f"{far.reference}: No está en la misma zona." in answer.content.decode()
    assert (everything_of(first.id), everything_of(far.id)) == before


@pytest.fixture
def ajeno(channel: Channel, other_shop: Shop) -> Order:
    """An order of another shop that would fit."""
    return to_ship(channel, other_shop)


@pytest.fixture
def strangers(charlie: User, nuria: User) -> tuple[User, ...]:
    """Somebody of another shop, and somebody of a supplier, whom redirecting is nothing of."""
    return charlie, nuria


def test_nobody_else_gets_there(
    channel: Channel, norte: Supplier, ajeno: Order, alice: User, bob: User, strangers: tuple[User, ...]
) -> None:
    shop = norte.shop
    first, other = (
        undelivered(channel, shop, served=(norte, norte)),
        to_ship(channel, shop, served=(norte, norte)),
    )
    before = everything_of(first.id), everything_of(other.id), everything_of(ajeno.id)
    sent = {"target": other.reference}
    for stranger in strangers:
        assert browser(stranger).get(address(first)).status_code == 404
        assert browser(stranger).post(address(first), sent).status_code == 404
    assert browser(bob).post(address(first), sent).status_code == 403
    for nobodys in (ajeno.reference, "", "x" * 200, "\0"):
        assert browser(alice).post(address(first), {"target": nobodys}).status_code == 404
    assert (everything_of(first.id), everything_of(other.id), everything_of(ajeno.id)) == before


def test_it_reads_the_same_for_one_proposal_and_for_many(channel: Channel, shop: Shop, alice: User) -> None:
    first = undelivered(channel, shop)
    desk = browser(alice)
    counted = []
    for count in (1, 24):
        for _ in range(count):
            to_ship(channel, shop)
        get(desk, address(first))
        with CaptureQueriesContext(connection) as ran:
            page = get(desk, address(first))
        counted.append(len(ran))
    assert page.count(">Redirigir aquí<") == 20
    assert counted[0] == counted[1] <= 10, counted


def test_an_operator_does_it_in_the_shops_stead(channel: Channel, shop: Shop, olga: User) -> None:
    first, other = undelivered(channel, shop), to_ship(channel, shop)
    desk = Client()
    desk.force_login(olga)
    page = reverse("admin:orders_order_redirect", args=[first.pk])
    assert other.reference in desk.get(page).content.decode()
    assert desk.post(page, {"apply": "1", "target": "999999"}).status_code == 200
    assert not Redirect.objects.exists()
    assert desk.post(page, {"apply": "1", "target": str(other.pk)}).status_code == 302
    assert Redirect.objects.get().by == "Olga Operadora"
    assert other.reference in desk.get(f"/admin/orders/order/{first.pk}/change/").content.decode()
