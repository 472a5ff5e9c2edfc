"""An operator, signed in; and one row of everything the rooms show."""

import uuid
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from incidents import services as incidents
from marketplace import timers
from marketplace.celery import BY_NAME
from marketplace.models import Channel, Parked, TimerRun
from marketplace.reasons import Why
from messaging import conversing
from messaging.conversing import Words
from messaging.models import BounceRefusal, Correspondent, MailRefusal, NotHeard, NotTaken
from messaging.noting import add_note
from messaging.recipients import CUSTOMER as TO_CUSTOMER
from orders import services
from orders.models import CommissionRate, Order
from orders.states import HoldKind, Verb
from payments.models import Collection, Inquiry, Release, Remittance, WebhookReceipt, WebhookRefusal
from payments.states import Heard, TurnedAway
from quality import services as reviews
from refunds import refunding, return_verbs
from refunds.amounts import Part
from refunds.refunding import Wish
from sellers.desk import operator
from sellers.models import User
from settlements import adjusting, payees, paying
from tests.conftest import ALBA, CUSTOMER, OPERATOR, SELLER, Placing
from tests.refunds.giving_back import asked as asked_back


@pytest.fixture
def desk(client: Client, olga: User) -> Client:
    """The browser of an operator who has signed in."""
    client.force_login(olga)
    return client


@pytest.fixture
def fresh(place: Placing) -> Placing:
    """Orders placed an hour ago by the real clock, so that what the rooms do now is in time."""

    def placing(*articles: tuple[str, str, int, int, int], **wishes: object) -> Order:
        return place(*articles, **{"at": timezone.now() - timedelta(hours=1), **wishes})

    return placing


@pytest.fixture
def settled(fresh: Placing, olga: User) -> Order:
    """An order that went all the way to a payout, with a hold and a parcel; and one that was paid back."""
    at = timezone.now() - timedelta(days=80)
    order = fresh(at=at)
    cancelled = fresh(at=at)
    services.accept([order.id, cancelled.id], by=SELLER, at=at)
    services.one(services.ask(cancelled.id, Verb.CANCEL, reason="a petición", by=SELLER, at=at))
    timers.run(BY_NAME["charge"], at=at)
    services.cancel([cancelled.id], reason="a petición", by=OPERATOR, at=at)
    services.hold([order.id], HoldKind.OPERATOR, note="revisar", by=OPERATOR, at=at)
    services.release([order.id], HoldKind.OPERATOR, note="revisado", by=OPERATOR, at=at)
    parcel = services.Parcel(
        carrier_name="Portes Norte", tracking="N-1", tracking_url="https://portes.example/N-1"
    )
    services.ship({order.id: parcel}, by=SELLER, at=at + timedelta(hours=1))
    services.report_exception([order.id], reason=Why("absent"), by=OPERATOR, at=at + timedelta(hours=2))
    services.retry([order.id], by=SELLER, at=at + timedelta(hours=3))
    services.deliver([order.id], by=OPERATOR, at=at + timedelta(hours=4))
    back = asked_back(order.id, at=at + timedelta(hours=5))
    return_verbs.withdraw(back.id, by=CUSTOMER, at=at + timedelta(hours=6))
    timers.run(BY_NAME["receive"], at=at + timedelta(days=22))
    timers.run(BY_NAME["statements"], at=at + timedelta(days=60))
    _told_by_the_provider(order, at=at)
    reviews.write_review(order, 4, "Bien", by=CUSTOMER, at=at + timedelta(days=30))
    _talked_about(order, at=at)
    _complained_about(order, at=at)
    part = Part(order.lines.all()[0].id, 1, 1000, 0)
    wish = Wish(uuid.uuid4(), Why("damaged"), (part,), cover=True)
    asked = refunding.refund(order.id, wish, by=SELLER, at=at + timedelta(days=65))
    refunding.withdraw(asked.id, by=SELLER, at=at + timedelta(days=66))
    _adjusted(order, at=at)
    return Order.objects.get(id=order.id)


def _adjusted(order: Order, *, at: datetime) -> None:
    """What an operator credited its shop with."""
    olga = operator(User.objects.get(email="olga@operador.example"))
    channel = Channel.objects.select_related("policy").get(id=order.channel_id)
    payees.keep_issuer(channel, ALBA, by=olga, at=at)
    paying.hand_out(paying.make_file(channel, by=olga, at=at), by=olga, at=at)
    timers.run(BY_NAME["invoices"], at=at + timedelta(days=61))
    adjusting.ask(order.shop, channel, 100, reason="Campaña", by=olga, at=at)


def _talked_about(order: Order, *, at: datetime) -> None:
    """What people said about an order, and wrote down."""
    conversing.start(order.shop, Words("Sale mañana"), to=TO_CUSTOMER, order=order, by=SELLER, at=at)
    add_note(order.id, "Llamó y quedamos en el jueves", public=False, by=SELLER, at=at)


def _complained_about(order: Order, *, at: datetime) -> None:
    """What went wrong with it, and was put right and closed."""
    line = order.lines.all()[0]
    opened = incidents.open_incident(
        order.id, [line.id], reason=Why("damaged"), text="Roto", by=OPERATOR, at=at + timedelta(days=62)
    )
    incidents.resolve(opened.id, reason=Why("replaced"), by=SELLER, at=at + timedelta(days=63))
    incidents.close([opened.id], by=OPERATOR, at=at + timedelta(days=64))


def _told_by_the_provider(order: Order, *, at: datetime) -> None:
    """What only a provider with webhooks and authorisations leaves behind."""
    Release.objects.create(
        shop_id=order.shop_id, order=order, provider="stripe", card="pi_1", amount_cents=8400, currency="EUR"
    )
    WebhookReceipt.objects.create(
        channel_id=order.channel_id, event_id="evt_1", kind="charge.updated", subject="ch_1", heard=Heard.NOBODY,
        received_at=at, last_at=at,
    )  # fmt: skip
    basket_id, channel_id = order.basket_id, order.channel_id
    whose = {
        "channel_id": channel_id,
        "courier": "Portes Norte",
        "courier_key": "portes norte",
        "currency": "EUR",
    }
    Inquiry.objects.create(
        basket_id=basket_id, channel_id=channel_id, provider="stripe", reference="pi_2", ask_until=at
    )
    remittance = Remittance.objects.create(
        **whose,
        reference="R-1",
        amount_cents=8400,
        orders_count=1,
        received_at=at,
        recorded_at=at,
        recorded_by="Olga",
    )
    Collection.objects.create(
        **whose,
        shop_id=order.shop_id,
        order=order,
        amount_cents=8400,
        collected_at=at,
        remittance=remittance,
    )
    WebhookRefusal.objects.create(reason=TurnedAway.SIGNATURE, day=at.date(), last_at=at)
    BounceRefusal.objects.create(source="mail", reason=NotHeard.MALFORMED, day=at.date(), last_at=at)
    MailRefusal.objects.create(source="mail", reason=NotTaken.BROKEN, day=at.date(), last_at=at)
    said = conversing.start(order.shop, Words("Hola"), to=TO_CUSTOMER, order=order, by=SELLER, at=at)
    Correspondent.objects.create(
        shop_id=order.shop_id, thread=said.thread, audience="customer", email="ana@cliente.example"
    )
    ended = {"from_day": at.date(), "until_day": at.date() + timedelta(days=1)}
    CommissionRate.objects.create(channel_id=order.channel_id, category="Hogar", basis_points=950, **ended)
    asked = services.ask_for_carrier(order.shop, "Portes Norte", "https://portes.example", by=SELLER, at=at)
    services.decline_carrier([asked.id], note="No da seguimiento", by=OPERATOR, at=at)


@pytest.fixture
def parked(db: None) -> Parked:
    """A row that was set aside and waits."""
    now = timezone.now()
    TimerRun.objects.create(timer="expire", at=now, started_at=now, ended_at=now, done=3, parked=1)
    return Parked.objects.create(
        timer="expire",
        subject_id=7,
        trace="Traceback\nValueError: roto",
        parked_at=now,
        retry_at=now + timedelta(hours=4),
    )
