"""What people say in the demonstration: each thing that a shop, a customer or an operator can meet is there."""

from pathlib import Path

import pytest
from django.utils import timezone

from messaging.models import Attachment, Message, OrderNote, ReceivedMail, Template, Thread
from orders.models import OWES_INVOICE, Asking, DeliveryException, Ending, Order, Request
from quality.models import Review
from refunds import redirecting
from refunds.models import Redirect, ReturnRequest
from sellers.desk import seller
from sellers.models import Membership, Shop, ShopHoliday
from tests.playback.test_demo import demo, development

__all__ = ["development"]


@pytest.mark.django_db
def test_everything_that_people_say_is_at_hand(development: Path) -> None:
    demo(scale=0.1)
    now = timezone.now()
    shop = Shop.objects.get(code="ceramicas-alba")
    mine = Thread.objects.filter(shop=shop)
    owner = Membership.objects.get(shop=shop, role=Membership.Role.OWNER)
    assert mine.filter(waiting__gt=0, answer_by__gt=now, of_incident=False).exists()
    assert mine.filter(waiting__gt=0, answer_by__lt=now).exists()
    assert mine.filter(order=None, with_operator=True).exists()
    assert mine.exclude(supplier=None).exists()
    said = Message.objects.filter(shop=shop)
    assert said.filter(needs_no_answer=True).exists()
    assert said.filter(to_shop=True, read_by_shop_at=None).exists()
    assert ReceivedMail.objects.filter(message__misdirected=True).exists()
    assert Attachment.objects.filter(shop=shop).exclude(preview_width=0).count() == 2
    assert set(OrderNote.objects.values_list("public", flat=True)) == {True, False}
    assert ShopHoliday.objects.filter(shop=shop).exists()
    assert Template.objects.filter(shop=shop).exists()
    assert ReturnRequest.objects.exists()
    assert Order.objects.filter(OWES_INVOICE, shop=shop).exclude(invoice_to="").exists()
    states = set(Request.objects.values_list("state", flat=True))
    assert states == {Asking.OPEN, Asking.APPROVED, Asking.DECLINED}
    _cannot_be_delivered(owner)
    scores = set(Review.objects.filter(shop=shop, hidden_at=None).values_list("stars", flat=True))
    assert scores == {1, 2, 3, 4, 5}
    assert Review.objects.exclude(hidden_at=None).exists()


def _cannot_be_delivered(owner: Membership) -> None:
    """Some wait for a decision, one of them where another order could have the parcel; one has gone on already."""
    assert Redirect.objects.count() == 1
    ends = set(DeliveryException.objects.values_list("how", flat=True))
    assert {"", Ending.RETRIED, Ending.REDIRECTED} <= ends
    waiting = Order.objects.filter(shop=owner.shop, state="exception").select_related("policy", "channel")
    now = timezone.now()
    assert any(redirecting.propose(order, by=seller(owner), at=now).fits for order in waiting)
