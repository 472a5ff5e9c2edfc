"""Working through all that is due, some hundreds of rows a transaction, so that one bad row never stops the rest."""

import logging
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from marketplace import bulk, outbox
from marketplace.models import Parked
from marketplace.refusals import Outcome, Tally

logger = logging.getLogger(__name__)

SIZE = 500
LANES = 2

type Key = tuple[datetime, int]
type NextDue = Callable[[Key | None, int], Sequence[Key]]
type Work = Callable[[list[int]], Outcome[Any]]


def work_through(
    timer: str, due: NextDue, work: Work, *, at: datetime, tally: Tally, size: int = SIZE
) -> None:
    """Take due rows in the order of their deadlines, `size` at a time, and let `work` move each batch.

    `due(after, count)` answers the next (deadline, id) keys. A batch that raises is tried row by row; a row that
    fails alone is parked with its trace and left alone until its next try. Where more than one batch is due, two are
    in hand at a time, each on a connection of its own: one is decided while the database writes the other.
    """
    parked = _parked(timer)
    after: Key | None = None
    more = True
    with _Lanes(tally) as lanes:
        while more and (keys := due(after, size)):
            after, more = keys[-1], len(keys) == size
            ids = [row_id for _, row_id in keys if row_id not in parked or parked[row_id] <= at]
            lanes.do(partial(_batch, timer, ids, work, parked, at=at), alone=not more)


class _Lanes:
    """Two batches in hand at a time; one after the other inside a transaction, which has only one connection."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self._pool: ThreadPoolExecutor | None = None
        self._running: deque[Future[Tally]] = deque()
        self._lines: set[BaseDatabaseWrapper] = set()

    def __enter__(self) -> "_Lanes":
        return self

    def __exit__(self, *failed: object) -> None:
        try:
            while self._running:
                self._heed(self._running.popleft())
        finally:
            if self._pool:
                self._pool.shutdown()
            for line in self._lines:
                line.close()

    def do(self, batch: Callable[[], Tally], *, alone: bool) -> None:
        """Do a batch now if it is the only one, else as soon as a lane is free."""
        if connection.in_atomic_block or (alone and not self._running):
            self.tally.join(batch())
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(LANES, thread_name_prefix="batch")
        if len(self._running) >= LANES:
            self._heed(self._running.popleft())
        self._running.append(self._pool.submit(copy_context().run, self._on_its_own, batch))

    def _on_its_own(self, batch: Callable[[], Tally]) -> Tally:
        """Do a batch on the connection of its lane: opened once, and closed by whoever opened the lanes."""
        line = connections[DEFAULT_DB_ALIAS]
        if line not in self._lines:
            line.inc_thread_sharing()
            self._lines.add(line)
        line.close_if_unusable_or_obsolete()
        return batch()

    def _heed(self, future: "Future[Tally]") -> None:
        self.tally.join(future.result())


def _batch(timer: str, ids: list[int], work: Work, parked: dict[int, datetime], *, at: datetime) -> Tally:
    tally = Tally()
    try:
        _done(timer, ids, work, parked, tally)
    except Exception:
        logger.exception("%s: a batch of %d failed, trying its rows one by one", timer, len(ids))
        _one_by_one(timer, ids, work, parked, at=at, tally=tally)
    return tally


def _done(timer: str, ids: list[int], work: Work, parked: dict[int, datetime], tally: Tally) -> None:
    if not ids:
        return
    with transaction.atomic():
        outcome = work(ids)
        if again := [row_id for row_id in ids if row_id in parked]:
            Parked.objects.filter(timer=timer, subject_id__in=again).delete()
    tally.add(outcome)


def _one_by_one(
    timer: str, ids: list[int], work: Work, parked: dict[int, datetime], *, at: datetime, tally: Tally
) -> None:
    for row_id in ids:
        try:
            _done(timer, [row_id], work, parked, tally)
        except Exception:
            logger.exception("%s: row %d failed and is parked", timer, row_id)
            _park(timer, row_id, traceback.format_exc(), at=at)
            tally.parked += 1


def _parked(timer: str) -> dict[int, datetime]:
    """Rows that failed before, and when each may be tried again."""
    return dict(bulk.fetch("SELECT subject_id, retry_at FROM marketplace_parked WHERE timer = %s", [timer]))


def _park(timer: str, row_id: int, trace: str, *, at: datetime) -> None:
    with transaction.atomic():
        parked, new = Parked.objects.select_for_update().get_or_create(
            timer=timer,
            subject_id=row_id,
            defaults={"trace": trace, "parked_at": at, "retry_at": at + outbox.back_off(1)},
        )
        if not new:
            parked.tries += 1
            parked.trace = trace
            parked.retry_at = at + max(outbox.back_off(parked.tries), timedelta(minutes=1))
            parked.save(update_fields=["tries", "trace", "retry_at"])
