"""The two probes: whether the process lives, and whether pages can be served; broker and clock are told beside it."""

import json
import os
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from marketplace import health, timers
from marketplace.celery import BY_NAME
from marketplace.models import Parked
from orders.models import Order
from sellers.models import Shop
from tests.conftest import AT, PASSWORD, Placing
from tests.production.test_deploy import on_a_server

NOBODY = "redis://127.0.0.1:1/0"


def ready() -> tuple[int, dict[str, Any]]:
    """What a probe that comes for the first time is told."""
    probes = health.Probes(lambda request: HttpResponse("another page"))
    answer = probes(RequestFactory().get(health.READY, headers={"host": "10.1.2.3"}))
    return answer.status_code, json.loads(answer.content)


@pytest.fixture
def _no_broker(settings: Any) -> None:
    settings.REDIS_URL = NOBODY


def test_a_process_lives_without_a_database_and_by_any_name() -> None:
    answer = Client(headers={"host": "10.1.2.3"}).get(health.LIVE)
    assert (answer.status_code, answer.content) == (200, b"ok")


@pytest.mark.django_db
def test_ready() -> None:
    assert ready() == (200, {"database": "ok", "clock": "ok", "broker": "ok"})


@pytest.mark.django_db
@pytest.mark.usefixtures("_no_broker")
def test_a_broker_that_is_down_is_told_and_takes_no_page_away() -> None:
    assert ready() == (200, {"database": "ok", "clock": "ok", "broker": "down"})


@pytest.mark.django_db
def test_a_clock_that_nobody_wakes_is_told_by_name(place: Placing, shop: Shop) -> None:
    place()
    assert ready() == (
        200,
        {"database": "ok", "clock": "behind", "late": ["expire", "notices"], "broker": "ok"},
    )
    order = Order.objects.get()
    assert order.accept_by is not None
    late_at = order.accept_by + timers.patience(BY_NAME["expire"])
    assert "expire" not in timers.late(at=late_at)
    assert "expire" in timers.late(at=late_at + timedelta(seconds=1))


@pytest.mark.django_db
def test_a_row_that_was_set_aside_explains_a_timer_that_is_behind(place: Placing) -> None:
    order = place()
    Parked.objects.create(timer="expire", subject_id=order.id, trace="–", parked_at=AT, retry_at=AT)
    assert timers.late(at=timezone.now()) == ["notices"]


@pytest.mark.django_db
def test_a_database_that_is_not_migrated_is_not_ready() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'orders' AND name > '0001_z'")
    status, told = ready()
    assert (status, told["database"], told["clock"]) == (503, "not migrated", "unknown")


def test_a_database_that_is_down_is_not_ready_and_the_process_lives() -> None:
    """In a process of its own: the tests' connection is not to be lost."""
    asked = (
        "import django; django.setup()\n"
        "from django.test import Client\n"
        "told = Client(headers={'host': '10.1.2.3'}).get('/health/ready')\n"
        "print(told.status_code, told.json()['database'], Client().get('/health/live').status_code)"
    )
    done = on_a_server(
        "-c", asked, DATABASE_URL="postgresql://u:p@127.0.0.1:1/none", REDIS_URL=os.environ["REDIS_URL"]
    )
    assert done.stdout.split() == ["503", "down", "200"], done.stderr


@pytest.mark.django_db
def test_whoever_asks_often_costs_no_more(django_assert_num_queries: Any) -> None:
    readiness = health.Readiness()
    first = readiness.told()
    with django_assert_num_queries(0):
        assert readiness.told() is first


@pytest.mark.django_db
@pytest.mark.usefixtures("_no_broker")
def test_without_a_broker_pages_are_served_and_people_still_get_in(
    client: Client, alice: Any, place: Placing, settings: Any
) -> None:
    """Attempts to sign in are not counted meanwhile: the work of every shop weighs more than that."""
    order = place()
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": NOBODY}}
    alice.set_password(PASSWORD)
    alice.save()
    attempt = {"login": alice.email, "password": PASSWORD}
    assert client.post("/cuenta/entrar/", attempt).status_code == 302
    assert client.get("/").status_code == 200
    assert client.get(f"/pedidos/{order.reference}/").status_code == 200
