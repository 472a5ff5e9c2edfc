"""Parcels, delivery, receipt, and ending before it ships."""

from datetime import timedelta

import pytest

from ledger.models import Account, Posting
from marketplace.models import Carrier
from marketplace.refusals import Code
from messaging.models import Notice
from orders import services
from orders.models import Event, Line, Order, Shipment
from orders.services import Parcel
from orders.states import State
from payments.models import Payback
from sellers.desk import Actor
from tests.conftest import AT, CLOCK, JAR, OPERATOR, PLATE, SELLER, Placing, again, row
from tests.orders.lives import tick

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


@pytest.fixture
def to_ship(place: Placing) -> Order:
    order = place(JAR, PLATE)
    services.accept([order.id], by=SELLER, at=AT)
    tick("charge", AT)
    return again(order)


@pytest.fixture
def carrier(db: None) -> Carrier:
    carrier, _ = Carrier.objects.update_or_create(
        code="seur",
        defaults={
            "name": "SEUR",
            "tracking_url": "https://seur.example/?n={tracking}",
            "tracking_pattern": r"[0-9]{8}",
        },
    )
    return carrier


@pytest.mark.rule("SHP-01")
@pytest.mark.rule("SHP-03")
def test_two_parcels_and_the_order_is_shipped_with_the_last(to_ship: Order, carrier: Carrier) -> None:
    jar, plate = Line.objects.filter(order=to_ship).order_by("id")
    first = Parcel(carrier=carrier, tracking="12345678", quantities={jar.id: 1})
    assert services.ship({to_ship.id: first}, by=SELLER, at=AT + HOUR).moved[0].verb == "hand_over"
    assert again(to_ship).state == State.AWAITING_SHIPMENT
    rest = Parcel(carrier=carrier, tracking="87654321")
    assert services.ship({to_ship.id: rest}, by=SELLER, at=AT + 2 * HOUR).moved[0].verb == "ship"
    after = again(to_ship)
    assert (after.state, after.shipped_at) == (State.SHIPPED, AT + 2 * HOUR)
    parcels = Shipment.objects.order_by("number")
    assert [(p.number, p.tracking_url) for p in parcels] == [
        (1, "https://seur.example/?n=12345678"),
        (2, "https://seur.example/?n=87654321"),
    ]
    contents = [sorted(p.contents.values_list("line__sku", "quantity")) for p in parcels]
    assert contents == [[(jar.sku, 1)], [(jar.sku, 1), (plate.sku, 1)]]
    told = Notice.objects.filter(event__in=["hand_over", "ship"]).values_list("audience", "payload__tracking")
    assert sorted(told) == [("customer", "12345678"), ("customer", "87654321")]


@pytest.mark.rule("SHP-02")
@pytest.mark.rule("SHP-07")
def test_the_last_parcel_starts_the_delivery_promise_and_the_21_days(to_ship: Order) -> None:
    friday = AT.replace(day=6)
    services.ship({to_ship.id: Parcel(carrier_name="SEUR")}, by=SELLER, at=friday)
    after = again(to_ship)
    assert after.deliver_by == friday + timedelta(days=7)  # 120 hours of working days
    assert after.receive_at == friday + timedelta(days=21)


@pytest.mark.rule("SHP-05")
@pytest.mark.parametrize(("tracking", "odd"), [("12345678", False), ("1234", True), ("", False)])
def test_an_odd_tracking_number_is_known_as_odd(carrier: Carrier, tracking: str, odd: bool) -> None:
    assert services.odd_tracking(carrier, tracking) is odd


@pytest.mark.rule("SHP-05")
def test_an_odd_tracking_number_is_not_refused(to_ship: Order, carrier: Carrier) -> None:
    assert services.ship({to_ship.id: Parcel(carrier=carrier, tracking="raro")}, by=SELLER, at=AT).moved


@pytest.mark.rule("SHP-03")
@pytest.mark.parametrize(
    ("quantities", "code"),
    [({"jar": 3}, Code.TOO_MANY), ({"jar": -1}, Code.TOO_MANY), ({"jar": 0}, Code.NOTHING_CHOSEN),
     ({"nobody": 1}, Code.UNKNOWN_LINE)],
)  # fmt: skip
def test_a_parcel_holds_what_is_left_to_ship(to_ship: Order, quantities: dict[str, int], code: Code) -> None:
    jar = Line.objects.filter(order=to_ship).earliest("id")
    ids = {"jar": jar.id, "nobody": 0}
    before = row(to_ship)
    parcel = Parcel(carrier_name="SEUR", quantities={ids[name]: n for name, n in quantities.items()})
    outcome = services.ship({to_ship.id: parcel}, by=SELLER, at=AT + HOUR)
    assert [refusal.code for refusal in outcome.refused] == [code]
    assert row(to_ship) == before
    assert not Shipment.objects.exists()


@pytest.mark.rule("PAY-04")
def test_nothing_ships_before_the_debit(place: Placing) -> None:
    order = place(card="late")
    services.accept([order.id], by=SELLER, at=AT)
    tick("charge", AT)
    before = row(order)
    outcome = services.ship({order.id: Parcel(carrier_name="SEUR")}, by=SELLER, at=AT + HOUR)
    assert [refusal.code for refusal in outcome.refused] == [Code.NOT_DEBITED]
    assert row(order) == before


@pytest.mark.rule("SHP-06")
@pytest.mark.parametrize("by", [OPERATOR, CLOCK])
def test_delivery_is_confirmed(to_ship: Order, by: Actor) -> None:
    services.ship({to_ship.id: Parcel(carrier_name="SEUR")}, by=SELLER, at=AT)
    services.deliver([to_ship.id], by=by, at=AT + HOUR)
    assert (again(to_ship).state, again(to_ship).delivered_at) == (State.DELIVERED, AT + HOUR)
    assert Shipment.objects.get().delivered_at == AT + HOUR


@pytest.mark.rule("SHP-06")
def test_a_delivery_heard_of_after_receipt_is_noted_and_moves_nothing(to_ship: Order) -> None:
    services.ship({to_ship.id: Parcel(carrier_name="SEUR")}, by=SELLER, at=AT)
    tick("receive", AT + timedelta(days=21))
    moved = services.deliver([to_ship.id], by=CLOCK, at=AT + timedelta(days=22)).moved
    assert [(move.verb, move.before, move.after) for move in moved] == [
        ("note_delivery", State.RECEIVED, State.RECEIVED)
    ]
    assert Shipment.objects.get().delivered_at == AT + timedelta(days=22)
    outcome = services.deliver([to_ship.id], by=CLOCK, at=AT + timedelta(days=23))
    assert [refusal.code for refusal in outcome.refused] == [Code.DUPLICATE]


@pytest.mark.rule("SHP-07")
def test_it_counts_as_received_at_21_days_and_not_before(to_ship: Order) -> None:
    services.ship({to_ship.id: Parcel(carrier_name="SEUR")}, by=SELLER, at=AT)
    due_at = AT + timedelta(days=21)
    assert tick("receive", due_at - timedelta(microseconds=1)).idle
    assert tick("receive", due_at).done == 1
    assert (again(to_ship).state, again(to_ship).received_at) == (State.RECEIVED, due_at)


@pytest.mark.rule("SHP-09")
def test_lateness_is_counted_from_the_promise(to_ship: Order) -> None:
    assert to_ship.ship_by is not None
    late = to_ship.ship_by + HOUR
    assert services.late_by(to_ship.ship_by, late, late) == HOUR
    assert services.late_by(to_ship.ship_by, None, late) == HOUR
    assert services.late_by(to_ship.ship_by, to_ship.ship_by, late) is None
    assert services.late_by(None, None, late) is None


@pytest.mark.rule("CAN-02")
def test_before_acceptance_the_seller_cancels_with_a_reason(place: Placing) -> None:
    order = place()
    assert services.cancel([order.id], reason="", by=SELLER, at=AT).refused[0].code == Code.REASON_NEEDED
    assert again(order).state == State.PENDING_ACCEPTANCE
    services.cancel([order.id], reason="Lo pide el cliente", by=SELLER, at=AT)
    assert again(order).state == State.CANCELLED
    assert not Payback.objects.exists()


@pytest.mark.rule("CAN-05")
def test_what_was_charged_goes_back_in_full(to_ship: Order) -> None:
    services.cancel([to_ship.id], reason="Se rompió", by=SELLER, at=AT + HOUR)
    after = again(to_ship)
    assert (after.state, after.refunded_cents, after.charged_cents) == (State.CANCELLED, 8400, 8400)
    assert Event.objects.latest("id").data == {"reason": "Se rompió", "refunded_cents": 8400}
    assert _balance(Account.REFUND_DUE) == -8400
    tick("payback", AT + HOUR)
    assert _balance(Account.REFUND_DUE) == _balance(Account.PROVIDER) == _balance(Account.PENDING) == 0
    assert Payback.objects.get().state == "succeeded"


@pytest.mark.rule("CAN-04")
def test_what_is_on_its_way_cannot_be_called_back(to_ship: Order) -> None:
    jar = Line.objects.filter(order=to_ship).earliest("id")
    services.ship({to_ship.id: Parcel(carrier_name="SEUR", quantities={jar.id: 1})}, by=SELLER, at=AT + HOUR)
    before = row(to_ship)
    outcome = services.cancel([to_ship.id], reason="Tarde", by=SELLER, at=AT + 2 * HOUR)
    assert [refusal.code for refusal in outcome.refused] == [Code.PARCEL_ON_ITS_WAY]
    assert row(to_ship) == before
    assert not Payback.objects.exists()
    # The rest cannot be sent: only the operator ends such an order, and the customer gets everything back.
    assert services.cancel([to_ship.id], reason="Sin existencias", by=OPERATOR, at=AT + 2 * HOUR).moved
    assert Payback.objects.get().amount_cents == 8400


def _balance(account: Account) -> int:
    return sum(Posting.objects.filter(account=account).values_list("amount_cents", flat=True))
