"""A settlement pays shops while others of their balances move: neither waits for the other in a ring (SET-01)."""

import time
from collections.abc import Callable
from threading import Thread

import pytest
from django.db import OperationalError, connection, connections, transaction

from ledger.models import Balance
from ledger.queries import payables
from ledger.services import adjust
from marketplace import bulk
from sellers.models import Shop
from tests.conftest import AT
from tests.races.arena import PATIENCE_S
from tests.races.conftest import Ground

WAITS_FOR_ME = "SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"


def held_while_it_waits(ground: Ground, act: Callable[[list[int]], object]) -> bool:
    """Whether an act on two balances that has to wait for the first shop's holds the second's meanwhile."""
    second = Shop.objects.create(code="zoco", name="Zoco", contact_email="pedidos@zoco.example")
    for shop in (second, ground.shop):
        adjust(shop.id, ground.channel.id, 500, "EUR", key=f"feria-{shop.code}", note="Feria", at=AT)

    def acts() -> None:
        try:
            with transaction.atomic():
                act([ground.shop.id, second.id])
        finally:
            connections.close_all()

    side = Thread(target=acts)
    with transaction.atomic():
        Balance.objects.select_for_update().get(shop=ground.shop)
        side.start()
        until = time.monotonic() + PATIENCE_S
        while not bulk.fetch(WAITS_FOR_ME, []):
            assert time.monotonic() < until
            time.sleep(0.02)
        try:
            with transaction.atomic():
                Balance.objects.select_for_update(nowait=True).get(shop=second)
            held = False
        except OperationalError:
            held = True
    side.join()
    return held


@pytest.mark.rule("SET-01")
def test_the_balances_of_a_batch_are_locked_in_the_order_in_which_entries_move_them(ground: Ground) -> None:
    assert not held_while_it_waits(ground, lambda shop_ids: payables(ground.channel.id, shop_ids))


def test_control_in_the_order_in_which_the_balances_came(ground: Ground) -> None:
    def as_they_came(shop_ids: list[int]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT FROM ledger_balance WHERE shop_id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [shop_ids]
            )

    assert held_while_it_waits(ground, as_they_came)
