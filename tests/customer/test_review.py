"""The customer's review on their own page: offered once they have it, written once (REV-03)."""

import pytest
from django.test import Client
from django.utils import timezone

from marketplace.models import Channel
from orders.models import Order
from orders.states import State
from quality import services
from quality.models import Review
from sellers.models import Shop
from tests.conftest import OPERATOR
from tests.customer.links import path_of
from tests.orders.lives import brought_to

pytestmark = [pytest.mark.django_db, pytest.mark.rule("REV-03")]


@pytest.fixture
def delivered(channel: Channel, shop: Shop) -> Order:
    return Order.objects.get(id=brought_to(State.DELIVERED, channel, shop)[0])


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_is_offered_once_they_have_it_and_shown_once_written(client: Client, delivered: Order) -> None:
    link = path_of(delivered)
    assert f"{link}valorar/" in text(client, link)
    assert "¿Qué tal fue?" in text(client, f"{link}valorar/")
    answer = client.post(f"{link}valorar/", {"stars": "4", "text": "<b>Bien</b>"})
    assert (answer.status_code, answer["Location"]) == (303, f"{link}?hecho=valorado")
    page = text(client, link)
    assert "4 estrellas de cinco" in page
    assert "&lt;b&gt;Bien&lt;/b&gt;" in page
    assert f"{link}valorar/" not in page
    again = client.post(f"{link}valorar/", {"stars": "1"})
    assert again.status_code == 303
    assert list(Review.objects.values_list("stars", "author")) == [(4, delivered.customer_name)]


def test_a_hidden_review_is_not_shown_to_who_wrote_it_nor_asked_for_again(
    client: Client, delivered: Order
) -> None:
    link = path_of(delivered)
    client.post(f"{link}valorar/", {"stars": "1", "text": "Insultos"})
    assert "Insultos" in text(client, link)
    services.hide([Review.objects.get().id], because="Insulta", by=OPERATOR, at=timezone.now())
    page = text(client, link)
    assert "Insultos" not in page
    assert "Tu valoración" not in page
    assert f"{link}valorar/" not in page
    services.show([Review.objects.get().id], by=OPERATOR, at=timezone.now())
    assert "Insultos" in text(client, link)


@pytest.mark.parametrize(
    "sent", [{}, {"stars": "0"}, {"stars": "6"}, {"stars": "x"}, {"stars": "3", "text": "x" * 2001}]
)
def test_what_makes_no_sense_is_answered_beside_it(
    client: Client, delivered: Order, sent: dict[str, str]
) -> None:
    answer = client.post(f"{path_of(delivered)}valorar/", sent)
    assert answer.status_code == 422
    assert (
        'class="wrong-words"' in answer.content.decode() or 'aria-invalid="true"' in answer.content.decode()
    )
    assert not Review.objects.exists()


def test_what_has_not_come_is_not_reviewed(client: Client, channel: Channel, shop: Shop) -> None:
    order = Order.objects.get(id=brought_to(State.SHIPPED, channel, shop)[0])
    link = path_of(order)
    assert f"{link}valorar/" not in text(client, link)
    assert client.post(f"{link}valorar/", {"stars": "5"}).status_code == 409
    assert not Review.objects.exists()
