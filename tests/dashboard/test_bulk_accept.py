"""Accepting many orders from the list: one answer for each."""

import pytest
from django.test import Client
from django.utils import timezone

from marketplace.models import Channel
from orders import bulk_views
from orders.models import Order
from orders.states import State
from sellers.models import Shop, User
from tests.conftest import again, row
from tests.dashboard.pages import DAY, HOUR, browser, get, listed, placed

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
    for chosen in ({"order": ["C1-A"]}, {"only": "C1-A"}, {"order": ["\0", "C1-A"]}):
        assert stranger.post("/pedidos/aceptar/", chosen).status_code == 404
    answer = support.post("/pedidos/aceptar/", {"order": ["C1-A"]})
    assert answer.status_code == 403
    assert "C1-A: No tienes permiso para hacerlo." in answer.content.decode()
    assert row(order) == before


@pytest.mark.parametrize(
    "target", ["https://elsewhere.example/", "//elsewhere.example", "", "javascript:alert(1)"]
)
def test_comes_back_to_this_site_only(shop: Shop, alice: User, target: str) -> None:
    answer = browser(alice).post("/pedidos/aceptar/", {"next": target})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/pedidos/")


@pytest.mark.rule("ORD-05")
def test_a_refused_move_is_a_conflict_told_in_the_list(channel: Channel, shop: Shop, alice: User) -> None:
    now = timezone.now()
    missed, fresh = placed(channel, shop, "D1", now - 4 * DAY), placed(channel, shop, "D2", now - HOUR)
    before = row(missed), row(fresh)
    asked = {"only": "D1-A", "next": "/pedidos/?estado=por-aceptar&buscar=D1"}
    for headers, whole in (({}, True), ({"HX-Request": "true"}, False)):
        answer = browser(alice).post("/pedidos/aceptar/", asked, headers=headers)
        page = answer.content.decode()
        assert answer.status_code == 409
        assert page.count("D1-A: El plazo ya ha pasado.") == 1
        assert listed(page) == ["D1-A"]
        assert ("<body" in page) is whole
        assert 'value="/pedidos/?estado=por-aceptar&amp;buscar=D1"' in page
    assert (row(missed), row(fresh)) == before
    home = browser(alice).post("/pedidos/aceptar/", asked | {"next": "/"})
    assert (home.status_code, "D1-A: El plazo ya ha pasado." in home.content.decode()) == (409, True)
    order_page = browser(alice).post("/pedidos/aceptar/", asked | {"next": "/pedidos/D1-A/"})
    assert (order_page.status_code, "D1-A: El plazo" in order_page.content.decode()) == (409, True)


def test_what_is_not_there_is_named_beside_what_was_accepted(
    channel: Channel, shop: Shop, alice: User
) -> None:
    placed(channel, shop, "E1", timezone.now() - HOUR)
    client = browser(alice)
    assert client.post("/pedidos/aceptar/", {"order": ["E1-A", "NO-HAY"]}).status_code == 303
    page = get(client, "/pedidos/")
    assert "1 pedido aceptado." in page
    assert "NO-HAY: No existe ese pedido." in page


def test_what_is_beyond_the_most_is_said_to_stay(
    channel: Channel, shop: Shop, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_views, "MOST", 2)
    orders = [placed(channel, shop, f"F{n}", timezone.now() - HOUR) for n in range(3)]
    client = browser(alice)
    client.post("/pedidos/aceptar/", {"order": ["F0-A", "F0-A", "F1-A", "F2-A"]})
    assert states(*orders) == [State.DEBIT, State.DEBIT, State.PENDING_ACCEPTANCE]
    assert "De una vez se aceptan 2 como mucho: los otros 1 siguen" in get(client, "/pedidos/")


def test_is_an_act_not_a_page(shop: Shop, alice: User) -> None:
    visited = browser(alice).get("/pedidos/aceptar/")
    assert (visited.status_code, visited.headers["Location"]) == (302, "/pedidos/")
    assert browser(alice).put("/pedidos/aceptar/").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)
    assert strict.post("/pedidos/aceptar/", {"order": ["X"]}).status_code == 403
