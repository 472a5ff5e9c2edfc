"""Two operators make the file for the bank at once, two clocks bill the same statements: each thing is written once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from marketplace.models import Channel
from marketplace.refusals import Code, MoveRefused, Outcome, Tally
from marketplace.services import open_channel
from orders.states import State
from sellers.desk import operator
from sellers.models import Shop
from settlements import invoicing, payees, paying
from settlements.models import Invoice, PayoutFile, PayoutInFile, Series, Statement
from tests.conftest import ALBA, AT, OPERATOR, _person, told
from tests.orders.lives import brought_to, tick
from tests.races.arena import Act, Round, broken_invariants, race, read_without_lock
from tests.races.conftest import Ground
from tests.rounds import rounds, soaks

pytestmark = [*soaks, pytest.mark.rule("SET-05")]

ROUNDS = rounds(12, 300)
APRIL = datetime(2026, 3, 31, 22, 0, tzinfo=UTC)


def _travelling(ground: Ground) -> list[int]:
    """So many channels, each with a payout on its way."""
    told(ground.shop)
    found = []
    for number in range(ROUNDS):
        channel = open_channel(f"canal-{number}", f"Canal {number}", by="x", at=AT - timedelta(days=30))
        payees.keep_issuer(channel, ALBA, by=OPERATOR, at=AT)
        brought_to(State.RECEIVED, channel, ground.shop, 1)
        found.append(channel.pk)
    tick("statements", APRIL)
    return found


def _makes(name: str) -> Act:
    who = operator(_person(f"{name}@operador.example", name, is_staff=True))

    def act(number: int, channel_id: int) -> Outcome[Any]:
        try:
            return Outcome([paying.make_file(Channel.objects.get(id=channel_id), by=who, at=APRIL)])
        except MoveRefused as refused:
            return Outcome([], [refused.refusal])

    return act


def _both_make(ground: Ground) -> list[Round]:
    return race(_travelling(ground), _makes("pepe"), _makes("eva"))


def test_a_file_that_two_make_at_once_is_made_once(ground: Ground) -> None:
    ended = _both_make(ground)
    assert not [one.errors for one in ended if one.errors]
    assert {one.winner for one in ended} <= {"left", "right"}
    assert (PayoutFile.objects.count(), PayoutInFile.objects.filter(live=True).count()) == (ROUNDS, ROUNDS)
    with pytest.raises(MoveRefused) as refused:
        paying.make_file(Channel.objects.get(id=ended[0].order_id), by=OPERATOR, at=APRIL)
    assert refused.value.refusal.code == Code.NOTHING_TO_PAY
    assert broken_invariants() == []


def test_control_without_the_lock_the_second_click_is_an_error(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paying, "_one_at_a_time", lambda channel: None)
    ended = _both_make(ground)
    assert [one for one in ended if one.errors]
    assert PayoutInFile.objects.filter(live=True).count() == ROUNDS  # the unique key is the last wall


def _to_bill(ground: Ground) -> list[int]:
    """The closed statements of so many shops."""
    payees.keep_issuer(ground.channel, ALBA, by=OPERATOR, at=AT)
    for number in range(ROUNDS):
        shop = Shop.objects.create(
            code=f"tienda-{number}", name=f"Tienda {number}", contact_email="a@b.example"
        )
        brought_to(State.RECEIVED, ground.channel, told(shop), 1)
    tick("statements", APRIL)
    return list(Statement.objects.order_by("id").values_list("id", flat=True))


def _bills(number: int, statement_id: int) -> Outcome[Any]:
    return Outcome([statement_id] * invoicing.issue([statement_id], at=APRIL))


def test_two_clocks_that_bill_at_once_take_each_number_once(ground: Ground) -> None:
    ended = race(_to_bill(ground), _bills, _bills)
    assert not [one.errors for one in ended if one.errors]
    assert {one.winner for one in ended} <= {"left", "right"}
    numbers = list(Invoice.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(1, ROUNDS + 1))
    assert Series.objects.get().last_number == ROUNDS
    assert broken_invariants() == []


def test_two_clocks_that_bill_other_statements_share_one_series(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = _to_bill(ground)
    monkeypatch.setattr(invoicing, "BATCH", 1)

    def upwards(number: int, statement_id: int) -> Outcome[Any]:
        return _bills(number, statement_id)

    def downwards(number: int, statement_id: int) -> Outcome[Any]:
        return _bills(number, ids[-1 - number])

    ended = race(ids, upwards, downwards)
    assert not [one.errors for one in ended if one.errors]
    assert sorted(Invoice.objects.values_list("number", flat=True)) == list(range(1, ROUNDS + 1))
    assert broken_invariants() == []


def test_control_without_the_lock_a_statement_is_billed_twice_or_an_error(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = _to_bill(ground)
    read_without_lock(monkeypatch)
    ended = race(ids, _bills, _bills)
    assert [one for one in ended if one.errors or one.winner == "both"]


def test_a_clock_that_fails_half_way_leaves_no_gap(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is billed by the others meanwhile comes after the numbers that were given back."""
    ids = _to_bill(ground)
    row, failing = invoicing._row, set(ids[::3])

    def breaks(paper: Any, *args: Any, **words: Any) -> Any:
        if paper.statement.pk in failing:
            failing.discard(paper.statement.pk)
            raise RuntimeError("killed")
        return row(paper, *args, **words)

    monkeypatch.setattr(invoicing, "_row", breaks)
    ended = race(ids, _bills, lambda number, statement_id: _bills(number, ids[-1 - number]))
    assert [type(one.errors[0]) for one in ended if one.errors].count(RuntimeError) >= 1
    monkeypatch.undo()
    invoicing.issue_due(tally=Tally(), at=APRIL)
    assert sorted(Invoice.objects.values_list("number", flat=True)) == list(range(1, ROUNDS + 1))
    assert broken_invariants() == []
