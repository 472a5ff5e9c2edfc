"""The sealed past of the books: what is written stays as it was, and a change behind the walls shows."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from ledger import sealing
from ledger.models import Entry, Proof, Seal
from ledger.services import adjust
from ledger.tasks import BooksBroken, seal_books
from marketplace import invariants
from marketplace.models import Channel
from marketplace.refusals import Tally
from orders.states import State
from sellers.models import Shop
from tests.conftest import AT
from tests.orders.lives import brought_to

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@contextmanager
def behind_the_walls() -> Iterator[None]:
    """Without the triggers that keep the books as they are."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute("SET LOCAL session_replication_role = replica")
        try:
            yield
        finally:
            cursor.execute("SET LOCAL session_replication_role = origin")


def written_on(days_ago: int) -> None:
    """Have all that was written so far, written so many days before today."""
    with behind_the_walls():
        Entry.objects.filter(written_at__gt=today()).update(
            written_at=today() - days_ago * DAY + timedelta(hours=9)
        )


def today() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture
def three_days(channel: Channel, shop: Shop) -> list[Seal]:
    """Two days with entries and an empty one between them, sealed."""
    brought_to(State.RECEIVED, channel, shop, 2)
    written_on(3)
    adjust(shop.id, channel.id, 500, "EUR", key="a", note="Feria", at=AT)
    written_on(1)
    return sealing.seal(at=today() + timedelta(hours=3))


@pytest.mark.rule("SET-04")
def test_each_day_that_is_over_is_sealed_once_after_the_one_before(three_days: list[Seal]) -> None:
    assert [one.entries_count for one in three_days] == [4, 0, 1]
    assert [one.day for one in three_days] == [(today() - n * DAY).date() for n in (3, 2, 1)]
    assert [one.previous for one in three_days] == ["", three_days[0].digest, three_days[1].digest]
    assert len({one.digest for one in three_days}) == 3
    assert sealing.next_seal() == today() + sealing.SEALED_AFTER
    assert sealing.seal(at=today() + timedelta(hours=26)) == []
    assert Seal.objects.count() == 3


def test_a_day_is_not_sealed_while_its_last_transactions_may_still_run(channel: Channel, shop: Shop) -> None:
    assert sealing.next_seal() is None
    brought_to(State.RECEIVED, channel, shop)
    written_on(1)
    almost = today() + timedelta(hours=3) - timedelta(microseconds=1)
    assert sealing.seal(at=almost) == []
    assert sealing.prove(at=almost) is None
    assert [one.entries_count for one in sealing.seal(at=today() + timedelta(hours=3))] == [2]


@pytest.mark.rule("SET-04")
def test_a_proof_finds_nothing_while_nobody_changed_the_past(three_days: list[Seal]) -> None:
    proof = sealing.prove(at=today() + timedelta(hours=4))
    assert proof is not None
    assert (proof.days_count, proof.entries_count, proof.broken) == (3, 5, [])
    assert proof.up_to == three_days[-1].day
    assert sealing.last_proof() == proof


CHANGES = {
    "an amount and its counterpart": "UPDATE ledger_posting SET amount_cents = amount_cents * 2"
    " WHERE entry_id = (SELECT min(id) FROM ledger_entry)",
    "a moment": "UPDATE ledger_entry SET at = at + interval '1 second' WHERE id = (SELECT max(id) FROM ledger_entry)",
    "a note": "UPDATE ledger_entry SET note = 'Otra' WHERE key = 'adjust:a'",
    "an entry less": "DELETE FROM ledger_posting WHERE entry_id = (SELECT id FROM ledger_entry WHERE key = 'adjust:a');"
    "DELETE FROM ledger_entry WHERE key = 'adjust:a'",
    "an entry moved to another day": "UPDATE ledger_entry SET written_at = written_at - interval '1 day'"
    " WHERE key = 'adjust:a'",
}


@pytest.mark.broken_books
@pytest.mark.rule("SET-04")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_past_shows_whatever_was_changed(three_days: list[Seal], change: str) -> None:
    with behind_the_walls(), connection.cursor() as cursor:
        cursor.execute(change)
    proof = sealing.prove(at=today() + timedelta(hours=4))
    assert proof is not None
    assert [one for one in proof.broken if one[:4].isdigit()]
    assert [one.invariant.code for one in invariants.check_all(at=None) if one.failures].count("I35") == 1


@pytest.mark.broken_books
@pytest.mark.rule("SET-04")
def test_a_past_that_was_made_up_before_the_first_day_shows(three_days: list[Seal]) -> None:
    with behind_the_walls(), connection.cursor() as cursor:
        cursor.execute(
            """
            WITH made AS (
                INSERT INTO ledger_entry (key, kind, shop_id, channel_id, order_id, at, note, written_at)
                SELECT 'adjust:old', kind, shop_id, channel_id, order_id, at, note, '2020-01-01'
                  FROM ledger_entry WHERE key = 'adjust:a' RETURNING id)
            INSERT INTO ledger_posting (entry_id, shop_id, account, kind, currency, amount_cents)
            SELECT made.id, p.shop_id, p.account, p.kind, p.currency, p.amount_cents
              FROM made, ledger_posting p JOIN ledger_entry e ON e.id = p.entry_id WHERE e.key = 'adjust:a'
            """
        )
        cursor.execute("UPDATE ledger_balance SET payable_cents = 2 * payable_cents")
    proof = sealing.prove(at=today() + timedelta(hours=4))
    assert proof is not None
    assert [one for one in proof.broken if one.startswith("<")] == [f"< {three_days[0].day.isoformat()}: 1"]


@pytest.mark.broken_books
@pytest.mark.rule("SET-04")
def test_a_changed_past_is_not_lost_among_other_findings(
    three_days: list[Seal], channel: Channel, shop: Shop
) -> None:
    brought_to(State.RECEIVED, channel, shop, 25)
    with behind_the_walls(), connection.cursor() as cursor:
        cursor.execute(CHANGES["a note"])
        cursor.execute("UPDATE orders_order SET charged_cents = charged_cents + 1 WHERE charged_cents > 0")
        cursor.execute("UPDATE ledger_posting SET amount_cents = amount_cents + 1 WHERE account = 'pending'")
    proof = sealing.prove(at=today() + timedelta(hours=4))
    assert proof is not None
    changed = [one.partition(":")[0] for one in proof.broken[:2]]
    assert changed == [three_days[0].day.isoformat(), three_days[-1].day.isoformat()]
    assert len([one for one in proof.broken if one.startswith("I")]) >= 20
    assert int(proof.broken[-1]) > 0


@pytest.mark.broken_books
def test_the_night_says_that_the_books_are_broken_and_keeps_what_it_found(
    three_days: list[Seal], channel: Channel, shop: Shop
) -> None:
    adjust(shop.id, channel.id, 100, "EUR", key="b", note="", at=AT)
    with behind_the_walls(), connection.cursor() as cursor:
        cursor.execute(CHANGES["a note"])
    tally = Tally()
    with pytest.raises(BooksBroken, match=three_days[-1].day.isoformat()):
        seal_books(at=today() + DAY + timedelta(hours=3), tally=tally)
    assert (tally.done, Seal.objects.count(), Proof.objects.count()) == (1, 4, 1)
    seal_books(at=today() + DAY + timedelta(hours=4), tally=tally)
    assert Proof.objects.count() == 1


def test_a_seal_that_does_not_follow_shows(three_days: list[Seal]) -> None:
    last = three_days[-1]
    with behind_the_walls():
        Seal.objects.filter(id=three_days[1].id).delete()
    proof = sealing.prove(at=today() + timedelta(hours=4))
    assert proof is not None
    assert [one.partition(":")[0] for one in proof.broken] == [last.day.isoformat()]
    with behind_the_walls():
        Proof.objects.all().delete()


@pytest.mark.rule("SET-04")
@pytest.mark.parametrize("table", ["ledger_seal", "ledger_proof"])
def test_seals_and_proofs_are_only_added_to(three_days: list[Seal], table: str) -> None:
    sealing.prove(at=today() + timedelta(hours=4))
    for change in (f"UPDATE {table} SET entries_count = 9", f"DELETE FROM {table}", f"TRUNCATE {table}"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
    assert (Seal.objects.count(), Proof.objects.count()) == (3, 1)


def test_old_days_are_read_again_within_a_month() -> None:
    """Every sealed day is due in one night of thirty at least, and each of the last month every night."""
    last = today().date()
    for age in range(120):
        nights = [sealing._is_due(last - age * DAY, last + n * DAY, today() + n * DAY) for n in range(30)]
        assert any(nights)
        assert nights[0] or age >= 31
