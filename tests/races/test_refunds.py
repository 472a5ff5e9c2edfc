"""Refunds at once: from many windows at one order, of many orders at one balance, while an order is received, settled,
or a refund of it is covered (REF-03, REF-04, REF-06).

Each race has its control. Where the lock is taken away, the number of a refund, which an order has one time, is a
second wall: what it stops ends in an error, and counts as broken.
"""

import time
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connections

from ledger.queries import payable
from ledger.services import adjust
from marketplace.models import Channel
from marketplace.policy import PRESETS, Preset
from marketplace.reasons import Why
from marketplace.refusals import Code, MoveRefused, Outcome, Tally
from marketplace.services import publish_policy
from orders import services
from orders.models import Order
from orders.services import move
from orders.states import State, Verb
from payments.models import Payback
from refunds import refunding
from refunds.amounts import Part
from refunds.models import Refund
from refunds.refunding import Wish
from refunds.states import RefundState
from settlements import services as settlements
from settlements.models import Cycle, Payout
from tests.conftest import AT, CLOCK, NO_DETAILS, OPERATOR, SELLER
from tests.orders.lives import HOUR, brought_to
from tests.races.arena import (
    PATIENCE_S,
    Ending,
    broken_invariants,
    read_without_lock,
    take_the_lock_away,
)
from tests.races.conftest import Ground
from tests.races.crowd import crowd
from tests.races.test_races import INSTANT, Race, _closing, breaks, run
from tests.rounds import rounds, soaks

pytestmark = soaks

ROUNDS = rounds(100, 5000)
WITHOUT = rounds(30, 1000)
"""Of a control, which goes wrong in most."""
LATER = AT + 41 * 24 * HOUR
BROKEN = Why("damaged")
TORN = """
    SELECT o.id FROM orders_order o
      LEFT JOIN (SELECT order_id, sum(amount_cents) AS cents FROM refunds_refund WHERE state = 'due' GROUP BY 1) r
             ON r.order_id = o.id
      LEFT JOIN (SELECT order_id, sum(amount_cents) AS cents FROM payments_payback GROUP BY 1) p ON p.order_id = o.id
     WHERE o.refunded_cents <> coalesce(r.cents, 0) OR o.refunded_cents <> coalesce(p.cents, 0)
        OR o.refunded_cents > o.charged_cents
"""


def told(act: Callable[[], Refund]) -> Outcome[Refund]:
    """What a click came to, as a race counts it."""
    try:
        return Outcome([act()])
    except MoveRefused as refused:
        return Outcome([], [refused.refusal])


def whole() -> Wish:
    """All that is left, by a click of its own."""
    return Wish(uuid.uuid4(), BROKEN)


def without_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    take_the_lock_away(monkeypatch)
    monkeypatch.setattr(services, "lock_orders", move.lock_orders)


@pytest.mark.rule("REF-03", "REF-06")
@pytest.mark.parametrize("windows", [2, 5, 20])
def test_one_of_many_clicks_gives_everything_back(windows: int, ground: Ground) -> None:
    orders = brought_to(State.SHIPPED, ground.channel, ground.shop, ROUNDS)

    def click(number: int, window: int) -> Outcome[Refund]:
        return told(lambda: refunding.refund(orders[number], whole(), by=SELLER, at=AT + 9 * HOUR))

    for answers in crowd(ROUNDS, windows, click):
        assert sum(bool(one.moved) for one in answers) == 1
        assert {one.code for answer in answers for one in answer.refused} == {Code.NOTHING_TO_REFUND}
    found = Refund.objects.values_list("order_id", "amount_cents")
    assert sorted(found) == [(order_id, 8400) for order_id in sorted(orders)]
    assert Payback.objects.count() == ROUNDS
    assert broken_invariants() == []


def test_control_clicks_without_the_lock(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    orders = brought_to(State.SHIPPED, ground.channel, ground.shop, WITHOUT)

    def click(number: int, order_id: int) -> Outcome[Any]:
        return told(lambda: refunding.refund(order_id, whole(), by=SELLER, at=AT + 9 * HOUR))

    without_the_lock(monkeypatch)
    one_of_two: set[Ending] = {(True, False, (Verb.REFUND,)), (False, True, (Verb.REFUND,))}
    breaks(run(Race(State.SHIPPED, click, click, lambda number: one_of_two, TORN), orders))


def keeping_its_commission(channel: Channel) -> None:
    """Have a refund cost exactly what it gives back."""
    changes = NO_DETAILS | {"refund_returns_commission": False}
    publish_policy(channel, PRESETS[Preset.ACCEPT_FIRST].model_copy(update=changes), by="x", at=AT)


def spending(ground: Ground, windows: int) -> Callable[..., Outcome[Refund]]:
    """Settled orders, one a window, each of which asks for the only cent that the shop is owed."""
    keeping_its_commission(ground.channel)
    orders = list(Order.objects.filter(id__in=brought_to(State.CLOSED, ground.channel, ground.shop, windows)))
    lines = {order.id: order.lines.order_by("id")[0].id for order in orders}

    def spend(number: int, window: int, at: datetime = LATER) -> Outcome[Refund]:
        order = orders[window]
        wish = Wish(uuid.uuid4(), BROKEN, (Part(lines[order.id], 1, 1, 0),))
        return told(lambda: refunding.refund(order.id, wish, by=SELLER, at=at))

    return spend


def a_cent_each_round(ground: Ground) -> Callable[[int], None]:
    def earn(number: int) -> None:
        adjust(ground.shop.id, ground.channel.id, 1, "EUR", key=f"{number}", note="x", at=LATER)

    return earn


@pytest.mark.rule("REF-04")
@pytest.mark.parametrize("windows", [2, 5, 20])
def test_a_balance_is_spent_one_time(windows: int, ground: Ground) -> None:
    spend = spending(ground, windows)
    for answers in crowd(ROUNDS, windows, spend, before=a_cent_each_round(ground)):
        assert sum(bool(one.moved) for one in answers) == 1
        assert {one.code for answer in answers for one in answer.refused} == {Code.BALANCE_TOO_LOW}
    assert payable(ground.shop.id, ground.channel.id, "EUR") == 0
    assert Refund.objects.count() == ROUNDS
    assert broken_invariants() == []


def test_control_a_balance_that_nobody_locks(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    spend = spending(ground, 2)
    both_have_read = Barrier(2, timeout=PATIENCE_S)

    def unlocked(*whose: Any, lock: bool) -> int:
        found = payable(*whose)
        if lock:
            both_have_read.wait()
        return found

    monkeypatch.setattr("ledger.queries.payable", unlocked)
    ended = crowd(WITHOUT, 2, spend, before=a_cent_each_round(ground))
    # What both have spent the shop owes in the next round, when neither can.
    assert sum(all(one.moved for one in answers) for answers in ended) > WITHOUT / 3


def _paid_out_or_refunded(ground: Ground) -> tuple[Callable[[int, int], Any], Callable[[int], None]]:
    """The only cent that a shop is owed is paid out by the run of a closing, which comes a moment late, while it pays
    for a refund: it does one of the two."""
    spend = spending(ground, 1)
    moments = [LATER + n * HOUR for n in range(ROUNDS)]

    def earn(number: int) -> None:
        adjust(ground.shop.id, ground.channel.id, 1, "EUR", key=f"{number}", note="x", at=moments[number])

    def act(number: int, window: int) -> Any:
        if window:
            return settlements.close_cycle(ground.channel, moments[number], tally=Tally(), at=moments[number])
        time.sleep(number % 4 * 0.005)  # a run has more to do before it pays
        return spend(number, 0, moments[number] + INSTANT)

    return act, earn


def _times_paid_out() -> int:
    return Payout.objects.filter(amount_cents=1).count()


@pytest.mark.rule("REF-04", "SET-03")
def test_a_balance_is_paid_out_or_spent_never_both(ground: Ground) -> None:
    act, earn = _paid_out_or_refunded(ground)
    ended = crowd(ROUNDS, 2, act, before=earn)
    refunds = sum(bool(refunded.moved) for refunded, _ in ended)
    assert all(done for _, done in ended)
    assert 0 < refunds < ROUNDS
    assert _times_paid_out() == ROUNDS - refunds
    assert payable(ground.shop.id, ground.channel.id, "EUR") == 0
    assert broken_invariants() == []


def test_control_paid_out_while_nobody_locks_the_balance(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    act, earn = _paid_out_or_refunded(ground)
    both_have_read = Barrier(2, timeout=PATIENCE_S)

    def one(*whose: Any, lock: bool) -> int:
        found = payable(*whose)
        if lock:
            both_have_read.wait()
        return found

    def many(channel_id: int, shop_ids: Sequence[int]) -> dict[tuple[int, str], int]:
        found = {(shop_id, "EUR"): payable(shop_id, channel_id, "EUR") for shop_id in shop_ids}
        both_have_read.wait()
        return found

    monkeypatch.setattr("ledger.queries.payable", one)
    monkeypatch.setattr("ledger.queries.payables", many)
    ended = crowd(WITHOUT, 2, act, before=earn)
    paid_at = set(Payout.objects.values_list("created_at", flat=True))
    twice = [n for n, (refunded, _) in enumerate(ended) if refunded.moved and LATER + n * HOUR in paid_at]
    # What was paid twice the shop owes in the next round, when there is nothing to pay.
    assert len(twice) > WITHOUT / 3


def _refund_or_settle(cycle: Cycle) -> Race:
    """The shop gives half a jar back while the clock takes the order into a statement: both are, in either order."""
    lines = dict(Order.objects.filter(lines__sku="JAR-AZUL").values_list("id", "lines__id"))

    def refund(number: int, order_id: int) -> Outcome[Any]:
        wish = Wish(uuid.uuid4(), BROKEN, (Part(lines[order_id], 1, 1650, 0),))
        return told(lambda: refunding.refund(order_id, wish, by=SELLER, at=cycle.closes_at))

    def settle(number: int, order_id: int) -> Outcome[Any]:
        return settlements.collect(cycle, [order_id], skip_locked=False, by=CLOCK, at=cycle.closes_at)

    both: set[Ending] = {
        (True, True, (Verb.REFUND, Verb.SETTLE)),
        (True, True, (Verb.SETTLE, Verb.REFUND)),
    }
    return Race(State.RECEIVED, refund, settle, lambda number: both, TORN)


@pytest.mark.rule("REF-03", "SET-03")
def test_an_order_is_settled_while_it_is_refunded(ground: Ground) -> None:
    orders = brought_to(State.RECEIVED, ground.channel, ground.shop, ROUNDS)
    cycle = Cycle.objects.create(channel=ground.channel, closes_at=_closing(ground))
    contest = _refund_or_settle(cycle)
    verdict = run(contest, orders)
    assert (verdict.right, verdict.broken) == (ROUNDS, 0), verdict
    assert broken_invariants() == []
    fee_back = 198 + 42
    assert payable(ground.shop.id, ground.channel.id, "EUR") == ROUNDS * (8400 - 1008 - 212 - 1650 + fee_back)


def _refund_or_receive() -> Race:
    """At the very moment at which an order counts as received the shop gives half of it back: out of what is pending,
    or out of the balance, never of neither or both."""
    lines = dict(Order.objects.filter(lines__sku="JAR-AZUL").values_list("id", "lines__id"))
    receive_at = AT + 2 * HOUR + 21 * 24 * HOUR

    def refund(number: int, order_id: int) -> Outcome[Any]:
        wish = Wish(uuid.uuid4(), BROKEN, (Part(lines[order_id], 1, 1650, 0),))
        return told(lambda: refunding.refund(order_id, wish, by=OPERATOR, at=receive_at + INSTANT))

    def receive(number: int, order_id: int) -> Outcome[Any]:
        return services.receive([order_id], skip_locked=False, by=CLOCK, at=receive_at + INSTANT)

    both: set[Ending] = {
        (True, True, (Verb.REFUND, Verb.RECEIVE)),
        (True, True, (Verb.RECEIVE, Verb.REFUND)),
    }
    return Race(State.SHIPPED, refund, receive, lambda number: both, TORN)


@pytest.mark.rule("REF-03", "SHP-07")
def test_an_order_is_received_while_it_is_refunded(ground: Ground) -> None:
    orders = brought_to(State.SHIPPED, ground.channel, ground.shop, ROUNDS)
    verdict = run(_refund_or_receive(), orders)
    assert (verdict.right, verdict.broken) == (ROUNDS, 0), verdict
    assert broken_invariants() == []
    assert set(Refund.objects.values_list("received", flat=True)) == {False, True}


def test_control_refunded_between_what_receipt_reads_and_writes(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What reads without a lock owes the shop what has just been given back."""
    (order_id,) = brought_to(State.SHIPPED, ground.channel, ground.shop, 1)
    contest = _refund_or_receive()
    reads = move.lock_orders

    def refund() -> None:
        contest.left(0, order_id)
        connections.close_all()

    def read_then_refunded(*args: Any, **wishes: Any) -> Any:
        rows = reads(*args, **wishes)
        monkeypatch.setattr(move, "lock_orders", reads)
        other = Thread(target=refund)
        other.start()
        other.join(PATIENCE_S)
        return rows

    read_without_lock(monkeypatch)
    monkeypatch.setattr(move, "lock_orders", read_then_refunded)
    assert contest.right(0, order_id).moved
    assert Refund.objects.count() == 1
    assert "I3" in broken_invariants()


def _unlocked(*whose: Any, lock: bool) -> int:
    del lock
    return payable(*whose)


def _covered_or_refunded(ground: Ground, orders: list[int]) -> Race:
    """A shop that could not pay has asked; it has been paid since, and refunds while the operator says yes."""
    asked = {}
    for order_id in orders:
        wish = Wish(uuid.uuid4(), BROKEN, cover=True)
        asked[order_id] = refunding.refund(order_id, wish, by=SELLER, at=LATER).id
    assert set(Refund.objects.values_list("state", flat=True)) == {RefundState.ASKED}
    cents = 8400 * len(orders)
    adjust(ground.shop.id, ground.channel.id, cents, "EUR", key="new", note="x", at=LATER)

    def cover(number: int, order_id: int) -> Outcome[Any]:
        return told(lambda: refunding.cover(asked[order_id], by=OPERATOR, at=LATER))

    def refund(number: int, order_id: int) -> Outcome[Any]:
        return told(lambda: refunding.refund(order_id, whole(), by=SELLER, at=LATER))

    one: set[Ending] = {(True, False, (Verb.REFUND,)), (False, True, (Verb.REFUND,))}
    return Race(State.CLOSED, cover, refund, lambda number: one, TORN)


@pytest.mark.rule("REF-04", "REF-06")
def test_a_refund_is_covered_or_paid_never_both(ground: Ground) -> None:
    orders = brought_to(State.CLOSED, ground.channel, ground.shop, ROUNDS)
    verdict = run(_covered_or_refunded(ground, orders), orders)
    assert (verdict.right, verdict.broken) == (ROUNDS, 0), verdict
    assert all(verdict.winners[side] for side in ("left", "right")), verdict
    assert broken_invariants() == []


def test_control_cover_and_refund_without_the_lock(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """The balance is a second wall: who waits for it looks at the order again."""
    orders = brought_to(State.CLOSED, ground.channel, ground.shop, WITHOUT)
    contest = _covered_or_refunded(ground, orders)
    without_the_lock(monkeypatch)
    monkeypatch.setattr("ledger.queries.payable", _unlocked)
    breaks(run(contest, orders))
