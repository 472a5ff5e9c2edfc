"""What waits for whoever is at the desk, beside the links of the panel: each kind a list of rows.

Apps add theirs by name; they are counted in the query that finds a person's memberships, so that no page of the panel
costs a read more for its frame.
"""

from collections.abc import Callable
from typing import Any

from django.db.models import IntegerField, QuerySet, Subquery, Value

COUNTED_UP_TO = 100

type Rows = Callable[[], QuerySet[Any]]

_ROWS: dict[str, tuple[Rows, int | None]] = {}


class _Counted(Subquery):
    """How many rows a correlated list has."""

    template = "(SELECT count(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


def add(name: str, rows: Rows, *, most: int | None = COUNTED_UP_TO) -> None:
    """Have rows counted under a name. They refer to the membership that they are counted for by `OuterRef`: "id" is
    it, "shop_id" its shop. None is counted past `most`."""
    _ROWS[name] = rows, most


def annotations() -> dict[str, Subquery]:
    """The counts of each kind, for a query of memberships."""
    return {_column(name): _Counted(_counted(rows())[:most]) for name, (rows, most) in _ROWS.items()}


def _counted(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Rows of which nothing is read; what makes one of several, as `distinct` does, stays."""
    return rows.order_by() if rows.query.distinct else rows.order_by().values_list(Value(1))


def _column(name: str) -> str:
    return f"count_of_{name}"


def of(membership: object) -> dict[str, int]:
    """The counts that a membership came with, by name."""
    return {name: getattr(membership, _column(name), 0) for name in _ROWS}


def words(n: int) -> str:
    """A count as it is shown: one that was cut off says so, none is not shown."""
    return f"{COUNTED_UP_TO - 1}+" if n >= COUNTED_UP_TO else str(n or "")
