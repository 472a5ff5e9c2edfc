"""What the frame of the panel and the home page count of people: conversations, incidents, returns, deliveries in
trouble.

All of it is counted in the query that finds a person's memberships (`sellers.desk_counts`).
"""

from django.db.models import OuterRef, Q, QuerySet
from django.db.models.functions import Now

from dashboard.inbox_queries import Counts
from dashboard.incident_queries import Figures
from dashboard.queries import waiting
from dashboard.return_queries import LATE as LATE_RETURN
from dashboard.return_queries import Figures as ReturnFigures
from dashboard.waits import TO_ACT_ON, WAITS
from incidents.models import Incident
from incidents.states import STANDING, Turn
from messaging.models import Message, Thread
from orders.models import OWES_INVOICE, DeliveryException, Order
from refunds.models import ReturnRequest
from refunds.states import AT_THE_SHOP, OPEN
from sellers import desk_counts
from sellers.models import Membership

_OWN = Q(shop_id=OuterRef("shop_id"))


def _waiting() -> QuerySet[Thread]:
    return Thread.objects.filter(_OWN, waiting__gt=0)


def _unread() -> QuerySet[Message]:
    """A conversation with several unread messages is one."""
    rows = Message.objects.filter(_OWN, to_shop=True, read_by_shop_at=None, visible_at__lte=Now())
    return rows.values("thread_id").distinct()  # type: ignore[return-value]


def _standing() -> QuerySet[Incident]:
    return Incident.objects.filter(_OWN, state__in=STANDING)


desk_counts.add("orders", lambda: Order.objects.filter(_OWN, WAITS, state__in=TO_ACT_ON), most=None)
desk_counts.add("exceptions", lambda: DeliveryException.objects.filter(_OWN, ended_at=None))
desk_counts.add("messages", _waiting)
desk_counts.add("messages_late", lambda: _waiting().filter(answer_by__lt=Now()))
desk_counts.add("messages_unread", _unread)
desk_counts.add("incidents", _standing)
desk_counts.add("incidents_waiting", lambda: _standing().filter(turn=Turn.SHOP))
desk_counts.add("incidents_late", lambda: _standing().filter(answer_by__lt=Now()))


desk_counts.add("invoices", lambda: Order.objects.filter(_OWN, OWES_INVOICE))


def _returns() -> QuerySet[ReturnRequest]:
    return ReturnRequest.objects.filter(_OWN, state__in=OPEN)


desk_counts.add("returns", _returns)
desk_counts.add("returns_waiting", lambda: _returns().filter(state__in=AT_THE_SHOP))
desk_counts.add("returns_late", lambda: _returns().filter(LATE_RETURN))


def waiting_of(member: Membership) -> int:
    """How many orders wait for a member to act; what waits for a supplier is asked of their own lines."""
    return waiting(member) if member.supplier_id is not None else desk_counts.of(member)["orders"]


def talks_of(member: Membership) -> Counts:
    """The counters of conversations for the home page (ORD-03, MSG-01); a supplier has no inbox."""
    if member.supplier_id is not None:
        return Counts()
    told = desk_counts.of(member)
    return Counts(told["messages"], told["messages_late"], told["messages_unread"])


def incidents_of(member: Membership) -> Figures | None:
    """The counters of incidents for the home page (ORD-03, INC-09); none are a supplier's."""
    if member.supplier_id is not None:
        return None
    told = desk_counts.of(member)
    return Figures(told["incidents"], told["incidents_waiting"], told["incidents_late"])


def returns_of(member: Membership) -> ReturnFigures | None:
    """The counters of returns for the home page (ORD-03, REF-09); none are a supplier's."""
    if member.supplier_id is not None:
        return None
    told = desk_counts.of(member)
    return ReturnFigures(told["returns"], told["returns_waiting"], told["returns_late"])


def invoices_of(member: Membership) -> int:
    """How many orders owe their customer an invoice, for the home page; none are a supplier's (DOC-02)."""
    return 0 if member.supplier_id is not None else desk_counts.of(member)["invoices"]
