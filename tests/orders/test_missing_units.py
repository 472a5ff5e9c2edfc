"""Stock short: the seller says what there is, the rest is refused, and the money follows to the cent."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from ledger.models import Account, Posting
from marketplace.models import Channel
from marketplace.policy import PRESETS, Preset
from marketplace.refusals import Code
from marketplace.services import publish_policy
from messaging.models import Notice
from orders import services
from orders.models import Hold, Line, Order
from orders.services import Answer, Parcel
from orders.states import HoldKind, State
from payments import beforehand
from payments.models import Payback
from sellers.models import User
from tests.conftest import AT, CLOCK, CUSTOMER, JAR, OPERATOR, PLATE, SELLER, Placing, again, sure
from tests.orders.acting import HOUR, Recent, Untouched, debited, post, said, went_well
from tests.orders.lives import tick

pytestmark = [pytest.mark.django_db, pytest.mark.rule("ORD-06")]

CUPS = ("TAZA", "Taza", 3, 1000, 100)
LATER = AT + HOUR


def line(order: Order, sku: str) -> Line:
    return order.lines.order_by("id").filter(sku=sku)[0]


def lines(order: Order) -> list[tuple[object, ...]]:
    rows = order.lines.order_by("id")
    return list(rows.values_list("external_id", "quantity", "goods_cents", "shipping_cents", "decision"))


def account(order: Order, name: Account) -> int:
    rows = Posting.objects.filter(entry__order_id=order.id, account=name)
    return sum(rows.values_list("amount_cents", flat=True))


@pytest.fixture
def to_ship(place: Placing) -> Order:
    return debited(place(CUPS, PLATE))


@pytest.mark.rule("ORD-05")
def test_accepting_what_there_is_refuses_the_rest_and_charges_only_that(place: Placing) -> None:
    order = place(CUPS, PLATE)
    cups = line(order, "TAZA")
    services.one(services.accept({order.id: Answer({}, {cups.id: 2})}, by=SELLER, at=AT))
    assert lines(order) == [
        ("1", 2, 2000, 67, "accepted"),
        ("2", 1, 1200, 200, "accepted"),
        ("1/2", 1, 1000, 33, "refused"),
    ]
    assert order.lines.get(external_id="1/2").refuse_code == "out-of-stock"
    order = again(order)
    assert (order.goods_cents, order.shipping_cents, order.total_cents) == (3200, 267, 3467)
    tick("charge", AT)
    assert again(order).charged_cents == 3467
    services.one(services.ship({order.id: Parcel(carrier_name="SEUR")}, by=SELLER, at=LATER))
    assert again(order).state == State.SHIPPED
    mail = Notice.objects.get(event="accept", audience="customer").payload
    assert mail["refused"] == [
        {"line": "1", "title": "Taza", "units": 1, "reason": {"code": "out-of-stock"}},
    ]


@pytest.mark.parametrize(
    ("there_are", "code"),
    [({"TAZA": 0}, Code.TOO_MANY), ({"TAZA": 4}, Code.TOO_MANY), ({"?": 1}, Code.UNKNOWN_LINE)],
)
def test_an_answer_of_units_that_cannot_be_changes_nothing(
    place: Placing, there_are: dict[str, int], code: Code
) -> None:
    order = place(CUPS, PLATE)
    by_id = {line(order, sku).id if sku != "?" else 0: units for sku, units in there_are.items()}
    with Untouched(order):
        outcome = services.accept({order.id: Answer({}, by_id)}, by=SELLER, at=AT)
        assert [refusal.code for refusal in outcome.refused] == [code]


@pytest.mark.rule("CAN-05")
def test_what_is_missing_after_the_charge_goes_back_and_the_rest_is_settled(to_ship: Order) -> None:
    services.hold([to_ship.id], HoldKind.STOCK, by=SELLER, at=LATER)
    cups = line(to_ship, "TAZA")
    move = services.one(services.shorten({to_ship.id: {cups.id: 1}}, by=SELLER, at=LATER))
    assert move.data["refunded_cents"] == 2067
    order = again(to_ship)
    assert (order.state, order.held_at) == (State.AWAITING_SHIPMENT, None)
    assert (order.charged_cents, order.refunded_cents, order.total_cents) == (4500, 2067, 2433)
    assert not Hold.objects.filter(order=order, released_at=None).exists()
    assert lines(order)[0] == ("1", 1, 1000, 33, "accepted")
    assert lines(order)[2] == ("1/2", 2, 2000, 67, "refused")
    tick("payback", LATER)
    assert Payback.objects.get(order=order).amount_cents == 2067
    assert account(order, Account.PROVIDER) == 2433
    services.one(services.ship({order.id: Parcel(carrier_name="SEUR")}, by=SELLER, at=LATER + HOUR))
    tick("receive", sure(again(order).receive_at))
    fee, vat = again(order).commission_cents, again(order).commission_vat_cents
    assert (fee, vat) == (292, 61)
    assert account(order, Account.PAYABLE) == -(2433 - fee - vat)
    assert account(order, Account.PENDING) == 0


@pytest.mark.rule("CAN-05")
def test_cancelling_after_some_went_back_returns_only_the_rest(to_ship: Order) -> None:
    cups = line(to_ship, "TAZA")
    services.one(services.shorten({to_ship.id: {cups.id: 2}}, by=SELLER, at=LATER))
    services.one(services.cancel([to_ship.id], reason="Se acabó", by=OPERATOR, at=LATER + HOUR))
    tick("payback", LATER + HOUR)
    assert sorted(Payback.objects.filter(order=to_ship).values_list("amount_cents", flat=True)) == [
        1033,
        3467,
    ]
    assert (account(to_ship, Account.PROVIDER), account(to_ship, Account.PENDING)) == (0, 0)


def test_units_can_go_missing_twice_and_the_whole_of_a_line(to_ship: Order) -> None:
    cups, plate = line(to_ship, "TAZA"), line(to_ship, "PLA-HONDO")
    services.one(services.shorten({to_ship.id: {cups.id: 2}}, by=SELLER, at=LATER))
    services.one(services.shorten({to_ship.id: {cups.id: 1, plate.id: 0}}, by=SELLER, at=LATER))
    assert [row[0] for row in lines(to_ship)] == ["1", "2", "1/2", "1/3"]
    assert [row[4] for row in lines(to_ship)] == ["accepted", "refused", "refused", "refused"]
    order = again(to_ship)
    assert (order.total_cents, order.refunded_cents) == (1034, 3466)
    assert sum(Payback.objects.filter(order=order).values_list("amount_cents", flat=True)) == 3466


@pytest.mark.rule("SHP-07")
def test_when_nothing_is_left_to_ship_the_order_is_shipped_with_its_last_parcel(to_ship: Order) -> None:
    cups, plate = line(to_ship, "TAZA"), line(to_ship, "PLA-HONDO")
    parcel = Parcel(carrier_name="SEUR", tracking="7", quantities={cups.id: 2, plate.id: 1})
    services.one(services.ship({to_ship.id: parcel}, by=SELLER, at=LATER))
    services.one(services.shorten({to_ship.id: {cups.id: 0}}, by=SELLER, at=LATER + 5 * HOUR))
    order = again(to_ship)
    assert (order.state, order.shipped_at) == (State.SHIPPED, LATER)
    assert order.receive_at == LATER + timedelta(days=21)
    assert [event.verb for event in order.events.order_by("id")][-2:] == ["shorten", "ship"]
    assert lines(order)[0] == ("1", 2, 2000, 67, "accepted")


def test_another_hold_keeps_an_order_from_being_shipped_that_way(to_ship: Order) -> None:
    cups, plate = line(to_ship, "TAZA"), line(to_ship, "PLA-HONDO")
    parcel = Parcel(carrier_name="SEUR", quantities={cups.id: 2, plate.id: 1})
    services.one(services.ship({to_ship.id: parcel}, by=SELLER, at=LATER))
    services.hold([to_ship.id], HoldKind.ADDRESS, by=SELLER, at=LATER)
    with Untouched(to_ship):
        outcome = services.shorten({to_ship.id: {cups.id: 0}}, by=SELLER, at=LATER)
        assert [refusal.code for refusal in outcome.refused] == [Code.HELD]


def test_nothing_missing_and_nothing_left_are_refused(to_ship: Order) -> None:
    cups, plate = line(to_ship, "TAZA"), line(to_ship, "PLA-HONDO")
    for said_units, code in (
        ({cups.id: 3, plate.id: 1}, Code.NOTHING_CHOSEN),
        ({}, Code.NOTHING_CHOSEN),
        ({cups.id: 0, plate.id: 0}, Code.NOTHING_LEFT),
        ({cups.id: 4}, Code.TOO_MANY),
        ({cups.id: -1}, Code.TOO_MANY),
        ({cups.id + plate.id: 1}, Code.UNKNOWN_LINE),
    ):
        with Untouched(to_ship):
            outcome = services.shorten({to_ship.id: said_units}, by=SELLER, at=LATER)
            assert [refusal.code for refusal in outcome.refused] == [code], said_units
    assert not Payback.objects.exists()


@pytest.mark.rule("ORD-10")
def test_only_who_may_ship_says_what_is_missing_and_only_while_it_can_be_shipped(
    place: Placing, to_ship: Order
) -> None:
    pending, cups = place(CUPS), line(to_ship, "TAZA")
    in_debit = place(CUPS, card="slow")
    services.one(services.accept([in_debit.id], by=SELLER, at=AT))
    services.hold([in_debit.id], HoldKind.ADDRESS, by=SELLER, at=AT)
    for order, by, code in (
        (to_ship, CUSTOMER, Code.NOT_ALLOWED),
        (to_ship, CLOCK, Code.NOT_ALLOWED),
        (pending, SELLER, Code.WRONG_STATE),
        (in_debit, SELLER, Code.HELD),
    ):
        with Untouched(order):
            outcome = services.shorten({order.id: {cups.id: 1}}, by=by, at=LATER)
            assert [refusal.code for refusal in outcome.refused] == [code], (order.state, by)


@pytest.mark.rule("ORD-07", "PAY-06")
def test_what_was_paid_beforehand_goes_back_and_what_is_paid_at_the_door_is_less(
    channel: Channel, place: Placing
) -> None:
    publish_policy(channel, PRESETS[Preset.PREPAID], by="x", at=AT)
    channel.refresh_from_db()
    paid = place(CUPS)
    beforehand.confirm({paid.id: "pi_9"}, by=CLOCK, at=AT)
    services.one(services.shorten({paid.id: {line(paid, "TAZA").id: 1}}, by=SELLER, at=LATER))
    tick("payback", LATER)
    assert account(paid, Account.PROVIDER) == 1033
    publish_policy(channel, PRESETS[Preset.CASH_ON_DELIVERY], by="x", at=AT)
    channel.refresh_from_db()
    at_the_door = place(CUPS)
    services.one(services.accept([at_the_door.id], by=SELLER, at=AT))
    services.one(services.shorten({at_the_door.id: {line(at_the_door, "TAZA").id: 1}}, by=SELLER, at=LATER))
    services.one(services.ship({at_the_door.id: Parcel(carrier_name="SEUR")}, by=SELLER, at=LATER))
    services.one(services.deliver([at_the_door.id], by=OPERATOR, at=LATER))
    assert account(at_the_door, Account.COURIER) == 1033
    assert not Payback.objects.filter(order=at_the_door).exists()


@pytest.mark.rule("ORD-12")
def test_the_customer_is_told_what_will_not_come_and_what_goes_back(to_ship: Order) -> None:
    services.one(services.shorten({to_ship.id: {line(to_ship, "TAZA").id: 1}}, by=SELLER, at=LATER))
    notice = Notice.objects.get(event="shorten")
    assert (notice.audience, notice.email) == ("customer", "ana@cliente.example")
    assert notice.payload["refunded_cents"] == 2067


def test_the_page_takes_what_there_is(recent: Recent, alice: User) -> None:
    order = recent(CUPS, PLATE)
    cups, plate = line(order, "TAZA"), line(order, "PLA-HONDO")
    answers = {f"answer_{one.id}": "accept" for one in (cups, plate)}
    client = Client()
    client.force_login(alice)
    asked = client.get(
        f"/pedidos/{order.reference}/", answers | {f"units_{cups.id}": "2"}, headers={"HX-Request": "1"}
    )
    assert "34,67 €" not in said(asked)  # what the shop gets, and not what the customer pays
    assert "32,00 €" in said(asked)
    wrong = post(alice, order, "aceptar", **answers, **{f"units_{cups.id}": "7"})
    assert wrong.status_code == 422
    assert "Escribe un número entre 1 y 3." in said(wrong)
    assert again(order).state == State.PENDING_ACCEPTANCE
    went_well(post(alice, order, "aceptar", **answers, **{f"units_{cups.id}": "2"}), order)
    assert again(order).total_cents == 3467
    assert "Rechazado: 1 × Taza. Sin existencias" in said(
        client.get(f"/pedidos/{order.reference}/?tab=historial")
    )


def test_the_page_says_what_is_missing_and_what_goes_back(recent: Recent, alice: User, bob: User) -> None:
    order = debited(recent(CUPS, PLATE))
    cups, plate = line(order, "TAZA"), line(order, "PLA-HONDO")
    services.hold([order.id], HoldKind.STOCK, by=SELLER, at=timezone.now())
    client = Client()
    client.force_login(alice)
    page = said(client.get(f"/pedidos/{order.reference}/"))
    assert re.search(r'href="[^"]+\?acto=faltan"[^>]*>Decir lo que hay', page)
    panel = said(client.get(f"/pedidos/{order.reference}/?acto=faltan"))
    assert "Di cuántas hay de cada artículo" in panel
    with Untouched(order):
        assert post(bob, order, "faltan", **{f"units_{cups.id}": "1"}).status_code == 403
        nothing = post(alice, order, "faltan", **{f"units_{cups.id}": "3"})
        assert nothing.status_code == 422
        assert "No falta ninguna unidad" in said(nothing)
        assert post(alice, order, "faltan", **{f"units_{cups.id}": "-1"}).status_code == 422
    went_well(post(alice, order, "faltan", **{f"units_{cups.id}": "1"}), order)
    assert again(order).refunded_cents == 2067
    again_short = client.post(f"/pedidos/{order.reference}/faltan/", {f"units_{plate.id}": "0"})
    went_well(again_short, order)
    assert "se devuelven 14,00 € al cliente" in said(client.get(again_short["Location"]))
    assert again(order).refunded_cents == 3467


def test_a_single_unit_is_cancelled_and_not_shortened(recent: Recent, alice: User) -> None:
    order = debited(recent(PLATE))
    client = Client()
    client.force_login(alice)
    assert "acto=faltan" not in said(client.get(f"/pedidos/{order.reference}/"))
    assert debited(recent(JAR)).lines.count() == 1


def test_the_last_single_unit_can_be_missing_once_another_has_left(recent: Recent, alice: User) -> None:
    order = debited(recent(PLATE, ("TAZA", "Taza", 1, 1000, 100)))
    plate, cup = line(order, "PLA-HONDO"), line(order, "TAZA")
    client = Client()
    client.force_login(alice)
    assert "acto=faltan" in said(client.get(f"/pedidos/{order.reference}/"))
    parcel = Parcel(carrier_name="SEUR", quantities={plate.id: 1})
    services.one(services.ship({order.id: parcel}, by=SELLER, at=timezone.now()))
    assert "acto=faltan" in said(client.get(f"/pedidos/{order.reference}/"))
    went_well(post(alice, order, "faltan", **{f"units_{cup.id}": "0"}), order)
    assert (again(order).state, again(order).items_text) == (State.SHIPPED, "Plato hondo")
