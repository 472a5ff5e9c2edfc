"""The operators' rooms of refunds: covering what a balance lacks, and money that no provider can pay back."""

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from ledger.models import Posting
from marketplace import waits
from marketplace.models import Channel
from marketplace.policy import PRESETS, Preset
from marketplace.reasons import Why
from marketplace.services import publish_policy
from messaging.models import Notice
from orders.models import Event, Order
from orders.states import State
from payments.models import Payback
from payments.states import AskState
from refunds import refunding
from refunds.models import Refund
from refunds.refunding import Wish
from refunds.states import RefundState
from sellers.models import Shop, User
from tests.conftest import AT, SELLER, again, row
from tests.orders.lives import brought_to, tick
from tests.refunds.test_refunding import not_paid_back

pytestmark = [pytest.mark.django_db, pytest.mark.rule("ROL-02")]
LIST = "/admin/refunds/refund/"
PAYBACKS = "/admin/payments/payback/"
PAID_OUT = AT + timedelta(days=60)


@pytest.fixture
def asked(channel: Channel, shop: Shop, olga: User) -> Refund:
    """A total refund of an order that was paid out, which its shop asks the operator to cover."""
    order = Order.objects.get(id=brought_to(State.CLOSED, channel, shop)[0])
    wish = Wish(uuid.uuid4(), Why("damaged"), None, cover=True)
    return refunding.refund(order.id, wish, by=SELLER, at=PAID_OUT)


def told(event: str) -> list[str]:
    return list(Notice.objects.filter(event=event).values_list("email", flat=True))


@pytest.mark.rule("REF-04")
def test_a_refund_that_waits_is_covered_from_the_room(desk: Client, asked: Refund) -> None:
    assert told("cover_asked") == ["olga@operador.example"]
    waits.forget()
    assert waits.counts()["covers"] == 1
    page = desk.get(f"{LIST}{asked.id}/cover/").content.decode().replace("\u00a0", " ")
    assert "84,00 €" in page
    assert page.count("71,80 €") == 2
    assert Refund.objects.get().state == RefundState.ASKED
    answer = desk.post(f"{LIST}{asked.id}/cover/", follow=True)
    assert "Decidido: 1. La tienda lo sabe." in answer.content.decode()
    done = Refund.objects.get()
    assert (done.state, done.covered_cents, done.decided_by) == (RefundState.DUE, 7180, "Olga Operadora")
    assert told("cover_granted") == ["pedidos@alba.example"]
    covered = Posting.objects.filter(entry__kind="cover", account="operator_cover").values_list(
        "amount_cents", flat=True
    )
    assert list(covered) == [7180]
    waits.forget()
    assert waits.counts()["covers"] == 0
    before = row(again(done.order)), Posting.objects.count()
    answer = desk.post(f"{LIST}{asked.id}/cover/", follow=True)
    assert "Decidido: 1" not in answer.content.decode()
    assert (row(again(done.order)), Posting.objects.count()) == before


@pytest.mark.rule("REF-04")
def test_a_refund_that_is_not_covered_says_why_and_leaves_the_books(desk: Client, asked: Refund) -> None:
    before = row(asked.order), Posting.objects.count()
    assert (
        "Este campo es obligatorio"
        in desk.post(f"{LIST}{asked.id}/decline/", {"answer": " "}).content.decode()
    )
    assert Refund.objects.get().state == RefundState.ASKED
    desk.post(f"{LIST}{asked.id}/decline/", {"answer": "Espera al día 16"})
    done = Refund.objects.get()
    assert (done.state, done.answer) == (RefundState.DECLINED, "Espera al día 16")
    assert told("cover_declined") == ["pedidos@alba.example"]
    assert (row(again(asked.order)), Posting.objects.count()) == before


@pytest.mark.rule("PAY-06", "CAN-05")
def test_what_a_courier_collected_is_transferred_by_hand_once(
    desk: Client, channel: Channel, shop: Shop, olga: User
) -> None:
    publish_policy(channel, PRESETS[Preset.CASH_ON_DELIVERY], by="x", at=AT)
    channel.refresh_from_db()
    order = Order.objects.get(id=brought_to(State.DELIVERED, channel, shop)[0])
    refunding.refund(order.id, Wish(uuid.uuid4(), Why("damaged"), None), by=SELLER, at=AT + timedelta(days=2))
    payback = Payback.objects.get()
    assert tick("payback", timezone.now()).done == 0
    waits.forget()
    assert waits.counts()["transfers"] == 1
    url = f"{PAYBACKS}{payback.id}/transferred/"
    assert "Transferir" in desk.get(url).content.decode()
    assert "Este campo es obligatorio" in desk.post(url, {"reference": ""}).content.decode()
    assert Payback.objects.get().state == AskState.WAITING
    assert "Apuntado: 1" in desk.post(url, {"reference": "TR-77"}, follow=True).content.decode()
    payback = Payback.objects.get()
    assert (payback.state, payback.reference) == (AskState.SUCCEEDED, "TR-77")
    assert Refund.objects.get().state == RefundState.PAID
    paid = Posting.objects.filter(entry__kind="paid_back").order_by("account")
    assert list(paid.values_list("account", "amount_cents")) == [("bank", -8400), ("refund_due", 8400)]
    assert (
        Event.objects.filter(order=order, verb="paid_back").values_list("by", flat=True).get()
        == "Olga Operadora"
    )
    assert told("paid_back") == [order.customer_email]
    assert "Apuntado" not in desk.post(url, {"reference": "TR-78"}, follow=True).content.decode()
    payback = Payback.objects.get()
    assert (payback.reference, Posting.objects.filter(entry__kind="paid_back").count()) == ("TR-77", 2)


def test_what_a_provider_pays_back_cannot_be_transferred(desk: Client, channel: Channel, shop: Shop) -> None:
    order_id = brought_to(State.DELIVERED, channel, shop)[0]
    not_paid_back()
    refunding.refund(order_id, Wish(uuid.uuid4(), Why("damaged"), None), by=SELLER, at=AT + timedelta(days=2))
    payback = Payback.objects.get()
    answer = desk.post(f"{PAYBACKS}{payback.id}/transferred/", {"reference": "TR-1"}, follow=True)
    assert "Apuntado" not in answer.content.decode()
    payback = Payback.objects.get()
    assert (payback.state, payback.reference) == (AskState.WAITING, "")
