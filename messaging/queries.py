"""Reads of notices."""

from datetime import datetime, timedelta

from django.db.models import Min

from marketplace.models import TimerRun
from messaging.models import Notice


def next_notice() -> datetime | None:
    """When the next notice is to be sent."""
    moment: datetime | None = Notice.objects.filter(due_at__isnull=False).aggregate(m=Min("due_at"))["m"]
    return moment


WATCH_EVERY = timedelta(minutes=10)
SWEEP_EVERY = timedelta(days=1)


def next_watch() -> datetime | None:
    """When what must always hold is to be checked again; None before the first time."""
    last = TimerRun.objects.filter(timer="watch").order_by("-id").values_list("at", flat=True).first()
    return last + WATCH_EVERY if last else None


def next_sweep() -> datetime | None:
    """When blobs that no message knows are to be looked for again; None before the first time."""
    runs = TimerRun.objects.filter(timer="files", error="")
    last = runs.order_by("-id").values_list("at", flat=True).first()
    return last + SWEEP_EVERY if last else None


def was_told(event: str, code: str, *, since: datetime) -> bool:
    """Whether a notice of this event about this code has been written since a moment."""
    return Notice.objects.filter(event=event, payload__code=code, created_at__gt=since).exists()
