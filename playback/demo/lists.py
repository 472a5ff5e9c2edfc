"""The operators' lists of the demonstration: a rate that begins next month, carriers that a shop asked for."""

from datetime import datetime, timedelta

from django.utils import timezone

from marketplace.models import Channel
from orders import services
from orders.models import CommissionRate
from playback.demo.goods import TRADERS
from playback.demo.people import People

_CARRIERS = (
    ("Recados del Jiloca", "https://recadosdeljiloca.example", 49),
    ("Portes del Cierzo", "https://portesdelcierzo.example", 3),
)
_ANSWERED_WITHIN = 24


def keep_lists(people: People, channel: Channel, *, at: datetime) -> None:
    """Write down what operators would find waiting on a working day; the rate binds no order that is there."""
    begins = (timezone.localdate(at).replace(day=1) + timedelta(days=32)).replace(day=1)
    trader = TRADERS[1]
    CommissionRate.objects.create(
        channel=channel, category=trader.category, basis_points=900, from_day=begins
    )
    for name, website, hours_ago in _CARRIERS:
        asked = services.ask_for_carrier(
            people.shop(TRADERS[0]),
            name,
            website,
            by=people.seller(TRADERS[0]),
            at=at - timedelta(hours=hours_ago),
        )
        if hours_ago > _ANSWERED_WITHIN:
            why = "Recoge solo en Teruel capital. Con MRW llegas a toda la provincia."
            answered_at = at - timedelta(hours=hours_ago - 4)
            services.decline_carrier([asked.id], note=why, by=people.operator, at=answered_at)
