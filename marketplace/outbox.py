"""What can wait is a row: claimed, done outside any transaction, marked done. Shared by every drain.

A claim is a short lease. A worker that dies leaves its lease to lapse and another takes the row; a worker that comes
back late finds that its lease is no longer its own, and its mark is refused.
"""

import logging
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import transaction

from marketplace import bulk
from marketplace.models import Claimable
from marketplace.refusals import Tally

logger = logging.getLogger(__name__)

_BACK_OFF = (10, 30, 60, 300, 900, 3600, 4 * 3600)


def back_off(tries: int) -> timedelta:
    """How long to wait after the n-th failed try: 10 s at first, four hours at most."""
    return timedelta(seconds=_BACK_OFF[min(max(tries, 1), len(_BACK_OFF)) - 1])


def next_due(model: type[Claimable]) -> datetime | None:
    """When the next row of an outbox is due; None while nothing waits."""
    moment: datetime | None = bulk.fetch(
        f"SELECT min(due_at) FROM {model._meta.db_table} WHERE due_at IS NOT NULL"
    )[0][0]
    return moment


def claim[Row: Claimable](
    model: type[Row], *, due_by: datetime, at: datetime, count: int, lease: timedelta
) -> list[Row]:
    """Take up to `count` rows due by a moment for `lease`; rows that another worker is taking are passed over."""
    return sorted(
        bulk.read(
            model,
            """
            WITH due AS MATERIALIZED (
                SELECT id AS taken FROM {table}
                 WHERE due_at <= %s AND (claimed_until IS NULL OR claimed_until <= %s)
                 ORDER BY due_at, id LIMIT %s FOR UPDATE SKIP LOCKED)
            UPDATE {table} SET claimed_until = %s, claimed_by = %s, tries = tries + 1
              FROM due WHERE id = taken RETURNING {columns}
            """,
            [due_by, at, count, at + lease, uuid.uuid4()],
        ),
        key=lambda row: (row.due_at, row.pk),
    )


def claims[Row: Claimable](
    model: type[Row], *, at: datetime, count: int = 50, lease: timedelta = timedelta(minutes=2)
) -> Iterator[list[Row]]:
    """Claim after claim until nothing is due; leases count from the real moment, however long the drain takes."""
    started = time.monotonic()
    while True:
        moment = at + timedelta(seconds=time.monotonic() - started)
        taken = claim(model, due_by=at, at=moment, count=count, lease=lease)
        if taken:
            yield taken
        if len(taken) < count:
            return


def mine[Row: Claimable](row: Row) -> Row | None:
    """Lock the row again if the claim is still ours; None when it lapsed and another took it. In a transaction."""
    standing = bulk.lock(type(row), [row.pk])
    return standing[0] if standing and standing[0].claimed_by == row.claimed_by else None


def again(row: Claimable, *, at: datetime, error: str = "", wait: timedelta | None = None) -> None:
    """Give a claimed row back, to be tried after its back-off."""
    row.due_at = at + (back_off(row.tries) if wait is None else wait)
    row.claimed_until = row.claimed_by = None
    row.last_error = error
    row.save(update_fields=["due_at", "claimed_until", "claimed_by", "last_error"])


@contextmanager
def returned(row: Claimable, *, at: datetime, tally: Tally) -> Iterator[None]:
    """Do a claimed row: counted when it is done, given back with its error when it raises. One never stops the rest."""
    try:
        yield
    except Exception as error:
        logger.exception("%s %s failed and is given back", type(row).__name__, row.pk)
        with transaction.atomic():
            held = mine(row)
            if held is not None:
                again(held, at=at, error=f"{type(error).__name__}: {error}")
        tally.parked += 1
    else:
        tally.done += 1
