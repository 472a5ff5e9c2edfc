"""A database of the first release is brought up to this one with its orders in it, of all three ways of trading, and
its statements, which are split into sections by the books."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from marketplace import invariants
from marketplace.models import Channel
from marketplace.policy import PRESETS, Preset
from marketplace.services import open_channel, publish_policy
from orders import services
from orders.models import Order
from orders.states import State
from payments import beforehand
from payments.models import Collection, PaymentReference
from sellers.models import Shop
from settlements.models import Statement, StatementLine
from tests.conftest import AT, CLOCK, JAR, NO_DETAILS, OPERATOR, PLATE, SELLER, again, basket
from tests.orders.acting import debited
from tests.orders.lives import HOUR
from tests.settlements.test_sections import lived

FIRST_RELEASE = [
    ("payments", "0005_told_by_providers"),
    ("orders", "0005_other_presets"),
    ("sellers", "0001_spine"),
    ("messaging", "0002_waits_by_index"),
    ("marketplace", "0003_reasons_and_carriers"),
]


def migrate(targets: list[tuple[str, str]] | None = None) -> None:
    executor = MigrationExecutor(connection)
    executor.migrate(targets or executor.loader.graph.leaf_nodes())


def placed(channel: Channel, shop: Shop, preset: Preset) -> Order:
    publish_policy(channel, PRESETS[preset], by="x", at=AT)
    channel.refresh_from_db()
    new = basket(shop, JAR, PLATE, at=AT)
    return Order.objects.get(id=services.place(channel, [new]).moved[0].order_id)


def orders_of_all_sorts(channel: Channel, shop: Shop) -> dict[str, Order]:
    """New, shipped, paid back, paid beforehand, waiting to be paid, and collected at the door."""
    first = {name: placed(channel, shop, Preset.ACCEPT_FIRST) for name in ("new", "shipped", "back")}
    for name in ("shipped", "back"):
        debited(first[name])
    parcel = services.Parcel(carrier_name="Portes  Norte", tracking="N-1")
    services.ship({first["shipped"].id: parcel}, by=SELLER, at=AT + HOUR)
    services.cancel([first["back"].id], reason="a petición", by=OPERATOR, at=AT + HOUR)
    paid, unpaid = (placed(channel, shop, Preset.PREPAID) for _n in range(2))
    beforehand.confirm({paid.id: "TR-1"}, by=CLOCK, at=AT + HOUR)
    door = placed(channel, shop, Preset.CASH_ON_DELIVERY)
    services.accept([door.id], by=SELLER, at=AT)
    services.ship({door.id: parcel}, by=SELLER, at=AT + HOUR)
    services.deliver([door.id], by=OPERATOR, at=AT + 2 * HOUR)
    return {**first, "paid": paid, "unpaid": unpaid, "door": door}


def broken() -> list[str]:
    return [result.invariant.code for result in invariants.check_all(at=None) if result.failures]


@pytest.mark.usefixtures("own_database")
def test_orders_of_the_first_release_come_along_and_live_on() -> None:
    channel = open_channel("tienda", "Tienda", changes=NO_DETAILS, by="x", at=AT - timedelta(days=30))
    shop = Shop.objects.create(code="alba", name="Cerámicas Alba", contact_email="pedidos@alba.example")
    told = lived(channel, shop)
    statement, lines = (
        Statement.objects.values().get(id=told.id),
        list(StatementLine.objects.order_by("id").values()),
    )
    orders = orders_of_all_sorts(channel, shop)
    stood = {name: (again(one).state, again(one).total_cents) for name, one in orders.items()}
    migrate(FIRST_RELEASE)
    assert "payments_collection" not in connection.introspection.table_names()
    with connection.cursor() as cursor:
        cursor.execute("SELECT other_cents FROM settlements_statement WHERE id = %s", [told.id])
        assert cursor.fetchone() == (told.other_cents,)
    migrate()
    # What was closed before there were invoices is billed elsewhere.
    assert Statement.objects.values().get(id=told.id) == {**statement, "to_invoice": False}
    assert list(StatementLine.objects.order_by("id").values()) == lines
    assert {name: (again(one).state, again(one).total_cents) for name, one in orders.items()} == stood
    assert broken() == []
    assert list(Collection.objects.values_list("order_id", "courier_key", "amount_cents", "remitted_at")) == [
        (orders["door"].id, "portes norte", 8400, None)
    ]
    assert list(PaymentReference.objects.values_list("reference", flat=True)) == ["TR-1"]
    services.one(services.accept([orders["new"].id], by=SELLER, at=AT + 2 * HOUR))
    missing = {line.id: 0 for line in orders["paid"].lines.filter(quantity=1)}
    services.one(services.shorten({orders["paid"].id: missing}, by=SELLER, at=AT + 2 * HOUR))
    assert not beforehand.confirm({orders["unpaid"].id: "TR-1"}, by=CLOCK, at=AT + 2 * HOUR).moved
    assert again(orders["new"]).state == State.DEBIT
    assert broken() == []
