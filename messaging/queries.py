"""Reads of notices."""

from datetime import datetime

from django.db.models import Min

from messaging.models import Notice


def next_notice() -> datetime | None:
    """When the next notice is to be sent."""
    moment: datetime | None = Notice.objects.filter(due_at__isnull=False).aggregate(m=Min("due_at"))["m"]
    return moment
