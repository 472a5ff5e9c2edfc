"""The acts of the order page, by those who may not."""

import pytest
from django.test import Client
from django.utils import timezone

from orders import services
from sellers.models import User
from tests.conftest import CUSTOMER, SELLER
from tests.orders.acting import ACTS, Recent, Untouched, debited, post, said

pytestmark = pytest.mark.django_db


@pytest.mark.rule("ROL-01")
@pytest.mark.parametrize("act", ACTS)
def test_a_strangers_order_is_not_found(act: str, recent: Recent, charlie: User) -> None:
    order = recent()
    with Untouched(order):
        assert post(charlie, order, act, kind="stock", reason="out-of-stock").status_code == 404


@pytest.mark.rule("ROL-01")
@pytest.mark.rule("ROL-05")
@pytest.mark.parametrize("act", ACTS)
def test_a_member_without_the_right_is_told_who_may(
    act: str, recent: Recent, bob: User, charlie: User
) -> None:
    order = recent()
    with Untouched(order):
        answer = post(bob, order, act, kind="stock", reason="out-of-stock")
    assert answer.status_code == 403
    page = said(answer)
    assert "No tienes permiso para hacerlo." in page
    assert "Pueden hacerlo: Propietaria, Encargada, Pedidos." in page
    assert f'href="/pedidos/{order.reference}/"' in page


@pytest.mark.parametrize("act", ACTS)
def test_acts_are_posted(act: str, recent: Recent, alice: User) -> None:
    order = recent()
    client = Client()
    with Untouched(order):
        assert client.post(f"/pedidos/{order.reference}/{act}/").status_code == 302
        client.force_login(alice)
        visited = client.get(f"/pedidos/{order.reference}/{act}/")
        assert (visited.status_code, visited["Location"]) == (302, f"/pedidos/{order.reference}/")
        assert client.put(f"/pedidos/{order.reference}/{act}/").status_code == 405
        assert client.post(f"/pedidos/{order.reference}/").status_code == 405


@pytest.mark.parametrize("act", ACTS)
def test_acts_need_the_token_of_the_page(act: str, recent: Recent, alice: User) -> None:
    order = recent()
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    with Untouched(order):
        assert client.post(f"/pedidos/{order.reference}/{act}/").status_code == 403


def test_delivery_is_not_the_sellers_to_confirm(recent: Recent, alice: User) -> None:
    order = debited(recent())
    parcel = services.Parcel(carrier_name="SEUR", tracking="1")
    services.one(services.ship({order.id: parcel}, by=SELLER, at=timezone.now()))
    services.one(services.deliver([order.id], by=CUSTOMER, at=timezone.now()))
    with Untouched(order):
        assert post(alice, order, "cancelar", reason="customer-asks").status_code == 409
        assert post(alice, order, "en-espera", kind="nada").status_code == 422
