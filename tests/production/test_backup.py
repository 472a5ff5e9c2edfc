"""docs/operations.md says how to back up and restore: the commands bring everything back, books and guards included."""

import os
import re
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from django.utils import timezone

from devstack.postgres import binaries_for, server_account
from marketplace import timers
from marketplace.celery import BY_NAME
from marketplace.services import open_channel
from orders import services
from orders.models import Order
from sellers.models import Shop
from tests.conftest import JAR, PLATE, SELLER, basket
from tests.production.test_deploy import on_a_server

OPERATIONS = Path(settings.ROOT) / "docs" / "operations.md"


def _commands(program: str) -> list[str]:
    """The arguments that the page gives to one of PostgreSQL's programs, the file and the database left out."""
    text = OPERATIONS.read_text("utf-8").replace("\\\n", " ")
    (words,) = set(re.findall(rf"postgres {program} ((?:--[\w=-]+ )+)", text))
    return [word for word in words.split() if not word.startswith(("--dbname", "--username"))]


def _run(program: str, *arguments: str) -> None:
    place = binaries_for(server_account()) / "bin" / program
    done = subprocess.run(
        [str(place), *_commands(program), *arguments], env={"PATH": os.environ["PATH"]}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def _address(database: str) -> str:
    return re.sub(r"(://[^/]*)/[^?]*", rf"\1/{database}", os.environ["DATABASE_URL"])


def _contents(database: str) -> dict[str, Any]:
    """Every table with the number of its rows and a digest of them."""
    with psycopg.connect(_address(database)) as line:
        names = [
            name
            for (name,) in line.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
            )
        ]
        return {
            name: line.execute(
                f'SELECT count(*), md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM "{name}" t'
            ).fetchone()
            for name in names
        }


@pytest.fixture
def busy_database(own_database: str, django_db_blocker: Any) -> str:
    """Orders in several states, with entries in the books, notices and history."""
    now = timezone.now() - timedelta(hours=1)
    with django_db_blocker.unblock():
        channel = open_channel("tienda", "Tienda de pruebas", by="pruebas", at=now - timedelta(days=30))
        shop = Shop.objects.create(code="alba", name="Cerámicas Alba", contact_email="pedidos@alba.example")
        services.place(channel, [basket(shop, JAR, PLATE, at=now + timedelta(minutes=n)) for n in range(3)])
        first, second, _third = Order.objects.order_by("id").values_list("id", flat=True)
        services.accept([first, second], by=SELLER, at=now + timedelta(minutes=4))
        timers.run(BY_NAME["charge"], at=now + timedelta(minutes=5), record=False)
        services.ship(
            {first: services.Parcel(carrier_name="SEUR", tracking="S1")},
            by=SELLER,
            at=now + timedelta(minutes=6),
        )
        connections.close_all()
    return own_database


@pytest.fixture
def empty_database(busy_database: str) -> Iterator[str]:
    name = f"{busy_database}_restored"
    with psycopg.connect(_address("postgres"), autocommit=True) as line:
        line.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        yield name
        line.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_what_was_backed_up_comes_back_whole(busy_database: str, empty_database: str, tmp_path: Path) -> None:
    dump = tmp_path / "trastienda.dump"
    _run("pg_dump", f"--dbname={_address(busy_database)}", f"--file={dump}")
    _run("pg_restore", f"--dbname={_address(empty_database)}", str(dump))
    before, after = _contents(busy_database), _contents(empty_database)
    assert after == before
    assert before["orders_order"][0] == 3
    assert before["ledger_posting"][0] > 0
    checked = on_a_server("manage.py", "check_invariants", DATABASE_URL=_address(empty_database))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    migrated = on_a_server("manage.py", "migrate", "--check", DATABASE_URL=_address(empty_database))
    assert migrated.returncode == 0, migrated.stdout


def test_the_guards_of_the_books_come_back_too(
    busy_database: str, empty_database: str, tmp_path: Path
) -> None:
    dump = tmp_path / "trastienda.dump"
    _run("pg_dump", f"--dbname={_address(busy_database)}", f"--file={dump}")
    _run("pg_restore", f"--dbname={_address(empty_database)}", str(dump))
    with psycopg.connect(_address(empty_database)) as line, pytest.raises(psycopg.Error, match="ledger"):
        line.execute("UPDATE ledger_posting SET amount_cents = amount_cents + 1")
