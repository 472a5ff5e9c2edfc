"""Two people at the same money: one of them records it, the other is told; without the lock, somebody gets an error."""

from typing import Any

import pytest

from ledger.models import Entry
from marketplace.policy import PRESETS, Preset
from marketplace.refusals import Code, Outcome, Refusal
from marketplace.services import publish_policy
from orders import services
from orders.models import Order
from orders.services import move
from orders.states import State
from payments import beforehand
from payments.couriers import Couriers
from payments.models import Charge, Collection, PaymentReference, Remittance
from payments.remitting import Cash, Remitting
from payments.verdicts import Fate
from tests.conftest import AT, OPERATOR
from tests.orders.lives import HOUR, SEUR, brought_to
from tests.races.arena import Act, Round, broken_invariants, race, take_the_lock_away
from tests.races.conftest import Ground
from tests.rounds import rounds, soaks

pytestmark = soaks

ROUNDS = rounds(100, 2000)


def _remit(ground: Ground, name: str) -> Act:
    """An operator records one order's cash with a remittance; the names of the two sides are not the same."""
    references = dict(Order.objects.values_list("id", "reference"))

    def act(number: int, order_id: int) -> Outcome[Any]:
        who = Couriers().called(SEUR)
        at = AT + 9 * HOUR
        remitting = Remitting(ground.channel, who, f"{name}-{number}", at, OPERATOR, at)
        (verdict,) = remitting.carry_out([Cash(1, references[order_id], 8400)])
        if verdict.fate == Fate.DONE:
            return Outcome([verdict])
        return Outcome([], [Refusal(order_id, verdict.code or Code.FAILED)])

    return act


def _collected(ground: Ground) -> list[int]:
    publish_policy(ground.channel, PRESETS[Preset.CASH_ON_DELIVERY], by="x", at=AT)
    return brought_to(State.DELIVERED, ground.channel, ground.shop, ROUNDS)


def _once(ended: list[Round]) -> list[Round]:
    """The rounds in which one side won, the other was refused, and nobody got an error."""
    return [one for one in ended if not one.errors and one.winner in ("left", "right")]


@pytest.mark.rule("PAY-06")
def test_two_operators_record_the_same_cash_at_once(ground: Ground) -> None:
    orders = _collected(ground)
    ended = race(orders, _remit(ground, "A"), _remit(ground, "B"))
    assert len(_once(ended)) == ROUNDS
    assert {one.winner for one in ended} == {"left", "right"}
    assert Entry.objects.filter(kind="remit").count() == Remittance.objects.count() == ROUNDS
    assert not Collection.objects.filter(remittance=None).exists()
    assert broken_invariants() == []


def test_control_the_same_cash_without_the_lock(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second wall is the key of the entry: the cash goes to the bank once all the same, but with an error."""
    orders = _collected(ground)
    left, right = _remit(ground, "A"), _remit(ground, "B")
    take_the_lock_away(monkeypatch)
    monkeypatch.setattr(services, "lock_orders", move.lock_orders)
    ended = race(orders, left, right)
    assert ROUNDS - len(_once(ended)) > ROUNDS / 2
    assert Entry.objects.filter(kind="remit").count() == ROUNDS


@pytest.mark.rule("ORD-07")
def test_one_payment_for_two_baskets_at_once_pays_one_of_them(ground: Ground) -> None:
    publish_policy(ground.channel, PRESETS[Preset.PREPAID], by="x", at=AT)
    ones = brought_to(State.PENDING_PAYMENT, ground.channel, ground.shop, ROUNDS)
    others = brought_to(State.PENDING_PAYMENT, ground.channel, ground.shop, ROUNDS)

    def one(number: int, order_id: int) -> Outcome[Any]:
        return beforehand.confirm({order_id: f"pi_{number}"}, by=OPERATOR, at=AT + HOUR)

    def other(number: int, order_id: int) -> Outcome[Any]:
        return beforehand.confirm({others[number]: f"pi_{number}"}, by=OPERATOR, at=AT + HOUR)

    ended = race(ones, one, other)
    assert len(_once(ended)) == ROUNDS
    assert Charge.objects.count() == PaymentReference.objects.count() == ROUNDS
    assert broken_invariants() == []
