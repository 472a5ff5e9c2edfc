"""Accepting many orders from the list: one answer for each."""

import pytest
from django.test import Client
from django.utils import timezone

from marketplace.models import Channel
from orders.models import Order
from orders.states import State
from sellers.models import Shop, User
from tests.conftest import again, row
from tests.dashboard.pages import DAY, HOUR, browser, get, placed

pytestmark = pytest.mark.django_db


def states(*orders: Order) -> list[str]:
    return [again(order).state for order in orders]


@pytest.mark.rule("ORD-05")
def test_accepts_the_chosen_and_tells_which_not_and_why(channel: Channel, shop: Shop, alice: User) -> None:
    now = timezone.now()
    fresh, other = placed(channel, shop, "A1", now - HOUR), placed(channel, shop, "A2", now - HOUR)
    missed, left = placed(channel, shop, "A3", now - 4 * DAY), placed(channel, shop, "A4", now - HOUR)
    before = row(missed)
    client = browser(alice)
    answer = client.post(
        "/pedidos/aceptar/", {"order": ["A1-A", "A2-A", "A3-A"], "next": "/pedidos/?estado=por-aceptar"}
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/pedidos/?estado=por-aceptar")
    assert states(fresh, other, missed, left) == [
        State.DEBIT, State.DEBIT, State.PENDING_ACCEPTANCE, State.PENDING_ACCEPTANCE
    ]  # fmt: skip
    assert row(missed) == before
    page = get(client, "/pedidos/?estado=por-aceptar")
    assert "2 pedidos aceptados." in page
    assert "1 no se ha aceptado:\nA3-A: El plazo ya ha pasado." in page


def test_the_button_of_a_row_accepts_that_one_alone(channel: Channel, shop: Shop, alice: User) -> None:
    now = timezone.now()
    one, other = placed(channel, shop, "B1", now - HOUR), placed(channel, shop, "B2", now - HOUR)
    browser(alice).post("/pedidos/aceptar/", {"order": ["B2-A"], "only": "B1-A"})
    assert states(one, other) == [State.DEBIT, State.PENDING_ACCEPTANCE]


@pytest.mark.rule("ROL-01")
def test_a_stranger_accepts_nothing(channel: Channel, shop: Shop, charlie: User, bob: User) -> None:
    order = placed(channel, shop, "C1", timezone.now() - HOUR)
    before = row(order)
    stranger, support = browser(charlie), browser(bob)
    stranger.post("/pedidos/aceptar/", {"order": ["C1-A"]})
    assert "No has elegido ningún pedido." in get(stranger, "/pedidos/")
    support.post("/pedidos/aceptar/", {"order": ["C1-A"]})
    assert "C1-A: No tienes permiso para hacerlo." in get(support, "/pedidos/")
    assert row(order) == before


@pytest.mark.parametrize(
    "target", ["https://elsewhere.example/", "//elsewhere.example", "", "javascript:alert(1)"]
)
def test_comes_back_to_this_site_only(shop: Shop, alice: User, target: str) -> None:
    answer = browser(alice).post("/pedidos/aceptar/", {"next": target, "order": ["\0", "X"]})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/pedidos/")


def test_is_an_act_not_a_page(shop: Shop, alice: User) -> None:
    assert browser(alice).get("/pedidos/aceptar/").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert strict.post("/pedidos/aceptar/", {"order": ["X"]}).status_code == 403
