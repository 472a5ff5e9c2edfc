"""The operators' room of reviews: hidden with a reason, and shown again (REV-03)."""

import pytest
from django.test import Client

from marketplace.models import Channel
from orders.models import Order
from orders.states import State
from quality import services
from quality.models import Review
from quality.queries import score_of
from sellers.models import Shop
from tests.conftest import AT, CUSTOMER
from tests.orders.lives import brought_to

pytestmark = [pytest.mark.django_db, pytest.mark.rule("REV-03")]

ROOM = "/admin/quality/review/"


@pytest.fixture
def review(channel: Channel, shop: Shop) -> Review:
    (order,) = brought_to(State.DELIVERED, channel, shop)
    return services.write_review(Order.objects.get(id=order), 1, "<b>Insultos</b>", by=CUSTOMER, at=AT)


def test_a_review_is_hidden_with_a_reason_and_shown_again(desk: Client, review: Review, shop: Shop) -> None:
    page = desk.get(ROOM).content.decode()
    assert "&lt;b&gt;Insultos&lt;/b&gt;" in page
    chosen = {"action": "hide", "_selected_action": [str(review.pk)]}
    assert "Por qué se oculta" in desk.post(ROOM, chosen).content.decode()
    desk.post(ROOM, {**chosen, "apply": "1", "because": ""})
    assert score_of(shop).reviews_count == 1
    answer = desk.post(ROOM, {**chosen, "apply": "1", "because": "Insulta"}, follow=True)
    assert "Valoraciones ocultas: 1." in answer.content.decode()
    review.refresh_from_db()
    assert (review.hidden_by, review.hidden_because) == ("Olga Operadora", "Insulta")
    assert "Insulta" in desk.get(f"{ROOM}{review.pk}/change/").content.decode()
    desk.post(ROOM, {"action": "show", "_selected_action": [str(review.pk)]})
    assert score_of(shop).reviews_count == 1
