"""How long it is known what a webhook said."""

from datetime import timedelta

import pytest

from marketplace.models import Channel
from payments import queries
from payments.models import WebhookReceipt
from payments.states import Heard
from tests.orders.lives import tick
from tests.payments.conftest import NOW

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def test_what_a_webhook_said_is_forgotten_after_ninety_days(stripe_channel: Channel) -> None:
    day = timedelta(days=1)
    for number, age in enumerate((91 * day, 90 * day + SECOND, 90 * day, day)):
        told = {
            "kind": "charge.updated",
            "heard": Heard.NOBODY,
            "received_at": NOW - age,
            "last_at": NOW - age,
        }
        WebhookReceipt.objects.create(channel=stripe_channel, event_id=f"evt_{number}", **told)
    assert queries.next_forgetting() == NOW - day + timedelta(microseconds=1)
    assert tick("forget", NOW).done == 2
    assert list(WebhookReceipt.objects.order_by("id").values_list("event_id", flat=True)) == [
        "evt_2",
        "evt_3",
    ]
    assert tick("forget", NOW).idle
