"""Mails that do not arrive: noted with the reason on notice and order, told to seller and operators; news that is
forged, garbled or nobody's is counted and writes nothing."""

import base64
import hashlib
import hmac
import io
import json
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from marketplace import waits
from messaging import bounces
from messaging.models import BounceRefusal, Notice
from orders import services
from orders.models import Event, Order
from orders.states import Verb
from sellers.models import User
from tests.conftest import AT, SELLER, Placing, sure
from tests.messaging.conftest import Server, drain

pytestmark = [pytest.mark.django_db, pytest.mark.rule("NOT-01")]

NO_SUCH = "550 5.1.1 <ana@cliente.example>: no such user"
SECRET = "correo:una-clave-muy-larga"


@pytest.fixture
def order(place: Placing) -> Order:
    """An order that its customer and its shop were told of."""
    return place(number="P-1")


@pytest.fixture
def told(order: Order, server: Server) -> Notice:
    """The customer's mail about it, which the server has taken."""
    drain(AT)
    return customers(order)


@pytest.fixture
def open_door(settings: Settings) -> None:
    settings.MAIL_WEBHOOK_SECRETS = (SECRET,)
    settings.MAILGUN_SIGNING_KEY = "key-mailgun"


def customers(order: Order) -> Notice:
    return Notice.objects.get(order_id=order.id, audience="customer", event=Verb.PLACE)


def stands() -> list[Any]:
    """Everything that a bounce may write, except how often one was turned away."""
    return [list(model.objects.order_by("pk").values()) for model in (Notice, Event, Order)]


def knock(provider: str, body: Any, *, secret: str = SECRET) -> Any:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    token = base64.b64encode(secret.encode()).decode()
    headers = {"Authorization": f"Basic {token}"} if secret else {}
    address = reverse("mail_webhook", args=[provider])
    return Client().post(address, sent, content_type="application/json", headers=headers)


def brevo(notice: Notice, **said: Any) -> dict[str, Any]:
    return {
        "event": "hard_bounce", "email": notice.email, "message-id": notice.message_id, "ts_epoch": 1772535600000,
        "reason": NO_SUCH, **said,
    }  # fmt: skip


def refusals() -> dict[tuple[str, str], int]:
    return {(one.source, one.reason): one.times for one in BounceRefusal.objects.all()}


def page(user: User, order: Order, tab: str = "") -> str:
    client = Client()
    client.force_login(user)
    return client.get(f"/pedidos/{order.reference}/", {"tab": tab} if tab else {}).content.decode()


def test_what_the_server_refuses_for_good_is_a_bounce(order: Order, alice: User, server: Server) -> None:
    server.says["RCPT", "ana@cliente.example"] = [NO_SUCH]
    drain(AT)
    notice = customers(order)
    assert notice.bounced_at is not None
    assert (notice.sent_at, notice.due_at, notice.bounce_reason) == (None, None, NO_SUCH)
    event = Event.objects.get(order=order, verb=Verb.MAIL_BOUNCED)
    assert (event.before, event.after, event.role) == (order.state, order.state, "platform")
    assert event.data == {"about": "place", "email": "ana@cliente.example", "answer": NO_SUCH}
    said = "«Pedido recibido» a ana@cliente.example: 550 5.1.1 &lt;ana@cliente.example&gt;: no such user"
    assert f"El correo al cliente no llegó: {said}" in page(alice, order)
    history = page(alice, order, "historial")
    assert "Un correo al cliente ha vuelto" in history
    assert said in history


def test_a_dead_address_is_written_to_when_there_is_something_new(order: Order, server: Server) -> None:
    server.says["RCPT", "ana@cliente.example"] = [NO_SUCH]
    drain(AT)
    later = AT + timedelta(hours=1)
    services.one(services.refuse([order.id], reason="sin existencias", by=SELLER, at=later))
    drain(later)
    assert [mail["To"] for mail in server.received] == ["pedidos@alba.example", "ana@cliente.example"]
    assert Notice.objects.filter(bounced_at__isnull=False).count() == 1


def test_a_shops_own_address_is_no_news_of_the_order(order: Order, alice: User, server: Server) -> None:
    server.says["RCPT", "pedidos@alba.example"] = ["550 5.2.1 mailbox disabled"]
    drain(AT)
    assert Notice.objects.get(bounced_at__isnull=False).audience == "seller"
    assert not Event.objects.filter(verb=Verb.MAIL_BOUNCED).exists()
    assert "no llegó" not in page(alice, order)


def test_what_the_server_refuses_for_now_is_no_bounce(order: Order, server: Server) -> None:
    server.says["RCPT", "ana@cliente.example"] = ["450 4.2.1 try later"]
    drain(AT)
    assert customers(order).bounced_at is None
    assert not Event.objects.filter(verb=Verb.MAIL_BOUNCED).exists()


@pytest.mark.usefixtures("open_door")
def test_a_provider_tells_of_a_bounce_once(told: Notice) -> None:
    answer = knock("brevo", brevo(told))
    assert (answer.status_code, answer.content.decode()) == (200, "noted=1")
    told.refresh_from_db()
    assert told.bounced_at is not None
    assert told.sent_at is not None
    assert told.bounce_reason
    before = stands()
    assert knock("brevo", brevo(told)).content.decode() == "known=1"
    assert stands() == before
    assert Event.objects.filter(verb=Verb.MAIL_BOUNCED).count() == 1
    assert refusals() == {}


@pytest.mark.usefixtures("open_door")
def test_mailgun_is_believed_with_its_signature_alone(told: Notice) -> None:
    def letter(key: str) -> dict[str, Any]:
        signature = hmac.new(key.encode(), b"1772535600token", hashlib.sha256).hexdigest()
        return {
            "signature": {"timestamp": "1772535600", "token": "token", "signature": signature},
            "event-data": {
                "event": "failed", "severity": "permanent", "id": "e1", "timestamp": 1772535600.0,
                "recipient": told.email, "message": {"headers": {"message-id": told.message_id.strip("<>")}},
                "delivery-status": {"code": 550, "message": "no such user"}, "reason": "bounce",
            },
        }  # fmt: skip

    before = stands()
    assert knock("mailgun", letter("another")).status_code == 403
    assert (stands(), refusals()) == (before, {("mailgun", "signature"): 1})
    assert knock("mailgun", letter("key-mailgun")).content.decode() == "noted=1"
    told.refresh_from_db()
    assert told.bounced_at is not None


@pytest.mark.usefixtures("open_door")
@pytest.mark.parametrize(
    ("said", "status", "counted"),
    [
        ({"message-id": "<notice-999999@localhost>"}, 200, "unknown"),
        ({"message-id": "<notice-1@elsewhere.example>"}, 200, "unknown"),
        ({"message-id": "<password-reset@localhost>"}, 200, "unknown"),
        ({"message-id": "<notice-99999999999999999999@localhost>"}, 200, "unknown"),
        ({"email": "another@cliente.example"}, 200, "unknown"),
        ({"ts_epoch": "yesterday"}, 400, "malformed"),
        ({"event": "delivered"}, 200, ""),
        ({"event": "deferred"}, 200, ""),
        ({"event": "opened"}, 200, ""),
    ],
)
def test_what_is_nobodys_or_no_bounce_writes_nothing(
    told: Notice, said: dict[str, Any], status: int, counted: str
) -> None:
    before = stands()
    assert knock("brevo", brevo(told, **said)).status_code == status
    assert stands() == before
    assert refusals() == ({("brevo", counted): 1} if counted else {})


@pytest.mark.usefixtures("open_door")
def test_who_is_not_believed_is_counted_and_writes_nothing(told: Notice) -> None:
    before = stands()
    for secret in ("", "correo:otra", ":", "correo"):
        assert knock("brevo", brevo(told), secret=secret).status_code == 403
    for body in (b"", b"{", b"[]", b"null", b"\xff\xfe", b'"x"', b"[" * 100_000, b'{"items": []}'):
        assert knock("brevo", body).status_code == 400
    assert knock("brevo", brevo(told, email=None)).status_code == 200
    assert stands() == before
    assert refusals() == {("brevo", "signature"): 4, ("brevo", "malformed"): 8}
    assert Client().get(reverse("mail_webhook", args=["brevo"])).status_code == 405


def test_without_a_secret_there_is_no_door(told: Notice, settings: Settings) -> None:
    before = stands()
    assert knock("brevo", brevo(told)).status_code == 404
    settings.MAIL_WEBHOOK_SECRETS = (SECRET,)
    assert [knock(name, brevo(told)).status_code for name in ("mailgun", "nobody")] == [404, 404]
    assert (stands(), refusals()) == (before, {})


REPORT = """\
From: MAILER-DAEMON@mail.example
To: avisos@trastienda.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

It could not be delivered.
--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example

Final-Recipient: rfc822; {email}
Action: {action}
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user
--B
Content-Type: {kind}

Message-ID: {message_id}
To: {email}
Subject: x

--B--
"""


def deliver(monkeypatch: pytest.MonkeyPatch, message: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(message)))
    call_command("receive_bounce", stdout=io.StringIO(), stderr=io.StringIO())


def report(notice: Notice, **said: str) -> bytes:
    facts = {"email": notice.email, "message_id": notice.message_id, "action": "failed",
             "kind": "text/rfc822-headers", **said}  # fmt: skip
    return REPORT.format(**facts).encode()


@pytest.mark.parametrize("kind", ["text/rfc822-headers", "message/rfc822"])
def test_a_mail_that_comes_back_is_read(told: Notice, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    deliver(monkeypatch, report(told, kind=kind))
    told.refresh_from_db()
    assert told.bounced_at is not None
    assert told.bounce_reason == "550 5.1.1 no such user"
    assert Event.objects.filter(verb=Verb.MAIL_BOUNCED).count() == 1
    before = stands()
    deliver(monkeypatch, report(told, kind=kind))
    assert (stands(), refusals()) == (before, {})


def test_a_report_that_is_none_or_nobodys_is_counted(told: Notice, monkeypatch: pytest.MonkeyPatch) -> None:
    before = stands()
    deliver(monkeypatch, report(told, action="delayed"))
    deliver(monkeypatch, report(told, action="delivered"))
    assert (stands(), refusals()) == (before, {})
    for body in (b"", b"hello", b"\xff\x00", report(told, kind="text/plain"), report(told, message_id="")):
        deliver(monkeypatch, body)
    deliver(monkeypatch, report(told, message_id="<notice-999999@localhost>"))
    deliver(monkeypatch, report(told, email="another@cliente.example"))
    assert stands() == before
    assert refusals() == {("mail", "malformed"): 5, ("mail", "unknown"): 2}


@pytest.mark.usefixtures("open_door")
def test_an_answer_cannot_break_what_keeps_it(told: Notice, alice: User) -> None:
    order = Order.objects.get(id=sure(told.order_id))
    knock("brevo", brevo(told, reason="<script>x</script>\x00\n" + "ñ" * 999))
    told.refresh_from_db()
    assert told.bounced_at is not None
    assert len(told.bounce_reason) <= 300
    assert "\x00" not in told.bounce_reason
    assert "<script>x" not in page(alice, order)


@pytest.mark.rule("ROL-02")
def test_operators_see_them_until_one_has_seen_to_it(order: Order, olga: User, server: Server) -> None:
    server.says["RCPT", "ana@cliente.example"] = [NO_SUCH]
    drain(AT)
    waits.forget()
    desk = Client()
    desk.force_login(olga)
    cards = {str(card.title): card for card in desk.get(reverse("admin:index")).context["cards"]}
    assert {title: card.number for title, card in cards.items()} == {"Correos devueltos": "1"}
    listed = cards["Correos devueltos"].address
    answer = desk.get(listed)
    notice = customers(order)
    assert list(answer.context["cl"].result_list) == [notice]
    assert "no such user" in answer.content.decode()
    sent = Notice.objects.get(order_id=order.id, audience="seller")
    before = list(Notice.objects.filter(pk=sent.pk).values())
    desk.post(listed, {"action": "seen", "_selected_action": [notice.pk, sent.pk], "index": "0"})
    assert list(Notice.objects.filter(pk=sent.pk).values()) == before
    assert list(desk.get(listed).context["cl"].result_list) == []
    assert "Correos devueltos" not in {
        str(card.title) for card in desk.get(reverse("admin:index")).context["cards"]
    }


def test_one_that_came_back_can_be_sent_again(order: Order, olga: User, server: Server) -> None:
    server.says["RCPT", "ana@cliente.example"] = [NO_SUCH]
    drain(AT)
    desk = Client()
    desk.force_login(olga)
    notice = customers(order)
    page = reverse("admin:messaging_notice_changelist")
    desk.post(page, {"action": "again", "_selected_action": [notice.pk], "index": "0"})
    drain(timezone.now())
    notice.refresh_from_db()
    assert notice.sent_at is not None
    assert (notice.bounced_at, notice.bounce_reason, notice.given_up_at) == (None, "", None)
    assert Event.objects.filter(verb=Verb.MAIL_BOUNCED).count() == 1


@override_settings(LANGUAGE_CODE="es")
def test_a_bare_code_has_words(told: Notice, alice: User, open_door: None) -> None:
    knock("brevo", brevo(told, event="invalid_email", reason=None))
    assert "la dirección no existe" in page(alice, Order.objects.get(id=sure(told.order_id)))


def test_a_bounce_that_is_older_than_the_last_move_is_told_after_it(order: Order, told: Notice) -> None:
    sure(services.accept([order.id], by=SELLER, at=AT + timedelta(seconds=2)))
    news = bounces.Bounce(told.message_id, told.email, NO_SUCH)
    heard_at = AT + timedelta(seconds=1)
    assert bounces.hear(news, source="brevo", at=heard_at) == bounces.Heard.NOTED
    event = Event.objects.filter(order=order).latest("id")
    assert (event.verb, event.at) == (Verb.MAIL_BOUNCED, AT + timedelta(seconds=2))
    told.refresh_from_db()
    assert told.bounced_at == heard_at
