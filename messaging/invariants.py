"""Every file that a message shows is there, and is the one that was sent."""

from datetime import datetime

from marketplace.invariants import invariant
from messaging import sweeping


@invariant("I12", "Every file row has its blob, with its hash.")
def files_are_there(at: datetime | None) -> list[str]:
    """A sample when the clock asks; all of them when time does not matter, as `manage.py check_files` does."""
    files = sweeping.everything() if at is None else sweeping.sample()
    found = sweeping.lacking(files, read=None if at is None else sweeping.READ)
    return [words for words, _ in zip(found, range(20), strict=False)]
