"""The books, as PostgreSQL keeps them."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from ledger.models import Account, Balance, Entry, EntryKind, Kind, Posting
from ledger.services import NewEntry, adjust, post
from marketplace import invariants
from marketplace.models import Channel
from orders import services
from orders.models import CommissionRate
from orders.services import Parcel
from sellers.models import Shop
from tests.conftest import AT, JAR, PLATE, SELLER, Placing
from tests.orders.lives import tick

pytestmark = pytest.mark.django_db

A, K = Account, Kind


def entry(channel: Channel, shop: Shop, key: str, *postings: tuple[Account, Kind, int]) -> NewEntry:
    return NewEntry(key, EntryKind.ADJUSTMENT, shop.id, channel.id, None, "EUR", AT, postings)


def refused(statement: str) -> str:
    """What the database says to a statement that it refuses."""
    with pytest.raises(IntegrityError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return str(error.value)


@pytest.mark.rule("SET-04")
def test_an_entry_that_does_not_balance_is_refused_at_the_end_of_its_transaction(
    channel: Channel, shop: Shop
) -> None:
    with pytest.raises(IntegrityError, match="does not balance"), transaction.atomic():
        post([entry(channel, shop, "x", (A.PENDING, K.ORDER_AMOUNT, 100), (A.PAYABLE, K.ORDER_AMOUNT, -99))])
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert not Entry.objects.exists()
    assert not Balance.objects.exists()


@pytest.mark.rule("SET-04")
def test_an_entry_of_one_posting_is_refused(channel: Channel, shop: Shop) -> None:
    with pytest.raises(IntegrityError, match="does not balance"), transaction.atomic():
        post([entry(channel, shop, "x", (A.PENDING, K.ORDER_AMOUNT, 100))])
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert not Posting.objects.exists()


@pytest.mark.rule("SET-04")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_posting SET amount_cents = amount_cents + 1",
        "UPDATE ledger_entry SET note = 'x'",
        "DELETE FROM ledger_posting",
        "DELETE FROM ledger_entry",
        "TRUNCATE ledger_entry CASCADE",
        "TRUNCATE ledger_posting",
    ],
)
def test_nothing_is_changed_or_taken_away(statement: str, channel: Channel, shop: Shop) -> None:
    adjust(shop.id, channel.id, 500, "EUR", key="1", note="gesto", at=AT)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    before = list(Posting.objects.order_by("id").values())
    assert "can only be added to" in refused(statement)
    assert list(Posting.objects.order_by("id").values()) == before


@pytest.mark.rule("ORD-11")
@pytest.mark.parametrize(
    "statement",
    ["UPDATE orders_event SET by = 'nadie'", "DELETE FROM orders_event", "TRUNCATE orders_event CASCADE"],
)
def test_a_history_cannot_be_edited(statement: str, place: Placing) -> None:
    place()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert "can only be added to" in refused(statement)


@pytest.mark.rule("SET-04")
def test_the_same_key_twice_fails_the_whole_transaction(channel: Channel, shop: Shop) -> None:
    adjust(shop.id, channel.id, 500, "EUR", key="1", note="", at=AT)
    with pytest.raises(IntegrityError), transaction.atomic():
        adjust(shop.id, channel.id, 700, "EUR", key="2", note="", at=AT)
        adjust(shop.id, channel.id, 500, "EUR", key="1", note="", at=AT)
    assert Balance.objects.get().payable_cents == 500
    assert Entry.objects.count() == 1


@pytest.mark.django_db
def test_a_foreign_shops_posting_is_refused_by_the_database(
    channel: Channel, shop: Shop, other_shop: Shop, place: Placing
) -> None:
    order = place()
    said = refused(
        "INSERT INTO orders_hold (shop_id, order_id, kind, note, placed_at, placed_by, released_by) "
        f"VALUES ({other_shop.id}, {order.id}, 'stock', '', now(), '', '')"
    )
    assert "orders_hold_order_id_same_shop" in said


@pytest.mark.rule("SET-04")
def test_the_worked_example_to_the_cent(channel: Channel, place: Placing) -> None:
    order = place(JAR, PLATE)
    from orders.models import Line

    plate = Line.objects.filter(order=order).latest("id")
    services.accept({order.id: services.Answer({plate.id: "Sin existencias"})}, by=SELLER, at=AT)
    tick("charge", AT)
    services.ship({order.id: Parcel(carrier_name="SEUR")}, by=SELLER, at=AT)
    tick("receive", AT + timedelta(days=21))
    tick("statements", AT.replace(month=4, day=1))
    told = [
        (entry.kind, sorted((p.account, p.amount_cents) for p in entry.postings.all()))
        for entry in Entry.objects.order_by("id")
    ]
    assert told == [
        ("charge", [("pending", -7000), ("provider", 7000)]),
        (
            "receive",
            [("commission", -840), ("commission_vat", -176), ("payable", -7000), ("payable", 176), ("payable", 840),
             ("pending", 7000)],
        ),
        ("statement", [("in_transit", -5984), ("payable", 5984)]),
    ]  # fmt: skip


@pytest.mark.broken_books
def test_the_invariants_notice_what_the_database_was_made_to_accept(channel: Channel, place: Placing) -> None:
    """Each check is shown to fail: the triggers are taken away and the rows are spoilt."""
    order, dearer, tomorrow = place(), place(JAR, PLATE), AT + timedelta(days=1)
    CommissionRate.objects.create(channel=channel, basis_points=950, from_day=tomorrow.date())
    services.accept([order.id], by=SELLER, at=AT)
    services.accept([dearer.id], by=SELLER, at=tomorrow)
    tick("charge", tomorrow)
    missing = {line.id: 0 for line in dearer.lines.filter(quantity=1)}
    services.one(services.shorten({dearer.id: missing}, by=SELLER, at=tomorrow))
    adjust(order.shop_id, channel.id, 500, "EUR", key="1", note="", at=AT)
    spoilt = (
        ("I1", "UPDATE ledger_posting SET amount_cents = amount_cents + 1 WHERE account = 'provider'"),
        ("I2", "ALTER TABLE ledger_entry DISABLE TRIGGER only_added_to"),
        ("I3", "UPDATE orders_order SET charged_cents = charged_cents + 1"),
        ("I5", "UPDATE orders_order SET state = 'closed'"),
        ("I7", "UPDATE orders_event SET after = 'shipped' WHERE verb = 'accept'"),
        ("I8", "UPDATE orders_order SET state = 'pending_acceptance'"),
        ("I13", "UPDATE ledger_balance SET payable_cents = payable_cents + 1"),
        ("I14", "UPDATE orders_order SET held_at = now()"),
        ("I18", "UPDATE payments_charge SET amount_cents = amount_cents + 1"),
        ("I15", "UPDATE orders_order SET shared = true"),
        ("I20", "UPDATE orders_line SET decision = 'refused'"),
        ("I20", "UPDATE orders_line SET shipping_cents = shipping_cents + 1"),
        ("I21", "UPDATE orders_order SET commission_cents = 1 WHERE commission_parts = '[]'"),
        ("I21", "UPDATE orders_order SET commission_cents = 1 WHERE commission_parts <> '[]'"),
        ("I21", "UPDATE orders_order SET commission_vat_cents = 0"),
        ("I22", "DELETE FROM payments_payback"),
    )
    for code, statement in spoilt:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE ledger_posting DISABLE TRIGGER USER")
            cursor.execute("ALTER TABLE orders_event DISABLE TRIGGER USER")
            cursor.execute(statement)
            failed = {r.invariant.code for r in invariants.check_all(at=AT + timedelta(days=9)) if r.failures}
            assert code in failed, code
            transaction.set_rollback(True)
