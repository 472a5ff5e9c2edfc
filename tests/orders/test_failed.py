"""An order that could not be completed says why."""

from datetime import timedelta

import pytest
from django.utils import timezone

from marketplace.reasons import answer_words
from orders import services
from orders.states import State
from payments.models import Charge
from sellers.models import User
from tests.conftest import OPERATOR, SELLER, Placing, again
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


@pytest.mark.rule("SHP-06")
def test_a_failed_delivery_says_why_and_what_can_be_decided(place: Placing, alice: User) -> None:
    at = timezone.now() - timedelta(hours=1)
    order = place(at=at)
    services.one(services.accept([order.id], by=SELLER, at=at))
    tick("charge", at)
    services.one(services.ship({order.id: services.Parcel(carrier_name="SEUR")}, by=SELLER, at=at))
    assert "No se pudo entregar" not in read(alice, again(order))
    services.one(services.report_exception([order.id], reason="Nadie en casa", by=OPERATOR, at=at))
    page = read(alice, again(order))
    assert "No se pudo entregar: Nadie en casa." in page
    assert "Lo cobrado vuelve entonces al cliente." in page
    services.one(services.retry([order.id], by=SELLER, at=at))
    assert "No se pudo entregar" not in read(alice, again(order))
