"""An order that could not be completed says why."""

from datetime import timedelta

import pytest
from django.utils import timezone

from marketplace.reasons import answer_words
from orders import services
from orders.states import State
from payments.models import Charge
from sellers.models import User
from tests.conftest import SELLER, Placing, again
from tests.orders.lives import tick
from tests.orders.test_order_page import read

pytestmark = pytest.mark.django_db


@pytest.mark.rule("ORD-08")
def test_a_failed_order_shows_what_the_provider_answered(place: Placing, alice: User) -> None:
    at = timezone.now() - timedelta(hours=1)
    order = place(at=at, card="refused")
    services.one(services.accept([order.id], by=SELLER, at=at))
    tick("charge", at)
    answer = answer_words(Charge.objects.get(order=order).message)
    assert answer == "tarjeta rechazada"
    assert again(order).state == State.FAILED
    page = read(alice, again(order))
    assert "Fallido" in page
    assert answer in page
    assert answer in read(alice, again(order), "historial")
