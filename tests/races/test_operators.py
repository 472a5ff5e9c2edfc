"""Two at one row of what operators keep, and two providers with the same bad news: one is heard, nothing is lost.

Each has its control: the lock taken away, and both sides made to read before either writes.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from marketplace import services as ground_services
from marketplace import zones
from marketplace.admin_zones import ZoneForm
from marketplace.models import Channel, Zone
from marketplace.refusals import Outcome
from messaging import bounces
from messaging.bounces import Bounce, Heard
from messaging.models import Notice
from orders.admin_rates import RateForm
from orders.models import CommissionRate
from orders.states import State, Verb
from tests.conftest import AT
from tests.orders.lives import HOUR, brought_to
from tests.races.arena import PATIENCE_S, Act, Round, broken_invariants, race
from tests.races.conftest import Ground
from tests.rounds import rounds, soaks

pytestmark = soaks

ROUNDS = rounds(25, 400)
MONDAY = timezone.localdate() + timedelta(days=1)

type Unlock = Callable[..., None]


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> Unlock:
    """Take the row locks away, and let both sides have read this model before either goes on."""

    def without(model: type[Any], method: str) -> None:
        both_have_read = threading.Barrier(2, timeout=PATIENCE_S)
        read = getattr(QuerySet, method)

        def reading(rows: QuerySet[Any], *args: Any, **wishes: Any) -> Any:
            found = read(rows, *args, **wishes)
            if rows.model is model:
                both_have_read.wait()
            return found

        monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **wishes: rows)
        monkeypatch.setattr(QuerySet, method, reading)

    return without


def once(ended: Sequence[Round]) -> int:
    """In how many rounds exactly one side was heard, and nobody ended in an error."""
    return sum(1 for one in ended if one.winner in ("left", "right") and not one.errors)


def _bad_news(ground: Ground) -> tuple[list[int], Act]:
    orders = brought_to(State.PENDING_ACCEPTANCE, ground.channel, ground.shop, ROUNDS)
    notices = {n.order_id: n for n in Notice.objects.filter(audience="customer", event=Verb.PLACE)}
    for notice in notices.values():
        Notice.objects.filter(pk=notice.pk).update(message_id=f"<notice-{notice.pk}@localhost>")

    def hear(number: int, order_id: int) -> Outcome[Any]:
        notice = notices[order_id]
        news = Bounce(f"<notice-{notice.pk}@localhost>", notice.email, "550 no such user")
        heard = bounces.hear(news, source="brevo", at=AT + HOUR)
        return Outcome([order_id] if heard == Heard.NOTED else [])

    return orders, hear


@pytest.mark.rule("NOT-01")
def test_a_bounce_told_twice_at_once_is_noted_once(ground: Ground) -> None:
    orders, hear = _bad_news(ground)
    ended = race(orders, hear, hear)
    assert once(ended) == ROUNDS
    assert {one.ending[2] for one in ended} == {(Verb.MAIL_BOUNCED.value,)}
    assert broken_invariants() == []


def test_control_a_bounce_without_the_lock(ground: Ground, unlocked: Unlock) -> None:
    orders, hear = _bad_news(ground)
    unlocked(Notice, "first")
    ended = race(orders, hear, hear)
    assert sum(1 for one in ended if len(one.ending[2]) == 2) > ROUNDS / 2


def _closing(ground: Ground) -> tuple[Act, Act]:
    def close(offset: int) -> Act:
        def act(number: int, order_id: int) -> Outcome[Any]:
            day = MONDAY + timedelta(days=2 * number + offset)
            done = ground_services.close_on(ground.channel, day, f"Día {number}")
            return Outcome([number] if done else [])

        return act

    return close(0), close(1)


@pytest.mark.rule("ORD-16")
def test_two_closing_days_at_once_are_both_kept(ground: Ground) -> None:
    race(range(ROUNDS), *_closing(ground))
    channel = Channel.objects.get(pk=ground.channel.pk)
    assert (len(channel.closing_days), len(channel.closing_names)) == (2 * ROUNDS, 2 * ROUNDS)


def test_control_two_closing_days_without_the_lock(ground: Ground, unlocked: Unlock) -> None:
    unlocked(Channel, "get")
    race(range(ROUNDS), *_closing(ground))
    assert (
        len(Channel.objects.filter(pk=ground.channel.pk).values_list("closing_days", flat=True)[0])
        < 1.5 * ROUNDS
    )


def _same_prefix(side: str) -> Act:
    def act(number: int, order_id: int) -> Outcome[Any]:
        told = {"code": f"{side}-{number}", "name": side, "country": "ES", "prefixes": f"{10000 + number}"}
        with transaction.atomic():
            form = ZoneForm(told)
            if not form.is_valid():
                return Outcome()
            zones.set_prefixes(form.save(), form.cleaned_data["prefixes"])
        return Outcome([number])

    return act


@pytest.mark.rule("ROL-02")
def test_a_prefix_given_to_two_zones_at_once_goes_to_one(ground: Ground) -> None:
    ended = race(range(ROUNDS), _same_prefix("norte"), _same_prefix("sur"))
    assert once(ended) == ROUNDS
    assert Zone.objects.filter(name__in=["norte", "sur"]).count() == ROUNDS


def test_control_a_prefix_without_the_lock(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second wall is the unique key, which answers with an error instead of a word."""
    both_have_read, taken = threading.Barrier(2, timeout=PATIENCE_S), zones.taken

    def reading(*args: Any, **wishes: Any) -> Any:
        found = taken(*args, **wishes)
        both_have_read.wait()
        return found

    monkeypatch.setattr(zones, "hold_still", lambda: None)
    monkeypatch.setattr(zones, "taken", reading)
    ended = race(range(ROUNDS), _same_prefix("norte"), _same_prefix("sur"))
    assert sum(1 for one in ended if one.errors) > ROUNDS / 2


def _same_days(ground: Ground) -> Act:
    def act(number: int, order_id: int) -> Outcome[Any]:
        day = MONDAY + timedelta(days=number)
        told = {
            "channel": ground.channel.pk, "category": "Hogar", "shop": "", "percent": "10",
            "from_day": day.isoformat(), "until_day": (day + timedelta(days=1)).isoformat(),
        }  # fmt: skip
        with transaction.atomic():
            form = RateForm(told)
            if not form.is_valid():
                return Outcome()
            form.save()
        return Outcome([number])

    return act


@pytest.mark.rule("ROL-02")
def test_two_rates_for_the_same_days_at_once_are_one(ground: Ground) -> None:
    act = _same_days(ground)
    assert once(race(range(ROUNDS), act, act)) == ROUNDS
    assert CommissionRate.objects.count() == ROUNDS


def test_control_two_rates_without_lock_and_wall(ground: Ground, unlocked: Unlock) -> None:
    """The second wall is the exclusion constraint: nobody is ever charged two rates, but the second gets an error."""
    unlocked(CommissionRate, "first")
    act = _same_days(ground)
    ended = race(range(ROUNDS), act, act)
    assert sum(1 for one in ended if one.errors) > ROUNDS / 2
    assert CommissionRate.objects.count() == ROUNDS
