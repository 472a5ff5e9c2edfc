"""Which orders wait for a member of a shop to act; for a supplier, those of which a line of theirs does (ROL-04)."""

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from incidents.models import Incident
from incidents.states import STANDING
from orders.models import Line
from orders.states import INSTANT, PAID, Decision, LineKind, State
from sellers.models import Membership

TO_SHIP = (State.AWAITING_SHIPMENT, State.AWAITING_PICKUP)
TO_ACT_ON = (State.PENDING_ACCEPTANCE, *TO_SHIP, State.EXCEPTION)
WAITS = Q(state=State.PENDING_ACCEPTANCE) | Q(state__in=(*TO_SHIP, State.EXCEPTION), held_at=None)
TO_CONFIRM = Q(state__in=PAID, to_confirm__gt=0)
IN_INCIDENT = Q(id__in=Incident.objects.filter(state__in=STANDING).values("order_id"))
"""Orders of which an incident stands, settled ones too (INC-02)."""


def waits_for(member: Membership) -> Q:
    """Orders that wait for a member to act; for a supplier, those of which they have units to hand over or lines to
    confirm (ROL-04)."""
    if member.supplier_id is None:
        return WAITS
    own = Exists(left_to_ship(member.supplier_id)) | Exists(left_to_confirm(member.supplier_id))
    return Q(own, state__in=TO_SHIP, held_at=None)


def to_confirm(member: Membership) -> Q:
    """Orders with lines to confirm to the customer; a supplier's own lines (ORD-13, ROL-04)."""
    if member.supplier_id is None:
        return TO_CONFIRM
    return TO_CONFIRM & Q(Exists(left_to_confirm(member.supplier_id)))


def left_to_ship(supplier_id: int) -> QuerySet[Line]:
    """A supplier's own lines of an order of which accepted units are still with them."""
    own = Line.objects.filter(order=OuterRef("id"), supplier_id=supplier_id, kind=LineKind.GOODS)
    return own.filter(decision=Decision.ACCEPTED, shipped_quantity__lt=F("quantity"))


def left_to_confirm(supplier_id: int) -> QuerySet[Line]:
    """A supplier's own lines of an order that they have still to confirm to the customer."""
    own = Line.objects.filter(order=OuterRef("id"), supplier_id=supplier_id, confirmed_at=None)
    return own.filter(decision=Decision.ACCEPTED).exclude(kind__in=(LineKind.GOODS, *INSTANT))
