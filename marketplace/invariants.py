"""What must always hold: every app registers its checks; `manage.py check_invariants` runs them all.

They run after every test that writes and every ten minutes in production. A check answers the rows that break it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, cast

import psycopg
from django.db import connection
from django.utils.module_loading import autodiscover_modules

type Check = Callable[[datetime | None], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Invariant:
    """A check with its number and what it says, in one sentence."""

    code: str
    sentence: str
    check: Check


@dataclass(frozen=True, slots=True)
class Result:
    """What a check found: nothing, or the rows that break it (at most twenty of them, in words)."""

    invariant: Invariant
    failures: Sequence[str] = field(default=())


_registered: dict[str, Invariant] = {}


def invariant(code: str, sentence: str) -> Callable[[Check], Check]:
    """Register a check; `at` is the moment it is asked for, None when time does not matter to the caller."""

    def register(check: Check) -> Check:
        _registered[code] = Invariant(code, sentence, check)
        return check

    return register


def broken(sql: str, params: Sequence[Any] = ()) -> list[str]:
    """The rows that a query of broken rows finds, in words; it selects one text column.

    The same queries come again and again, so the server is let plan each of them once.
    """
    connection.ensure_connection()
    raw = cast("psycopg.Connection[Any]", connection.connection)
    with connection.wrap_database_errors, psycopg.Cursor(raw) as cursor:
        cursor.execute(f"SELECT broken::text FROM ({sql}) AS found (broken) LIMIT 20", list(params))
        return [str(row[0]) for row in cursor.fetchall()]


def check_all(*, at: datetime | None) -> Iterator[Result]:
    """Run every check, in the order of their numbers."""
    for one in all_of_them():
        yield Result(one, one.check(at))


@cache
def all_of_them() -> tuple[Invariant, ...]:
    """Every check of every app, in the order of their numbers."""
    autodiscover_modules("invariants")
    return tuple(_registered[code] for code in sorted(_registered, key=lambda code: int(code[1:])))
