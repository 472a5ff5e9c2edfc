"""The deadlines of a return: fixed when their clock starts, kept to the instant, and what each comes to (REF-09)."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from marketplace import clocks
from marketplace.models import Channel
from marketplace.refusals import Code, MoveRefused
from messaging.models import Notice
from orders.models import Event, Order
from orders.states import State
from refunds import return_verbs
from refunds.models import ReturnRequest
from refunds.states import OPEN, WINDOWS, ReturnState
from sellers.models import Shop, User
from tests.conftest import CUSTOMER, SELLER, again, sure
from tests.orders.lives import HOUR, brought_to, tick
from tests.refunds.giving_back import asked, brought_back, line_of, now

pytestmark = [pytest.mark.django_db, pytest.mark.rule("REF-09")]
INSTANT = timedelta(microseconds=1)


def one(channel: Channel, shop: Shop) -> Order:
    return Order.objects.get(id=brought_to(State.DELIVERED, channel, shop)[0])


def due(row: ReturnRequest) -> datetime:
    return sure(now(row).due_by)


@pytest.mark.parametrize("state", list(ReturnState))
def test_each_deadline_is_fixed_when_its_clock_starts(
    state: ReturnState, channel: Channel, shop: Shop
) -> None:
    order = one(channel, shop)
    row = brought_back(state, order.id)
    if state not in OPEN:
        assert (row.due_by, row.late_at, row.ended_at) == (None, None, row.since)
        return
    span = getattr(order.policy.rules, WINDOWS[state]).span
    assert row.due_by == clocks.deadline(row.since, span, order.channel.calendar)


@pytest.mark.parametrize(
    ("state", "then"),
    [
        (ReturnState.ASKED, ReturnState.ACCEPTED),
        (ReturnState.INSTRUCTED, ReturnState.LAPSED),
        (ReturnState.RECEIVED, ReturnState.INSPECTED),
    ],
)
def test_a_deadline_comes_to_what_the_table_says_and_not_an_instant_before(
    state: ReturnState, then: ReturnState, channel: Channel, shop: Shop
) -> None:
    row = brought_back(state, one(channel, shop).id)
    at = due(row)
    assert tick("returns", at).idle
    assert now(row).state == state
    assert tick("returns", at + INSTANT).done == 1
    assert now(row).state == then
    assert tick("returns", at + 2 * INSTANT).idle
    assert now(row).presumed == (then != ReturnState.LAPSED)


@pytest.mark.parametrize("state", [ReturnState.ACCEPTED, ReturnState.SENT, ReturnState.INSPECTED])
def test_where_nothing_follows_by_itself_shop_and_operator_hear_of_it_once(
    state: ReturnState, channel: Channel, shop: Shop, olga: User
) -> None:
    row = brought_back(state, one(channel, shop).id)
    at = due(row) + HOUR
    assert tick("returns", at).done == 1
    assert tick("returns", at + HOUR).idle
    assert (now(row).state, now(row).late_at) == (state, at)
    told = Notice.objects.filter(event="return_late").values_list("audience", flat=True)
    assert sorted(told) == ["operator", "seller"]
    assert Event.objects.filter(order_id=row.order_id, verb="return_late").count() == 1
    assert again(row.order).incident_at is not None


def test_silence_counts_for_the_customer(channel: Channel, shop: Shop) -> None:
    row = asked(one(channel, shop).id, 2)
    tick("returns", due(row) + INSTANT)
    row = now(row)
    assert (row.state, row.presumed, row.instructions) == (ReturnState.ACCEPTED, True, None)
    at = row.since + HOUR
    return_verbs.instruct(row.id, instructions="Así", by=SELLER, at=at)
    return_verbs.send(row.id, by=CUSTOMER, at=at + HOUR)
    return_verbs.receive(row.id, by=SELLER, at=at + 2 * HOUR)
    tick("returns", due(row) + INSTANT)
    assert list(row.lines.values_list("good", "flaw")) == [(2, "")]
    told = Notice.objects.filter(event="return_inspected").values_list("audience", flat=True)
    assert sorted(told) == ["customer", "seller"]


def test_after_the_deadline_people_are_refused_before_the_clock_comes_by(
    channel: Channel, shop: Shop
) -> None:
    waits, here = asked(one(channel, shop).id), brought_back(ReturnState.RECEIVED, one(channel, shop).id)
    unsent = brought_back(ReturnState.INSTRUCTED, one(channel, shop).id)
    acts: tuple[Callable[[], object], ...] = (
        lambda: return_verbs.accept(waits.id, by=SELLER, at=due(waits) + INSTANT),
        lambda: return_verbs.inspect(here.id, {line_of(here): 1}, by=SELLER, at=due(here) + INSTANT),
        lambda: return_verbs.send(unsent.id, by=CUSTOMER, at=due(unsent) + INSTANT),
    )
    for row, act in zip((waits, here, unsent), acts, strict=True):
        before = now(row)
        with pytest.raises(MoveRefused) as refused:
            act()
        assert refused.value.refusal.code == Code.DEADLINE_PASSED
        assert (now(row).state, now(row).since) == (before.state, before.since)


def test_what_reaches_the_shop_late_is_received_until_it_has_lapsed(channel: Channel, shop: Shop) -> None:
    row = brought_back(ReturnState.INSTRUCTED, one(channel, shop).id)
    return_verbs.receive(row.id, by=SELLER, at=due(row) + HOUR)
    assert now(row).state == ReturnState.RECEIVED
