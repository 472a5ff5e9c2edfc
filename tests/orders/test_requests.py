"""Asking for an act that one may not do, and the answer (ROL-05, CAN-03)."""

from datetime import timedelta

import pytest

from marketplace.models import Channel
from marketplace.policy import PRESETS, Preset, Role
from marketplace.reasons import Why
from marketplace.refusals import Code
from marketplace.services import publish_policy
from messaging.models import Message, Notice, Thread
from orders import services
from orders.models import Asking, Event, Order, Request
from orders.states import HoldKind, State, Verb
from sellers.desk import Actor, Right
from sellers.models import Shop, Supplier
from tests.conftest import AT, CLOCK, CUSTOMER, OPERATOR, SELLER, actor_of, again, row
from tests.orders.lives import HOUR, brought_to
from tests.orders.test_matrix import everything_of

pytestmark = pytest.mark.django_db
LATER = AT + 5 * HOUR
WHY = Why("customer-asked", "")
SUPPORT = Actor(Role.SELLER, "Bernardo Oliva", rights=frozenset({Right.ANSWER}))


def served(
    channel: Channel, shop: Shop, by: Supplier | None, state: State = State.AWAITING_SHIPMENT
) -> Order:
    return Order.objects.get(id=brought_to(state, channel, shop, served=(by, by) if by else ())[0])


def asked(order: Order, verb: str = Verb.CANCEL, by: Actor = SELLER, **wishes: object) -> Request:
    moved = services.one(services.ask(order.id, verb, reason=WHY, by=by, at=LATER, **wishes))  # type: ignore[arg-type]
    return Request.objects.get(id=moved.data["request"])


def codes(outcome: object) -> list[str]:
    return [refusal.code for refusal in outcome.refused]  # type: ignore[attr-defined]


@pytest.mark.rule("ROL-05", "CAN-03")
def test_the_shop_asks_whoever_fulfils_the_order_who_cancels_it_in_one_click(
    channel: Channel, shop: Shop, norte: Supplier
) -> None:
    order = served(channel, shop, norte)
    request = asked(order)
    assert (request.asked_of, request.state, again(order).open_requests) == (Role.SUPPLIER, Asking.OPEN, 1)
    assert again(order).state == State.AWAITING_SHIPMENT
    moved = services.one(services.approve(request.id, by=actor_of(norte), at=LATER + HOUR))
    assert (moved.verb, moved.after) == (Verb.CANCEL, State.CANCELLED)
    now = again(order)
    assert (now.state, now.open_requests, now.refunded_cents) == (State.CANCELLED, 0, now.charged_cents)
    told = Event.objects.filter(order=order).order_by("-id").values_list("verb", "role")[:3]
    assert list(told) == [
        ("cancel", "supplier"),
        ("request_approved", "supplier"),
        ("request_made", "seller"),
    ]
    thread = Thread.objects.get(request=request)
    assert (thread.supplier_id, thread.order_id) == (norte.id, order.id)
    written = list(Message.objects.filter(thread=thread).values_list("role", "to_supplier", "to_shop"))
    assert written == [("seller", True, False), ("supplier", False, True)]
    mails = Notice.objects.filter(event="message").order_by("id").values_list("audience", "email")
    assert list(mails) == [("supplier", "taller@norte.example"), ("seller", "pedidos@alba.example")]


@pytest.mark.rule("ROL-05", "CAN-03")
@pytest.mark.parametrize("preset", [Preset.ACCEPT_FIRST, Preset.PREPAID])
def test_the_shop_asks_the_operator_where_nobody_nearer_may(
    preset: Preset, channel: Channel, shop: Shop
) -> None:
    publish_policy(channel, PRESETS[preset], by="x", at=AT)
    state = State.DEBIT if preset == Preset.ACCEPT_FIRST else State.AWAITING_SHIPMENT
    order = served(channel, shop, None, state)
    request = asked(order)
    assert request.asked_of == Role.OPERATOR
    services.one(services.approve(request.id, by=OPERATOR, at=LATER))
    assert again(order).state == State.CANCELLED
    assert Message.objects.filter(thread__request=request, to_operator=True, role="seller").count() == 1
    assert Message.objects.filter(thread__request=request, to_shop=True, role="operator").count() == 1


@pytest.mark.rule("ROL-05")
def test_a_no_says_why_in_the_history_and_in_the_conversation(channel: Channel, shop: Shop) -> None:
    order = served(channel, shop, None, State.DEBIT)
    request = asked(order)
    before = row(order)
    assert codes(services.decline(request.id, answer="", by=OPERATOR, at=LATER)) == [Code.REASON_NEEDED]
    assert row(order) == before
    services.one(services.decline(request.id, answer="Ya está cobrado", by=OPERATOR, at=LATER))
    now = again(order)
    assert (now.state, now.open_requests) == (State.DEBIT, 0)
    last = Event.objects.filter(order=order).latest("id")
    assert (last.verb, last.data["note"], last.data["asked"]) == (
        "request_declined",
        "Ya está cobrado",
        "cancel",
    )
    assert Message.objects.filter(thread__request=request).latest("id").body.endswith("\nYa está cobrado")
    asked(order)  # it may be asked for anew


@pytest.mark.rule("ROL-05")
def test_what_may_not_be_asked_for_changes_nothing(channel: Channel, shop: Shop, norte: Supplier) -> None:
    order = served(channel, shop, norte)
    before = everything_of(order.id)

    def refused(verb: str, by: Actor, reason: Why = WHY, **wishes: object) -> str:
        outcome = services.ask(order.id, verb, reason=reason, by=by, at=LATER, **wishes)  # type: ignore[arg-type]
        (code,) = codes(outcome)
        return str(code)

    assert refused(Verb.CANCEL, actor_of(norte)) == Code.NOT_ASKED_FOR  # they may do it themselves
    assert refused(Verb.CANCEL, OPERATOR) == Code.NOT_ASKED_FOR
    assert refused(Verb.SETTLE, SELLER) == Code.NOT_ASKED_FOR
    assert refused(Verb.CANCEL, SELLER, Why()) == Code.REASON_NEEDED
    assert refused(Verb.CANCEL, SELLER, Why("other", "x" * 301)) == Code.TOO_LONG
    assert refused(Verb.DELIVER, SELLER) == Code.WRONG_STATE
    assert refused(Verb.CANCEL, SELLER, facts={"kind": "stock"}) == Code.MALFORMED
    assert refused(Verb.CANCEL, Actor(Role.SUPPLIER, "X", supplier_id=0)) == Code.NOT_ALLOWED
    assert codes(services.ask(order.id, Verb.CANCEL, reason=WHY, by=SELLER, at=AT)) == [Code.OUT_OF_ORDER]
    assert codes(services.ask(0, Verb.CANCEL, reason=WHY, by=SELLER, at=LATER)) == [Code.UNKNOWN_ORDER]
    assert everything_of(order.id) == before
    assert not Request.objects.exists()
    asked(order)
    once = everything_of(order.id)
    assert refused(Verb.CANCEL, SELLER) == Code.DUPLICATE
    assert everything_of(order.id) == once


@pytest.mark.rule("ROL-05")
def test_nobody_answers_who_could_not_do_it_and_nobody_twice(
    channel: Channel, shop: Shop, norte: Supplier, sur: Supplier
) -> None:
    order = served(channel, shop, norte)
    request = asked(order)
    before = everything_of(order.id)
    for by in (SELLER, SUPPORT, CUSTOMER, actor_of(sur)):
        assert codes(services.approve(request.id, by=by, at=LATER)) == [Code.NOT_ALLOWED]
        assert codes(services.decline(request.id, answer="No", by=by, at=LATER)) == [Code.NOT_ALLOWED]
    for by in (OPERATOR, CUSTOMER, actor_of(norte)):
        assert codes(services.withdraw(request.id, by=by, at=LATER)) == [Code.NOT_ALLOWED]
    assert everything_of(order.id) == before
    services.one(services.approve(request.id, by=OPERATOR, at=LATER))  # the operator may, whoever was asked
    done = everything_of(order.id)
    for outcome in (
        services.approve(request.id, by=OPERATOR, at=LATER),
        services.decline(request.id, answer="No", by=OPERATOR, at=LATER),
        services.withdraw(request.id, by=SELLER, at=LATER),
    ):
        assert codes(outcome) == [Code.NOTHING_TO_ANSWER]
    assert everything_of(order.id) == done


@pytest.mark.rule("ROL-05")
def test_a_request_lapses_when_the_order_leaves_its_state_and_that_is_told(
    channel: Channel, shop: Shop
) -> None:
    order = served(channel, shop, None, State.DEBIT)
    request = asked(order)
    services.one(services.debit_failed([order.id], reason="sin fondos", by=CLOCK, at=LATER + HOUR))
    request.refresh_from_db()
    assert (request.state, again(order).open_requests) == (Asking.OVERTAKEN, 0)
    told = (
        Event.objects.filter(order=order).order_by("-id").values_list("verb", "role", "before", "after")[:2]
    )
    assert list(told) == [
        ("request_overtaken", "platform", "failed", "failed"),
        ("debit_failed", "platform", "debit", "failed"),
    ]
    before = everything_of(order.id)
    assert codes(services.approve(request.id, by=OPERATOR, at=LATER + 2 * HOUR)) == [Code.CHANGED]
    assert everything_of(order.id) == before
    last = Message.objects.filter(thread__request=request).latest("id")
    assert (last.role, last.to_shop) == ("platform", True)


@pytest.mark.rule("ROL-05")
def test_a_hold_of_the_operator_is_asked_to_be_lifted(channel: Channel, shop: Shop) -> None:
    order = served(channel, shop, None)
    services.one(services.hold([order.id], HoldKind.OPERATOR, by=OPERATOR, at=LATER))
    request = asked(order, Verb.RELEASE, facts={"kind": "operator"})
    services.one(services.approve(request.id, by=OPERATOR, at=LATER))
    assert (again(order).held_at, again(order).open_requests) == (None, 0)


@pytest.mark.rule("ROL-05")
def test_a_request_that_nobody_could_grant_any_more_is_closed_by_trying(channel: Channel, shop: Shop) -> None:
    order = served(channel, shop, None)
    services.one(services.hold([order.id], HoldKind.OPERATOR, by=OPERATOR, at=LATER))
    request = asked(order, Verb.RELEASE, facts={"kind": "operator"})
    services.one(services.release([order.id], HoldKind.OPERATOR, by=OPERATOR, at=LATER))
    assert codes(services.approve(request.id, by=OPERATOR, at=LATER)) == [Code.NO_SUCH_HOLD]
    request.refresh_from_db()
    assert (request.state, again(order).open_requests) == (Asking.OVERTAKEN, 0)


@pytest.mark.rule("ROL-05")
def test_support_asks_the_shops_own_people_and_they_are_told(channel: Channel, shop: Shop) -> None:
    order = served(channel, shop, None)
    request = asked(order, by=SUPPORT)
    assert request.asked_of == Role.SELLER
    (notice,) = Notice.objects.filter(event="asked_inside")
    assert (notice.email, notice.payload["by"]) == ("pedidos@alba.example", "Bernardo Oliva")
    assert not Thread.objects.exists()
    services.one(services.approve(request.id, by=SELLER, at=LATER))
    assert again(order).state == State.CANCELLED


@pytest.mark.rule("ROL-05")
def test_the_customer_asks_the_shop_and_reads_the_answer(channel: Channel, shop: Shop) -> None:
    order = served(channel, shop, None)
    request = asked(order, by=CUSTOMER)
    assert request.asked_of == Role.SELLER
    services.one(services.decline(request.id, answer="Ya está empaquetado", by=SELLER, at=LATER))
    written = Message.objects.filter(thread__request=request).order_by("id")
    assert list(written.values_list("role", "to_shop", "to_customer")) == [
        ("customer", True, False),
        ("seller", False, True),
    ]


@pytest.mark.rule("ROL-05")
def test_what_was_asked_for_is_taken_back(channel: Channel, shop: Shop) -> None:
    order = served(channel, shop, None, State.DEBIT)
    request = asked(order)
    services.one(services.withdraw(request.id, by=SELLER, at=LATER + timedelta(minutes=1)))
    request.refresh_from_db()
    assert (request.state, again(order).open_requests) == (Asking.WITHDRAWN, 0)
    assert Event.objects.filter(order=order).latest("id").verb == "request_withdrawn"


@pytest.mark.rule("ROL-05", "EXC-03")
def test_an_act_that_is_refused_after_all_leaves_the_request_open(
    channel: Channel, shop: Shop, norte: Supplier
) -> None:
    """The supplier has the right, and a parcel has left: the operator may still."""
    order = served(channel, shop, norte)
    request = asked(order)
    line = order.lines.order_by("id")[0]
    part = services.Parcel(carrier_name="SEUR", tracking="1", quantities={line.id: 1})
    services.one(services.ship({order.id: part}, by=actor_of(norte), at=LATER))
    before = everything_of(order.id)
    assert codes(services.approve(request.id, by=actor_of(norte), at=LATER)) == [Code.PARCEL_ON_ITS_WAY]
    assert everything_of(order.id) == before
    services.one(services.approve(request.id, by=OPERATOR, at=LATER))
    assert again(order).state == State.CANCELLED
