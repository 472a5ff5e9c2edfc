"""The import as a process: killed in the middle and started again, and how much memory a long file takes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection, transaction

from marketplace.services import open_channel
from orders import services
from orders.models import Basket, Event, Line, Order
from sellers.models import Shop
from tests.conftest import AT, JAR, basket
from tests.orders.intake_files import basket_in, csv_file, json_file, row_in

ROOT = Path(__file__).resolve().parents[2]
BLOCKED = """
    SELECT pg_sleep(0.05), count(*) FROM pg_locks
     WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))
"""


def command(database: str, *arguments: str) -> "subprocess.Popen[str]":
    """The import as a process of its own, on a test's own database."""
    env = dict(
        os.environ, DATABASE_URL=urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}").geturl()
    )
    words = [sys.executable, "manage.py", "import_orders", *arguments, "--channel", "tienda", "--json"]
    return subprocess.Popen(words, cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE)


@pytest.mark.rule("API-04")
@pytest.mark.rule("ORD-15")
def test_killed_in_the_middle_and_started_again(own_database: str, tmp_path: Path) -> None:
    channel = open_channel("tienda", "Tienda", by="pruebas", at=AT)
    other = open_channel("otra", "Otra", by="pruebas", at=AT)
    shop = Shop.objects.create(code="alba", name="Cerámicas Alba")
    path = json_file(tmp_path / "p.jsonl", *(basket_in(f"P-{n}") for n in range(100)))
    with transaction.atomic():
        services.place(other, [basket(shop, JAR, number="P-57")])
        child = command(own_database, str(path), "--batch", "10")
        with connection.cursor() as cursor:
            waits = False
            for _attempt in range(600):
                cursor.execute(BLOCKED)
                waits = cursor.fetchone()[1] > 0
                if waits or child.poll() is not None:
                    break
        child.kill()
        child.communicate()
        transaction.set_rollback(True)
    assert waits
    assert Basket.objects.filter(channel=channel).count() == 50
    assert Order.objects.count() == Event.objects.count() == 50
    again = command(own_database, str(path))
    assert json.loads(again.communicate()[0]) | {"seconds": 0} == {
        "lines": 100,
        "baskets": 100,
        "orders": 50,
        "already_there": 50,
        "shops": 0,
        "refused": {},
        "dry_run": False,
        "seconds": 0,
    }
    assert Order.objects.count() == Line.objects.count() == Event.objects.count() == 100


def peak_mb(child: "subprocess.Popen[str]") -> float:
    """The most memory that a process took, once it has ended well."""
    assert child.stdout is not None
    child.stdout.read()
    child.stdout.close()
    _pid, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0
    return usage.ru_maxrss / 1024


def test_memory_stays_flat(own_database: str, tmp_path: Path) -> None:
    open_channel("tienda", "Tienda", by="pruebas", at=AT)
    Shop.objects.create(code="alba", name="Cerámicas Alba")
    few = csv_file(tmp_path / "few.csv", row_in("P-first"))
    rows = (row_in(f"P-{n // 5 if n % 50 else n % 500}", f"SKU-{n}") for n in range(20_000))
    many = csv_file(tmp_path / "many.csv", *rows)
    floor = peak_mb(command(own_database, str(few)))
    assert peak_mb(command(own_database, str(many))) < floor + 60
    assert Line.objects.count() == 20_001
