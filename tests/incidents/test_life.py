"""The life of an incident: opened on lines, resolved, sent back, closed; and what it holds meanwhile."""

from datetime import timedelta
from typing import Any

import pytest

from incidents import services
from incidents.models import Incident
from incidents.states import ClosedHow, State, Turn
from marketplace import clocks
from marketplace.models import Channel
from marketplace.policy import PRESETS, Preset
from marketplace.reasons import Why
from marketplace.refusals import Code, MoveRefused
from marketplace.services import publish_policy
from messaging import conversing
from messaging.conversing import Words
from messaging.models import Message, Notice, Thread
from messaging.recipients import CUSTOMER as TO_CUSTOMER
from messaging.recipients import SHOP
from orders import services as orders
from orders.models import Event, Hold, Line, Order
from orders.states import State as OrderState
from orders.states import Verb
from sellers.models import Shop, User
from tests.conftest import AT, CLOCK, CUSTOMER, OPERATOR, SELLER, actor_of, sure
from tests.incidents.claims import ARRIVED, BOB, BROKEN, DAY, DELIVERED_AT, claimed, now
from tests.orders.lives import HOUR, brought_to, tick

pytestmark = pytest.mark.django_db

OPENED_AT = DELIVERED_AT + DAY


@pytest.fixture
def delivered(channel: Channel, shop: Shop) -> int:
    return brought_to(OrderState.DELIVERED, channel, shop)[0]


def order_of(incident: Incident) -> Order:
    return Order.objects.get(id=incident.order_id)


def everything(order_id: int) -> list[Any]:
    """All that an act on an incident could write."""
    tables = (Order, Event, Hold, Incident, Thread, Message, Notice)
    return [list(table.objects.order_by("id").values()) for table in tables] + [order_id]


def refusal(order_id: int, act: Any) -> Code:
    """The code that an act is refused with; nothing is written."""
    before = everything(order_id)
    with pytest.raises(MoveRefused) as refused:
        act()
    assert everything(order_id) == before
    return refused.value.refusal.code


@pytest.mark.rule("INC-01", "SHP-08", "INC-09")
def test_a_customer_opens_an_incident_on_a_line(delivered: int) -> None:
    incident = now(claimed(delivered))
    order = order_of(incident)
    assert (incident.state, incident.turn, incident.number) == (State.OPEN, Turn.SHOP, 1)
    assert incident.reference == f"{order.reference}/1"
    assert [one.line.sku for one in incident.lines.select_related("line")] == ["JAR-AZUL"]
    assert order.incident_at == OPENED_AT
    assert Hold.objects.get(order=order, released_at=None).kind == "incident"
    span = order.policy.rules.incident_answer_within.span
    assert incident.answer_by == clocks.deadline(OPENED_AT, span, order.channel.calendar)
    message = Message.objects.get(thread_id=incident.thread_id)
    assert (message.body, message.role, message.answer_by) == (
        "Ha llegado roto",
        "customer",
        incident.answer_by,
    )
    told = order.events.last()
    assert told is not None
    assert (told.verb, told.before, told.after) == (Verb.INCIDENT_OPENED, "delivered", "delivered")
    assert told.data["lines"] == [{"line": "1", "title": "Jarrón azul"}]
    assert "text" not in told.data


@pytest.mark.rule("INC-01")
def test_without_words_its_reason_is_what_the_shop_reads(delivered: int) -> None:
    incident = claimed(delivered, text=" ")
    assert Message.objects.get(thread_id=incident.thread_id).body == "Llegó roto o dañado"


@pytest.mark.rule("INC-01")
def test_of_a_line_one_incident_stands_at_a_time(delivered: int) -> None:
    first = claimed(delivered)
    assert refusal(delivered, lambda: claimed(delivered, lines=2)) == Code.INCIDENT_STANDS
    plate = Line.objects.get(order_id=delivered, sku="PLA-HONDO")
    second = services.open_incident(delivered, [plate.id], reason=BROKEN, by=OPERATOR, at=OPENED_AT)
    assert (second.number, second.reference) == (2, f"{order_of(first).reference}/2")
    for incident in (first, second):
        services.resolve(incident.id, reason=ARRIVED, by=SELLER, at=OPENED_AT + HOUR)
    services.close([first.id], by=OPERATOR, at=OPENED_AT + 2 * HOUR)
    assert order_of(first).incident_at == OPENED_AT
    assert claimed(delivered, at=OPENED_AT + 3 * HOUR).number == 3
    services.close([second.id], by=OPERATOR, at=OPENED_AT + 4 * HOUR)
    assert order_of(first).incident_at == OPENED_AT


@pytest.mark.rule("INC-01")
@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ({"by": SELLER}, Code.NOT_ALLOWED),
        ({"reason": ""}, Code.REASON_NEEDED),
        ({"lines": 0}, Code.NOTHING_CHOSEN),
        ({"text": "x" * 10_001}, Code.TOO_LONG),
        ({"at": DELIVERED_AT + 14 * DAY + timedelta(seconds=1)}, Code.DEADLINE_PASSED),
        ({"at": AT}, Code.OUT_OF_ORDER),
    ],
)
def test_who_may_open_one_and_until_when(wishes: dict[str, Any], code: Code, delivered: int) -> None:
    assert refusal(delivered, lambda: claimed(delivered, **wishes)) == code


@pytest.mark.rule("INC-01")
def test_the_last_moment_is_in_time_and_the_operator_has_no_last_moment(delivered: int) -> None:
    until = sure(services.claim_until(Order.objects.get(id=delivered)))
    assert until == DELIVERED_AT + 14 * DAY
    assert claimed(delivered, at=until).opened_at == until
    plate = Line.objects.get(order_id=delivered, sku="PLA-HONDO")
    late = until + DAY
    services.open_incident(delivered, [plate.id], reason=BROKEN, by=OPERATOR, at=late)


@pytest.mark.rule("INC-01")
def test_a_line_of_another_order_or_one_that_was_refused_is_unknown(channel: Channel, shop: Shop) -> None:
    one, other = brought_to(OrderState.DELIVERED, channel, shop, 2)
    theirs = Line.objects.filter(order_id=other)[0].id
    code = refusal(
        one, lambda: services.open_incident(one, [theirs], reason=BROKEN, by=CUSTOMER, at=OPENED_AT)
    )
    assert code == Code.UNKNOWN_LINE


@pytest.mark.rule("INC-01", "SHP-08")
@pytest.mark.parametrize(
    ("state", "code"),
    [
        (OrderState.PENDING_ACCEPTANCE, Code.WRONG_STATE),
        (OrderState.AWAITING_SHIPMENT, Code.WRONG_STATE),
        (OrderState.CANCELLED, Code.WRONG_STATE),
        (OrderState.RETURNED, Code.WRONG_STATE),
        (OrderState.SHIPPED, None),
        (OrderState.EXCEPTION, None),
        (OrderState.DELIVERED, None),
        (OrderState.RECEIVED, None),
        (OrderState.CLOSED, None),
    ],
)
def test_from_which_states_one_is_opened(
    state: OrderState, code: Code | None, channel: Channel, shop: Shop
) -> None:
    order_id = brought_to(state, channel, shop)[0]
    at = Order.objects.get(id=order_id).moved_at + HOUR
    if code:
        assert refusal(order_id, lambda: claimed(order_id, by=OPERATOR, at=at)) == code
        return
    incident = claimed(order_id, by=OPERATOR, at=at)
    holds = incident.state == State.OPEN and state != OrderState.CLOSED
    assert (order_of(incident).incident_at is not None) == holds


@pytest.mark.rule("INC-04", "INC-05")
def test_the_shop_marks_it_as_resolved_and_the_quiet_time_starts(delivered: int) -> None:
    incident = claimed(delivered)
    at = OPENED_AT + HOUR
    services.resolve(incident.id, reason=ARRIVED, message="Cambiado y entregado", by=SELLER, at=at)
    incident = now(incident)
    order = order_of(incident)
    span = order.policy.rules.incident_close_after.span
    assert (incident.state, incident.turn, incident.answer_by) == (State.RESOLVED, Turn.OPERATOR, None)
    assert (incident.quiet_since, incident.resolved_code) == (at, "replaced")
    assert incident.close_due_at == clocks.deadline(at, span, order.channel.calendar)
    last = Message.objects.filter(thread_id=incident.thread_id).latest("id")
    assert (last.body, last.to_operator, last.to_customer) == ("Cambiado y entregado", True, False)
    assert order.incident_at is not None
    assert incident.messages_count == 2


@pytest.mark.rule("INC-04")
def test_the_policy_may_ask_for_a_message_to_the_operator(channel: Channel, shop: Shop) -> None:
    rules = PRESETS[Preset.ACCEPT_FIRST].model_copy(update={"incident_tells_operator": True})
    publish_policy(channel, rules, by="x", at=AT)
    incident = claimed(brought_to(OrderState.DELIVERED, channel, shop)[0])
    code = refusal(
        incident.order_id, lambda: services.resolve(incident.id, reason=ARRIVED, by=SELLER, at=OPENED_AT)
    )
    assert code == Code.EMPTY_MESSAGE
    services.resolve(incident.id, reason=ARRIVED, message="Está", by=SELLER, at=OPENED_AT)
    assert now(incident).state == State.RESOLVED


@pytest.mark.rule("INC-04", "INC-05", "ROL-04")
def test_who_may_do_what_to_an_incident(delivered: int, norte: Any) -> None:
    incident = claimed(delivered)
    for by in (CUSTOMER, OPERATOR, CLOCK, actor_of(norte)):
        code = refusal(
            delivered, lambda by=by: services.resolve(incident.id, reason=ARRIVED, by=by, at=OPENED_AT)
        )
        assert code == Code.NOT_ALLOWED
    assert services.close([incident.id], by=OPERATOR, at=OPENED_AT).refused[0].code == Code.INCIDENT_ELSEWHERE
    services.resolve(incident.id, reason=ARRIVED, by=BOB, at=OPENED_AT)
    for by in (CUSTOMER, SELLER, CLOCK):
        code = refusal(
            delivered, lambda by=by: services.send_back(incident.id, reason="No", by=by, at=OPENED_AT)
        )
        assert code == Code.NOT_ALLOWED
        assert services.close([incident.id], by=by, at=OPENED_AT).codes == {"not_allowed": 1}
    assert (
        refusal(
            delivered, lambda: services.resolve(incident.id, reason=Why(note="ya"), by=SELLER, at=OPENED_AT)
        )
        == Code.REASON_NEEDED
    )


@pytest.mark.rule("INC-05")
def test_the_operator_sends_it_back_with_a_reason_and_the_shop_answers_anew(delivered: int) -> None:
    incident = claimed(delivered)
    services.resolve(incident.id, reason=ARRIVED, by=SELLER, at=OPENED_AT + HOUR)
    at = OPENED_AT + DAY
    code = refusal(delivered, lambda: services.send_back(incident.id, reason=" ", by=OPERATOR, at=at))
    assert code == Code.REASON_NEEDED
    services.send_back(incident.id, reason="El cliente no tiene nada", by=OPERATOR, at=at)
    incident = now(incident)
    assert (incident.state, incident.turn) == (State.OPEN, Turn.SHOP)
    assert (incident.close_due_at, incident.quiet_since) == (None, None)
    assert incident.sent_back_reason == "El cliente no tiene nada"
    order = order_of(incident)
    span = order.policy.rules.incident_answer_within.span
    assert incident.answer_by == clocks.deadline(at, span, order.channel.calendar)
    assert [event.verb for event in order.events.all()][-3:] == [
        Verb.INCIDENT_OPENED,
        Verb.INCIDENT_RESOLVED,
        Verb.INCIDENT_SENT_BACK,
    ]


@pytest.mark.rule("INC-05", "SHP-08", "INC-07")
def test_three_quiet_working_days_later_it_is_due_and_the_order_goes_on_once_it_is_closed(
    delivered: int,
) -> None:
    incident = claimed(delivered)
    services.resolve(incident.id, reason=ARRIVED, by=SELLER, at=OPENED_AT + HOUR)
    due = sure(now(incident).close_due_at)
    receive_at = sure(order_of(incident).receive_at)
    assert tick("incidents", due - timedelta(seconds=1)).idle
    assert tick("incidents", due).done == 1
    assert tick("incidents", due).idle
    assert (now(incident).state, now(incident).review_since) == (State.RESOLVED, due)
    assert tick("receive", receive_at + 10 * DAY).idle
    closed = services.close([incident.id], by=OPERATOR, at=receive_at + 10 * DAY).moved
    assert [one.closed_how for one in closed] == [ClosedHow.OPERATOR]
    assert order_of(incident).incident_at is None
    assert tick("receive", receive_at + 10 * DAY).done == 1


@pytest.mark.rule("INC-05")
def test_what_is_said_in_its_conversation_starts_the_quiet_time_again(delivered: int) -> None:
    incident = claimed(delivered)
    services.resolve(incident.id, reason=ARRIVED, by=SELLER, at=OPENED_AT + HOUR)
    first = sure(now(incident).close_due_at)
    tick("incidents", first)
    later = first + HOUR
    message = conversing.write(incident.thread_id, Words("Sigue roto"), to=SHOP, by=CUSTOMER, at=later)
    incident = now(incident)
    assert (incident.state, incident.review_since, incident.turn) == (State.RESOLVED, None, Turn.SHOP)
    assert incident.quiet_since == message.visible_at
    assert sure(incident.close_due_at) > first
    assert (incident.answer_by, incident.messages_count) == (message.answer_by, 2)
    conversing.take_back(message.id, by=CUSTOMER, at=later)
    incident = now(incident)
    assert (incident.close_due_at, incident.answer_by, incident.messages_count) == (first, None, 1)


@pytest.mark.rule("INC-05")
def test_a_policy_lets_it_close_itself(channel: Channel, shop: Shop) -> None:
    rules = PRESETS[Preset.ACCEPT_FIRST].model_copy(update={"incident_closes_itself": True})
    publish_policy(channel, rules, by="x", at=AT)
    incident = claimed(brought_to(OrderState.DELIVERED, channel, shop)[0])
    services.resolve(incident.id, reason=ARRIVED, by=SELLER, at=OPENED_AT + HOUR)
    due = sure(now(incident).close_due_at)
    early = services.lapse([incident.id], by=CLOCK, at=due - timedelta(seconds=1))
    assert early.codes == {"too_early": 1}
    assert tick("incidents", due).done == 1
    assert (now(incident).state, now(incident).closed_how) == (State.CLOSED, ClosedHow.SILENCE)
    assert order_of(incident).incident_at is None


@pytest.mark.rule("INC-09", "MSG-08")
def test_whose_turn_it_is_follows_the_conversation(delivered: int) -> None:
    incident = claimed(delivered)
    message = Message.objects.get(thread_id=incident.thread_id)
    conversing.needs_no_answer(message.id, despite_incident=True, by=SELLER, at=OPENED_AT)
    assert (now(incident).answer_by, now(incident).turn) == (None, Turn.SHOP)
    conversing.write(incident.thread_id, Words("¿Una foto?"), to=TO_CUSTOMER, by=SELLER, at=OPENED_AT + HOUR)
    assert now(incident).turn == Turn.CUSTOMER
    conversing.write(incident.thread_id, Words("Toma"), to=SHOP, by=CUSTOMER, at=OPENED_AT + 2 * HOUR)
    assert now(incident).turn == Turn.SHOP
    assert now(incident).answer_by is not None


@pytest.mark.rule("INC-06")
def test_a_part_that_goes_back_closes_nothing(channel: Channel, shop: Shop) -> None:
    order_id = brought_to(OrderState.AWAITING_SHIPMENT, channel, shop)[0]
    jar = Line.objects.get(order_id=order_id, sku="JAR-AZUL")
    parcel = orders.Parcel(carrier_name="SEUR", tracking="1", quantities={jar.id: 1})
    orders.one(orders.ship({order_id: parcel}, by=SELLER, at=AT + 2 * HOUR))
    incident = claimed(order_id, at=AT + 3 * HOUR)
    orders.one(orders.shorten({order_id: {jar.id: 0}}, by=SELLER, at=AT + 4 * HOUR))
    order = order_of(incident)
    assert 0 < order.refunded_cents < order.charged_cents
    assert (now(incident).state, order.incident_at) == (State.OPEN, AT + 3 * HOUR)


@pytest.mark.rule("INC-06")
def test_what_ends_with_nothing_left_charged_closes_it_by_itself(channel: Channel, shop: Shop) -> None:
    publish_policy(channel, PRESETS[Preset.CASH_ON_DELIVERY], by="x", at=AT)
    order_id = brought_to(OrderState.EXCEPTION, Channel.objects.get(id=channel.id), shop)[0]
    moved_at = Order.objects.get(id=order_id).moved_at
    incident = claimed(order_id, at=moved_at + HOUR)
    orders.one(orders.return_to_sender([order_id], by=SELLER, at=moved_at + 2 * HOUR))
    assert (now(incident).state, now(incident).closed_how) == (State.CLOSED, ClosedHow.REFUND)


@pytest.mark.rule("INC-06")
def test_a_total_refund_closes_it_by_itself(channel: Channel, shop: Shop) -> None:
    order_id = brought_to(OrderState.EXCEPTION, channel, shop)[0]
    moved_at = Order.objects.get(id=order_id).moved_at
    incident = claimed(order_id, at=moved_at + HOUR)
    orders.one(orders.return_to_sender([order_id], by=SELLER, at=moved_at + 2 * HOUR))
    incident = now(incident)
    assert (incident.state, incident.closed_how) == (State.CLOSED, ClosedHow.REFUND)
    verbs = [event.verb for event in order_of(incident).events.all()][-2:]
    assert verbs == [Verb.RETURN_TO_SENDER, Verb.INCIDENT_CLOSED]


@pytest.mark.rule("INC-05", "INC-06")
@pytest.mark.usefixtures("olga")
def test_who_is_told_of_each_step(delivered: int, olga: User) -> None:
    def told() -> set[tuple[str, str]]:
        rows = Notice.objects.filter(event__startswith="incident").order_by("id")
        found = set(rows.values_list("event", "audience"))
        rows.delete()
        return found

    incident = claimed(delivered)
    assert told() == {("incident_opened", one) for one in ("customer", "seller", "operator")}
    services.resolve(incident.id, reason=ARRIVED, by=SELLER, at=OPENED_AT)
    assert told() == {("incident_resolved", "customer"), ("incident_resolved", "operator")}
    services.send_back(incident.id, reason="No", by=OPERATOR, at=OPENED_AT)
    assert told() == {("incident_sent_back", "customer"), ("incident_sent_back", "seller")}
    services.resolve(incident.id, reason=ARRIVED, by=SELLER, at=OPENED_AT)
    told()
    services.close([incident.id], by=OPERATOR, at=OPENED_AT)
    assert told() == {("incident_closed", "customer"), ("incident_closed", "seller")}
    assert not Notice.objects.filter(event="message").exists()
