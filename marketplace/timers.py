"""How a timer runs, whoever wakes it: beat, cron (`manage.py tick`), the bell or a replay.

The list of timers is one screen in `marketplace/celery.py`; each names its work by string, because the work lives in
the apps above.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from marketplace.celery import TIMERS, Timer
from marketplace.models import Parked, TimerRun
from marketplace.refusals import Tally

_LOCK = 0x7472_6173

PATIENCE = timedelta(minutes=2)
"""How far behind its work a timer may be, on top of two of its rounds, before it counts as late."""


class ClockTaken(Exception):
    """A replay is playing history on this database: its clock is the only one."""


@contextmanager
def clock(*, alone: bool = False) -> Iterator[None]:
    """Hold the clock: shared between live timers, alone for a replay. Raises ClockTaken.

    A session-level advisory lock, so that a killed process lets go of it by dying.
    """
    kind = "" if alone else "_shared"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_lock{kind}(%s)", [_LOCK])
        taken: Any = cursor.fetchone()
    if not taken[0]:
        raise ClockTaken
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_advisory_unlock{kind}(%s)", [_LOCK])


def run(timer: Timer, *, at: datetime, record: bool = True, tally: Tally | None = None) -> Tally:
    """Do all that is due for one timer at `at`, and write down what was done if it was anything.

    Whoever wants to watch the counting hands a `tally` in.
    """
    tally = Tally() if tally is None else tally
    started_at = timezone.now()
    error = ""
    try:
        timer.work(at=at, tally=tally)
    except Exception as exception:
        error = f"{type(exception).__name__}: {exception}"
        raise
    finally:
        if record and (error or not tally.idle):
            TimerRun.objects.create(
                timer=timer.name,
                at=at,
                started_at=started_at,
                ended_at=timezone.now(),
                done=tally.done,
                refused=sum(tally.refused.values()),
                parked=tally.parked,
                error=error,
            )
    return tally


def patience(timer: Timer) -> timedelta:
    """How far behind its work this timer may be before it counts as late."""
    return timedelta(seconds=2 * timer.every_s) + PATIENCE


def late(*, at: datetime) -> list[str]:
    """The timers whose work has been due for too long: nobody wakes them, or they do not keep up.

    A row that was set aside stays due, so a timer that has one is not counted.
    """
    aside = set(Parked.objects.order_by().values_list("timer", flat=True).distinct())
    due = ((timer, timer.next_due()) for timer in TIMERS if timer.name not in aside)
    return [timer.name for timer, moment in due if moment and at - moment > patience(timer)]
