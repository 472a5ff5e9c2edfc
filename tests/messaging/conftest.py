"""A real mail server for the tests, and the notices of every event, made by the real services."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.utils import translation
from pytest_django import Settings

from incidents import services as incidents
from marketplace import timers
from marketplace.celery import BY_NAME
from marketplace.models import Channel
from marketplace.policy import Preset, Role
from marketplace.reasons import Why
from marketplace.refusals import Tally
from marketplace.services import open_channel
from messaging import conversing, replying
from messaging.conversing import Words
from messaging.inbound import receiving
from messaging.models import Notice
from messaging.new_links import mail_new_link
from messaging.recipients import CUSTOMER as CONVERSED_CUSTOMER
from messaging.recipients import OPERATOR as CONVERSED_OPERATOR
from messaging.recipients import SHOP as CONVERSED_SHOP
from messaging.recipients import SUPPLIER as CONVERSED_SUPPLIER
from messaging.tasks import InvariantsBroken, send_notices
from orders import services
from orders.models import Line, Order
from orders.states import HoldKind, Verb
from payments import beforehand
from quality import services as reviews
from refunds import redirecting
from sellers.desk import Actor, Right
from sellers.models import Shop, Supplier, User
from settlements.models import Payout
from settlements.services import answer_payouts
from tests.conftest import ANA, AT, CLOCK, CUSTOMER, OPERATOR, SELLER, actor_of, basket
from tests.messaging.given_back import ask_for_cover, give_back
from tests.orders.digital import BOOKING, PATTERN, TICKET, digital_basket

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass
class Server:
    """Takes mails in; `says` what it is told to, per command and recipient, once each; "" is a yes."""

    received: list[EmailMessage] = field(default_factory=list)
    connections: int = 0
    says: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    on_data: Callable[[EmailMessage], None] = lambda message: None

    def _word(self, command: str, address: str) -> str | None:
        words = self.says.get((command, address)) or self.says.get((command, "*"))
        return words.pop(0) if words else None

    async def handle_EHLO(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, name: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = name
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self._word("MAIL", "*") or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if word := self._word("RCPT", address):
            return word
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if word := self._word("DATA", envelope.rcpt_tos[0]):
            return word
        message = BytesParser(policy=default).parsebytes(envelope.content)
        self.received.append(message)
        self.on_data(message)
        return "250 OK"

    @property
    def ids(self) -> list[str]:
        return [str(message["Message-ID"]) for message in self.received]


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@dataclass
class Post:
    """A mail server that can be up or down, always at the same address."""

    server: Server
    port: int
    controller: Controller | None = None

    def up(self) -> None:
        self.controller = Controller(self.server, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    def down(self) -> None:
        if self.controller:
            self.controller.stop()
            self.controller = None


@pytest.fixture
def post(settings: Settings) -> Iterator[Post]:
    """The mail server of the site, down until it is told `up()`."""
    there = Post(Server(), _free_port())
    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": there.port, "timeout": 10},
        }
    }
    yield there
    there.down()


@pytest.fixture
def server(post: Post, django_mail_patch_dns: None) -> Server:
    """The mail server of the site, up."""
    post.up()
    return post.server


def drain(at: datetime) -> Tally:
    tally = Tally()
    send_notices(at=at, tally=tally)
    return tally


type Telling = Callable[[str], datetime]


def _tick(name: str, at: datetime) -> None:
    timers.run(BY_NAME[name], at=at, record=False)


def _paid_beforehand(shop: Shop, language: str) -> None:
    """What happens only where the customer pays first, or where a delivery fails."""
    channel = open_channel("antes", "Tienda de pruebas", preset=Preset.PREPAID, by="pruebas", at=AT)
    buyer = replace(ANA, language=language)
    paid, unpaid = (
        move.order_id
        for n in range(2)
        for move in services.place(channel, [basket(shop, number=f"{language}-P{n}", customer=buyer)]).moved
    )
    beforehand.confirm({paid: "pi_1"}, by=CLOCK, at=AT + HOUR)
    jar = Line.objects.get(order_id=paid, sku="JAR-AZUL")
    services.one(services.shorten({paid: {jar.id: 1}}, by=SELLER, at=AT + HOUR))
    services.ship({paid: services.Parcel(carrier_name="SEUR", tracking="S3")}, by=SELLER, at=AT + 2 * HOUR)
    services.report_exception([paid], reason="Ausente", by=OPERATOR, at=AT + 3 * HOUR)
    services.retry([paid], by=SELLER, at=AT + 4 * HOUR)
    services.report_exception([paid], reason="Ausente", by=OPERATOR, at=AT + 5 * HOUR)
    services.return_to_sender([paid], by=SELLER, at=AT + 6 * HOUR)
    services.one(services.lapse([unpaid], by=CLOCK, at=AT + 4 * DAY))
    _confirmed(channel, shop, language)


def _confirmed(channel: Channel, shop: Shop, language: str) -> None:
    """What happens only to what does not travel."""
    buyer = replace(ANA, language=language)
    articles = (PATTERN, TICKET, BOOKING)
    new = replace(digital_basket(shop, *articles, customer=buyer), commercial_id=f"{language}-D")
    order_id = services.place(channel, [new]).moved[0].order_id
    beforehand.confirm({order_id: "pi_2"}, by=CLOCK, at=AT + HOUR)
    asked = Line.objects.filter(order_id=order_id, confirmed_at=None)
    access = {line.id: f"Puerta 2, {line.sku}" for line in asked}
    services.one(services.fulfil({order_id: access}, by=SELLER, at=AT + 2 * HOUR))


def _served_by_a_supplier(channel: Channel, shop: Shop, norte: Supplier, language: str) -> None:
    """What a supplier is told: to prepare, that it is off, that it could not be delivered, that it is not theirs."""
    buyer = replace(ANA, language=language)
    ids = []
    for n in range(3):
        new = basket(shop, number=f"{language}-F{n}", customer=buyer, served=[norte, norte])
        ids += [move.order_id for move in services.place(channel, [new]).moved]
    services.accept(ids, by=SELLER, at=AT + HOUR)
    _tick("charge", AT + HOUR)
    off, failed, taken = ids
    services.cancel([off], reason="Roto en el taller", by=OPERATOR, at=AT + 2 * HOUR)
    parcel = services.Parcel(carrier_name="SEUR", tracking="S4")
    services.ship({failed: parcel}, by=actor_of(norte), at=AT + 2 * HOUR)
    services.report_exception([failed], reason="Ausente", by=OPERATOR, at=AT + 3 * HOUR)
    services.return_to_sender([failed], by=SELLER, at=AT + 4 * HOUR)
    given = dict.fromkeys(Line.objects.filter(order_id=taken).values_list("id", flat=True))
    services.assign({taken: given}, by=OPERATOR, at=AT + 4 * HOUR)
    services.cancel([taken], reason="Ya no lo quiere", by=OPERATOR, at=AT + 5 * HOUR)


def _incidents(order_id: int, at: datetime) -> None:
    """What is told of an incident, from its opening to its end."""
    line = Line.objects.filter(order_id=order_id, decision="accepted")[0]
    broken, solved = Why("damaged"), Why("replaced")
    one = incidents.open_incident(order_id, [line.id], reason=broken, text="Roto", by=CUSTOMER, at=at)
    incidents.resolve(one.id, reason=solved, message="Cambiado", by=SELLER, at=at)
    incidents.send_back(one.id, reason="No le ha llegado", by=OPERATOR, at=at)
    incidents.resolve(one.id, reason=solved, by=SELLER, at=at)
    incidents.close([one.id], by=OPERATOR, at=at)


def _redirected(channel: Channel, shop: Shop, norte: Supplier, language: str) -> None:
    """What is told of a parcel that goes on to another order."""
    buyer = replace(ANA, language=language)
    ids = []
    for n in range(2):
        new = basket(shop, number=f"{language}-R{n}", customer=buyer, served=[norte, norte])
        ids += [move.order_id for move in services.place(channel, [new]).moved]
    services.accept(ids, by=SELLER, at=AT + HOUR)
    _tick("charge", AT + HOUR)
    failed, other = ids
    services.ship({failed: services.Parcel(carrier_name="SEUR")}, by=actor_of(norte), at=AT + 2 * HOUR)
    services.report_exception([failed], reason=Why("absent"), by=OPERATOR, at=AT + 3 * HOUR)
    assert len(redirecting.redirect(failed, other, by=SELLER, at=AT + 4 * HOUR).moved) == 2


def _asked_for(channel: Channel, shop: Shop, norte: Supplier, language: str) -> None:
    """What is written and told when people ask for what they may not do: everybody asks, everybody answers."""
    buyer = replace(ANA, language=language)
    ids = []
    for n in range(2):
        new = basket(shop, number=f"{language}-Q{n}", customer=buyer, served=[norte, norte] if n else ())
        ids += [move.order_id for move in services.place(channel, [new]).moved]
    own, theirs = ids
    services.accept(ids, by=SELLER, at=AT + HOUR)
    support = Actor(Role.SELLER, "Bruno", rights=frozenset({Right.ANSWER}))
    why = Why("customer-asks")

    def asked(order_id: int, by: Actor, at: datetime) -> int:
        moved = services.one(services.ask(order_id, Verb.CANCEL, reason=why, by=by, at=at))
        return int(moved.data["request"])

    with translation.override(language):
        services.decline(asked(own, SELLER, AT + HOUR), answer="No", by=OPERATOR, at=AT + HOUR)
        _tick("charge", AT + HOUR)
        services.decline(asked(own, CUSTOMER, AT + 2 * HOUR), answer="No", by=SELLER, at=AT + 2 * HOUR)
        services.decline(asked(own, support, AT + 2 * HOUR), answer="No", by=SELLER, at=AT + 2 * HOUR)
        services.approve(asked(theirs, SELLER, AT + 2 * HOUR), by=actor_of(norte), at=AT + 2 * HOUR)
    services.cancel([own], reason=why, by=OPERATOR, at=AT + 3 * HOUR)


def _carriers(shop: Shop) -> None:
    """What is told of carriers that a shop asks for."""
    wanted, odd = (
        services.ask_for_carrier(shop, name, "https://portes.example/", by=SELLER, at=AT)
        for name in ("Portes Norte", "Portes Sur")
    )
    services.grant_carrier([wanted.id], services.NewCarrier("portes", "Portes"), by=OPERATOR, at=AT)
    services.decline_carrier([odd.id], note="No da seguimiento", by=OPERATOR, at=AT)


def _by_mail(order: Order, supplier: Supplier) -> None:
    """Everybody is written to, and a shop and an operator answer by mail."""
    at = AT + 2 * DAY
    for to in (CONVERSED_CUSTOMER, CONVERSED_OPERATOR):
        conversing.start(order.shop, Words("Hola"), to=to, order=order, by=SELLER, at=at)
    conversing.start(
        order.shop, Words("Hola"), to=CONVERSED_SUPPLIER, order=order, supplier=supplier, by=SELLER, at=at
    )
    conversing.start(order.shop, Words("Hola"), to=CONVERSED_SHOP, order=order, by=CUSTOMER, at=at)
    for audience in ("seller", "operator"):
        address = replying.reply_address(
            Notice.objects.filter(event="message", audience=audience).latest("id")
        )
        answer = f"To: {address}\nMessage-ID: <{order.id}-{audience}@x.example>\n\nVale".encode()
        assert receiving.receive(answer, source="mail", at=at).is_done


def _reviews(order: Order) -> None:
    """The customer is asked, reminded, and says how it was."""
    at = AT + 20 * DAY
    _tick("reviews", at)
    reviews.remind(order, "¿Qué tal?", by=SELLER, at=at)
    reviews.write_review(order, 4, "Muy bien.", by=CUSTOMER, at=at)


@pytest.fixture
def tell_everything(channel: Channel, shop: Shop, norte: Supplier, olga: User) -> Telling:
    """Let everything happen that anybody is told of, in a language; answers when it is over."""

    def tell(language: str) -> datetime:
        Shop.objects.update(language=language)
        User.objects.update(language=language)
        Supplier.objects.update(language=language)

        def place(number: str, **wishes: Any) -> int:
            new = basket(shop, number=number, customer=replace(ANA, language=language), **wishes)
            return services.place(channel, [new]).moved[0].order_id

        shipped, refused, cancelled, declined, slow, late, odd, _ignored = (
            place(f"{language}-{n}", card=card, paid_cents=paid)
            for n, (card, paid) in enumerate(
                [("ok", None), ("ok", None), ("norefund", None), ("refused", None), ("slow", None), ("late", None),
                 ("ok", 1), ("ok", None)]
            )
        )  # fmt: skip
        jar, plate = Line.objects.filter(order_id=shipped)
        services.accept({shipped: services.Answer({plate.id: "Sin existencias"})}, by=SELLER, at=AT + HOUR)
        services.refuse([refused], reason="Sin existencias", by=SELLER, at=AT + HOUR)
        services.accept([cancelled, declined, slow, late], by=SELLER, at=AT + HOUR)
        services.hold([shipped], HoldKind.OPERATOR, note="se comprueba", by=OPERATOR, at=AT + HOUR)
        services.release([shipped], HoldKind.OPERATOR, by=OPERATOR, at=AT + HOUR)
        _tick("charge", AT + HOUR)
        services.cancel([slow], reason="A petición del cliente", by=OPERATOR, at=AT + HOUR)
        services.cancel([cancelled], reason="Roto en el almacén", by=SELLER, at=AT + HOUR)
        _tick("payback", AT + HOUR)
        services.cancel([odd], reason="Ya no lo quiere", by=CUSTOMER, at=AT + HOUR)
        one = services.Parcel(
            carrier_name="SEUR", tracking="S1", tracking_url="https://seur.example/S1", quantities={jar.id: 1}
        )
        services.ship({shipped: one}, by=SELLER, at=AT + 2 * HOUR)
        _tick("charge", AT + 2 * HOUR)
        _tick("debits", AT + 3 * HOUR)
        services.ship(
            {shipped: services.Parcel(carrier_name="SEUR", tracking="S2")}, by=SELLER, at=AT + 3 * HOUR
        )
        services.deliver([shipped], by=CLOCK, at=AT + DAY)
        give_back(channel, shop, language)
        mail_new_link(shipped, at=AT + DAY)
        _incidents(shipped, AT + DAY)
        services.one(services.ask_invoice(shipped, "Ana Soler\n12345678Z", by=CUSTOMER, at=AT + DAY))
        _paid_beforehand(shop, language)
        _tick("payback", AT + DAY)
        _served_by_a_supplier(channel, shop, norte, language)
        _redirected(channel, shop, norte, language)
        _asked_for(channel, shop, norte, language)
        _carriers(shop)
        _by_mail(Order.objects.get(id=shipped), norte)
        _reviews(Order.objects.get(id=shipped))
        _tick("expire", AT + 4 * DAY)
        receive_at = Order.objects.get(id=shipped).receive_at
        assert receive_at is not None
        _tick("receive", receive_at)
        closes_at = BY_NAME["statements"].next_due()
        assert closes_at is not None
        _tick("statements", closes_at)
        Order.objects.filter(id=shipped).update(held_at=AT)
        with pytest.raises(InvariantsBroken):
            _tick("watch", AT)
        Order.objects.filter(id=shipped).update(held_at=None)
        ask_for_cover(shipped, closes_at + HOUR)
        answer_payouts(list(Payout.objects.values_list("id", flat=True)), paid=False, at=closes_at + 2 * HOUR)
        return closes_at + 3 * HOUR

    return tell
