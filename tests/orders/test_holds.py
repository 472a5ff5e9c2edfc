"""Orders in wait."""

from datetime import timedelta

import pytest

from incidents import services as incidents
from incidents.models import Incident
from marketplace.refusals import Code
from orders import queries, services
from orders.models import Hold, Order
from orders.services import Parcel
from orders.states import HoldKind, State
from payments.models import Charge
from tests.conftest import AT, CLOCK, OPERATOR, SELLER, Placing, again, row, sure
from tests.incidents.claims import ARRIVED, disputed
from tests.orders.lives import tick

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def to_ship(place: Placing) -> Order:
    order = place()
    services.accept([order.id], by=SELLER, at=AT)
    tick("charge", AT)
    return again(order)


@pytest.mark.rule("ORD-06")
def test_a_held_order_is_not_shipped_and_goes_on_where_it_was(to_ship: Order) -> None:
    services.hold([to_ship.id], HoldKind.ADDRESS, note="Falta el piso", by=SELLER, at=AT + HOUR)
    before = row(to_ship)
    outcome = services.ship({to_ship.id: Parcel(carrier_name="SEUR")}, by=SELLER, at=AT + 2 * HOUR)
    assert [refusal.code for refusal in outcome.refused] == [Code.HELD]
    assert row(to_ship) == before
    services.release([to_ship.id], HoldKind.ADDRESS, by=SELLER, at=AT + 3 * HOUR)
    assert (again(to_ship).state, again(to_ship).held_at) == (State.AWAITING_SHIPMENT, None)
    assert services.ship({to_ship.id: Parcel(carrier_name="SEUR")}, by=SELLER, at=AT + 4 * HOUR).moved


@pytest.mark.rule("ORD-06")
def test_the_promise_to_ship_moves_by_the_time_it_stood(to_ship: Order) -> None:
    services.hold([to_ship.id], HoldKind.STOCK, by=SELLER, at=AT + HOUR)
    services.hold([to_ship.id], HoldKind.ADDRESS, by=SELLER, at=AT + 2 * HOUR)
    services.release([to_ship.id], HoldKind.STOCK, by=SELLER, at=AT + 5 * HOUR)
    assert again(to_ship).ship_by == to_ship.ship_by  # the other hold still stands
    services.release([to_ship.id], HoldKind.ADDRESS, by=SELLER, at=AT + 9 * HOUR)
    assert to_ship.ship_by is not None
    assert again(to_ship).ship_by == to_ship.ship_by + 8 * HOUR


@pytest.mark.rule("ORD-06")
def test_a_weekend_in_wait_does_not_stretch_a_promise_in_working_hours(to_ship: Order) -> None:
    """AT is Tuesday 11:00 there; the promise is Thursday 11:00. Held from then to Monday 12:00: 37 + 12 h of work."""
    services.hold([to_ship.id], HoldKind.STOCK, by=SELLER, at=AT + 2 * DAY)
    services.release([to_ship.id], HoldKind.STOCK, by=SELLER, at=AT + 6 * DAY + HOUR)
    assert again(to_ship).ship_by == AT + 6 * DAY + HOUR


@pytest.mark.rule("ORD-06")
def test_the_acceptance_clock_runs_on_while_held(place: Placing) -> None:
    order = place()
    services.hold([order.id], HoldKind.STOCK, by=SELLER, at=AT)
    tick("expire", sure(order.accept_by) + timedelta(seconds=1))
    assert again(order).state == State.CANCELLED


@pytest.mark.rule("ORD-06")
def test_a_presale_ends_by_itself_on_its_date(to_ship: Order) -> None:
    until = AT + 10 * DAY
    services.hold([to_ship.id], HoldKind.PRESALE, until=until, by=SELLER, at=AT + HOUR)
    assert tick("presale", until - timedelta(seconds=1)).idle
    assert tick("presale", until).done == 1
    hold = Hold.objects.get()
    assert (hold.released_at, hold.released_by) == (until, CLOCK.label)
    assert again(to_ship).held_at is None


@pytest.mark.rule("ORD-06")
@pytest.mark.parametrize("until", [None, AT])
def test_a_presale_says_until_when(to_ship: Order, until: object) -> None:
    before = row(to_ship)
    outcome = services.hold([to_ship.id], HoldKind.PRESALE, until=until, by=SELLER, at=AT + HOUR)  # type: ignore[arg-type]
    assert [refusal.code for refusal in outcome.refused] == [Code.REASON_NEEDED]
    assert row(to_ship) == before
    assert not Hold.objects.exists()


def test_the_same_hold_twice_is_one(to_ship: Order) -> None:
    services.hold([to_ship.id], HoldKind.STOCK, by=SELLER, at=AT + HOUR)
    outcome = services.hold([to_ship.id], HoldKind.STOCK, by=SELLER, at=AT + HOUR)
    assert [refusal.code for refusal in outcome.refused] == [Code.DUPLICATE]
    assert Hold.objects.count() == 1


@pytest.mark.rule("PAY-01")
def test_an_accepted_held_order_waits_in_debit_without_alarm(place: Placing) -> None:
    order = place(paid_cents=1)
    services.accept([order.id], by=SELLER, at=AT)
    assert tick("charge", AT + DAY).idle
    assert tick("debits", AT + DAY).idle
    services.release([order.id], HoldKind.PAYMENT_MISMATCH, by=OPERATOR, at=AT + DAY)
    charge = Charge.objects.get()
    assert (charge.due_at, charge.alert_at) == (AT + DAY, AT + DAY + HOUR)
    tick("charge", AT + DAY)
    assert again(order).state == State.AWAITING_SHIPMENT


@pytest.mark.rule("SHP-08")
def test_an_incident_stops_receipt_but_not_shipping(to_ship: Order) -> None:
    disputed([to_ship.id], at=AT + HOUR)
    services.ship({to_ship.id: Parcel(carrier_name="SEUR")}, by=SELLER, at=AT + 2 * HOUR)
    due_at = again(to_ship).receive_at
    assert due_at is not None
    assert tick("receive", due_at + DAY).idle
    (incident,) = Incident.objects.all()
    incidents.resolve(incident.id, reason=ARRIVED, by=SELLER, at=due_at + DAY)
    incidents.close([incident.id], by=OPERATOR, at=due_at + DAY)
    assert tick("receive", due_at + DAY).done == 1
    assert again(to_ship).received_at == due_at + DAY


@pytest.mark.rule("ORD-06")
def test_an_order_that_has_ended_waits_for_nothing(place: Placing) -> None:
    order = place(paid_cents=1)
    services.hold([order.id], HoldKind.PRESALE, until=AT + 10 * DAY, by=SELLER, at=AT)
    tick("expire", sure(order.accept_by) + timedelta(seconds=1))
    assert (again(order).state, again(order).held_at) == (State.CANCELLED, None)
    assert set(Hold.objects.values_list("released_by", flat=True)) == {CLOCK.label}
    assert tick("presale", AT + 11 * DAY).idle
    assert queries.next_presale_end() is None
