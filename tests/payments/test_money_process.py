"""A file of money as a process: killed in the middle it leaves whole batches, and started again it ends (PAY-06)."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection, transaction
from django.utils import timezone

from ledger.models import Entry
from marketplace.models import Channel
from marketplace.policy import Preset
from marketplace.services import open_channel
from orders import services
from orders.models import Order
from orders.states import State
from payments.models import Charge, Collection, Remittance
from sellers.models import Shop
from tests.conftest import CLOCK, SELLER, basket
from tests.payments.files import money_file
from tests.races.arena import broken_invariants

ROOT = Path(__file__).resolve().parents[2]
BLOCKED = """
    SELECT pg_sleep(0.05), count(*) FROM pg_locks
     WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))
"""


def command(database: str, *words: str) -> "subprocess.Popen[str]":
    """A command as a process of its own, on a test's own database."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}").geturl()
    arguments = [sys.executable, "manage.py", *words, "--channel", "tienda", "--json"]
    env = {**os.environ, "DATABASE_URL": url}
    return subprocess.Popen(arguments, cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE)


def killed_when_it_waits_for(order_id: int, database: str, *words: str) -> None:
    """Hold an order, start a command, and kill it once it waits for that order."""
    with transaction.atomic():
        services.lock_orders([order_id])
        child = command(database, *words, "--batch", "10")
        waits = False
        with connection.cursor() as cursor:
            for _attempt in range(600):
                cursor.execute(BLOCKED)
                waits = cursor.fetchone()[1] > 0
                if waits or child.poll() is not None:
                    break
        child.kill()
        child.communicate()
    assert waits


def ended(database: str, *words: str) -> tuple[int, int, int, int]:
    """Done, already there, sent back, refused, of a command that is let live."""
    told = json.loads(command(database, *words).communicate()[0])
    return told["done"], told["here"], told["returned"], told["refused"]


def placed(channel: Channel, count: int) -> list[Order]:
    shop = Shop.objects.create(code="alba", name="Cerámicas Alba")
    at = timezone.now() - timedelta(hours=2)
    moved = services.place(channel, [basket(shop, at=at) for _ in range(count)]).moved
    return list(Order.objects.filter(id__in=[move.order_id for move in moved]).order_by("id"))


@pytest.mark.rule("PAY-06")
def test_a_remittance_killed_in_the_middle(own_database: str, tmp_path: Path) -> None:
    channel = open_channel("tienda", "Tienda", preset=Preset.CASH_ON_DELIVERY, by="x", at=timezone.now())
    orders = placed(channel, 40)
    ids, at = [order.id for order in orders], timezone.now() - timedelta(hours=1)
    services.accept(ids, by=SELLER, at=at)
    services.ship(dict.fromkeys(ids, services.Parcel(carrier_name="SEUR", tracking="1")), by=SELLER, at=at)
    services.deliver(ids, by=CLOCK, at=at)
    path = money_file(tmp_path / "r.csv", *(f"{order.reference},84.00" for order in orders))
    words = ("import_remittance", str(path), "--carrier", "SEUR", "--reference", "R-1")
    killed_when_it_waits_for(ids[25], own_database, *words)
    assert (
        Entry.objects.filter(kind="remit").count()
        == Collection.objects.exclude(remittance=None).count()
        == 20
    )
    assert Remittance.objects.values_list("orders_count", "amount_cents").get() == (20, 20 * 8400)
    assert broken_invariants() == []
    assert ended(own_database, *words) == (20, 20, 0, 0)
    assert Remittance.objects.values_list("orders_count", "amount_cents").get() == (40, 40 * 8400)
    assert broken_invariants() == []


@pytest.mark.rule("ORD-07")
def test_a_list_of_payments_killed_in_the_middle(own_database: str, tmp_path: Path) -> None:
    channel = open_channel("tienda", "Tienda", preset=Preset.PREPAID, by="x", at=timezone.now())
    orders = placed(channel, 40)
    header = "order,amount,payment_reference,date"
    rows = (f"{order.reference},84.00,TR-{order.id},2026-01-01" for order in orders)
    path = money_file(tmp_path / "p.csv", *rows, header=header)
    killed_when_it_waits_for(orders[25].id, own_database, "import_payments", str(path))
    assert Order.objects.filter(state=State.AWAITING_SHIPMENT).count() == Charge.objects.count() == 20
    assert broken_invariants() == []
    assert ended(own_database, "import_payments", str(path)) == (20, 20, 0, 0)
    assert Charge.objects.count() == Entry.objects.filter(kind="charge").count() == 40
    assert broken_invariants() == []
