"""Reads of returns: what is due, and the door of a shop to its own."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404

from marketplace import bulk
from marketplace.batches import Key
from orders.queries import EARLIEST
from refunds.models import ReturnLine, ReturnRequest
from sellers.models import Membership

_RUNS = "due_by IS NOT NULL AND late_at IS NULL"
_INSTANT = timedelta(microseconds=1)


def due(after: Key | None, count: int, *, at: datetime) -> list[Key]:
    """Returns whose deadline has passed, and that nobody has seen to."""
    since, row_id = after or EARLIEST
    rows = bulk.fetch(
        f"SELECT due_by, id FROM refunds_returnrequest WHERE {_RUNS} AND due_by < %s "
        "AND (due_by, id) > (%s, %s) ORDER BY due_by, id LIMIT %s",
        [at, since, row_id, count],
    )
    return [(due_by, found) for due_by, found in rows]


def next_due() -> datetime | None:
    """The first moment at which a deadline of a return will have passed."""
    first = bulk.fetch(f"SELECT min(due_by) FROM refunds_returnrequest WHERE {_RUNS}")[0][0]
    return first + _INSTANT if first else None


def returns_of(member: Membership) -> QuerySet[ReturnRequest]:
    """The returns that a member sees: their shop's, of a supplier those with lines of theirs (ROL-01, ROL-04)."""
    rows = ReturnRequest.objects.filter(shop_id=member.shop_id)
    if member.supplier_id is None:
        return rows
    own = ReturnLine.objects.filter(request=OuterRef("id"), line__supplier_id=member.supplier_id)
    return rows.filter(Exists(own))


def get_return(member: Membership, reference: str, number: int) -> ReturnRequest:
    """A return of an order of this member's shop; a stranger's is not found (ROL-01). Raises Http404."""
    rows = returns_of(member).filter(order__reference=reference, number=number)
    wanted = ("order__policy", "order__channel", "refund", "new_carrier", "instructions")
    found = rows.select_related(*wanted).first() if reference.isprintable() else None
    if found is None:
        raise Http404(reference)
    return found


def lines_of(row: ReturnRequest, member: Membership | None = None) -> list[ReturnLine]:
    """The lines of a return, of a supplier's own alone where one of theirs looks."""
    rows = row.lines.select_related("line").order_by("line_id")
    if member is not None and member.supplier_id is not None:
        rows = rows.filter(line__supplier_id=member.supplier_id)
    return list(rows)
