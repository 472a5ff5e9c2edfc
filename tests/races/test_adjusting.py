"""Two operators approve the same adjustment at once: the books have it one time; without the lock one gets an error."""

from typing import Any

import pytest

from ledger.models import Balance, Entry
from marketplace.models import Channel
from marketplace.refusals import Outcome
from sellers.desk import operator
from settlements import adjusting
from settlements.models import Adjustment
from tests.conftest import AT, _person
from tests.races.arena import Act, Round, broken_invariants, race
from tests.races.conftest import Ground
from tests.rounds import rounds, soaks

pytestmark = soaks
ROUNDS = rounds(40, 2000)


def _asked(ground: Ground) -> list[int]:
    olga = operator(_person("olga@operador.example", "Olga", is_staff=True))
    channel = Channel.objects.select_related("policy").get(id=ground.channel.id)
    return [
        adjusting.ask(ground.shop, channel, 20_000, reason="Campaña", by=olga, at=AT).id
        for _ in range(ROUNDS)
    ]


def _approves(name: str) -> Act:
    who = operator(_person(f"{name}@operador.example", name, is_staff=True))

    def act(number: int, adjustment_id: int) -> Outcome[Any]:
        return adjusting.approve([adjustment_id], by=who, at=AT)

    return act


def _both_approve(ground: Ground) -> list[Round]:
    return race(_asked(ground), _approves("pepe"), _approves("eva"))


@pytest.mark.rule("SET-01", "SET-04")
def test_two_approve_the_same_adjustment_at_once(ground: Ground) -> None:
    ended = _both_approve(ground)
    assert {one.winner for one in ended} <= {"left", "right"}
    assert not [one.errors for one in ended if one.errors]
    assert Entry.objects.count() == ROUNDS
    assert Balance.objects.get().payable_cents == 20_000 * ROUNDS
    assert broken_invariants() == []


def test_control_without_the_lock_somebody_gets_an_error(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unlocked(ids: list[int]) -> list[Adjustment]:
        return list(Adjustment.objects.filter(id__in=ids).order_by("id"))

    monkeypatch.setattr(adjusting, "lock_asked", unlocked)
    ended = _both_approve(ground)
    assert [one for one in ended if one.errors]
    assert Entry.objects.count() == ROUNDS  # the key in the books is the last wall
