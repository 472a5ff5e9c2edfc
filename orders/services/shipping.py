"""Handing parcels over, and hearing that they arrived (SHP-01 … SHP-06)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote

from marketplace import bulk, clocks
from marketplace import tracking as tracking_forms
from marketplace.models import Carrier
from marketplace.policy import ReceiptClockFrom, Role, ShippingClockFrom
from marketplace.refusals import Code, Outcome
from orders.models import Ending, Line, Order, Shipment, ShipmentLine
from orders.services.exceptions import end_exceptions
from orders.services.move import Change, Channels, Refuse, _move, has_right, judge, rules
from orders.services.receipt import COLLECTED, collect, count_receipt
from orders.signals import Moved
from orders.states import PAST_RECEIPT, Decision, State, Verb
from sellers.desk import Actor


@dataclass(frozen=True, slots=True)
class Parcel:
    """A parcel to hand over: the carrier (of the list, or by name where the policy allows), its tracking number.

    `quantities` maps line ids to units; None means everything that is still to be shipped, of a supplier's own lines
    where it is a supplier who hands it over. `from_order` is the number of the order whose parcel it was, where it was
    redirected: it is on its way already, with whomever it is (EXC-04).
    """

    carrier: Carrier | None = None
    carrier_name: str = ""
    tracking: str = ""
    tracking_url: str = ""
    quantities: Mapping[int, int] | None = None
    from_order: str = ""


@dataclass(slots=True)
class _Written:
    shipments: list[Shipment] = field(default_factory=list)
    contents: list[tuple[Shipment, int, int]] = field(default_factory=list)
    shipped: list[tuple[int, int]] = field(default_factory=list)


def odd_tracking(carrier: Carrier | None, tracking: str) -> bool:
    """Say whether a number does not look like the carrier's; it is warned about, not refused (SHP-05)."""
    return bool(
        carrier
        and tracking
        and carrier.tracking_pattern
        and not tracking_forms.fits(carrier.tracking_pattern, tracking)
    )


def ship(parcels: Mapping[int, Parcel], *, by: Actor, at: datetime) -> Outcome[Moved]:
    """Hand one parcel of each order over; the order is shipped when every accepted unit has left (SHP-03).

    Until then the move is told as `hand_over` and the state stays. The deliver-by clock starts at hand-over unless
    the policy says otherwise (SHP-02); receipt counts from the last parcel (SHP-07), or from what is confirmed to the
    customer after it (ORD-13). A supplier hands over units of their own lines alone; another's is `unknown_line`
    (ROL-04).
    """
    channels = Channels()
    written = _Written()
    lines: dict[int, list[Line]] = {}

    def change(order: Order) -> Change:
        if not lines:
            lines.update(lines_of(parcels))
        parcel = parcels[order.id]
        name = _carrier_name(order, parcel)
        chosen = _chosen(_own(lines[order.id], by), parcel)
        order.parcels += 1
        _pack(order, parcel, name, chosen, written, at)
        complete = sum(line.to_ship for line in lines[order.id]) == sum(n for _, n in chosen)
        data = {
            "carrier": name,
            "tracking": parcel.tracking,
            "tracking_url": written.shipments[-1].tracking_url,
            "parcel": order.parcels,
        }
        if parcel.from_order:
            data["from_order"] = parcel.from_order
        if not complete:
            return Change(data, instead=Verb.HAND_OVER)
        count_from_hand_over(order, at, channels)
        return Change(data)

    return _move(
        parcels,
        Verb.SHIP,
        change,
        fields=("parcels", *COUNTED_FROM_HAND_OVER),
        also=lambda: _write(written),
        by=by,
        at=at,
    )


COUNTED_FROM_HAND_OVER = ("shipped_at", "deliver_by", "receive_at")


def count_from_hand_over(order: Order, handed_over_at: datetime, channels: Channels) -> None:
    """The last parcel is with its carrier: the clocks of delivery and of receipt run from there, that of receipt not
    before what does not travel was confirmed (SHP-02, SHP-07)."""
    settings = rules(order)
    order.shipped_at = handed_over_at
    if settings.deliver_clock_from == ShippingClockFrom.HAND_OVER:
        span = settings.deliver_within.span
        order.deliver_by = clocks.deadline(handed_over_at, span, channels.of(order).calendar)
    count_receipt(order, max(handed_over_at, order.confirmed_at or handed_over_at), channels)


def lines_of(order_ids: Iterable[int]) -> dict[int, list[Line]]:
    """The lines, read under the lock of their orders: quantities are decided on what stands now."""
    lines: dict[int, list[Line]] = {}
    for line in bulk.read(Line, LINES_OF, [list(order_ids)]):
        lines.setdefault(line.order_id, []).append(line)
    return lines


LINES_OF = "SELECT {columns} FROM {table} WHERE order_id = ANY(%s::bigint[]) ORDER BY id"


def _carrier_name(order: Order, parcel: Parcel) -> str:
    if parcel.carrier:
        return parcel.carrier.name
    allowed = parcel.from_order or rules(order).free_text_carrier
    if not parcel.carrier_name or not allowed:
        raise Refuse(Code.UNKNOWN_CARRIER, parcel.carrier_name)
    return parcel.carrier_name


def _own(lines: Sequence[Line], by: Actor) -> Sequence[Line]:
    """The lines that the actor hands over: a supplier's are those that are theirs at this moment."""
    if by.role != Role.SUPPLIER:
        return lines
    own = [line for line in lines if line.supplier_id == by.supplier_id]
    if not own:
        raise Refuse(Code.UNKNOWN_LINE)
    return own


def _chosen(lines: Sequence[Line], parcel: Parcel) -> list[tuple[Line, int]]:
    """Which units of which lines go into the parcel; never more than is left to ship."""
    if parcel.quantities is None:
        chosen = [(line, line.to_ship) for line in lines if line.to_ship]
    else:
        known = {line.id: line for line in lines if line.decision == Decision.ACCEPTED}
        if any(line_id not in known for line_id, n in parcel.quantities.items() if n):
            raise Refuse(Code.UNKNOWN_LINE)
        if any(n < 0 or n > known[line_id].to_ship for line_id, n in parcel.quantities.items() if n):
            raise Refuse(Code.TOO_MANY)
        chosen = [(known[line_id], n) for line_id, n in parcel.quantities.items() if n]
    if not chosen:
        raise Refuse(Code.NOTHING_CHOSEN)
    return chosen


def _pack(
    order: Order,
    parcel: Parcel,
    name: str,
    chosen: list[tuple[Line, int]],
    written: _Written,
    at: datetime,
) -> None:
    url = parcel.tracking_url
    if not url and parcel.carrier and parcel.carrier.tracking_url and parcel.tracking:
        url = parcel.carrier.tracking_url.replace("{tracking}", quote(parcel.tracking, safe=""))
    shipment = Shipment(
        shop_id=order.shop_id,
        order_id=order.id,
        number=order.parcels,
        carrier=parcel.carrier,
        carrier_name=name,
        tracking=parcel.tracking,
        tracking_url=url,
        handed_over_at=at,
    )
    written.shipments.append(shipment)
    for line, units in chosen:
        written.contents.append((shipment, line.id, units))
        written.shipped.append((line.id, line.shipped_quantity + units))


def _write(written: _Written) -> None:
    if not written.shipments:
        return
    names = ("shop_id", "order_id", "number", "carrier_id", "carrier_name", "tracking", "tracking_url",
             "handed_over_at")  # fmt: skip
    ids = bulk.insert_numbered(
        Shipment, names, [[getattr(one, name) for name in names] for one in written.shipments]
    )
    for shipment, shipment_id in zip(written.shipments, ids, strict=True):
        shipment.id = shipment_id
    bulk.insert(
        ShipmentLine,
        ("shop_id", "shipment_id", "line_id", "quantity"),
        [(shipment.shop_id, shipment.id, line_id, units) for shipment, line_id, units in written.contents],
    )
    bulk.update(Line, ("id", "shipped_quantity"), written.shipped)


def ready(order_ids: Iterable[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
    """Say that parcels wait for the carrier to call (*Por recolectar*), where the policy has pick-up."""

    def change(order: Order) -> Change:
        if not rules(order).pickup:
            raise Refuse(Code.NO_PICKUP)
        return Change()

    return _move(order_ids, Verb.READY, change, by=by, at=at)


def deliver(order_ids: Iterable[int], *, by: Actor, at: datetime) -> Outcome[Moved]:
    """Confirm delivery (SHP-06); after receipt it is only noted on the parcels and moves nothing."""
    delivered: list[int] = []
    failed: list[int] = []
    channels = Channels()

    def change(order: Order) -> Change:
        delivered.append(order.id)
        if order.state == State.EXCEPTION:
            failed.append(order.id)
        if order.delivered_at is None:
            order.delivered_at = at
        if order.state in PAST_RECEIPT:
            return Change(instead=Verb.NOTE_DELIVERY)
        settings = rules(order)
        if settings.receive_clock_from == ReceiptClockFrom.DELIVERY:
            count_receipt(order, at, channels)
        return Change(collect(order, at=at))

    def also() -> None:
        end_exceptions(failed, Ending.DELIVERED, by=by, at=at)
        bulk.write(
            Shipment,
            "UPDATE orders_shipment SET delivered_at = %s WHERE order_id = ANY(%s::bigint[]) AND delivered_at IS NULL",
            [at, delivered],
        )

    return _move(
        order_ids,
        Verb.DELIVER,
        change,
        fields=("delivered_at", "receive_at", *COLLECTED),
        also=also,
        judged=_judge_delivery,
        by=by,
        at=at,
    )


def _judge_delivery(order: Order, verb: str, *, by: Actor, at: datetime) -> Code | None:
    """After receipt, whoever might have confirmed a shipped order may still say when it arrived, once."""
    if order.state not in PAST_RECEIPT:
        return judge(order, verb, by=by, at=at)
    if at < order.moved_at:
        return Code.OUT_OF_ORDER
    if order.delivered_at is not None:
        return Code.DUPLICATE
    roles = rules(order).rights.get(State.SHIPPED, {}).get(verb, ())
    return None if has_right(order, verb, by, roles) else Code.NOT_ALLOWED


def late_by(deadline: datetime | None, done_at: datetime | None, at: datetime) -> timedelta | None:
    """How late something is or was done; None when it is in time or has no deadline (SHP-09)."""
    if deadline is None or (done_at or at) <= deadline:
        return None
    return (done_at or at) - deadline
