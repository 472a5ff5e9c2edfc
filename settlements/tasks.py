"""The timers of settlement: close what the channels' calendars say, bill what was closed."""

import logging
from datetime import datetime

from marketplace.models import Channel
from marketplace.refusals import Tally
from settlements import invoicing, queries, running, services
from settlements.models import Cycle

logger = logging.getLogger(__name__)


def close_due_cycles(*, at: datetime, tally: Tally) -> None:
    """Close each channel's latest closing, if something waits for it, with all that is due by then (SET-01).

    What a killed run left is finished first. A channel that cannot be closed stops no other; all of them are raised
    at the end.
    """
    running.count_receipts(tally=tally, at=at)
    failed: list[Exception] = []
    for cycle in Cycle.objects.filter(ended_at=None).select_related("channel__policy").order_by("closes_at"):
        _close(cycle.channel, cycle.closes_at, failed, tally=tally, at=at)
    for channel in Channel.objects.select_related("policy").order_by("id"):
        closes_at = queries.due_closing(channel, at)
        if closes_at:
            _close(channel, closes_at, failed, tally=tally, at=at)
    if failed:
        raise ExceptionGroup("channels whose cycle did not close", failed)


def _close(
    channel: Channel, closes_at: datetime, failed: list[Exception], *, tally: Tally, at: datetime
) -> None:
    """Close a channel's cycle; what goes wrong with it is told once the others have had their turn."""
    try:
        services.close_cycle(channel, closes_at, tally=tally, at=at)
    except Exception as error:  # whatever it is, it is this channel's
        logger.exception("the cycle of channel %s did not close", channel.code)
        failed.append(error)


def issue_due_invoices(*, at: datetime, tally: Tally) -> None:
    """Bill the commissions of closed statements, as soon as both sides have told their details (SET-05)."""
    invoicing.issue_due(tally=tally, at=at)
