"""A month of three ways of trading at once: the books hold, and what others hold of the money is explained."""

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger.models import Account
from marketplace.models import Channel
from marketplace.policy import Preset
from orders.models import Order
from orders.states import State
from payments.couriers import Couriers
from payments.models import Charge, Collection, Payback
from payments.queries import explained
from payments.remitting import Cash, Remitting
from payments.states import AskState
from tests.conftest import OPERATOR
from tests.playback.test_replay import event, placed, replay, shipped

START = datetime(2024, 1, 3, 9, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SHOPS = ("uno", "dos", "tres")
BASKETS = 240

pytestmark = pytest.mark.django_db


def month() -> list[dict[str, Any]]:
    """Eight baskets a day for thirty days; most are answered, shipped and delivered, some are left on the way."""
    chance = random.Random(7)
    told: list[dict[str, Any]] = []
    for n in range(BASKETS):
        at, number = START + n * 3 * HOUR, f"M{n:04}"
        shops = chance.sample(SHOPS, chance.choice((1, 1, 2)))
        told.append(placed(at, number, *shops))
        for shop in shops:
            steps = chance.choices((0, 1, 2, 3), (8, 5, 12, 75))[0]
            moments = [at + chance.randint(2, 20) * HOUR]
            moments.append(moments[0] + chance.randint(5, 40) * HOUR)
            moments.append(moments[1] + chance.randint(1, 5) * DAY)
            told += [
                event(moments[0], "accepted", number, shop),
                shipped(moments[1], number, shop),
                event(moments[2], "delivered", number, shop),
            ][:steps]
    return sorted(told, key=lambda one: str(one["at"]))


@pytest.fixture
def history(tmp_path: Path) -> Path:
    path = tmp_path / "month.jsonl"
    path.write_text("\n".join(map(json.dumps, month())))
    return path


def balances() -> Counter[tuple[Account, str]]:
    """What the books say that couriers and providers hold, by channel; each is what is under way, or it fails."""
    names = dict(Channel.objects.values_list("id", "code"))
    found: Counter[tuple[Account, str]] = Counter()
    for one in explained():
        assert one.difference_cents == 0, one
        found[one.account, names[one.channel_id]] += one.balance_cents
    return found


@pytest.mark.rule("ORD-07", "PAY-06", "SET-04")
def test_a_month_of_all_three_closes_and_explains_what_others_hold(history: Path) -> None:
    at = START + 33 * DAY
    found = replay(history, preset="mixed", until=at.isoformat())
    assert found["invariants_failed"] == []
    assert found["parked"] == 0
    traded = Counter(Order.objects.values_list("channel__code", flat=True))
    assert set(traded) == {"historia", "historia-prepaid", "historia-cash-on-delivery"}
    assert min(traded.values()) > found["orders"] / 5
    for preset in Preset:
        states = set(Order.objects.filter(policy__settings__contains=preset).values_list("state", flat=True))
        assert {State.CANCELLED, State.AWAITING_SHIPMENT, State.SHIPPED, State.DELIVERED} & states

    held = balances()
    assert found["couriers_cents"] == held[Account.COURIER, "historia-cash-on-delivery"] > 0
    assert (
        found["providers_cents"]
        == held[Account.PROVIDER, "historia"] + held[Account.PROVIDER, "historia-prepaid"]
    )
    assert {account for account, _ in held} == {Account.COURIER, Account.PROVIDER}
    charged = sum(Charge.objects.filter(state=AskState.SUCCEEDED).values_list("amount_cents", flat=True))
    back = sum(Payback.objects.filter(state=AskState.SUCCEEDED).values_list("amount_cents", flat=True))
    assert found["providers_cents"] == charged - back

    remitted = _remit_half(at)
    after = balances()
    assert after[Account.COURIER, "historia-cash-on-delivery"] == found["couriers_cents"] - remitted


def _remit_half(at: datetime) -> int:
    """The courier hands over every other order's cash; answers how much."""
    owed = list(Collection.objects.select_related("order__channel").order_by("id"))[::2]
    channel = owed[0].order.channel
    cash = [Cash(n, one.order.reference, one.amount_cents) for n, one in enumerate(owed, 1)]
    remitting = Remitting(channel, Couriers().called("Correos"), "MES-1", at, OPERATOR, at)
    answers = remitting.carry_out(cash)
    assert [answer.code for answer in answers] == [None] * len(cash)
    return sum(one.amount_cents for one in owed)


def test_a_mixture_played_again_is_heard_once_and_goes_the_same_ways(history: Path) -> None:
    first = replay(history, preset="mixed")
    ways = dict(Order.objects.values_list("reference", "channel__code"))
    assert replay(history, preset="mixed") == first
    assert dict(Order.objects.values_list("reference", "channel__code")) == ways
