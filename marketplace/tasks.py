"""The one task of the site: run a timer now."""

import logging

from celery import shared_task
from django.utils import timezone

from marketplace import timers

logger = logging.getLogger(__name__)


@shared_task(name="marketplace.tasks.run", ignore_result=True)  # type: ignore[untyped-decorator]
def run(name: str) -> None:
    """Run the timer of this name at the present moment, unless a replay holds the clock."""
    from marketplace.celery import BY_NAME

    try:
        with timers.clock():
            timers.run(BY_NAME[name], at=timezone.now())
    except timers.ClockTaken:
        logger.info("%s waits: a replay holds the clock", name)
