"""What must always hold: every app registers its checks; `manage.py check_invariants` runs them all.

They run after every test that writes and every ten minutes in production. A check answers the rows that break it, or
the query that finds them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, cast

import psycopg
from django.db import connection
from django.utils.module_loading import autodiscover_modules


@dataclass(frozen=True, slots=True)
class Broken:
    """A query of the rows that break an invariant, in words, and the parameters of it."""

    sql: str
    params: Sequence[Any]

    def rows(self) -> list[str]:
        """At most twenty of them.

        The same queries come again and again, so the server is let plan each of them once.
        """
        connection.ensure_connection()
        raw = cast("psycopg.Connection[Any]", connection.connection)
        with connection.wrap_database_errors, psycopg.Cursor(raw) as cursor:
            cursor.execute(
                f"SELECT broken::text FROM ({self.sql}) AS found (broken) LIMIT 20", list(self.params)
            )
            return [str(row[0]) for row in cursor.fetchall()]


type Check = Callable[[datetime | None], Broken | Sequence[str]]


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


def invariant[Asked: Check](code: str, sentence: str) -> Callable[[Asked], Asked]:
    """Register a check; `at` is the moment it is asked for, None when time does not matter to the caller."""

    def register(check: Asked) -> Asked:
        _registered[code] = Invariant(code, sentence, check)
        return check

    return register


def broken(sql: str, params: Sequence[Any] = ()) -> Broken:
    """The rows that a query finds are broken; it selects one text column."""
    return Broken(sql, params)


def check_all(*, at: datetime | None) -> Iterator[Result]:
    """Run every check, in the order of their numbers."""
    for one in all_of_them():
        found = one.check(at)
        yield Result(one, found.rows() if isinstance(found, Broken) else found)


@cache
def all_of_them() -> tuple[Invariant, ...]:
    """Every check of every app, in the order of their numbers."""
    autodiscover_modules("invariants")
    return tuple(_registered[code] for code in sorted(_registered, key=lambda code: int(code[1:])))
