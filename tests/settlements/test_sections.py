"""A statement says each kind of movement apart, and each adds up (SET-01, SET-05)."""

from datetime import UTC, datetime, timedelta

import pytest

from ledger.services import adjust
from marketplace import invariants
from marketplace.models import Channel
from orders.states import State
from sellers.models import Shop
from settlements import services as settlements
from settlements.models import Payout, Statement
from tests.conftest import OPERATOR
from tests.orders.lives import brought_to, tick
from tests.settlements.acting import refunded

APRIL = datetime(2026, 3, 31, 22, 0, tzinfo=UTC)
MID_APRIL = datetime(2026, 4, 15, 22, 0, tzinfo=UTC)
NET = 8400 - 1008 - 212


def lived(channel: Channel, shop: Shop) -> Statement:
    """Two statements: the second has some of everything."""
    first, _ = brought_to(State.RECEIVED, channel, shop, 2)
    tick("statements", APRIL)
    settlements.answer_payouts([Payout.objects.get().id], paid=False, answer="cerrada", at=APRIL)
    brought_to(State.RECEIVED, channel, shop, 1)
    refunded(first, 2000, by=OPERATOR, at=APRIL + timedelta(days=1))
    adjust(shop.id, channel.id, -700, "EUR", key="1", note="Etiquetas", at=APRIL + timedelta(days=2))
    tick("statements", MID_APRIL)
    return Statement.objects.get(cycle__closes_at=MID_APRIL)


@pytest.mark.django_db
@pytest.mark.rule("SET-01", "SET-05")
def test_a_statement_tells_each_kind_apart(channel: Channel, shop: Shop) -> None:
    told = lived(channel, shop)
    assert (told.opening_cents, told.orders_cents, told.commission_cents, told.commission_vat_cents) == (
        0, 8400, 1008, 212,
    )  # fmt: skip
    assert (told.refunds_cents, told.commission_back_cents, told.commission_vat_back_cents) == (
        -2000,
        240,
        51,
    )
    assert (told.returned_cents, told.adjustments_cents, told.cover_cents) == (2 * NET, -700, 0)
    assert told.payout_cents == NET + 2 * NET - 2000 + 240 + 51 - 700
    assert sorted(told.lines.values_list("section", flat=True)) == [
        "adjustment",
        "orders",
        "refund",
        "returned",
    ]


@pytest.mark.django_db
@pytest.mark.broken_books
@pytest.mark.rule("SET-05")
def test_a_section_that_does_not_add_up_is_noticed(channel: Channel, shop: Shop) -> None:
    """The whole still adds up; what is moved from one section to another is seen all the same."""
    told = lived(channel, shop)
    Statement.objects.filter(id=told.id).update(
        refunds_cents=told.refunds_cents - 5, adjustments_cents=told.adjustments_cents + 5
    )
    broken = [result.invariant.code for result in invariants.check_all(at=None) if result.failures]
    assert broken == ["I6"]
