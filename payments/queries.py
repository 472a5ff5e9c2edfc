"""Reads of payments: what is due to be asked, and which debits take too long."""

from datetime import datetime

from django.db.models import Min

from payments.models import Charge, Payback


def next_charge() -> datetime | None:
    """When the next charge is to be asked or asked about."""
    moment: datetime | None = Charge.objects.filter(due_at__isnull=False).aggregate(m=Min("due_at"))["m"]
    return moment


def next_payback() -> datetime | None:
    """When the next payback is to be asked or asked about."""
    moment: datetime | None = Payback.objects.filter(due_at__isnull=False).aggregate(m=Min("due_at"))["m"]
    return moment


def next_stuck_debit() -> datetime | None:
    """When the next unanswered debit will have taken too long (PAY-03)."""
    moment: datetime | None = Charge.objects.filter(alert_at__isnull=False).aggregate(m=Min("alert_at"))["m"]
    return moment
