"""What moves the clock of an incident, or whose turn it is, without a word said: days closed, what was seen."""

import pytest
from django.utils import timezone

from dashboard import incident_queries
from dashboard.incidents import shown
from incidents import invariants, services
from incidents.states import Turn
from marketplace.models import Channel
from marketplace.refusals import Code, MoveRefused
from messaging import conversing, shop_days
from messaging.conversing import Words
from messaging.models import Message, Thread
from messaging.recipients import CUSTOMER as TO_CUSTOMER
from messaging.recipients import OPERATOR as TO_OPERATOR
from messaging.shop_days import Closing
from orders.models import Order
from orders.states import State as OrderState
from sellers.models import Membership, Shop, User
from tests.conftest import OPERATOR, SELLER
from tests.dashboard.pages import browser, get
from tests.dashboard.talking import asks, tab
from tests.incidents.claims import DAY, DELIVERED_AT, claimed, now
from tests.orders.lives import HOUR, brought_to

pytestmark = pytest.mark.django_db

OPENED_AT = DELIVERED_AT + DAY


@pytest.fixture
def delivered(channel: Channel, shop: Shop) -> int:
    return brought_to(OrderState.DELIVERED, channel, shop)[0]


@pytest.mark.rule("INC-09", "MSG-09")
def test_an_incident_is_answered_by_the_days_that_its_shop_publishes(delivered: int, shop: Shop) -> None:
    incident = claimed(delivered)
    before = incident.answer_by
    tomorrow = timezone.localdate(OPENED_AT) + DAY
    days = shop_days.publish(shop, Closing(tomorrow, tomorrow + 6 * DAY), by=SELLER, at=OPENED_AT)
    thread = Thread.objects.get(id=incident.thread_id)
    assert thread.answer_by is not None
    assert before is not None
    assert now(incident).answer_by == thread.answer_by > before
    assert invariants.incidents_agree(None).rows() == []
    shop_days.withdraw(days.id, by=SELLER, at=OPENED_AT)
    assert now(incident).answer_by == before
    assert invariants.incidents_agree(None).rows() == []


@pytest.mark.rule("INC-09", "MSG-09")
def test_the_clock_of_an_incident_names_the_days_on_which_its_shop_is_closed(
    delivered: int, shop: Shop
) -> None:
    incident = claimed(delivered)
    tomorrow = timezone.localdate(OPENED_AT) + DAY
    shop_days.publish(shop, Closing(tomorrow, tomorrow, "Inventario"), by=SELLER, at=OPENED_AT)
    order = Order.objects.select_related("channel").get(id=delivered)
    listed = incident_queries.page(
        Membership(shop=shop), incident_queries.Asked(), {order.channel_id: order.channel}
    )
    for found in (incident_queries.of_order(order), listed.incidents):
        (one,) = shown(found, by=SELLER, at=OPENED_AT)
        assert one.running is not None
        assert one.running.at == now(incident).answer_by
        assert "(Inventario)" in one.running.why


@pytest.mark.rule("INC-05")
def test_what_an_operator_has_seen_to_is_no_longer_their_turn(delivered: int) -> None:
    incident = claimed(delivered)
    for to in (TO_CUSTOMER, TO_OPERATOR):
        words = Words("La pieza está en camino")
        conversing.write(incident.thread_id, words, to=to, take_back=False, by=SELLER, at=OPENED_AT + HOUR)
    assert now(incident).turn == Turn.OPERATOR
    conversing.seen(incident.thread_id, by=OPERATOR, at=OPENED_AT + 2 * HOUR)
    assert now(incident).turn == Turn.SHOP


@pytest.mark.rule("MSG-08")
def test_a_settled_order_warns_of_its_incident_too(channel: Channel, shop: Shop, alice: User) -> None:
    order = Order.objects.get(id=brought_to(OrderState.CLOSED, channel, shop)[0])
    at = timezone.now() - HOUR
    incident = claimed(order.id, by=OPERATOR, at=at)
    message = asks(order, "Gracias", at=at)
    assert Order.objects.get(id=order.id).incident_at is None
    with pytest.raises(MoveRefused) as refused:
        conversing.needs_no_answer(message.id, by=SELLER, at=timezone.now())
    assert refused.value.refusal.code == Code.OPEN_INCIDENT
    assert not Message.objects.get(id=message.id).needs_no_answer
    assert Thread.objects.get(id=message.thread_id).waiting == 1
    assert "despite_incident" in get(browser(alice), tab(order))
    conversing.needs_no_answer(message.id, despite_incident=True, by=SELLER, at=timezone.now())
    assert Thread.objects.get(id=message.thread_id).waiting == 0
    assert services.stand_on([message.thread_id, incident.thread_id])
