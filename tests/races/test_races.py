"""Two actors at one order: one of them wins, the other is refused, and the books hold.

Each race has its control: the same two actors with the lock taken away, which must go wrong in most rounds. Where a
unique key of the database is a second wall, the control ends in its error instead of in a wrong row; it counts as
broken, because without the lock somebody's legal click would have been answered with an error.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from marketplace.refusals import Outcome
from orders import services
from orders.models import Line, Order
from orders.states import HoldKind, State, Verb
from settlements import services as settlements
from settlements.models import Cycle, Payout
from settlements.queries import next_closing_of
from tests.conftest import AT, CLOCK, OPERATOR, SELLER
from tests.orders.lives import HOUR, SEUR, brought_to, tick
from tests.races.arena import Act, Ending, Verdict, broken_invariants, ids, judge, race, take_the_lock_away
from tests.races.conftest import Ground
from tests.rounds import rounds, soaks

pytestmark = soaks

ROUNDS = rounds(100, 2000)
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Race:
    """Two sides, the endings that each round may have, and a query of orders whose rows disagree."""

    state: State
    left: Act
    right: Act
    legal: Callable[[int], set[Ending]]
    torn: str


def run(contest: Race, order_ids: Sequence[int]) -> Verdict:
    """Race over each order, and judge."""
    return judge(race(order_ids, contest.left, contest.right), contest.legal, ids(contest.torn))


def holds(verdict: Verdict) -> None:
    """Every round ended rightly, each side came first in some, and every invariant holds."""
    assert verdict.rounds == verdict.right > 0, verdict
    assert all(verdict.winners[side] for side in ("left", "right")), verdict
    assert broken_invariants() == []


def breaks(verdict: Verdict) -> None:
    """Without the lock most rounds go wrong."""
    assert verdict.broken > verdict.rounds / 2, verdict


def either(left: Verb, right: Verb) -> set[Ending]:
    """One side moved the order and the other did not."""
    return {(True, False, (left.value,)), (False, True, (right.value,))}


def _accept_or_expire() -> Race:
    """At the very deadline the seller accepts, and one instant later the clock cancels (ORD-02)."""
    accept_by = AT + 72 * HOUR

    def accept(number: int, order_id: int) -> Outcome[Any]:
        return services.accept([order_id], by=SELLER, at=accept_by)

    def expire(number: int, order_id: int) -> Outcome[Any]:
        return services.expire([order_id], skip_locked=number % 2 == 0, by=CLOCK, at=accept_by + INSTANT)

    return Race(
        State.PENDING_ACCEPTANCE,
        accept,
        expire,
        lambda number: either(Verb.ACCEPT, Verb.EXPIRE),
        "SELECT o.id FROM orders_order o LEFT JOIN payments_charge c ON c.order_id = o.id "
        "WHERE (o.state = 'debit') <> (c.id IS NOT NULL)",
    )


def _accept_twice() -> Race:
    """The owner accepts whole while a colleague refuses the plate (ORD-05): one charge, of what was accepted."""
    plates = dict(Line.objects.filter(sku="PLA-HONDO").values_list("order_id", "id"))

    def whole(number: int, order_id: int) -> Outcome[Any]:
        return services.accept([order_id], by=SELLER, at=AT + HOUR)

    def partly(number: int, order_id: int) -> Outcome[Any]:
        answer = services.Answer({plates[order_id]: "Sin existencias"})
        return services.accept({order_id: answer}, by=SELLER, at=AT + HOUR)

    return Race(
        State.PENDING_ACCEPTANCE,
        whole,
        partly,
        lambda number: either(Verb.ACCEPT, Verb.ACCEPT),
        """
        SELECT o.id FROM orders_order o JOIN orders_line l ON l.order_id = o.id
          LEFT JOIN (SELECT order_id, sum(amount_cents) AS cents FROM payments_charge GROUP BY 1) c ON c.order_id = o.id
         GROUP BY o.id, c.cents
        HAVING o.total_cents <> sum(l.goods_cents + l.shipping_cents) FILTER (WHERE l.decision = 'accepted')
            OR o.total_cents IS DISTINCT FROM c.cents
        """,
    )


def _ship_or_cancel() -> Race:
    """One of the shop hands the goods over, every other time only a part, while another cancels (CAN-04)."""
    jars = dict(Line.objects.filter(sku="JAR-AZUL").values_list("order_id", "id"))

    def ship(number: int, order_id: int) -> Outcome[Any]:
        part = {jars[order_id]: 1} if number % 2 else None
        parcel = services.Parcel(carrier_name=SEUR, tracking="1", quantities=part)
        return services.ship({order_id: parcel}, by=SELLER, at=AT + 2 * HOUR)

    def cancel(number: int, order_id: int) -> Outcome[Any]:
        return services.cancel([order_id], reason="El cliente lo pide", by=SELLER, at=AT + 2 * HOUR)

    return Race(
        State.AWAITING_SHIPMENT,
        ship,
        cancel,
        lambda number: either(Verb.HAND_OVER if number % 2 else Verb.SHIP, Verb.CANCEL),
        """
        SELECT o.id FROM orders_order o
          LEFT JOIN orders_shipment s ON s.order_id = o.id LEFT JOIN payments_payback p ON p.order_id = o.id
         WHERE (o.state = 'cancelled') <> (p.id IS NOT NULL) OR (o.state = 'cancelled') = (s.id IS NOT NULL)
        """,
    )


def _receive_or_hold() -> Race:
    """The clock counts an order as received while the operator holds it: never received once it is held (ORD-06).

    A received order may still be held, from settlement; so both may move it, in this order only.
    """
    receive_at = AT + 2 * HOUR + timedelta(days=21)

    def receive(number: int, order_id: int) -> Outcome[Any]:
        return services.receive([order_id], skip_locked=number % 2 == 0, by=CLOCK, at=receive_at)

    def hold(number: int, order_id: int) -> Outcome[Any]:
        return services.hold([order_id], HoldKind.OPERATOR, by=OPERATOR, at=receive_at)

    return Race(
        State.SHIPPED,
        receive,
        hold,
        lambda number: {(True, True, ("receive", "hold")), (False, True, ("hold",))},
        "SELECT o.id FROM orders_order o LEFT JOIN ledger_entry e ON e.order_id = o.id AND e.kind = 'receive' "
        "WHERE (o.state = 'received') <> (e.id IS NOT NULL) OR o.held_at IS NULL",
    )


def _settle_twice(cycle: Cycle) -> Race:
    """Two runs collect the same order into the same cycle (SET-03)."""

    def settle(number: int, order_id: int) -> Outcome[Any]:
        waits = number % 2 == 1
        return settlements.collect(cycle, [order_id], skip_locked=not waits, by=CLOCK, at=cycle.closes_at)

    return Race(
        State.RECEIVED,
        settle,
        settle,
        lambda number: either(Verb.SETTLE, Verb.SETTLE),
        "SELECT o.id FROM orders_order o LEFT JOIN settlements_statementline l ON l.order_id = o.id "
        "GROUP BY o.id HAVING count(l.id) <> 1",
    )


@pytest.mark.rule("ORD-02")
@pytest.mark.rule("ORD-04")
def test_accepting_at_the_deadline_and_expiring_after_it_never_both_happen(ground: Ground) -> None:
    orders = brought_to(State.PENDING_ACCEPTANCE, ground.channel, ground.shop, ROUNDS)
    holds(run(_accept_or_expire(), orders))


def test_control_accept_and_expire_without_the_lock(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    orders = brought_to(State.PENDING_ACCEPTANCE, ground.channel, ground.shop, ROUNDS)
    take_the_lock_away(monkeypatch)
    breaks(run(_accept_or_expire(), orders))
    assert "I7" in broken_invariants()


@pytest.mark.rule("ORD-05")
@pytest.mark.rule("PAY-01")
def test_two_answers_to_one_order_are_one_answer_and_one_charge(ground: Ground) -> None:
    orders = brought_to(State.PENDING_ACCEPTANCE, ground.channel, ground.shop, ROUNDS)
    holds(run(_accept_twice(), orders))


def test_control_two_answers_without_the_lock(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second wall is the unique keys of charges: an order has one first attempt, and one open charge."""
    orders = brought_to(State.PENDING_ACCEPTANCE, ground.channel, ground.shop, ROUNDS)
    take_the_lock_away(monkeypatch)
    verdict = run(_accept_twice(), orders)
    breaks(verdict)
    assert verdict.wrong == 0
    assert set(verdict.errors) <= {"charge_one_open", "charge_once_an_attempt"}


@pytest.mark.rule("CAN-04")
@pytest.mark.rule("CAN-05")
@pytest.mark.rule("SHP-03")
def test_an_order_is_shipped_or_cancelled_never_both(ground: Ground) -> None:
    orders = brought_to(State.AWAITING_SHIPMENT, ground.channel, ground.shop, ROUNDS)
    holds(run(_ship_or_cancel(), orders))


def test_control_ship_and_cancel_without_the_lock(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    orders = brought_to(State.AWAITING_SHIPMENT, ground.channel, ground.shop, ROUNDS)
    take_the_lock_away(monkeypatch)
    breaks(run(_ship_or_cancel(), orders))
    assert "I7" in broken_invariants()


@pytest.mark.rule("ORD-06")
@pytest.mark.rule("SHP-07")
def test_an_order_on_hold_is_not_received(ground: Ground) -> None:
    orders = brought_to(State.SHIPPED, ground.channel, ground.shop, ROUNDS)
    verdict = run(_receive_or_hold(), orders)
    assert verdict.rounds == verdict.right > 0, verdict
    assert all(verdict.winners[side] for side in ("both", "right")), verdict
    assert broken_invariants() == []


def test_control_receive_and_hold_without_the_lock(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    orders = brought_to(State.SHIPPED, ground.channel, ground.shop, ROUNDS)
    take_the_lock_away(monkeypatch)
    breaks(run(_receive_or_hold(), orders))


def _closing(ground: Ground) -> datetime:
    closes_at = next_closing_of(ground.channel)
    assert closes_at is not None
    return closes_at


@pytest.mark.rule("SET-03")
def test_two_settlements_of_one_order_pay_it_once(ground: Ground) -> None:
    orders = brought_to(State.RECEIVED, ground.channel, ground.shop, ROUNDS)
    cycle = Cycle.objects.create(channel=ground.channel, closes_at=_closing(ground))
    holds(run(_settle_twice(cycle), orders))
    tick("statements", cycle.closes_at + HOUR)
    share = sum(
        order.charged_cents - order.commission_cents - order.commission_vat_cents
        for order in Order.objects.filter(state=State.CLOSED)
    )
    assert [payout.amount_cents for payout in Payout.objects.all()] == [share]
    assert share == ROUNDS * (8400 - 1008 - 212)
    assert broken_invariants() == []


def test_control_two_settlements_without_the_lock(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second wall is the unique keys of statement lines: an order has one, its entry too."""
    orders = brought_to(State.RECEIVED, ground.channel, ground.shop, ROUNDS)
    cycle = Cycle.objects.create(channel=ground.channel, closes_at=_closing(ground))
    take_the_lock_away(monkeypatch)
    verdict = run(_settle_twice(cycle), orders)
    breaks(verdict)
    assert verdict.wrong == 0
    assert set(verdict.errors) <= {"order_settled_once", "settlements_statementline_entry_id_key"}


def test_control_two_settlements_with_neither_lock_nor_key(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the second wall too, orders are paid twice, and the invariants say so."""
    orders = brought_to(State.RECEIVED, ground.channel, ground.shop, ROUNDS)
    cycle = Cycle.objects.create(channel=ground.channel, closes_at=_closing(ground))
    take_the_lock_away(monkeypatch)
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX order_settled_once")
        cursor.execute(
            "ALTER TABLE settlements_statementline DROP CONSTRAINT settlements_statementline_entry_id_key"
        )
    verdict = run(_settle_twice(cycle), orders)
    breaks(verdict)
    assert verdict.winners["both"] > ROUNDS / 2, verdict
    assert {"I5", "I7"} <= set(broken_invariants())
