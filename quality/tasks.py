"""The timer of reviews."""

from datetime import datetime
from functools import partial

from marketplace.batches import work_through
from marketplace.refusals import Tally
from quality import queries, services


def ask_for_reviews(*, at: datetime, tally: Tally) -> None:
    """Mail every request for a review whose day has come (REV-01)."""
    work_through(
        "reviews",
        partial(queries.due_requests, at=at),
        partial(services.ask, at=at),
        at=at,
        tally=tally,
    )
