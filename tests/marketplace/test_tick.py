"""The timers by hand: `manage.py tick` does what the worker's task does, and neither needs the other."""

import logging
import socket
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from kombu import pools

from marketplace import bell, timers
from marketplace.celery import TIMERS, app
from marketplace.models import Parked, TimerRun
from marketplace.refusals import Tally
from marketplace.tasks import run as task
from orders import services
from orders.models import Event
from orders.states import State, Verb
from payments.models import Charge
from payments.states import AskState
from sellers.models import User
from tests.conftest import AT, SELLER, Placing, again

LATER = AT + timedelta(hours=73)


def tick(*names: str, **options: Any) -> str:
    said = StringIO()
    call_command("tick", *names, stdout=said, **options)
    return said.getvalue()


@pytest.mark.django_db
@pytest.mark.rule("ORD-02")
def test_what_was_not_accepted_lapses_by_tick_as_by_the_task(place: Placing) -> None:
    by_tick = place(at=AT)
    assert tick("expire", at=LATER.isoformat()) == "expire      1 done, 0 refused, 0 parked\n"
    by_task = place(at=AT)
    task("expire")
    assert again(by_tick).state == again(by_task).state == State.CANCELLED
    told = (
        Event.objects.filter(verb=Verb.EXPIRE)
        .order_by("id")
        .values_list("before", "after", "role", "by", "data")
    )
    assert len(told) == 2
    assert told[0] == told[1]


@pytest.mark.django_db
def test_twice_is_once(place: Placing) -> None:
    order = place(at=AT)
    tick("expire", at=LATER.isoformat())
    before = (again(order).moved_at, Event.objects.count(), TimerRun.objects.count())
    assert (
        tick("expire", at=(LATER + timedelta(hours=1)).isoformat())
        == "expire      0 done, 0 refused, 0 parked\n"
    )
    assert (again(order).moved_at, Event.objects.count(), TimerRun.objects.count()) == before


@pytest.mark.django_db
def test_all_run_once_in_their_order_and_each_says_what_it_did(place: Placing) -> None:
    order = place(at=AT)
    services.accept([order.id], by=SELLER, at=AT)
    said = tick(at=AT.isoformat()).splitlines()
    assert [line.split()[0] for line in said] == [timer.name for timer in TIMERS]
    assert "charge      1 done, 0 refused, 0 parked" in said
    assert again(order).state == State.AWAITING_SHIPMENT


@pytest.mark.django_db
def test_named_ones_run_in_the_order_of_the_list(place: Placing) -> None:
    said = tick("receive", "expire", at=AT.isoformat()).splitlines()
    assert [line.split()[0] for line in said] == ["expire", "receive"]


@pytest.mark.django_db
def test_before_its_moment_nothing_is_due(place: Placing) -> None:
    order = place(at=AT)
    assert (
        tick("expire", at=(AT - timedelta(days=400)).isoformat())
        == "expire      0 done, 0 refused, 0 parked\n"
    )
    assert again(order).state == State.PENDING_ACCEPTANCE


@pytest.mark.django_db
@pytest.mark.parametrize(
    "moment", ["9999-12-31T23:59:59Z", "2026-03-03T10:00", "mañana", "2026-13-45T00:00:00Z", "2026-03-03"]
)
def test_a_moment_says_its_offset(place: Placing, moment: str) -> None:
    order = place(at=AT)
    with pytest.raises(CommandError, match="with its offset") as refused:
        tick(at=moment)
    assert refused.value.returncode == 2
    assert again(order).state == State.PENDING_ACCEPTANCE


@pytest.mark.django_db
def test_an_unknown_name_is_told_the_known_ones(place: Placing) -> None:
    order = place(at=AT)
    with pytest.raises(
        CommandError, match=r"no such timer: caducar\. There are: expire, payments, lapse"
    ) as refused:
        tick("expire", "caducar", at=LATER.isoformat())
    assert refused.value.returncode == 2
    assert again(order).state == State.PENDING_ACCEPTANCE


@pytest.mark.django_db
def test_the_list_says_when_each_is_next_due(place: Placing) -> None:
    place(at=AT)
    said = tick(list=True).splitlines()
    assert len(said) == len(TIMERS)
    assert said[0].startswith("expire      every  20 s  next 2026-03-06 11:00:00 +0100  ")
    assert "nothing waits" in said[1]


@pytest.mark.django_db
def test_one_that_fails_does_not_stop_the_others(place: Placing, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*, at: object, tally: Tally) -> None:
        raise ZeroDivisionError("of no use")

    order = place(at=AT)
    monkeypatch.setattr("settlements.tasks.close_due_cycles", broken)
    complaints = StringIO()
    with pytest.raises(CommandError, match="failed: statements"):
        tick("statements", "expire", at=LATER.isoformat(), stderr=complaints)
    assert "ZeroDivisionError: of no use" in complaints.getvalue()
    assert again(order).state == State.CANCELLED
    assert TimerRun.objects.get(timer="statements").error == "ZeroDivisionError: of no use"
    assert not Parked.objects.exists()


def test_a_replay_holds_the_clock(own_database: str, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        other = connections["default"].copy()
        try:
            with other.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(%s)", [timers._LOCK])
            with pytest.raises(CommandError, match="holds the clock") as refused:
                tick("expire", at=LATER.isoformat())
            assert refused.value.returncode == 1
            task("expire")
            assert not TimerRun.objects.exists()
            with other.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock_all()")
        finally:
            other.close()
        assert tick("expire", at=LATER.isoformat()) == "expire      0 done, 0 refused, 0 parked\n"


def go(url: str) -> None:
    """Send the bell to another broker; connections that were open before are dropped."""
    app.pool.force_close_all()
    app.amqp.producer_pool.force_close_all()
    pools.reset()  # type: ignore[no-untyped-call]
    app._pool = app.amqp._producer_pool = None
    app.conf.broker_url = app.conf.broker_write_url = app.conf.broker_read_url = url


@pytest.fixture(params=["gone", "hangs"])
def dead_broker(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[None]:
    """The broker's address leads nowhere, or to somebody who takes calls and never says a word."""
    address = f"{tmp_path}/nobody.sock"
    with socket.socket(socket.AF_UNIX) as mute:
        if request.param == "hangs":
            mute.bind(address)
            mute.listen()
        go(f"redis+socket://{address}?virtual_host=0")
        yield
        go(settings.BROKER_URL)


@pytest.mark.django_db
def test_with_the_broker_down_the_page_does_its_work_and_the_clock_comes_by(
    dead_broker: None,
    place: Placing,
    alice: User,
    client: Client,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    order = place(at=timezone.now())
    client.force_login(alice)
    with (
        caplog.at_level(logging.WARNING, logger=bell.__name__),
        django_capture_on_commit_callbacks(execute=True),
    ):
        started = time.monotonic()
        answer = client.post(reverse("order_accept", args=[order.reference]), {"all": "1"})
    assert time.monotonic() - started < 8
    assert answer.status_code == 303
    assert again(order).state == State.DEBIT
    said = [record.getMessage() for record in caplog.records if record.name == bell.__name__]
    assert [line.rpartition(": ")[2] for line in said] == [
        "charge waits for its next tick",
        "notices waits for its next tick",
    ]
    assert Charge.objects.get(order=order).state == AskState.WAITING
    tick("charge")
    assert again(order).state == State.AWAITING_SHIPMENT
