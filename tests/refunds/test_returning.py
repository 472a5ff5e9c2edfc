"""The life of a return: every verb, role and state decided; what it holds; how it ends (REF-09)."""

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.db import connection, transaction

from incidents import services as incidents
from ledger.queries import payable
from ledger.services import adjust
from marketplace.models import Carrier, Channel
from marketplace.policy import Role
from marketplace.reasons import Why
from marketplace.refusals import Code, MoveRefused, Outcome
from messaging.models import Message, Notice
from orders.models import Hold, Order
from orders.states import State
from refunds import refunding, return_ends, return_verbs, returning, returns
from refunds.models import Refund, ReturnRequest
from refunds.queries import goods_back
from refunds.return_ends import Replacement
from refunds.returns import ask_return
from refunds.states import HOLDING, LET_GO, RETURN_TABLE, RefundState, ReturnState
from sellers.desk import PLATFORM, Actor, Right
from sellers.models import Shop
from tests.conftest import CUSTOMER, OPERATOR, SELLER, again
from tests.incidents.claims import ARRIVED, claimed
from tests.orders.lives import HOUR, brought_to, tick
from tests.orders.test_matrix import everything_of
from tests.refunds.giving_back import ASKED_AT, DAY, HOW, STEPS, USED, asked, brought_back, line_of, now
from tests.refunds.test_refunding import not_paid_back, part, sums, wish

pytestmark = [pytest.mark.django_db, pytest.mark.rule("REF-09")]

ACTORS = {
    Role.SELLER: SELLER,
    Role.CUSTOMER: CUSTOMER,
    Role.OPERATOR: OPERATOR,
    Role.PLATFORM: PLATFORM,
    Role.SUPPLIER: Actor(Role.SUPPLIER, "Nuria", rights=frozenset({Right.WORK_ORDERS}), supplier_id=1),
}
DOING: dict[str, Any] = {
    "accept": lambda row, by, at: return_verbs.accept(row.id, instructions=HOW, by=by, at=at),
    "refuse": lambda row, by, at: return_verbs.refuse(row.id, reason=USED, by=by, at=at),
    "instruct": lambda row, by, at: return_verbs.instruct(row.id, instructions=HOW, by=by, at=at),
    "send": lambda row, by, at: return_verbs.send(row.id, by=by, at=at),
    "withdraw": lambda row, by, at: return_verbs.withdraw(row.id, by=by, at=at),
    "receive": lambda row, by, at: return_verbs.receive(row.id, by=by, at=at),
    "inspect": lambda row, by, at: return_verbs.inspect(row.id, {line_of(row): 1}, by=by, at=at),
    "pay": lambda row, by, at: return_ends.refund(row.id, wish(part(row.order, 100)), by=by, at=at),
    "replace": lambda row, by, at: return_ends.replace(
        row.id, Replacement(carrier_name="SEUR"), by=by, at=at
    ),
    "reject": lambda row, by, at: return_verbs.reject(row.id, reason=USED, by=by, at=at),
    "presume": lambda row, by, at: return_verbs.presume([row.id], by=by, at=at),
    "lapse": lambda row, by, at: return_verbs.lapse([row.id], by=by, at=at),
}
TIMED = ("presume", "lapse")


def one(channel: Channel, shop: Shop, state: State = State.DELIVERED) -> Order:
    return Order.objects.get(id=brought_to(state, channel, shop)[0])


def all_of(row: ReturnRequest) -> object:
    """Everything that is written of a return and its order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r::text, (SELECT string_agg(l::text, '|' ORDER BY l.id) FROM refunds_returnline l "
            "WHERE l.request_id = r.id) FROM refunds_returnrequest r WHERE r.id = %s",
            [row.id],
        )
        own = cursor.fetchone()
    return own, everything_of(row.order_id), Refund.objects.count(), Message.objects.count()


def answered(act: Any) -> Code | None:
    """Why an act was refused; None where it was not."""
    try:
        done = act()
    except MoveRefused as refused:
        return refused.refusal.code
    if isinstance(done, Outcome) and done.refused:
        return done.refused[0].code
    return None


@pytest.mark.parametrize("state", list(ReturnState))
def test_every_verb_and_role(state: ReturnState, channel: Channel, shop: Shop) -> None:
    row = brought_back(state, brought_to(State.DELIVERED, channel, shop)[0])
    due = row.due_by or ASKED_AT + 30 * DAY
    before = all_of(row)
    for verb, role in product(DOING, ACTORS):
        step = RETURN_TABLE.get((verb, state))
        at = due + timedelta(seconds=1) if verb in TIMED else due
        with transaction.atomic():
            code = answered(lambda v=verb, r=role, at=at: DOING[v](row, ACTORS[r], at))
            after, moved_to = all_of(row), now(row).state
            transaction.set_rollback(True)
        if step is None:
            wanted: Code | None = Code.RETURN_ELSEWHERE
        elif role not in returning.WHO[verb]:
            wanted = Code.NOT_ALLOWED
        else:
            wanted = Code.UNITS_ARE_GOOD if verb == "reject" else None
        if verb in TIMED and step is None:
            assert code in (None, Code.RETURN_ELSEWHERE)
        else:
            assert code == wanted, (state, verb, role)
        if wanted is not None:
            assert after == before, (state, verb, role)
        else:
            assert step is not None
            assert moved_to in step.targets, (state, verb, role)
    assert all_of(row) == before


@pytest.mark.parametrize("state", list(ReturnState))
def test_it_holds_the_money_while_it_is_on_its_way(state: ReturnState, channel: Channel, shop: Shop) -> None:
    order = one(channel, shop)
    brought_back(state, order.id)
    held = Hold.objects.filter(order=order, kind="return", released_at=None).exists()
    assert (again(order).incident_at is not None, held) == (state in HOLDING, state in HOLDING)
    tick("receive", ASKED_AT + 22 * DAY)
    assert (again(order).state == State.RECEIVED) == (state not in HOLDING)


@pytest.mark.rule("REF-09", "INC-07")
def test_an_incident_and_a_return_hold_together_and_the_last_lets_go(channel: Channel, shop: Shop) -> None:
    order = one(channel, shop)
    incident = claimed(order.id)
    row = brought_back(ReturnState.INSTRUCTED, order.id)
    kinds = Hold.objects.filter(order=order, released_at=None).values_list("kind", flat=True)
    assert set(kinds) == {"incident", "return"}
    incidents.resolve(incident.id, reason=ARRIVED, by=SELLER, at=ASKED_AT + 5 * HOUR)
    incidents.close([incident.id], by=OPERATOR, at=ASKED_AT + 6 * HOUR)
    assert again(order).incident_at is not None
    return_verbs.withdraw(row.id, by=CUSTOMER, at=ASKED_AT + 7 * HOUR)
    assert again(order).incident_at is None
    assert not Hold.objects.filter(order=order, released_at=None).exists()


def test_a_settled_order_has_nothing_left_to_hold_and_its_return_is_paid_by_the_balance(
    channel: Channel, shop: Shop
) -> None:
    order = one(channel, shop)
    row = asked(order.id)
    Order.objects.filter(id=order.id).update(receive_at=ASKED_AT)
    tick("receive", ASKED_AT)
    tick("statements", ASKED_AT + 30 * DAY)
    assert again(order).state == State.CLOSED
    adjust(shop.id, channel.id, 10_000, "EUR", key="x", note="x", at=ASKED_AT + 30 * DAY)
    ReturnRequest.objects.filter(id=row.id).update(due_by=ASKED_AT + 40 * DAY)
    at = ASKED_AT + 31 * DAY
    return_verbs.accept(row.id, by=SELLER, at=at)
    assert not Hold.objects.filter(order=order).exists()
    return_verbs.receive(row.id, by=SELLER, at=at + HOUR)
    return_verbs.inspect(row.id, {line_of(row): 1}, by=SELLER, at=at + 2 * HOUR)
    before = payable(shop.id, channel.id, "EUR")
    return_ends.refund(row.id, wish(part(order, 3300)), by=SELLER, at=at + 3 * HOUR)
    assert payable(shop.id, channel.id, "EUR") == before - 3300 + 396 + 83
    assert now(row).state == ReturnState.REFUNDED


def test_what_is_refunded_is_what_was_found_good(channel: Channel, shop: Shop) -> None:
    order = one(channel, shop)
    row = asked(order.id, 2)
    for step in STEPS[ReturnState.RECEIVED]:
        step(row, ASKED_AT + HOUR)
    line = line_of(row)
    return_verbs.inspect(row.id, {line: 1}, {line: "Una llega rota"}, by=SELLER, at=ASKED_AT + 2 * HOUR)
    before = all_of(row)
    at = ASKED_AT + 3 * HOUR
    for parts in ([part(order, 6600, units=2)], [part(order, 1200, line=1)]):
        code = answered(lambda p=parts: return_ends.refund(row.id, wish(*p), by=SELLER, at=at))
        assert (code, all_of(row)) == (Code.NOT_AS_SENT, before)
    asking = wish(part(order, 3300, 400))
    made = return_ends.refund(row.id, asking, by=SELLER, at=at)
    assert return_ends.refund(row.id, asking, by=SELLER, at=at) == made
    assert answered(lambda: return_ends.refund(row.id, wish(part(order, 1)), by=SELLER, at=at)) == (
        Code.RETURN_ELSEWHERE
    )
    row = now(row)
    assert (row.state, row.refund, made.amount_cents, row.ended_at) == (ReturnState.REFUNDED, made, 3700, at)
    assert sums(order)["refund_due"] == -3700
    tick("payback", at)
    assert "refund_due" not in sums(order)


def test_a_total_refund_ends_every_return_and_a_refused_one_ends_none(channel: Channel, shop: Shop) -> None:
    order = one(channel, shop)
    seen, waits = brought_back(ReturnState.INSPECTED, order.id), asked(order.id, at=ASKED_AT + 5 * HOUR)
    not_paid_back()
    made = refunding.refund(order.id, wish(), by=SELLER, at=ASKED_AT + 6 * HOUR)
    for row in (seen, waits):
        assert (now(row).state, now(row).refund) == (ReturnState.REFUNDED, made)
    assert again(order).incident_at is None
    tick("payback", ASKED_AT + 7 * HOUR)
    assert (now(seen).state, now(seen).refund) == (ReturnState.INSPECTED, None)
    assert (now(waits).state, now(waits).refund) == (ReturnState.ACCEPTED, None)
    assert again(order).incident_at is not None


def test_what_is_paid_back_on_the_orders_page_ends_the_return_of_it_and_no_other(
    channel: Channel, shop: Shop
) -> None:
    order = one(channel, shop)
    jar, plate = order.lines.order_by("id")
    seen = brought_back(ReturnState.INSPECTED, order.id)
    at = ASKED_AT + 5 * DAY
    other = ask_return(order.id, {plate.id: 1}, reason="changed-mind", by=CUSTOMER, at=at)
    assert line_of(seen) == jar.id

    def foreseen(cents: int) -> list[ReturnRequest]:
        worked = refunding.plan(again(order), wish(part(order, cents)).parts)
        return return_ends.foreseen(order, worked)

    assert (foreseen(3300), foreseen(6600)) == ([], [seen])
    refunding.refund(order.id, wish(part(order, 3300)), by=SELLER, at=at + HOUR)
    assert (now(seen).state, now(other).state) == (ReturnState.INSPECTED, ReturnState.ASKED)
    assert foreseen(3300) == [seen]
    made = refunding.refund(order.id, wish(part(order, 3300)), by=SELLER, at=at + 2 * HOUR)
    assert (now(seen).state, now(seen).refund) == (ReturnState.REFUNDED, made)
    assert (now(other).state, again(order).incident_at) == (ReturnState.ASKED, None)


def test_a_return_whose_good_units_are_paid_back_can_be_let_go(channel: Channel, shop: Shop) -> None:
    order = one(channel, shop)
    jar, plate = order.lines.order_by("id")
    row = ask_return(order.id, {jar.id: 1, plate.id: 1}, reason="changed-mind", by=CUSTOMER, at=ASKED_AT)
    for step in STEPS[ReturnState.RECEIVED]:
        step(row, ASKED_AT + HOUR)
    at = ASKED_AT + 2 * HOUR
    return_verbs.inspect(row.id, {jar.id: 1, plate.id: 0}, {plate.id: "Roto"}, by=SELLER, at=at)

    def let_go() -> object:
        return return_verbs.reject(row.id, reason=USED, by=SELLER, at=at)

    before = all_of(row)
    assert (answered(let_go), all_of(row)) == (Code.UNITS_ARE_GOOD, before)
    refunding.refund(order.id, wish(part(order, 6600)), by=SELLER, at=at)
    assert now(row).state == ReturnState.INSPECTED
    assert (answered(let_go), now(row).state, again(order).incident_at) == (None, ReturnState.REJECTED, None)


def test_what_was_paid_back_whole_is_not_asked_back(channel: Channel, shop: Shop) -> None:
    order = one(channel, shop)
    jar, plate = order.lines.order_by("id")
    refunding.refund(order.id, wish(part(order, 6600)), by=SELLER, at=ASKED_AT)
    code = answered(lambda: asked(order.id, 1, at=ASKED_AT + HOUR))
    assert (code, order.return_requests.count()) == (Code.TOO_MANY_BACK, 0)
    left = returns.left_of([jar, plate], [], goods_back(again(order)))
    assert [(found.line, found.units) for found in left] == [(plate, 1)]


def test_the_click_of_an_earlier_refund_ends_no_return(channel: Channel, shop: Shop) -> None:
    order = one(channel, shop)
    row = brought_back(ReturnState.INSPECTED, order.id)
    at = ASKED_AT + 5 * HOUR
    click = wish(part(order, 1))
    refunding.refund(order.id, click, by=SELLER, at=at)
    before = all_of(row)
    assert answered(lambda: return_ends.refund(row.id, click, by=SELLER, at=at)) == Code.DUPLICATE
    assert (all_of(row), Refund.objects.count()) == (before, 1)


def test_a_refund_that_waits_to_be_covered_ends_it_once_it_is(channel: Channel, shop: Shop) -> None:
    order = one(channel, shop, State.CLOSED)
    Order.objects.filter(id=order.id).update(delivered_at=ASKED_AT + 40 * DAY)
    at = ASKED_AT + 41 * DAY
    row = asked(order.id, at=at)
    for n, step in enumerate(STEPS[ReturnState.INSPECTED], 1):
        step(row, at + n * HOUR)
    at += 9 * HOUR
    made = return_ends.refund(row.id, wish(part(order, 3300), cover=True), by=SELLER, at=at)
    assert (made.state, now(row).state) == (RefundState.ASKED, ReturnState.INSPECTED)
    before = all_of(row)
    for act in (
        lambda: return_ends.refund(row.id, wish(part(order, 1)), by=SELLER, at=at),
        lambda: return_ends.replace(row.id, Replacement(carrier_name="SEUR"), by=SELLER, at=at),
    ):
        assert (answered(act), all_of(row)) == (Code.REFUND_WAITS, before)
    refunding.cover(made.id, by=OPERATOR, at=at + HOUR)
    assert (now(row).state, now(row).refund) == (ReturnState.REFUNDED, made)


@pytest.mark.parametrize(
    ("good", "flaws", "code"),
    [
        ({0: 2}, {}, Code.TOO_MANY_BACK),
        ({0: -1}, {}, Code.TOO_MANY_BACK),
        ({0: 0}, {}, Code.REASON_NEEDED),
        ({0: 0}, {0: "  "}, Code.REASON_NEEDED),
        ({0: 0}, {0: "x" * 301}, Code.TOO_LONG),
        ({}, {}, Code.NOTHING_CHOSEN),
        ({0: 1, 1: 1}, {}, Code.UNKNOWN_LINE),
        ({0: 1}, {1: "x"}, Code.UNKNOWN_LINE),
    ],
)
def test_an_inspection_says_something_of_every_unit(
    good: dict[int, int], flaws: dict[int, str], code: Code, channel: Channel, shop: Shop
) -> None:
    order = one(channel, shop)
    row = brought_back(ReturnState.RECEIVED, order.id)
    ids = list(order.lines.order_by("id").values_list("id", flat=True))
    before = all_of(row)
    at = ASKED_AT + 5 * HOUR
    said = {ids[n]: units for n, units in good.items()}, {ids[n]: text for n, text in flaws.items()}
    assert answered(lambda: return_verbs.inspect(row.id, *said, by=SELLER, at=at)) == code
    assert all_of(row) == before


def test_what_a_shop_says_no_with(channel: Channel, shop: Shop) -> None:
    row = asked(one(channel, shop).id)
    before, at = all_of(row), ASKED_AT + HOUR
    for reason, answer, code in (
        (Why(), "No", Code.REASON_NEEDED),
        (Why("other"), " ", Code.REASON_NEEDED),
        (USED, "x" * 2001, Code.TOO_LONG),
    ):
        said = answered(
            lambda r=reason, a=answer: return_verbs.refuse(row.id, reason=r, answer=a, by=SELLER, at=at)
        )
        assert (said, all_of(row)) == (code, before)
    return_verbs.refuse(row.id, reason=USED, answer="Está usado.", by=SELLER, at=at)
    assert (now(row).answer_code, now(row).answer) == ("used", "Está usado.")


def test_a_replacement_goes_out_at_no_charge(channel: Channel, shop: Shop) -> None:
    order = one(channel, shop)
    row = brought_back(ReturnState.INSPECTED, order.id)
    at = ASKED_AT + 5 * HOUR
    before, books = all_of(row), sums(order)
    for parcel, code in (
        (Replacement(), Code.UNKNOWN_CARRIER),
        (Replacement(carrier_name="x" * 81), Code.TOO_LONG),
    ):
        assert answered(lambda p=parcel: return_ends.replace(row.id, p, by=SELLER, at=at)) == code
        assert all_of(row) == before
    seur = Carrier.objects.get(code="seur")
    return_ends.replace(row.id, Replacement(seur, tracking="12345678901234"), by=SELLER, at=at)
    row = now(row)
    assert (row.new_carrier, row.new_carrier_name, row.new_tracking) == (seur, "SEUR", "12345678901234")
    assert sums(order) == books
    told = Notice.objects.get(event="return_replaced")
    assert (told.audience, "12345678901234" in told.payload["tracking_url"]) == ("customer", True)


def test_nothing_is_replaced_of_what_came_back_broken(channel: Channel, shop: Shop) -> None:
    row = asked(one(channel, shop).id)
    for step in STEPS[ReturnState.REJECTED][:-1]:
        step(row, ASKED_AT + HOUR)
    before = all_of(row)
    at = ASKED_AT + 2 * HOUR
    code = answered(lambda: return_ends.replace(row.id, Replacement(carrier_name="SEUR"), by=SELLER, at=at))
    assert (code, all_of(row)) == (Code.NO_UNIT_IS_GOOD, before)


@pytest.mark.parametrize("state", [state for state in ReturnState if state != ReturnState.LAPSED])
def test_units_that_were_let_go_or_replaced_can_be_asked_back_again_and_others_not(
    state: ReturnState, channel: Channel, shop: Shop
) -> None:
    order = one(channel, shop)
    brought_back(state, order.id)
    code = answered(lambda: asked(order.id, 2, at=ASKED_AT + 5 * DAY))
    with_customer = (*LET_GO, ReturnState.REPLACED)
    assert code == (None if state in with_customer else Code.TOO_MANY_BACK)


def test_of_two_units_the_one_that_was_replaced_can_come_back_again(channel: Channel, shop: Shop) -> None:
    order = one(channel, shop)
    row = asked(order.id, 2)
    for step in STEPS[ReturnState.RECEIVED]:
        step(row, ASKED_AT + HOUR)
    line, at = line_of(row), ASKED_AT + 2 * HOUR
    return_verbs.inspect(row.id, {line: 1}, {line: "Uno roto"}, by=SELLER, at=at)
    return_ends.replace(row.id, Replacement(carrier_name="SEUR"), by=SELLER, at=at)
    code = answered(lambda: asked(order.id, 2, at=ASKED_AT + 5 * DAY))
    assert (code, order.return_requests.count()) == (Code.TOO_MANY_BACK, 1)
    assert asked(order.id, 1, at=ASKED_AT + 5 * DAY).number == 2


def test_instructions_are_a_message_that_the_customer_reads(channel: Channel, shop: Shop) -> None:
    row = brought_back(ReturnState.INSTRUCTED, one(channel, shop).id)
    assert row.instructions is not None
    assert (row.instructions.body, row.instructions.to_customer, row.instructions.role) == (
        HOW,
        True,
        "seller",
    )
    told = Notice.objects.filter(order_id=row.order_id, event__in=("message", "return_accepted"))
    assert list(told.values_list("event", "audience")) == [("return_accepted", "customer")]
