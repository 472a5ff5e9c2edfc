"""The timer of settlement: close what the channels' calendars say."""

from datetime import datetime

from marketplace.models import Channel
from marketplace.refusals import Tally
from orders.tasks import receive_shipped
from settlements import queries, services
from settlements.models import Cycle


def close_due_cycles(*, at: datetime, tally: Tally) -> None:
    """Close each channel's latest closing, if something waits for it, with all that is due by then (SET-01).

    What a killed run left is finished first.
    """
    received = Tally()
    receive_shipped(at=at, tally=received)
    received.done = 0  # the timer of receipts counts them; here an order is done once it is in a statement
    tally.join(received)
    for cycle in Cycle.objects.filter(ended_at=None).select_related("channel__policy").order_by("closes_at"):
        services.close_cycle(cycle.channel, cycle.closes_at, tally=tally, at=at)
    for channel in Channel.objects.select_related("policy").order_by("id"):
        due_at = queries.next_closing_of(channel)
        closes_at = queries.last_closing(channel, at)
        if due_at and closes_at and due_at <= at:
            services.close_cycle(channel, closes_at, tally=tally, at=at)
