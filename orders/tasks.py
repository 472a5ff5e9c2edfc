"""The timers of an order's life: not paid, not accepted, pre-sale over, counted as received."""

from datetime import datetime
from functools import partial

from marketplace.batches import work_through
from marketplace.refusals import Tally
from orders import queries, services
from sellers.desk import PLATFORM


def expire_unaccepted(*, at: datetime, tally: Tally) -> None:
    """Cancel every order whose acceptance deadline has passed (ORD-02)."""
    work_through(
        "expire",
        partial(queries.due_expiries, at=at),
        partial(services.expire, skip_locked=True, by=PLATFORM, at=at),
        at=at,
        tally=tally,
    )


def lapse_unpaid(*, at: datetime, tally: Tally) -> None:
    """Cancel every order that was not paid in time (ORD-07)."""
    work_through(
        "lapse",
        partial(queries.due_lapses, at=at),
        partial(services.lapse, skip_locked=True, by=PLATFORM, at=at),
        at=at,
        tally=tally,
    )


def end_presale_holds(*, at: datetime, tally: Tally) -> None:
    """Lift every pre-sale hold whose date has come (ORD-06)."""
    work_through(
        "presale",
        partial(queries.due_presale_ends, at=at),
        partial(services.end_presale, by=PLATFORM, at=at),
        at=at,
        tally=tally,
    )


def receive_shipped(*, at: datetime, tally: Tally) -> None:
    """Count as received every shipped order whose days are over (SHP-07)."""
    work_through(
        "receive",
        partial(queries.due_receipts, at=at),
        partial(services.receive, skip_locked=True, by=PLATFORM, at=at),
        at=at,
        tally=tally,
    )
