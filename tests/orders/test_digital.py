"""What does not travel: confirmed to the customer at once when it is paid, or when the shop says so (ORD-13)."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from marketplace.models import Channel
from marketplace.policy import PRESETS, Preset
from marketplace.refusals import Code
from marketplace.services import publish_policy
from messaging.models import Notice
from orders import services
from orders.models import Event, Line, Order
from orders.states import HoldKind, LineKind, State
from sellers.models import Shop, Supplier
from settlements.models import StatementLine
from tests.conftest import AT, CLOCK, CUSTOMER, JAR, OPERATOR, SELLER, actor_of, again, sure
from tests.incidents.claims import disputed
from tests.orders.digital import BOOKING, LINK, PATTERN, SEASON, TICKET, Article, digital_basket, pay, placed
from tests.orders.lives import HOUR, tick
from tests.orders.test_matrix import everything_of

pytestmark = [pytest.mark.django_db, pytest.mark.rule("ORD-13")]


@pytest.fixture
def prepaid(channel: Channel) -> Channel:
    publish_policy(channel, PRESETS[Preset.PREPAID], by="x", at=AT)
    return channel


def verbs(order: Order) -> list[str]:
    return list(Event.objects.filter(order=order).order_by("id").values_list("verb", flat=True))


def told(order: Order, event: str) -> dict[str, object]:
    """What the customer's mail of an event carries."""
    payload: dict[str, object] = Notice.objects.get(
        order_id=order.id, event=event, audience="customer"
    ).payload
    return payload


@pytest.mark.parametrize(("article", "kind"), [(PATTERN, "download"), (SEASON, "subscription")])
def test_a_download_is_confirmed_as_soon_as_it_is_paid_and_settled(
    prepaid: Channel, shop: Shop, article: Article, kind: str
) -> None:
    order = placed(prepaid, shop, article)
    assert (order.state, order.ships, order.at_once) == (State.PENDING_PAYMENT, False, 1)
    order = pay(order)
    assert (order.state, order.delivered_at, order.at_once) == (State.DELIVERED, AT + HOUR, 0)
    assert (order.ship_by, order.deliver_by, order.shipped_at) == (None, None, None)
    line = order.lines.get()
    assert (line.kind, line.confirmed_at, line.access, line.to_ship) == (kind, AT + HOUR, LINK, 0)
    assert verbs(order) == ["place", "confirm_payment", "fulfil"]
    assert told(order, "fulfil")["confirmed"] == [
        {"line": "1", "title": article.title, "quantity": 1, "kind": kind, "access": LINK}
    ]
    receive_at = sure(order.receive_at)
    assert receive_at == AT + HOUR + timedelta(days=21)
    assert tick("receive", receive_at - timedelta(seconds=1)).done == 0
    assert tick("receive", receive_at).done == 1
    tick("statements", AT + timedelta(days=40))
    assert again(order).state == State.CLOSED
    (taken,) = StatementLine.objects.filter(order_id=order.id)
    amounts = (taken.orders_cents, taken.commission_cents, taken.commission_vat_cents)
    assert amounts == (1200, 144, 30)


def test_under_accept_first_it_is_confirmed_once_it_is_charged(channel: Channel, shop: Shop) -> None:
    order = placed(channel, shop, PATTERN)
    services.one(services.accept([order.id], by=SELLER, at=AT + HOUR))
    assert (again(order).state, again(order).ship_by) == (State.DEBIT, None)
    tick("charge", AT + 2 * HOUR)
    order = again(order)
    assert (order.state, order.delivered_at) == (State.DELIVERED, AT + 2 * HOUR)
    assert verbs(order) == ["place", "accept", "debit_succeeded", "fulfil"]
    assert sure(order.receive_at) == AT + 2 * HOUR + timedelta(days=21)


def lines_to_confirm(order: Order, access: str = "") -> dict[int, str]:
    return {line.id: access for line in order.lines.all() if line.to_confirm}


@pytest.mark.parametrize("who", ["seller", "supplier", "operator"])
def test_a_ticket_is_asked_of_the_shop_and_confirmed_by_whoever_fulfils_it(
    prepaid: Channel, shop: Shop, norte: Supplier, who: str
) -> None:
    by = {"seller": SELLER, "supplier": actor_of(norte), "operator": OPERATOR}[who]
    served = [norte] if who == "supplier" else []
    order = pay(placed(prepaid, shop, TICKET, served=served))
    assert (order.state, order.to_confirm, order.receive_at) == (State.AWAITING_SHIPMENT, 1, None)
    asked = Notice.objects.get(order_id=order.id, event="confirm_payment", audience="seller")
    assert (asked.email, asked.payload["to_confirm"]) == ("pedidos@alba.example", 1)
    assert asked.payload["ship_by"] == sure(order.ship_by).isoformat()
    place = "Calle Mayor 14, sábado a las 10"
    (moved,) = services.fulfil({order.id: lines_to_confirm(order, place)}, by=by, at=AT + 3 * HOUR).moved
    order = again(order)
    assert (moved.verb, order.state, order.delivered_at) == ("fulfil", State.DELIVERED, AT + 3 * HOUR)
    assert (order.lines.get().access, order.confirmed_at) == (place, AT + 3 * HOUR)
    assert told(order, "fulfil")["confirmed"] == [
        {"line": "1", "title": "Taller de torno", "quantity": 1, "kind": "ticket", "access": place}
    ]
    assert tick("receive", sure(order.receive_at)).done == 1


def test_several_are_confirmed_one_by_one_and_the_last_completes_the_order(
    prepaid: Channel, shop: Shop
) -> None:
    order = pay(placed(prepaid, shop, TICKET, BOOKING, PATTERN))
    assert (order.state, order.to_confirm, order.at_once) == (State.AWAITING_SHIPMENT, 2, 0)
    assert verbs(order)[-1] == "confirm"
    first, second = lines_to_confirm(order)
    services.one(services.fulfil({order.id: {first: ""}}, by=SELLER, at=AT + 2 * HOUR))
    assert (again(order).state, again(order).to_confirm) == (State.AWAITING_SHIPMENT, 1)
    services.one(services.fulfil({order.id: {second: ""}}, by=SELLER, at=AT + 3 * HOUR))
    assert (again(order).state, verbs(order)[-3:]) == (State.DELIVERED, ["confirm", "confirm", "fulfil"])


def _ship(order: Order, at: datetime) -> None:
    services.one(services.ship({order.id: services.Parcel(carrier_name="SEUR")}, by=SELLER, at=at))


@pytest.mark.parametrize("preset", [Preset.ACCEPT_FIRST, Preset.PREPAID])
def test_of_a_mixed_basket_only_the_goods_are_shipped(channel: Channel, shop: Shop, preset: Preset) -> None:
    publish_policy(channel, PRESETS[preset], by="x", at=AT)
    order = placed(channel, shop, JAR, PATTERN, TICKET)
    if preset == Preset.PREPAID:
        order = pay(order)
    else:
        services.one(services.accept([order.id], by=SELLER, at=AT))
        tick("charge", AT + HOUR)
        order = again(order)
    jar, pattern, ticket = order.lines.all()
    assert (pattern.confirmed_at, ticket.confirmed_at) == (AT + HOUR, None)
    assert [line.to_ship for line in (jar, pattern, ticket)] == [2, 0, 0]
    before = everything_of(order.id)
    both = services.Parcel(carrier_name="SEUR", quantities={jar.id: 2, pattern.id: 1})
    assert services.ship({order.id: both}, by=SELLER, at=AT + 2 * HOUR).refused[0].code == Code.TOO_MANY
    assert everything_of(order.id) == before
    _ship(order, AT + 2 * HOUR)
    order = again(order)
    assert (order.state, order.receive_at) == (State.SHIPPED, None)
    services.one(services.deliver([order.id], by=CLOCK, at=AT + 4 * HOUR))
    assert (again(order).state, again(order).receive_at) == (State.DELIVERED, None)
    assert tick("receive", AT + timedelta(days=100)).done == 0
    moved = services.one(services.fulfil({order.id: {ticket.id: ""}}, by=SELLER, at=AT + 5 * HOUR))
    order = again(order)
    assert (moved.verb, moved.after) == ("confirm", State.DELIVERED)
    assert order.receive_at == AT + 5 * HOUR + timedelta(days=21)


def test_receipt_counts_from_the_parcel_when_that_is_what_came_last(channel: Channel, shop: Shop) -> None:
    order = placed(channel, shop, JAR, PATTERN)
    services.one(services.accept([order.id], by=SELLER, at=AT))
    tick("charge", AT + HOUR)
    assert again(order).receive_at is None
    _ship(order, AT + 2 * HOUR)
    assert again(order).receive_at == AT + 2 * HOUR + timedelta(days=21)


def test_a_hold_stops_both_and_nothing_is_lost_by_it(prepaid: Channel, shop: Shop) -> None:
    order = placed(prepaid, shop, PATTERN, TICKET)
    services.one(services.hold([order.id], HoldKind.OPERATOR, by=OPERATOR, at=AT))
    order = pay(order)
    assert (order.state, order.at_once, order.to_confirm) == (State.AWAITING_SHIPMENT, 1, 1)
    ticket = order.lines.get(kind=LineKind.TICKET)
    before = everything_of(order.id)
    refused = services.fulfil({order.id: {ticket.id: ""}}, by=SELLER, at=AT + 2 * HOUR).refused
    assert (refused[0].code, everything_of(order.id)) == (Code.HELD, before)
    services.one(services.release([order.id], HoldKind.OPERATOR, by=OPERATOR, at=AT + 3 * HOUR))
    order = again(order)
    assert (order.at_once, order.to_confirm) == (0, 1)
    assert order.lines.get(kind=LineKind.DOWNLOAD).confirmed_at == AT + 3 * HOUR
    assert verbs(order)[-2:] == ["release", "confirm"]
    services.one(services.fulfil({order.id: {ticket.id: ""}}, by=SELLER, at=AT + 4 * HOUR))
    assert again(order).state == State.DELIVERED


def test_a_presale_of_a_download_ends_with_its_confirmation(prepaid: Channel, shop: Shop) -> None:
    order = placed(prepaid, shop, PATTERN)
    until = AT + timedelta(days=9)
    services.one(services.hold([order.id], HoldKind.PRESALE, until=until, by=SELLER, at=AT))
    assert pay(order).state == State.AWAITING_SHIPMENT
    assert tick("presale", until).done == 1
    assert (again(order).state, again(order).delivered_at) == (State.DELIVERED, until)


def test_an_incident_does_not_stop_it(prepaid: Channel, shop: Shop) -> None:
    order = placed(prepaid, shop, PATTERN)
    disputed([order.id], at=AT)
    order = pay(order)
    assert order.state == State.DELIVERED
    assert tick("receive", sure(order.receive_at)).done == 0


def test_a_refused_line_is_never_confirmed(channel: Channel, shop: Shop) -> None:
    order = placed(channel, shop, JAR, PATTERN, TICKET)
    jar, pattern, ticket = order.lines.all()
    answer = services.Answer({jar.id: "Roto", pattern.id: "Retirado"})
    services.one(services.accept({order.id: answer}, by=SELLER, at=AT))
    order = again(order)
    assert (order.ships, order.at_once, order.to_confirm) == (False, 0, 1)
    tick("charge", AT + HOUR)
    before = everything_of(order.id)
    for lines in ({pattern.id: ""}, {jar.id: ""}, {ticket.id: "", 10**9: ""}):
        outcome = services.fulfil({order.id: lines}, by=SELLER, at=AT + 2 * HOUR)
        assert [refusal.code for refusal in outcome.refused] == [Code.UNKNOWN_LINE]
    assert services.fulfil({order.id: {}}, by=SELLER, at=AT + 2 * HOUR).refused[0].code == Code.NOTHING_CHOSEN
    assert everything_of(order.id) == before
    services.one(services.fulfil({order.id: {ticket.id: ""}}, by=SELLER, at=AT + 2 * HOUR))
    assert again(order).state == State.DELIVERED
    assert Line.objects.get(id=pattern.id).confirmed_at is None


def test_what_is_confirmed_twice_is_confirmed_once(prepaid: Channel, shop: Shop) -> None:
    order = pay(placed(prepaid, shop, JAR, TICKET, BOOKING))
    ticket, booking = lines_to_confirm(order)
    services.one(services.fulfil({order.id: {ticket: "A"}}, by=SELLER, at=AT + 2 * HOUR))
    before = everything_of(order.id)
    for lines, code in (({ticket: "B"}, Code.DUPLICATE), ({ticket: "B", booking: ""}, Code.DUPLICATE)):
        outcome = services.fulfil({order.id: lines}, by=SELLER, at=AT + 3 * HOUR)
        assert [refusal.code for refusal in outcome.refused] == [code]
    assert everything_of(order.id) == before
    services.one(services.fulfil({order.id: {booking: ""}}, by=SELLER, at=AT + 4 * HOUR))
    left = services.fulfil({order.id: {booking: ""}}, by=SELLER, at=AT + 5 * HOUR)
    assert [refusal.code for refusal in left.refused] == [Code.NOTHING_TO_CONFIRM]


def test_an_order_without_a_parcel_is_not_shipped(prepaid: Channel, shop: Shop) -> None:
    order = pay(placed(prepaid, shop, TICKET))
    before = everything_of(order.id)
    outcome = services.ship({order.id: services.Parcel(carrier_name="SEUR")}, by=SELLER, at=AT + 2 * HOUR)
    assert [refusal.code for refusal in outcome.refused] == [Code.NOTHING_TO_SHIP]
    assert everything_of(order.id) == before


@pytest.mark.rule("CAN-04", "CAN-05")
def test_what_was_confirmed_only_the_operator_can_cancel(prepaid: Channel, shop: Shop) -> None:
    order = pay(placed(prepaid, shop, JAR, PATTERN))
    before = everything_of(order.id)
    outcome = services.cancel([order.id], reason="Ya no lo quiere", by=CUSTOMER, at=AT + 2 * HOUR)
    assert [refusal.code for refusal in outcome.refused] == [Code.CONFIRMED]
    assert everything_of(order.id) == before
    services.one(services.cancel([order.id], reason="Fraude", by=OPERATOR, at=AT + 2 * HOUR))
    order = again(order)
    assert (order.state, order.refunded_cents) == (State.CANCELLED, order.charged_cents)


def test_what_was_not_confirmed_can_be_cancelled(prepaid: Channel, shop: Shop) -> None:
    order = pay(placed(prepaid, shop, TICKET))
    services.one(services.cancel([order.id], reason="Ya no lo quiere", by=CUSTOMER, at=AT + 2 * HOUR))
    assert again(order).state == State.CANCELLED


@pytest.mark.rule("ORD-06")
def test_units_that_are_missing_are_of_the_goods_only(channel: Channel, shop: Shop) -> None:
    order = placed(channel, shop, JAR, PATTERN, TICKET)
    services.one(services.accept([order.id], by=SELLER, at=AT))
    tick("charge", AT + HOUR)
    jar, pattern, ticket = order.lines.all()
    one = services.Parcel(carrier_name="SEUR", quantities={jar.id: 1})
    services.one(services.ship({order.id: one}, by=SELLER, at=AT + 2 * HOUR))
    before = everything_of(order.id)
    refused = services.shorten({order.id: {pattern.id: 0}}, by=SELLER, at=AT + 3 * HOUR).refused
    assert (refused[0].code, everything_of(order.id)) == (Code.NOTHING_CHOSEN, before)
    services.one(services.shorten({order.id: {jar.id: 0}}, by=SELLER, at=AT + 3 * HOUR))
    order = again(order)
    assert (order.state, order.receive_at, order.to_confirm) == (State.SHIPPED, None, 1)
    services.one(services.fulfil({order.id: {ticket.id: ""}}, by=SELLER, at=AT + 4 * HOUR))
    assert again(order).receive_at == AT + 4 * HOUR + timedelta(days=21)


def test_tickets_that_are_not_there_are_refused_by_number(channel: Channel, shop: Shop) -> None:
    three = replace(digital_basket(shop, TICKET), payments=None)
    three = replace(three, lines=(replace(three.lines[0], quantity=3),))
    order_id = services.place(channel, [three]).moved[0].order_id
    line = Line.objects.get(order_id=order_id)
    answer = services.Answer({}, there_are={line.id: 2})
    services.one(services.accept({order_id: answer}, by=SELLER, at=AT))
    tick("charge", AT + HOUR)
    order = Order.objects.get(id=order_id)
    assert (order.ships, order.to_confirm, order.charged_cents) == (False, 1, 9000)
    services.one(services.fulfil({order_id: {line.id: ""}}, by=SELLER, at=AT + 2 * HOUR))
    assert told(order, "fulfil")["confirmed"] == [
        {"line": "1", "title": "Taller de torno", "quantity": 2, "kind": "ticket", "access": ""}
    ]


def mixed(channel: Channel, shop: Shop, *digital: Article, card: str = "ok") -> Order:
    """A jar of two units beside what does not travel, paid."""
    return pay(placed(channel, shop, JAR, *digital))


@pytest.mark.rule("SHP-07")
def test_a_second_try_does_not_start_the_days_while_something_is_to_be_confirmed(
    prepaid: Channel, shop: Shop
) -> None:
    order = mixed(prepaid, shop, TICKET)
    services.one(services.ship({order.id: services.Parcel(carrier_name="SEUR")}, by=SELLER, at=AT + 3 * HOUR))
    services.one(services.report_exception([order.id], reason="Ausente", by=OPERATOR, at=AT + 4 * HOUR))
    services.one(services.retry([order.id], by=SELLER, at=AT + 5 * HOUR))
    assert (again(order).receive_at, again(order).to_confirm) == (None, 1)
    services.one(services.fulfil({order.id: lines_to_confirm(again(order))}, by=SELLER, at=AT + 6 * HOUR))
    assert again(order).receive_at == AT + 6 * HOUR + timedelta(days=21)


@pytest.mark.rule("ORD-06", "CAN-05")
def test_when_all_goods_are_missing_the_download_that_was_confirmed_is_what_is_left(
    prepaid: Channel, shop: Shop
) -> None:
    order = mixed(prepaid, shop, PATTERN)
    jar = order.lines.get(kind=LineKind.GOODS)
    services.one(services.shorten({order.id: {jar.id: 0}}, by=SELLER, at=AT + 3 * HOUR))
    order = again(order)
    assert (order.state, order.ships, order.delivered_at) == (State.DELIVERED, False, AT + 3 * HOUR)
    assert (order.total_cents, order.refunded_cents) == (1200, 7000)
    assert order.receive_at == sure(order.confirmed_at) + timedelta(days=21)
    assert verbs(order)[-2:] == ["shorten", "fulfil"]
    tick("payback", AT + 3 * HOUR)
    tick("receive", sure(order.receive_at))
    assert again(order).state == State.RECEIVED


@pytest.mark.rule("ORD-06")
def test_when_all_goods_are_missing_the_ticket_is_still_to_be_confirmed(prepaid: Channel, shop: Shop) -> None:
    order = mixed(prepaid, shop, TICKET)
    jar = order.lines.get(kind=LineKind.GOODS)
    services.one(services.hold([order.id], HoldKind.STOCK, by=SELLER, at=AT + 2 * HOUR))
    services.one(services.shorten({order.id: {jar.id: 0}}, by=SELLER, at=AT + 3 * HOUR))
    order = again(order)
    assert (order.state, order.ships, order.to_confirm) == (State.AWAITING_SHIPMENT, False, 1)
    services.one(services.fulfil({order.id: lines_to_confirm(order)}, by=SELLER, at=AT + 4 * HOUR))
    assert again(order).state == State.DELIVERED
