"""Reads of payments: what is due to be asked, and which debits take too long."""

from datetime import datetime

from marketplace import bulk, outbox
from payments.models import Charge, Payback, Release


def next_charge() -> datetime | None:
    """When the next charge is to be asked or asked about."""
    return outbox.next_due(Charge)


def next_payback() -> datetime | None:
    """When the next payback is to be asked or asked about."""
    return outbox.next_due(Payback)


def next_release() -> datetime | None:
    """When the next authorisation is to be let go of."""
    return outbox.next_due(Release)


def next_stuck_debit() -> datetime | None:
    """When the next unanswered debit will have taken too long (PAY-03)."""
    rows = bulk.fetch("SELECT min(alert_at) FROM payments_charge WHERE alert_at IS NOT NULL")
    moment: datetime | None = rows[0][0]
    return moment
