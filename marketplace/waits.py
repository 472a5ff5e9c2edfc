"""What waits for the operators: each kind a named list of rows, all counted in one statement (ROL-02)."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet, Value
from django.urls import reverse
from django.utils.translation import gettext_lazy

from marketplace.models import Parked

FRESH_S = 5.0
COUNTED_UP_TO = 1000
_counted: tuple[float, dict[str, int]] | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Rows that an operator should see to, with the list that shows exactly those and what to do there.

    `rank` orders the kinds: what costs money first.
    """

    rank: int
    name: str
    title: object
    advice: object
    view: str
    query: str
    rows: Callable[[], QuerySet[Any]]

    @property
    def address(self) -> str:
        return reverse(f"admin:{self.view}") + self.query


WAITS: dict[str, Wait] = {}
"""Every kind of row that waits for an operator, by name; the apps add theirs beside the rooms that show them."""


def add(wait: Wait) -> None:
    """Have a kind of row counted on the front page and in the sidebar."""
    WAITS[wait.name] = wait
    ranked = sorted(WAITS.values(), key=lambda one: one.rank)
    WAITS.clear()
    WAITS.update({one.name: one for one in ranked})


def counts() -> dict[str, int]:
    """How many rows of each kind wait, at most `COUNTED_UP_TO`; read anew every few seconds."""
    global _counted  # noqa: PLW0603
    now = time.monotonic()
    if _counted is None or now - _counted[0] > FRESH_S:
        _counted = now, _count()
    return _counted[1]


def forget() -> None:
    """Count anew next time: an operator has just done something about it."""
    global _counted  # noqa: PLW0603
    _counted = None


def _count() -> dict[str, int]:
    rows = [wait.rows() for wait in WAITS.values()]
    return dict(zip(WAITS, count_all(rows, most=COUNTED_UP_TO), strict=True))


def count_all(lists: Sequence[QuerySet[Any]], *, most: int | None = None) -> list[int]:
    """How many rows each of these lists has, in one statement; none is counted past `most`."""
    parts: list[str] = []
    params: list[Any] = []
    for number, rows in enumerate(lists):
        sql, given = rows.order_by().values_list(Value(1))[:most].query.sql_with_params()
        parts.append(f"(SELECT count(*) FROM ({sql}) AS list{number})")
        params += given
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", params)
        return list(cursor.fetchone() or ())


def words(number: int) -> str:
    """A count as it is shown; one that was cut off says so."""
    if number >= COUNTED_UP_TO:
        return f"{COUNTED_UP_TO - 1}+"
    return str(number) if number else ""


add(
    Wait(
        7,
        "parked",
        gettext_lazy("Filas apartadas"),
        gettext_lazy("Fallaron al pasar un reloj. Lee qué pasó y reinténtalas o descártalas."),
        "marketplace_parked_changelist",
        "",
        Parked.objects.all,
    )
)
