"""The operators' lists of the demonstration: a rate that begins next month, a carrier that a shop asked for."""

from datetime import datetime, timedelta

from django.utils import timezone

from marketplace.models import Channel
from orders import services
from orders.models import CommissionRate
from playback.demo.goods import TRADERS
from playback.demo.people import People


def keep_lists(people: People, channel: Channel, *, at: datetime) -> None:
    """Write down what operators would find waiting on a working day; the rate binds no order that is there."""
    begins = (timezone.localdate(at).replace(day=1) + timedelta(days=32)).replace(day=1)
    trader = TRADERS[1]
    CommissionRate.objects.create(
        channel=channel, category=trader.category, basis_points=900, from_day=begins
    )
    services.ask_for_carrier(
        people.shop(TRADERS[0]),
        "Portes del Cierzo",
        "https://portesdelcierzo.example",
        by=people.seller(TRADERS[0]),
        at=at - timedelta(hours=3),
    )
