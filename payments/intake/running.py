"""Lines that tell of money carried out in batches, a transaction each; or rehearsed, with everything undone.

What was cut off is simply started again: the lines that were done are known already.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from marketplace.refusals import Code
from orders.intake.files import Unreadable
from orders.intake.importing import printable
from payments.intake.reading import Flawed
from payments.verdicts import Act, Fate, Line, Verdict, refused

BATCH = 400


@dataclass(slots=True)
class Result:
    """What came of a file: lines by fate, the money that was moved, refusals by code."""

    lines: int = 0
    fates: Counter[str] = field(default_factory=Counter)
    cents: int = 0
    codes: Counter[str] = field(default_factory=Counter)

    @property
    def moved(self) -> int:
        """How many lines moved money."""
        return self.fates[Fate.DONE.value] + self.fates[Fate.RETURNED.value]


def carry_out[Told: Line](
    act: Act[Told],
    found: Iterable[Told | Flawed],
    *,
    result: Result,
    tell: Callable[[Verdict], None],
    rehearse: bool = False,
    batch: int = BATCH,
    clock: Callable[[], datetime] | None = None,
) -> None:
    """Carry out every line that can be, counted in `result`; `tell` hears of each, batch by batch.

    A rehearsal runs the same and undoes each batch. With a `clock`, a batch takes place when it is done, not when the
    file was begun: the last lines of a long one may be read an hour later. Raises what the reader raises, and the
    database's error when the connection is gone; batches that are done stay.
    """
    run = _Run(act, result, tell, rehearse, clock)
    waiting: list[Told] = []
    try:
        for item in found:
            result.lines += 1
            if isinstance(item, Flawed):
                run.answer([Verdict(item.line, item.word, Fate.REFUSED, None, Code.MALFORMED, item.reason)])
                continue
            waiting.append(item)
            if len(waiting) >= batch:
                run.batch(waiting)
                waiting = []
    except Unreadable:
        run.batch(waiting)
        raise
    run.batch(waiting)


@dataclass(slots=True)
class _Run:
    act: Act[Any]
    result: Result
    tell: Callable[[Verdict], None]
    rehearse: bool
    clock: Callable[[], datetime] | None

    def batch(self, lines: Sequence[Any]) -> None:
        """Do a batch; when it fails as a whole, its lines one by one, and the one that fails alone is refused."""
        if not lines:
            return
        try:
            verdicts = self._done(lines)
        except Exception:
            if not connection.is_usable():
                raise
            for one in lines:
                self.answer(self._alone(one))
        else:
            self.answer(verdicts)

    def _alone(self, one: Any) -> list[Verdict]:
        try:
            return self._done([one])
        except Exception as error:
            if not connection.is_usable():
                raise
            said = (str(error).splitlines() or [""])[0]
            return [refused(one, Code.FAILED, printable(f"{type(error).__name__}: {said}", 500))]

    def _done(self, lines: Sequence[Any]) -> list[Verdict]:
        if self.clock is not None:
            self.act.at = self.clock()
        with transaction.atomic():
            verdicts = self.act.carry_out(lines)
            if self.rehearse:
                transaction.set_rollback(True)
        return verdicts

    def answer(self, verdicts: Sequence[Verdict]) -> None:
        """Count what was done, and tell it; what the file says, in letters that are safe to print."""
        for one in verdicts:
            self.result.fates[one.fate.value] += 1
            if one.code is not None:
                self.result.codes[one.code.value] += 1
            if one.fate in (Fate.DONE, Fate.RETURNED):
                self.act.bound |= dict.fromkeys(one.orders, one.line)
                self.result.cents += one.cents or 0
            self.tell(replace(one, word=printable(one.word, 80)))
