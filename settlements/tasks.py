"""The timer of settlement: close what the channels' calendars say."""

from datetime import datetime

from marketplace.models import Channel
from marketplace.refusals import Tally
from settlements import queries, services
from settlements.models import Cycle


def close_due_cycles(*, at: datetime, tally: Tally) -> None:
    """Finish what a killed run left, then close each channel's latest closing if something waits for it (SET-01)."""
    for cycle in Cycle.objects.filter(ended_at=None).select_related("channel__policy").order_by("closes_at"):
        services.close_cycle(cycle.channel, cycle.closes_at, tally=tally, at=at)
    for channel in Channel.objects.select_related("policy").order_by("id"):
        due_at = queries.next_closing_of(channel)
        closes_at = queries.last_closing(channel, at)
        if due_at and closes_at and due_at <= at:
            services.close_cycle(channel, closes_at, tally=tally, at=at)
