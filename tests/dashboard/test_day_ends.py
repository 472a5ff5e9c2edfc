"""A deadline at midnight belongs to the day that it ends, in words, in lists and in counters alike."""

from datetime import timedelta

import pytest

from dashboard import queries
from dashboard.rows import rows
from marketplace.moments import what_is_left
from orders.admin_filters import TURNS
from orders.models import Order
from sellers.models import Shop
from tests.conftest import AT, SELLER, Placing

pytestmark = pytest.mark.django_db


@pytest.mark.rule("ORD-03", "ORD-16")
@pytest.mark.parametrize(("past_midnight", "today"), [(0, True), (59, True), (60, False)])
def test_what_ends_tonight_is_due_today(past_midnight: int, today: bool, place: Placing, shop: Shop) -> None:
    order = place()
    zone = order.channel.calendar.zone
    midnight = order.channel.calendar.midnight(AT.date() + timedelta(days=1))
    ends = midnight + timedelta(seconds=past_midnight)
    Order.objects.filter(id=order.id).update(accept_by=ends)
    assert what_is_left(ends, AT, zone).text == ("hoy 24:00" if today else "mañana 00:01")
    assert Order.objects.filter(queries.due("hoy", AT)).exists() is today
    assert Order.objects.filter(TURNS["accept_today"].rows(AT)).exists() is today
    if today:
        assert "hoy a las 24:00" in order_says(order)


def order_says(order: Order) -> str:
    found = Order.objects.select_related("policy", "channel").get(id=order.id)
    found.lines_n, found.hold_kind, found.keeps_money = 2, None, None
    (line,) = rows([found], by=SELLER, at=AT)
    return line.says
