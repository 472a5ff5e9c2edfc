"""The timer of incidents: what has been quiet for long enough is closed, or comes into the operators' list (INC-05)."""

from datetime import datetime
from functools import partial

from incidents import queries, services
from marketplace.batches import work_through
from marketplace.refusals import Tally
from sellers.desk import PLATFORM


def close_quiet(*, at: datetime, tally: Tally) -> None:
    """See to every resolved incident whose quiet time is over."""
    work_through(
        "incidents",
        partial(queries.due, at=at),
        partial(services.lapse, by=PLATFORM, at=at),
        at=at,
        tally=tally,
    )
