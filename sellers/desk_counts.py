"""What waits for whoever is at the desk, beside the links of the panel: each kind a list of rows, all counted at once.

Apps add theirs by name; the frame of the panel asks for all of them in one statement, whatever page it stands around.
"""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

from marketplace.waits import count_all
from sellers.access import DeskRequest
from sellers.models import Membership

COUNTED_UP_TO = 100

type Rows = Callable[[Membership], QuerySet[Any] | None]

_ROWS: dict[str, Rows] = {}


def add(name: str, rows: Rows) -> None:
    """Have rows counted under a name; None where they are nothing to that member."""
    _ROWS[name] = rows


def counts(request: DeskRequest) -> dict[str, int]:
    """How many rows of each kind there are for this member, at most `COUNTED_UP_TO`; counted once a request."""
    known: dict[str, int] | None = getattr(request, "desk_counts", None)
    if known is None:
        lists = {name: rows(request.membership) for name, rows in _ROWS.items()}
        theirs = {name: found for name, found in lists.items() if found is not None}
        counted = count_all(list(theirs.values()), most=COUNTED_UP_TO) if theirs else []
        known = dict.fromkeys(_ROWS, 0) | dict(zip(theirs, counted, strict=True))
        request.desk_counts = known  # type: ignore[attr-defined]
    return known


def words(n: int) -> str:
    """A count as it is shown: one that was cut off says so, none is not shown."""
    return f"{COUNTED_UP_TO - 1}+" if n >= COUNTED_UP_TO else str(n or "")
