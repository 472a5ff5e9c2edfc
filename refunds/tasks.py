"""The timer of returns: deadlines that have passed, each by what it comes to (REF-09)."""

from datetime import datetime
from functools import partial

from marketplace.batches import work_through
from marketplace.refusals import Tally
from refunds import return_queries, return_verbs
from sellers.desk import PLATFORM


def pass_deadlines(*, at: datetime, tally: Tally) -> None:
    """See to every return whose deadline has passed."""
    work_through(
        "returns",
        partial(return_queries.due, at=at),
        partial(return_verbs.pass_deadlines, by=PLATFORM, at=at),
        at=at,
        tally=tally,
    )
