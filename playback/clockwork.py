"""A virtual clock: the live timers, each run at the very moment something of it falls due.

What is due next is read from the database only when it may have changed: the news of the order machine says by how
much a deadline may have come nearer, and a timer that has run is asked again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from marketplace import timers
from marketplace.celery import TIMERS, Timer
from marketplace.models import Parked
from marketplace.refusals import Tally
from orders.signals import Moved, orders_moved
from orders.states import Verb

NEVER = datetime.max.replace(tzinfo=UTC)
_INSTANT = timedelta(microseconds=1)
_PATIENCE = 200
_MOST_TRIES = 4

DRAINS = ("charge", "payback")
"""What the clock does at once in a replay, as a worker that is always awake would."""

TOUCHED = {
    Verb.CANCEL: (*DRAINS, "debits"),
    Verb.HOLD: ("presale", "debits", *DRAINS),
    Verb.RELEASE: ("expire", "receive", "statements", "presale", "debits", *DRAINS),
    Verb.LATE_CHARGE: DRAINS,
    Verb.RETURN_TO_SENDER: DRAINS,
    Verb.REDIRECT: DRAINS,
    Verb.SHORTEN: DRAINS,
    Verb.REFUND: (*DRAINS, "statements"),
    Verb.REFUND_UNDONE: ("statements",),
    Verb.INCIDENT_OPENED: ("receive", "statements"),
    Verb.INCIDENT_RESOLVED: ("incidents",),
    Verb.INCIDENT_SENT_BACK: ("incidents",),
    Verb.INCIDENT_CLOSED: ("receive", "statements", "incidents"),
}


HAS_IT = (Verb.DELIVER, Verb.FULFIL, Verb.RECEIVE)
"""The customer has what they bought, and will be asked how it was."""

LIVE_ONLY = ("notices", "files", "watch", "seal")
"""History tells nobody, sends no files, and is judged when it has been played."""


class Stuck(Exception):
    """A timer says that something is due, does nothing about it, and says so again."""


class Clockwork:
    """Runs the timers up to a moment."""

    def __init__(self) -> None:
        self.timers: dict[str, Timer] = {timer.name: timer for timer in TIMERS if timer.name not in LIVE_ONLY}
        self.at = datetime.min.replace(tzinfo=UTC)
        self.parked = 0
        self._due: dict[str, datetime] = {}
        self._stale: set[str] = set(self.timers)
        self._parking: set[str] = set()

    @contextmanager
    def listening(self) -> Iterator["Clockwork"]:
        """Hear the news of the order machine for the length of a block."""
        orders_moved.connect(self._hear, dispatch_uid="clockwork", weak=False)
        try:
            yield self
        finally:
            orders_moved.disconnect(dispatch_uid="clockwork")

    def _hear(self, moves: list[Moved], verb: str, **_: Any) -> None:
        self._stale.update(TOUCHED.get(Verb(verb), ()))
        if verb in HAS_IT and self._due.get("reviews", NEVER) == NEVER:
            self._stale.add("reviews")
        if verb == Verb.ACCEPT:
            self._nearer("charge", moves[0].at)
        elif verb == Verb.RECEIVE and self._due.get("statements", NEVER) == NEVER:
            self._stale.add("statements")
        elif verb == Verb.PLACE:
            for name, deadlines in (
                ("expire", [move.accept_by for move in moves if move.accept_by]),
                ("lapse", [move.pay_by for move in moves if move.pay_by]),
            ):
                if deadlines:
                    self._nearer(name, min(deadlines) + _INSTANT)
        elif verb in (Verb.SHIP, Verb.DELIVER, Verb.RETRY):
            moments = [move.receive_at for move in moves if move.receive_at]
            if moments:
                self._nearer("receive", min(moments))

    def _nearer(self, name: str, moment: datetime) -> None:
        self._due[name] = min(self._due.get(name, NEVER), moment)

    def next(self) -> tuple[datetime, str]:
        """The next moment at which a timer has something to do, and which; NEVER when nothing waits.

        At one instant the timers keep the order of their list: what is received at a closing still enters it.
        """
        while self._stale:
            name = self._stale.pop()
            self._due[name] = self._next_due(name)
            if name == "charge" and self._due[name] != NEVER:
                self._stale.add("debits")  # a charge that waits for its answer may take too long
        name = min(self.timers, key=lambda name: self._due[name])
        return self._due[name], name

    def _next_due(self, name: str) -> datetime:
        """When a timer has something to do; not before its parked rows may be tried again, if they are all it has.

        A row that keeps failing is given up for this replay: history goes on without it.
        """
        due_at = self.timers[name].next_due() or NEVER
        if due_at > self.at or name not in self._parking:
            return due_at
        waits = Parked.objects.filter(timer=name, retry_at__gt=self.at, tries__lt=_MOST_TRIES)
        return waits.order_by("retry_at").values_list("retry_at", flat=True).first() or NEVER

    def settle_down(self) -> None:
        """Do at once what a drain would: nothing that is due now is left waiting."""
        for _ in range(_PATIENCE):
            waiting = [
                name for name in DRAINS if name in self._stale or self._due.get(name, NEVER) <= self.at
            ]
            if not waiting:
                return
            for name in waiting:
                if name in self._stale:
                    self._stale.discard(name)
                    self._due[name] = self._next_due(name)
                if self._due[name] <= self.at:
                    self._run(name, self.at)
        raise Stuck(", ".join(waiting))

    def run_to(self, moment: datetime, *, inclusive: bool = False) -> None:
        """Run every timer that is due before `moment` (or at it), each at its own moment."""
        idle = 0
        while True:
            due_at, name = self.next()
            if due_at == NEVER or due_at > moment or (due_at == moment and not inclusive):
                break
            at = max(due_at, self.at)
            tally = self._run(name, at)
            idle = 0 if tally.done else idle + 1
            self.at = at
            if idle > _PATIENCE:
                raise Stuck(name)
        if moment != NEVER:
            self.at = max(self.at, moment)

    def _run(self, name: str, at: datetime) -> Tally:
        tally = timers.run(self.timers[name], at=at, record=False)
        self.parked += tally.parked
        if tally.done:
            self._parking.discard(name)
        elif tally.idle or tally.parked:
            self._parking.add(name)
        self._stale.add(name)
        return tally
