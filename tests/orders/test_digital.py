"""What does not travel: confirmed to the customer at once when it is paid, or when the shop says so (ORD-13)."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from marketplace.models import Channel
from marketplace.policy import PRESETS, Preset, Role
from marketplace.refusals import Code
from marketplace.services import publish_policy
from messaging.models import Notice
from orders import services
from orders.models import Event, Line, Order
from orders.states import HoldKind, LineKind, State
from payments import beforehand
from sellers.desk import Actor
from sellers.models import Shop
from settlements.models import StatementLine
from tests.conftest import AT, CLOCK, CUSTOMER, JAR, OPERATOR, SELLER, again, sure
from tests.orders.digital import BOOKING, LINK, PATTERN, SEASON, TICKET, Article, digital_basket
from tests.orders.lives import HOUR, tick
from tests.orders.test_matrix import everything_of

pytestmark = [pytest.mark.django_db, pytest.mark.rule("ORD-13")]

SUPPLIER = Actor(Role.SUPPLIER, "Taller de Luz")


@pytest.fixture
def prepaid(channel: Channel) -> Channel:
    publish_policy(channel, PRESETS[Preset.PREPAID], by="x", at=AT)
    return channel


def placed(channel: Channel, shop: Shop, *articles: Article, at: datetime = AT) -> Order:
    moved = services.place(channel, [digital_basket(shop, *articles, at=at)]).moved
    return Order.objects.get(id=moved[0].order_id)


def pay(order: Order, at: datetime = AT + HOUR) -> Order:
    services.one(beforehand.confirm({order.id: "pi_1"}, by=CLOCK, at=at))
    return again(order)


def verbs(order: Order) -> list[str]:
    return list(Event.objects.filter(order=order).order_by("id").values_list("verb", flat=True))


def told(order: Order, event: str) -> dict[str, object]:
    """What the customer's mail of an event carries."""
    payload: dict[str, object] = Notice.objects.get(
        order_id=order.id, event=event, audience="customer"
    ).payload
    return payload


@pytest.mark.parametrize(("article", "kind"), [(PATTERN, "download"), (SEASON, "subscription")])
def test_a_download_is_confirmed_as_soon_as_it_is_paid_and_settled(
    prepaid: Channel, shop: Shop, article: Article, kind: str
) -> None:
    order = placed(prepaid, shop, article)
    assert (order.state, order.ships, order.at_once) == (State.PENDING_PAYMENT, False, 1)
    order = pay(order)
    assert (order.state, order.delivered_at, order.at_once) == (State.DELIVERED, AT + HOUR, 0)
    assert (order.ship_by, order.deliver_by, order.shipped_at) == (None, None, None)
    line = order.lines.get()
    assert (line.kind, line.confirmed_at, line.access, line.to_ship) == (kind, AT + HOUR, LINK, 0)
    assert verbs(order) == ["place", "confirm_payment", "fulfil"]
    assert told(order, "fulfil")["confirmed"] == [
        {"line": "1", "title": article.title, "kind": kind, "access": LINK}
    ]
    receive_at = sure(order.receive_at)
    assert receive_at == AT + HOUR + timedelta(days=21)
    assert tick("receive", receive_at - timedelta(seconds=1)).done == 0
    assert tick("receive", receive_at).done == 1
    tick("statements", AT + timedelta(days=40))
    assert again(order).state == State.CLOSED
    assert StatementLine.objects.get(order_id=order.id).net_cents == 1200 - 144 - 30


def test_under_accept_first_it_is_confirmed_once_it_is_charged(channel: Channel, shop: Shop) -> None:
    order = placed(channel, shop, PATTERN)
    services.one(services.accept([order.id], by=SELLER, at=AT + HOUR))
    assert (again(order).state, again(order).ship_by) == (State.DEBIT, None)
    tick("charge", AT + 2 * HOUR)
    order = again(order)
    assert (order.state, order.delivered_at) == (State.DELIVERED, AT + 2 * HOUR)
    assert verbs(order) == ["place", "accept", "debit_succeeded", "fulfil"]
    assert sure(order.receive_at) == AT + 2 * HOUR + timedelta(days=21)
