"""Two actors at one order: two threads with a connection each, let go by a barrier, an order a round."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from django.db import connection, connections, models

from marketplace import bulk, invariants
from marketplace.refusals import Outcome
from orders.models import Event
from orders.services import move

PATIENCE_S = 60
_round = threading.local()
"""Whether this side has met the other in the round that it plays; an act that reads its orders twice meets once."""

type Act = Callable[[int, int], Outcome[Any]]
"""One side of a race: `act(round number, order id)`."""

type Ending = tuple[bool, bool, tuple[str, ...]]
"""Whether the left side moved the order, whether the right one did, and what its history tells of the two."""


@dataclass(frozen=True, slots=True)
class Round:
    """What came of one order: its ending, and what each side raised, if it did."""

    order_id: int
    ending: Ending
    errors: tuple[Exception, ...]

    @property
    def winner(self) -> str:
        left, right, _ = self.ending
        return "both" if left and right else "left" if left else "right" if right else "nobody"


def race(order_ids: Sequence[int], left: Act, right: Act) -> list[Round]:
    """Let both sides at each order at the same moment; in two rounds of three one of them is let go a breath
    earlier, by turns, so that each side comes first often enough."""
    before = _last_events()
    start = threading.Barrier(2, timeout=PATIENCE_S)
    answers: tuple[list[Any], list[Any]] = ([], [])

    def run(side: int, act: Act) -> None:
        try:
            for number, order_id in enumerate(order_ids):
                start.wait()
                _round.met = False
                if number % 3 == side + 1:
                    bulk.fetch("SELECT 1")
                try:
                    answers[side].append(act(number, order_id))
                except Exception as error:
                    answers[side].append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(side, act)) for side, act in enumerate((left, right))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    histories = _histories(order_ids, after=before)
    return [
        Round(
            order_id,
            (_moved(one), _moved(other), tuple(histories.get(order_id, ()))),
            tuple(answer for answer in (one, other) if isinstance(answer, Exception)),
        )
        for order_id, one, other in zip(order_ids, *answers, strict=True)
    ]


def _moved(answer: object) -> bool:
    return isinstance(answer, Outcome) and bool(answer.moved)


def _last_events() -> int:
    return Event.objects.order_by("-id").values_list("id", flat=True).first() or 0


def _histories(order_ids: Sequence[int], *, after: int) -> dict[int, list[str]]:
    told: dict[int, list[str]] = {}
    rows = Event.objects.filter(order_id__in=order_ids, id__gt=after).order_by("order_id", "id")
    for order_id, verb in rows.values_list("order_id", "verb"):
        told.setdefault(order_id, []).append(verb)
    return told


def read_without_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a control: the statement that locks orders, less its lock. It is the one place where orders are locked."""
    locking = bulk._select_for_update

    def select(model: type[models.Model], skip_locked: bool) -> bytes:
        statement = locking(model, False)
        assert statement.endswith(b" FOR NO KEY UPDATE"), statement
        return statement.removesuffix(b" FOR NO KEY UPDATE")

    monkeypatch.setattr(bulk, "_select_for_update", select)


def take_the_lock_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a control: nothing is locked, and each side decides only when both have read; nothing else is changed."""
    lock_orders = move.lock_orders
    both_have_read = threading.Barrier(2, timeout=PATIENCE_S)

    def read_orders(*args: Any, **wishes: Any) -> Any:
        rows = lock_orders(*args, **wishes)
        if not _round.met:
            _round.met = True
            both_have_read.wait()
        return rows

    read_without_lock(monkeypatch)
    monkeypatch.setattr(move, "lock_orders", read_orders)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the rounds of a race ended: rightly, with a wrong ending or rows that disagree, or with an error."""

    right: int
    wrong: int
    errors: Counter[str]
    winners: Counter[str]

    @property
    def broken(self) -> int:
        return self.wrong + self.errors.total()

    @property
    def rounds(self) -> int:
        return self.right + self.broken


def judge(ended: Sequence[Round], legal: Callable[[int], set[Ending]], torn: Sequence[int]) -> Verdict:
    """Count the rounds by how they ended; `legal(number)` are the endings that a round may have, `torn` the orders
    whose rows disagree with each other."""
    errors: Counter[str] = Counter()
    right = wrong = 0
    for number, one in enumerate(ended):
        if one.errors:
            errors.update([_named(one.errors[0])])
        elif one.ending in legal(number) and one.order_id not in torn:
            right += 1
        else:
            wrong += 1
    return Verdict(right, wrong, errors, Counter(one.winner for one in ended))


def _named(error: Exception) -> str:
    """The constraint that refused, or the kind of error."""
    cause = error.__cause__ or error
    constraint = cause.diag.constraint_name if isinstance(cause, psycopg.Error) else None
    return constraint or type(error).__name__


def broken_invariants() -> list[str]:
    """The codes of the invariants that do not hold now."""
    return [result.invariant.code for result in invariants.check_all(at=None) if result.failures]


def ids(query: str) -> list[int]:
    """The first column of a query."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [row[0] for row in cursor.fetchall()]
