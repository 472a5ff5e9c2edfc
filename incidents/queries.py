"""Reads of incidents: what is due, and the door of a shop to its own."""

from datetime import datetime

from django.http import Http404

from incidents.models import Incident
from marketplace import bulk
from marketplace.batches import Key
from orders.queries import EARLIEST
from sellers.models import Membership

_QUIET = "state = 'resolved' AND review_since IS NULL"


def due(after: Key | None, count: int, *, at: datetime) -> list[Key]:
    """Resolved incidents whose quiet time is over, that are in no list yet (INC-05)."""
    since, row_id = after or EARLIEST
    rows = bulk.fetch(
        f"SELECT close_due_at, id FROM incidents_incident WHERE {_QUIET} AND close_due_at <= %s "
        "AND (close_due_at, id) > (%s, %s) ORDER BY close_due_at, id LIMIT %s",
        [at, since, row_id, count],
    )
    return [(due_at, found) for due_at, found in rows]


def next_due() -> datetime | None:
    """The first moment at which the quiet time of an incident will be over."""
    moment: datetime | None = bulk.fetch(f"SELECT min(close_due_at) FROM incidents_incident WHERE {_QUIET}")[
        0
    ][0]
    return moment


def get_incident(member: Membership, reference: str, number: int) -> Incident:
    """An incident of an order of this member's shop; a stranger's is not found (ROL-01). Raises Http404."""
    rows = Incident.objects.filter(shop_id=member.shop_id, order__reference=reference, number=number)
    found = (
        rows.select_related("order__policy", "order__channel").first() if reference.isprintable() else None
    )
    if found is None or member.supplier_id is not None:
        raise Http404(reference)
    return found
