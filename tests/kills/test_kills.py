"""kill -9 of a worker anywhere in its work: started again, it ends where one that lived would have ended.

The points of death are drawn evenly over all commits and all statements of a whole run, from a fixed seed. Each
trial has a copy of the same database, kills its worker once or several times, then lets one live; everything that
was written is compared with what an unkilled worker writes.
"""

import random
import signal
from collections import Counter
from datetime import datetime, timedelta

import pytest

from marketplace.celery import BY_NAME
from orders.models import Order
from orders.states import State
from payments.models import Charge, Payback, SandboxBook
from payments.states import AskState
from settlements.models import Payout
from tests.conftest import AT
from tests.kills.books import told
from tests.kills.conftest import EACH, SHOPS, Death, End, Workers, copy_of
from tests.orders.lives import HOUR
from tests.races.arena import broken_invariants
from tests.rounds import rounds, soaks

pytestmark = soaks

KILLS = rounds(10, 200)
TICKS = 100
DUE_AT = AT + timedelta(days=40)
WAYS = (("before", "commits"), ("after", "commits"), ("amid", "statements"))


def a_death(luck: random.Random, counted: dict[str, int]) -> Death:
    """Some point of a run that makes so many commits and statements."""
    how, what = luck.choice(WAYS)
    return how, luck.randint(1, counted[what])


def to_the_end(workers: Workers, timer: str, at: datetime) -> None:
    """Ticks until nothing is due: the locks of a dead worker outlive it by a moment, and are passed over."""
    for _ in range(TICKS):
        workers.run((timer, at))
        due_at = BY_NAME[timer].next_due()
        if due_at is None or due_at > at:
            return
    raise AssertionError(f"{timer} is still due")


def killed(workers: Workers, timer: str, deaths: list[Death], *, apart: str = "") -> int:
    """Kill a worker at each of these points in turn; answers how many died, because the later ones have less to do."""
    ends = [workers.run((timer, DUE_AT), death=death, apart=apart)[0] for death in deaths]
    assert {end.signal for end in ends} <= {0, signal.SIGKILL}
    return sum(end.signal == signal.SIGKILL for end in ends)


type Written = dict[str, list[tuple[object, ...]]]


def undisturbed(workers: Workers, source: str, timer: str) -> tuple[Written, End]:
    """What one worker writes that nobody kills, and what it counted."""
    with copy_of(source):
        (end,) = workers.run((timer, DUE_AT))
        assert end.tallies == [(timer, SHOPS * EACH, 0)]
        assert broken_invariants() == []
        return told(), end


@pytest.mark.parametrize(
    "timer",
    [
        pytest.param("expire", marks=pytest.mark.rule("ORD-02")),
        pytest.param("statements", marks=[pytest.mark.rule("SET-03"), pytest.mark.rule("SET-04")]),
    ],
)
def test_a_killed_worker_leaves_nothing_out_and_does_nothing_twice(
    timer: str, workers: Workers, all_due: str
) -> None:
    wanted, whole = undisturbed(workers, all_due, timer)
    survives(workers, all_due, timer, wanted, whole)


def survives(workers: Workers, source: str, timer: str, wanted: Written, whole: End) -> None:
    """Killed again and again, the work ends as if nobody had been killed."""
    luck = random.Random(timer)
    died = 0
    while died < KILLS:
        with copy_of(source):
            deaths = [a_death(luck, whole.counted) for _ in range(luck.randint(1, 3))]
            died += killed(workers, timer, deaths)
            to_the_end(workers, timer, DUE_AT)
            assert told() == wanted, deaths
            assert broken_invariants() == [], deaths


@pytest.mark.rule("SET-01", "SET-03", "SET-08", "REF-04")
def test_a_killed_settlement_leaves_no_refund_and_no_debt_out(workers: Workers, all_sorts_due: str) -> None:
    with copy_of(all_sorts_due):
        (whole,) = workers.run(("statements", DUE_AT))
        wanted = told()
        assert broken_invariants() == []
    assert Counter(row[1] for row in wanted["lines"]) == {
        "orders": EACH * SHOPS // 2,
        "refund": SHOPS // 2,
        "adjustment": SHOPS // 2,
    }
    assert {row[-2] for row in wanted["statements"]} == {"", "negative"}
    survives(workers, all_sorts_due, "statements", wanted, whole)


@pytest.mark.rule("SET-03")
def test_every_order_is_paid_once(workers: Workers, all_due: str) -> None:
    """The books that the killed workers are compared with: each shop's orders, less commission and its VAT."""
    wanted, _ = undisturbed(workers, all_due, "statements")
    share = 8400 - 1008 - 212
    assert [row[1] for row in wanted["payouts"]] == [EACH * share] * SHOPS
    assert Counter(row[1] for row in wanted["orders"]) == {
        State.CLOSED: SHOPS * EACH,
        State.PENDING_ACCEPTANCE: SHOPS * EACH,
    }
    assert len(wanted["lines"]) == SHOPS * EACH


def test_control_the_two_writes_apart_lose_orders(workers: Workers, all_due: str) -> None:
    """Orders closed in one transaction and written into their statement in another: kills between them lose orders,
    and the comparison and the invariants both find it."""
    luck = random.Random("apart")
    with copy_of(all_due):
        (whole,) = workers.run(("statements", DUE_AT), apart="settlement")
        assert broken_invariants() == []
    wanted, _ = undisturbed(workers, all_due, "statements")
    lost = died = 0
    while died < KILLS // 2:
        with copy_of(all_due):
            died += killed(workers, "statements", [a_death(luck, whole.counted)], apart="settlement")
            to_the_end(workers, "statements", DUE_AT)
            found = "I5" in broken_invariants()
            assert (told() != wanted) == found
            paid = sum(Payout.objects.values_list("amount_cents", flat=True))
            assert (paid < SHOPS * EACH * (8400 - 1008 - 212)) == found
            lost += found
    assert lost > KILLS / 10, lost


@pytest.mark.rule("ORD-02")
@pytest.mark.rule("SET-03")
@pytest.mark.rule("SET-04")
def test_two_clocks_at_once_are_one_clock(workers: Workers, all_due: str) -> None:
    """Two beats, or a task delivered twice: each order is moved by one of them, and a third finds nothing to do."""
    both = ("expire", "statements")
    work = [(name, DUE_AT) for name in both]
    with copy_of(all_due):
        workers.run(*work)
        wanted = told()
    with copy_of(all_due):
        ends = workers.run(*work, at_once=2)
        for n, name in enumerate(both):
            assert [end.tallies[n][0] for end in ends] == [name, name]
            assert sum(end.tallies[n][1] for end in ends) == SHOPS * EACH, ends
        assert told() == wanted
        assert broken_invariants() == []
        (late,) = workers.run(*work)
        assert late.tallies == [(name, 0, 0) for name in both]
        assert told() == wanted


MONEY = ("charge", "payback")


def drained(workers: Workers, at: datetime) -> None:
    """Run the drains of money hour by hour until nothing waits; a lease that a dead worker left lapses meanwhile."""
    for hour in range(TICKS):
        workers.run(*((name, at + hour * HOUR) for name in MONEY))
        if not any(BY_NAME[name].next_due() for name in MONEY):
            return
    raise AssertionError("money is still waiting")


def really_moved(**which: str) -> Counter[tuple[str, int]]:
    """What the provider's own books say it did: (kind, cents), each as often as it did it."""
    books = SandboxBook.objects.filter(status="succeeded", **which)
    return Counter(books.values_list("kind", "amount_cents"))


def known_to_have_moved() -> Counter[tuple[str, int]]:
    """The same, as we have it."""
    known: Counter[tuple[str, int]] = Counter()
    for kind, model in zip(MONEY, (Charge, Payback), strict=True):
        for cents in model.objects.filter(state=AskState.SUCCEEDED).values_list("amount_cents", flat=True):
            known[kind, cents] += 1
    return known


@pytest.mark.rule("PAY-01")
@pytest.mark.rule("PAY-02")
@pytest.mark.rule("CAN-05")
def test_a_worker_killed_after_the_provider_charged_never_charges_twice(
    workers: Workers, all_asked: str
) -> None:
    luck = random.Random("charges")
    wanted = {("charge", 8400): 6 + 14, ("payback", 8400): 6}
    at = AT + 2 * HOUR
    work = [(name, at) for name in MONEY]
    with copy_of(all_asked):
        (whole,) = workers.run(*work)
    for n in range(KILLS):
        with copy_of(all_asked):
            charged = ("charged", luck.randint(1, whole.counted["charges"]))
            death = a_death(luck, whole.counted) if n % 2 else charged
            (end,) = workers.run(*work, death=death)
            assert end.signal == signal.SIGKILL
            drained(workers, at + timedelta(minutes=3))
            assert really_moved() == known_to_have_moved() == wanted, death
            asked = SandboxBook.objects.exclude(card="down").values_list("times_asked", flat=True)
            assert set(asked) == {1}, death
            assert Counter(Order.objects.values_list("state", flat=True)) == {
                State.AWAITING_SHIPMENT: 14,
                State.FAILED: 2,
                State.CANCELLED: 6,
            }, death
            assert broken_invariants() == [], death


def test_control_a_new_key_at_each_try_charges_twice(workers: Workers, all_asked: str) -> None:
    """The same kills of a worker that asks anew instead of looking up; the provider's books show the second charge."""
    luck = random.Random("anew")
    at = AT + 2 * HOUR
    later = at + timedelta(minutes=3)
    for kills in (0, *[1] * (KILLS // 2)):
        with copy_of(all_asked):
            for _ in range(kills):
                death = ("charged", luck.randint(1, 4))
                (end,) = workers.run(("charge", at), death=death, apart="charges")
                assert end.signal == signal.SIGKILL
            workers.run(("charge", later), apart="charges")
            assert really_moved(card="ok", kind="charge") == {("charge", 8400): 6 + 6 + kills}
