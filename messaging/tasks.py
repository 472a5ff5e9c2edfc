"""The timers of messaging: send notices, sweep up blobs, raise the alarm when what must always hold does not."""

from datetime import datetime, timedelta

from marketplace.invariants import check_all
from marketplace.refusals import Tally
from messaging import queries, sending, sweeping
from messaging.services import tell_operators

_REMIND = timedelta(days=1)


class InvariantsBroken(Exception):
    """Something that must always hold does not; the operators have been told."""


def send_notices(*, at: datetime, tally: Tally) -> None:
    """Send the mails that wait (NOT-01)."""
    sending.drain(at=at, tally=tally)


def sweep_files(*, at: datetime, tally: Tally) -> None:
    """Once a day, delete the blobs of past days that no message knows (MSG-13). Raises storage.Unreachable."""
    due = queries.next_sweep()
    if due is not None and due > at:
        return
    for day in sweeping.days_to_sweep(at):
        tally.done += 1
        sweeping.sweep(day)


def watch_invariants(*, at: datetime, tally: Tally) -> None:
    """Check everything that must always hold, and tell the operators what does not: at once, then once a day.

    Raises InvariantsBroken, so that the run stands as failed for whoever watches the clocks.
    """
    broken = []
    for result in check_all(at=at):
        code = result.invariant.code
        tally.done += 1
        if not result.failures:
            continue
        broken.append(code)
        tally.refused[code] += len(result.failures)
        if not queries.was_told("invariant_broken", code, since=at - _REMIND):
            told = {"code": code, "says": result.invariant.sentence, "rows": list(result.failures)}
            tell_operators("invariant_broken", [told], at=at)
    if broken:
        raise InvariantsBroken(", ".join(broken))
