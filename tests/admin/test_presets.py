"""What operators do where the customer pays first, and where a delivery fails."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from marketplace.models import Channel
from marketplace.policy import PRESETS, Preset
from marketplace.services import publish_policy
from orders import services
from orders.models import Event
from orders.states import State
from payments.models import Charge
from sellers.models import User
from tests.conftest import AT, SELLER, Placing, again

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(olga: User) -> Client:
    client = Client()
    client.force_login(olga)
    return client


@pytest.mark.rule("ORD-07", "ORD-10")
def test_an_operator_confirms_a_payment_with_its_reference(
    desk: Client, channel: Channel, place: Placing
) -> None:
    publish_policy(channel, PRESETS[Preset.PREPAID], by="x", at=AT)
    order = place(at=timezone.now())
    page = reverse("admin:orders_order_confirm_payment", args=[order.pk])
    assert page in desk.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    assert desk.post(page, {"apply": "1", "reference": ""}).status_code == 200
    assert again(order).state == State.PENDING_PAYMENT
    assert desk.post(page, {"apply": "1", "reference": "TR-2026-77"}).status_code == 302
    assert again(order).state == State.AWAITING_SHIPMENT
    assert Charge.objects.get(order=order).reference == "TR-2026-77"
    assert desk.post(page, {"apply": "1", "reference": "TR-2026-77"}).status_code == 409
    assert Charge.objects.filter(order=order).count() == 1


@pytest.mark.rule("ORD-10")
def test_an_operator_reports_a_failed_delivery_and_sends_it_out_again(
    desk: Client, channel: Channel, place: Placing
) -> None:
    publish_policy(channel, PRESETS[Preset.CASH_ON_DELIVERY], by="x", at=AT)
    now = timezone.now()
    order = place(at=now)
    services.accept([order.id], by=SELLER, at=now)
    services.ship({order.id: services.Parcel(carrier_name="SEUR")}, by=SELLER, at=now)
    for act, sent, state in (
        ("report_exception", {"reason": "absent"}, State.EXCEPTION),
        ("retry", {}, State.SHIPPED),
        ("report_exception", {"reason": "other", "note": "Lo rechaza"}, State.EXCEPTION),
        ("return_to_sender", {}, State.RETURNED),
    ):
        page = reverse(f"admin:orders_order_{act}", args=[order.pk])
        assert desk.post(page, {"apply": "1", **sent}).status_code == 302
        assert again(order).state == state
    told = Event.objects.filter(order=order).order_by("id").values_list("verb", "role")
    assert list(told)[-2:] == [("report_exception", "operator"), ("return_to_sender", "operator")]
