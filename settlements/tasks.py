"""The timers of settlement: close what the channels' calendars say, bill what was closed."""

from datetime import datetime

from marketplace.models import Channel
from marketplace.refusals import Tally
from settlements import invoicing, queries, running, services
from settlements.models import Cycle


def close_due_cycles(*, at: datetime, tally: Tally) -> None:
    """Close each channel's latest closing, if something waits for it, with all that is due by then (SET-01).

    What a killed run left is finished first.
    """
    running.count_receipts(tally=tally, at=at)
    for cycle in Cycle.objects.filter(ended_at=None).select_related("channel__policy").order_by("closes_at"):
        services.close_cycle(cycle.channel, cycle.closes_at, tally=tally, at=at)
    for channel in Channel.objects.select_related("policy").order_by("id"):
        closes_at = queries.due_closing(channel, at)
        if closes_at:
            services.close_cycle(channel, closes_at, tally=tally, at=at)


def issue_due_invoices(*, at: datetime, tally: Tally) -> None:
    """Bill the commissions of closed statements, as soon as both sides have told their details (SET-05)."""
    invoicing.issue_due(tally=tally, at=at)
