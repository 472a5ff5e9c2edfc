"""What the order page reads: each table once, whatever the number of lines, parcels or events."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import F, Q

from marketplace.models import Carrier, Channel, Reason, ReasonKind
from marketplace.policy import Role, ShippingClockFrom
from orders.models import (
    CarrierRequest,
    DeliveryException,
    Download,
    Event,
    Granting,
    Hold,
    Line,
    Order,
    Shipment,
    ShipmentLine,
)
from orders.states import OF_MONEY, PAID, State, Verb
from payments.models import Charge
from payments.states import AskState
from sellers.models import Shop, Supplier
from settlements.models import StatementLine
from settlements.queries import closings

EVENTS_A_PAGE = 100


@dataclass(frozen=True, slots=True)
class Parcel:
    """A parcel with what travels in it."""

    shipment: Shipment
    contents: list[tuple[Line, int]] = field(default_factory=list)


def open_holds(order: Order) -> list[Hold]:
    """What makes the order wait but its incidents and returns, oldest first; nothing is read for one that does not."""
    if order.held_at is None:
        return []
    return list(order.holds.filter(released_at=None).exclude(kind__in=OF_MONEY).order_by("id"))


def reasons(kind: ReasonKind) -> list[Reason]:
    """The reasons that may be given for an act, in the operators' order."""
    return list(Reason.objects.filter(kind=kind, active=True))


def carriers() -> list[Carrier]:
    """The carriers that may be picked, by name."""
    return list(Carrier.objects.filter(active=True))


def failed_delivery(order: Order) -> DeliveryException | None:
    """What the carrier said when it could not deliver; nothing is read where it could."""
    if order.state != State.EXCEPTION:
        return None
    return order.exceptions.filter(ended_at=None).select_related("shipment").first()


def carriers_asked(shop: Shop, since: datetime) -> list[CarrierRequest]:
    """The carriers that the shop asked for and that wait, or were answered since then (SHP-04)."""
    told = Q(state=Granting.OPEN) | Q(answered_at__gte=since)
    return list(CarrierRequest.objects.filter(told, shop=shop).select_related("carrier").order_by("-id")[:20])


def last_charge(order: Order) -> Charge | None:
    """The latest charge asked of the customer's card."""
    return order.charges.order_by("-attempt").first()


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What of the customer's money went back, is on its way back, and was refused by the provider; in cents."""

    done_cents: int = 0
    waits_cents: int = 0
    refused_cents: int = 0


def given_back(order: Order) -> GivenBack:
    """How the money that is to go back to the customer stands (CAN-05, ORD-09); nothing is read where none is."""
    if not order.refunded_cents:
        return GivenBack()
    cents = {"done": 0, "waits": 0, "refused": 0}
    for state, amount, anew in order.paybacks.values_list("state", "amount_cents", "asked_anew"):
        if state == AskState.SUCCEEDED:
            cents["done"] += amount
        elif state == AskState.REFUSED and not anew:
            cents["refused"] += amount
    cents["waits"] = order.refunded_cents - cents["done"] - cents["refused"]
    return GivenBack(cents["done"], cents["waits"], cents["refused"])


def parcels(order: Order, lines: Sequence[Line]) -> list[Parcel]:
    """The parcels of an order by number, with what they hold of these lines, in one read; none of them is empty, and
    one that holds nothing of these lines is not told."""
    if not order.parcels:
        return []
    by_id = {line.id: line for line in lines}
    found: dict[int, Parcel] = {}
    rows = ShipmentLine.objects.filter(shipment__order=order, line_id__in=list(by_id)).select_related(
        "shipment"
    )
    for row in rows.order_by("shipment__number", "line_id"):
        parcel = found.setdefault(row.shipment_id, Parcel(row.shipment))
        parcel.contents.append((by_id[row.line_id], row.quantity))
    return list(found.values())


def of_supplier(supplier: Supplier, parcels: Collection[int]) -> Q:
    """What of a history concerns a supplier: every move to another state, waits, their own parcels by number, and
    what was said of who fulfils their lines and of their units that are missing (ROL-04)."""
    return (
        ~Q(before=F("after"))
        | Q(verb__in=(Verb.HOLD, Verb.RELEASE))
        | Q(verb=Verb.HAND_OVER, data__parcel__in=list(parcels))
        | Q(verb=Verb.SHORTEN, data__refused__contains=[{"supplier": supplier.id}])
        | Q(verb=Verb.ASSIGN, data__suppliers__contains=[supplier.id])
    )


def events(order: Order, before: int | None, only: Q | None = None) -> tuple[list[Event], int | None]:
    """A page of the history, newest first, and the key that the next page starts below."""
    where = (only or Q()) & (Q(id__lt=before) if before else Q())
    rows = order.events.filter(where).order_by("-id")[: EVENTS_A_PAGE + 1]
    page = list(rows)
    return page[:EVENTS_A_PAGE], page[EVENTS_A_PAGE - 1].id if len(page) > EVENTS_A_PAGE else None


def downloads(order: Order, supplier: Supplier | None = None) -> list[Download]:
    """The last papers handed out (DOC-04); to a supplier those that their own people were given."""
    rows = order.downloads.order_by("-id")
    if supplier is not None:
        rows = rows.filter(role=Role.SUPPLIER, user__memberships__supplier=supplier)
    return list(rows[:20])


def settled_in(order: Order) -> StatementLine | None:
    """The line of the statement that took the order."""
    if order.state != State.CLOSED:
        return None
    return StatementLine.objects.filter(order_id=order.id).select_related("statement__cycle").first()


def next_closing(channel: Channel, since: datetime) -> datetime | None:
    """The first closing of the channel's calendar at or after a moment."""
    return min((moment for moment in closings(channel, since) if moment >= since), default=None)


def deliver_from(order: Order) -> datetime | None:
    """When the delivery promise started to run (SHP-02)."""
    from_hand_over = order.policy.rules.deliver_clock_from == ShippingClockFrom.HAND_OVER
    return order.shipped_at if from_hand_over else order.debited_at


def offered(order: Order) -> dict[str, tuple[Role, ...]]:
    """The verbs that people may make in this state under the order's policy, and their roles (ORD-10)."""
    by_state = order.policy.rules.rights
    rights = dict(by_state.get(order.state, {}))
    if order.to_confirm and order.state in PAID:
        rights[Verb.FULFIL] = by_state.get(State.AWAITING_SHIPMENT, {}).get(Verb.FULFIL, ())
    senseless = set() if order.ships else {Verb.SHIP, Verb.READY}
    if not order.to_confirm:
        senseless.add(Verb.FULFIL)
    return {
        verb: roles
        for verb, roles in rights.items()
        if set(roles) != {"platform"} and verb in Verb.values and verb not in senseless
    }
