"""What digital lines rest on: the intake, the policies of before, the invariant, and how much is asked at once."""

import json
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pydantic import ValidationError

from marketplace import bulk, queries
from marketplace.models import Channel, Policy
from marketplace.policy import KEPT, PRESETS, Preset, Settings
from marketplace.refusals import Code
from marketplace.services import publish_policy
from orders import services
from orders.invariants import digital_lines_agree
from orders.models import Line, Order
from orders.states import State
from payments import beforehand
from sellers import queries as sellers_queries
from sellers.models import Shop
from tests.conftest import AT, CLOCK, JAR, SELLER, again
from tests.orders import lives
from tests.orders.digital import PATTERN, TICKET, digital_basket, pay, placed
from tests.orders.lives import HOUR, tick

pytestmark = [pytest.mark.django_db, pytest.mark.rule("ORD-13")]


@pytest.fixture
def prepaid(channel: Channel) -> Channel:
    publish_policy(channel, PRESETS[Preset.PREPAID], by="x", at=AT)
    return channel


@pytest.mark.parametrize("preset", [Preset.CASH_ON_DELIVERY, Preset.PREPAID])
def test_the_courier_is_not_paid_for_what_he_does_not_carry(
    channel: Channel, shop: Shop, preset: Preset
) -> None:
    publish_policy(channel, PRESETS[preset], by="x", at=AT)
    good, bad = digital_basket(shop, JAR), digital_basket(shop, JAR, PATTERN)
    baskets = [replace(new, cash_on_delivery=True) for new in (bad, good)]
    outcome = services.place(channel, baskets)
    assert [(refusal.id, refusal.code) for refusal in outcome.refused] == [(0, Code.CASH_FOR_DIGITAL)]
    assert [order.basket.commercial_id for order in Order.objects.all()] == [good.commercial_id]


def test_shipping_for_the_whole_basket_falls_on_what_travels(channel: Channel, shop: Shop) -> None:
    new = replace(digital_basket(shop, PATTERN, JAR, TICKET), shipping_cents=595, payments=None)
    services.place(channel, [new])
    assert [line.shipping_cents for line in Line.objects.order_by("id")] == [0, 400 + 595, 0]
    new = replace(digital_basket(shop, PATTERN, TICKET), shipping_cents=100, payments=None)
    services.place(channel, [new])
    assert sum(line.shipping_cents for line in Line.objects.order_by("-id")[:2]) == 100


def _statements(monkeypatch: pytest.MonkeyPatch, ids: list[int]) -> int:
    """How often the database is spoken to while these are paid; `bulk` does so past Django's own counting."""
    sent: list[object] = []
    cursor = bulk._cursor
    for kept in (
        queries,
        sellers_queries,
    ):  # what is kept for two seconds is read one time, however slow the machine
        kept.forget()
        monkeypatch.setattr(kept, "_FRESH_S", 3600)

    def counting(*args: bool, **wishes: bool) -> AbstractContextManager[Any]:
        sent.append(None)
        return cursor(*args, **wishes)

    with monkeypatch.context() as watched, CaptureQueriesContext(connection) as seen:
        watched.setattr(bulk, "_cursor", counting)
        assert len(
            beforehand.confirm({one: f"pi_{one}" for one in ids}, by=CLOCK, at=AT + HOUR).moved
        ) == len(ids)
    return len(sent) + len(seen)


def test_five_hundred_are_confirmed_with_the_statements_of_twenty(
    prepaid: Channel, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And with seven more than goods take, which know nothing of it: lock, lines, order, event, line, mail, and that a
    review is to be asked for."""
    counts = {}
    for articles, state in (((JAR,), State.AWAITING_SHIPMENT), ((PATTERN,), State.DELIVERED)):
        for count in (9, 20, 500):
            ids = lives.placed(prepaid, shop, count, articles=articles)
            counts[articles, count] = _statements(monkeypatch, ids)
            assert set(Order.objects.filter(id__in=ids).values_list("state", flat=True)) == {state}
        assert counts[articles, 20] == counts[articles, 500]
    assert counts[(PATTERN,), 20] == counts[(JAR,), 20] + 7


def test_a_version_from_before_lets_them_be_confirmed_by_those_who_do_by_default() -> None:
    kept = PRESETS[Preset.PREPAID].model_dump(mode="json")
    del kept["rights"]["awaiting_shipment"]["fulfil"]
    read = Settings.model_validate(kept, context=KEPT)
    assert read.rights["awaiting_shipment"]["fulfil"] == ("seller", "supplier", "operator", "platform")
    assert read == PRESETS[Preset.PREPAID]
    with pytest.raises(ValidationError, match="Tiene que poder hacerlo"):
        Settings.model_validate(kept)
    kept["rights"]["awaiting_shipment"]["fulfil"] = ["seller"]
    with pytest.raises(ValidationError, match="la plataforma"):
        Settings.model_validate(kept)


def test_an_old_policy_in_the_database_works_on(channel: Channel, shop: Shop) -> None:
    assert channel.policy is not None
    settings = channel.policy.rules.model_dump(mode="json")
    del settings["rights"]["awaiting_shipment"]["fulfil"]
    old = Policy.objects.create(
        channel=channel, number=2, settings=json.dumps(settings), published_at=AT, published_by="antes"
    )
    channel.policy = old
    channel.save(update_fields=["policy"])
    order = placed(channel, shop, PATTERN)
    services.one(services.accept([order.id], by=SELLER, at=AT))
    tick("charge", AT + HOUR)
    assert again(order).state == State.DELIVERED


@pytest.mark.broken_books
@pytest.mark.parametrize(
    "damage", ["at_once = 1", "to_confirm = 1", "confirmed_at = now()", "at_once = 1, state = 'cancelled'"]
)
def test_the_invariant_sees_an_order_that_disagrees_with_its_lines(
    prepaid: Channel, shop: Shop, damage: str
) -> None:
    order = pay(placed(prepaid, shop, PATTERN))
    assert digital_lines_agree(None).rows() == []
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE orders_order SET {damage} WHERE id = %s", [order.id])
    assert digital_lines_agree(None).rows() == [f"order {order.reference}"]
