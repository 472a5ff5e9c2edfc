"""The timer of notices."""

from datetime import datetime

from marketplace.refusals import Tally
from messaging import sending


def send_notices(*, at: datetime, tally: Tally) -> None:
    """Send the mails that wait (NOT-01)."""
    sending.drain(at=at, tally=tally)
