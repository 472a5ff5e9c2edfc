"""A database of the first release is brought up to this one with its orders in it, of all three ways of trading, and
its statements, which are split into sections by the books."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from marketplace import invariants
from orders import services
from orders.models import Order
from orders.states import State
from payments import beforehand
from payments.models import Collection, PaymentReference
from settlements.models import Statement, StatementLine
from tests import migrated
from tests.conftest import AT, CLOCK, OPERATOR, SELLER, committed_to
from tests.orders.lives import HOUR

THEN: dict[str, list[dict[str, Any]]] = json.loads(Path(__file__).with_name("first_release.json").read_text())
"""The rows of a shop of the first release: two statements, the second with some of everything, and orders that are new,
shipped, paid back, paid beforehand, waiting to be paid, and collected at the door."""
NEW, PAID, UNPAID, DOOR = 4, 7, 8, 9


@pytest.fixture
def of_the_first_release(_migrated: str, django_db_blocker: Any) -> Iterator[None]:
    """Tables and rows as the first release left them."""
    with django_db_blocker.unblock(), committed_to(migrated.FIRST_RELEASE):
        with connection.cursor() as cursor:
            cursor.execute(
                "SET session_replication_role = replica"
            )  # in any order, past the walls of the books
            for table, rows in THEN.items():
                names = ", ".join(rows[0])
                cursor.execute(
                    f"INSERT INTO {table} ({names}) SELECT {names} FROM json_populate_recordset(NULL::{table}, %s)",
                    [json.dumps(rows)],
                )
                if "id" in rows[0]:
                    cursor.execute(
                        f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
                    )
            cursor.execute("SET session_replication_role = DEFAULT")
        yield


def broken() -> list[str]:
    return [result.invariant.code for result in invariants.check_all(at=None) if result.failures]


def stood() -> dict[int, tuple[str, int]]:
    return {one.id: (one.state, one.total_cents) for one in Order.objects.all()}


@pytest.mark.usefixtures("of_the_first_release")
def test_orders_of_the_first_release_come_along_and_live_on() -> None:
    assert "payments_collection" not in connection.introspection.table_names()
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    assert stood() == {one["id"]: (one["state"], one["total_cents"]) for one in THEN["orders_order"]}
    assert {one.id: (one.opening_cents, one.payout_cents) for one in Statement.objects.all()} == {
        one["id"]: (one["opening_cents"], one["payout_cents"]) for one in THEN["settlements_statement"]
    }
    told = Statement.objects.latest("id")
    assert (
        told.orders_cents,
        told.refunds_cents,
        told.commission_back_cents,
        told.commission_vat_back_cents,
    ) == (
        8400,
        -2000,
        240,
        51,
    )
    assert (told.returned_cents, told.adjustments_cents, told.cover_cents) == (14360, -700, 0)
    # What was closed before there were invoices is billed elsewhere.
    assert not Statement.objects.filter(to_invoice=True).exists()
    sections = (
        StatementLine.objects.filter(statement=told).order_by("section").values_list("section", flat=True)
    )
    assert list(sections) == ["adjustment", "orders", "refund", "returned"]
    assert broken() == []
    assert list(Collection.objects.values_list("order_id", "courier_key", "amount_cents", "remitted_at")) == [
        (DOOR, "portes norte", 8400, None)
    ]
    assert list(PaymentReference.objects.values_list("reference", flat=True)) == ["TR-1"]
    services.one(services.accept([NEW], by=SELLER, at=AT + 2 * HOUR))
    missing = {line.id: 0 for line in Order.objects.get(id=PAID).lines.filter(quantity=1)}
    services.one(services.shorten({PAID: missing}, by=SELLER, at=AT + 2 * HOUR))
    assert not beforehand.confirm({UNPAID: "TR-1"}, by=CLOCK, at=AT + 2 * HOUR).moved
    services.one(services.cancel([UNPAID], reason="a petición", by=OPERATOR, at=AT + timedelta(days=1)))
    assert (Order.objects.get(id=NEW).state, Order.objects.get(id=UNPAID).state) == (
        State.DEBIT,
        State.CANCELLED,
    )
    assert broken() == []
