"""The demonstration: every state at hand, the books in order, made once, and never on a real site."""

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone

from dashboard.queries import figures
from marketplace import invariants, timers
from marketplace.celery import BY_NAME
from marketplace.clocks import Calendar
from messaging.models import Notice
from orders.models import CarrierRequest, CommissionRate, Event, Granting, Hold, Order, Shipment
from orders.states import HoldKind, State, Verb
from payments.models import Charge, Payback
from payments.states import AskState
from playback.demo.lives import Hours, invent
from playback.demo.making import fill
from playback.demo.people import FILE, OPERATOR, OWNER, PASSWORD, SUPPLIER, SUPPORT, move_in
from sellers.models import Membership, Shop, User
from settlements.models import Payout
from settlements.states import PayoutState
from tests.conftest import AT

SMALL = 0.02


@pytest.fixture
def development(settings: Any, tmp_path: Path) -> Path:
    settings.DEVELOPMENT = True
    settings.HOME = tmp_path
    return tmp_path


def demo(**options: Any) -> str:
    said = StringIO()
    call_command("demo", stdout=said, **options)
    return said.getvalue()


@pytest.mark.django_db
def test_the_first_shop_has_every_state_and_every_hold_at_hand(development: Path) -> None:
    demo(scale=SMALL)
    now = timezone.now()
    shop = Shop.objects.get(code="ceramicas-alba")
    mine = Order.objects.filter(shop=shop)
    assert set(mine.values_list("state", flat=True)) == set(State.values)
    standing = Hold.objects.filter(shop=shop, released_at=None)
    assert set(standing.values_list("kind", flat=True)) == set(HoldKind.values)
    assert mine.filter(state=State.PENDING_ACCEPTANCE, held_at=None).count() == 7
    to_ship = mine.filter(state=State.AWAITING_SHIPMENT, held_at=None)
    assert (to_ship.count(), to_ship.filter(to_confirm=1).count(), to_ship.filter(ships=False).count()) == (
        16,
        2,
        1,
    )
    assert to_ship.filter(ship_by__lt=now).count() == 1
    assert to_ship.filter(parcels=1).count() == 2
    verbs = Counter(Event.objects.values_list("verb", flat=True))
    assert all(
        verbs[verb]
        for verb in (
            Verb.EXPIRE,
            Verb.REFUSE,
            Verb.CANCEL,
            Verb.DEBIT_FAILED,
            Verb.HAND_OVER,
            Verb.FULFIL,
            Verb.CONFIRM,
        )
    )
    assert Charge.objects.filter(state=AskState.ASKED, alerted_at__isnull=False).count() == 1
    assert Payback.objects.filter(state=AskState.SUCCEEDED).exists()
    assert Shipment.objects.filter(number=2).exists()
    assert not [result for result in invariants.check_all(at=timezone.now()) if result.failures]
    _is_told_by_mail()
    asked = CarrierRequest.objects.order_by("id").values_list("state", flat=True)
    assert list(asked) == [Granting.DECLINED, Granting.OPEN]
    assert CommissionRate.objects.get().from_day > timezone.localdate(now)
    later = timers.run(BY_NAME["payback"], at=timezone.now())
    assert (later.parked, later.done > 0) == (0, True)


def _is_told_by_mail() -> None:
    loud = Notice.objects.filter(muted=False)
    assert 10 <= loud.count() <= 40
    assert "debit_stuck" in loud.values_list("event", flat=True)
    assert not re.search(r"@(?!\S+\.example\b)", " ".join(Notice.objects.values_list("email", flat=True)))


@pytest.mark.django_db
@pytest.mark.parametrize(("days", "hours"), [(0, -9.95), (4, 13.9), (5, 2), (13, 13.95), (26, 1)])
def test_it_can_be_made_on_any_day_and_hour(db: None, days: int, hours: float) -> None:
    """Around midnight, on Saturdays, Sundays and holidays, after a settlement, when the clocks have changed."""
    at = AT + timedelta(days=days, hours=hours)
    fill(move_in(at=at), scale=0, at=at)
    shop = Shop.objects.get(code="ceramicas-alba")
    states = Counter(Order.objects.filter(shop=shop).values_list("state", flat=True))
    assert (states[State.PENDING_ACCEPTANCE], states[State.AWAITING_SHIPMENT]) == (8, 20)
    assert states[State.RECEIVED] == 2
    assert not [result for result in invariants.check_all(at=at) if result.failures]


@pytest.mark.django_db
def test_a_working_morning_has_something_due_today(db: None) -> None:
    fill(move_in(at=AT), scale=0, at=AT)
    seen = figures(Membership(shop=Shop.objects.get(code="ceramicas-alba")), AT)
    assert (seen.accept, seen.accept_today, seen.ship_today, seen.late, seen.held) == (8, 2, 4, 1, 6)


def test_the_same_moment_makes_the_same_lives() -> None:
    hours = Hours(Calendar(timezone="Europe/Madrid", country="ES", subdivision="MD"))
    first, second = (invent(60, hours, seed="trastienda", now=AT) for _ in range(2))
    assert first == second
    assert first != invent(60, hours, seed="other", now=AT)


@pytest.mark.django_db
def test_older_statements_are_paid_and_the_last_is_on_its_way(db: None) -> None:
    at = AT + timedelta(days=16)
    fill(move_in(at=at), scale=0.04, at=at)
    states = set(Payout.objects.values_list("created_at__date", "state"))
    assert {state for _, state in states} == {PayoutState.PAID, PayoutState.IN_TRANSIT}
    newest = max(day for day, _ in states)
    assert {day for day, state in states if state == PayoutState.IN_TRANSIT} == {newest}


def _sign_in_with(file: Path) -> None:
    signed = json.loads(file.read_text())
    assert [(row["email"], row["password"]) for row in signed] == [
        (OWNER, PASSWORD),
        (SUPPORT, PASSWORD),
        (SUPPLIER, PASSWORD),
        (OPERATOR, PASSWORD),
    ]
    for row in signed:
        assert User.objects.get(email=row["email"]).check_password(row["password"])
    assert Membership.objects.get(user__email=SUPPORT).role == Membership.Role.SUPPORT
    assert User.objects.get(email=OPERATOR).is_superuser
    assert set(Shop.objects.values_list("account_manager__email", flat=True)) == {OPERATOR}


@pytest.mark.django_db
def test_twice_is_once_and_a_lost_file_is_written_again(development: Path) -> None:
    assert "baskets" in demo(scale=SMALL)
    _sign_in_with(development / FILE)
    before = list(Order.objects.order_by("id").values_list("id", "state", "moved_at"))
    (development / FILE).unlink()
    assert demo(scale=SMALL) == ""
    assert list(Order.objects.order_by("id").values_list("id", "state", "moved_at")) == before
    _sign_in_with(development / FILE)


@pytest.mark.django_db
def test_a_site_with_shops_of_its_own_is_left_alone(development: Path, shop: Shop) -> None:
    assert demo() == ""
    assert not Order.objects.exists()
    assert not (development / FILE).exists()


@pytest.mark.django_db
def test_a_real_site_never_gets_passwords_that_everybody_knows(settings: Any) -> None:
    settings.DEVELOPMENT = False
    with pytest.raises(CommandError, match="development sites only"):
        demo(scale=SMALL)
    assert not Shop.objects.exists()
    assert not User.objects.exists()


def test_killed_half_way_it_leaves_nothing_and_the_next_makes_it_whole(
    own_database: str, tmp_path: Path
) -> None:
    environment = {**os.environ, "TRASTIENDA_HOME": str(tmp_path)}
    database = connections["default"].settings_dict
    environment["DATABASE_URL"] = f"postgresql://{database['USER']}@/{own_database}?host={database['HOST']}"
    command = [sys.executable, "manage.py", "demo", "--scale", str(SMALL)]
    half = subprocess.Popen(command, env=environment, cwd=settings.ROOT, stdout=subprocess.PIPE, text=True)
    assert half.stdout is not None
    assert "baskets" in half.stdout.readline()
    half.send_signal(signal.SIGKILL)
    half.communicate()
    assert half.returncode == -signal.SIGKILL
    assert _counted(own_database) == (0, 0)
    assert not (tmp_path / FILE).exists()
    whole = subprocess.run(
        command, env=environment, cwd=settings.ROOT, capture_output=True, text=True, check=True
    )
    assert "baskets in" in whole.stdout
    shops, orders = _counted(own_database)
    assert (shops, orders > 80) == (8, True)
    assert (tmp_path / FILE).exists()


def _counted(name: str) -> tuple[int, int]:
    database = connections["default"].settings_dict
    with psycopg.connect(host=str(database["HOST"]), user=str(database["USER"]), dbname=name) as line:
        row = line.execute(
            "SELECT (SELECT count(*) FROM sellers_shop), (SELECT count(*) FROM orders_order)"
        ).fetchone()
    assert row is not None
    return row[0], row[1]
