"""What a customer's pages keep to themselves, and what of the shop, the operator and others they never tell."""

import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from customer import urls
from marketplace.logs import Json
from marketplace.models import Channel
from messaging import conversing
from messaging.conversing import Words
from messaging.customer_links import customer_url
from messaging.documents import Letters
from messaging.models import Message, Notice
from messaging.recipients import CUSTOMER, OPERATOR, SHOP, SUPPLIER
from orders import services
from orders.models import Basket, Event, Hold, Line, Order
from orders.states import HoldKind, State, Verb
from sellers.models import Shop, Supplier
from tests.conftest import AT, SELLER, actor_of, row
from tests.conftest import OPERATOR as OLGA
from tests.customer.conftest import Clock
from tests.customer.links import path_of
from tests.orders.lives import HOUR, brought_to

pytestmark = pytest.mark.django_db

PAGES = [
    str(one.pattern).removeprefix("<str:token>").replace("<int:number>", "1")
    for one in urls.urlpatterns
    if one.name
]
"""Every address of the customer's pages, after the token."""


@pytest.fixture
def order(channel: Channel, shop: Shop, clock: Clock) -> Order:
    found = Order.objects.get(id=brought_to(State.DELIVERED, channel, shop)[0])
    clock(AT + 5 * HOUR)
    return found


def _of_link(order: Order, at: Any = None) -> str:
    return path_of(order, at).rstrip("/")


@pytest.mark.rule("ROL-03")
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_strangers_find_nothing_at_any_address(page: str, method: str, order: Order, client: Client) -> None:
    """Whoever has no link, a changed one, one that was made void, or one that ended a year before it was."""
    before = row(order)
    good = _of_link(order)
    changed = good[:-1] + ("A" if good[-1] != "A" else "B")
    services.one(services.revoke_links([order.id], by=OLGA, at=AT + 4 * HOUR))
    sent = {"text": "x", "reason": "other", "why": "x"}
    answers = [
        getattr(client, method)(address + page, sent)
        for address in (good, changed, "/mi-pedido/" + "A" * 44, f"/mi-pedido/{order.reference}")
    ]
    assert {(one.status_code, one.content) for one in answers} == {(404, answers[0].content)}
    after = row(order)
    assert {name for name in after if after[name] != before[name]} == {"link_version", "moved_at"}
    assert not Message.objects.exists()


@pytest.mark.rule("ROL-03")
@pytest.mark.parametrize("page", PAGES)
def test_every_answer_is_private_and_leads_nowhere_by_itself(page: str, order: Order, client: Client) -> None:
    ended = _of_link(order, timezone.now() - timedelta(days=999))
    for address in (_of_link(order), ended, "/mi-pedido/nada"):
        for answer in (
            client.get(address + page),
            client.post(address + page),
            client.delete(address + page),
        ):
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["Cache-Control"] == "private, no-store"
            assert "noindex" in answer.headers["X-Robots-Tag"]
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
            assert "script-src" not in answer.headers["Content-Security-Policy"]
            assert not answer.cookies
            if answer.headers["Content-Type"].startswith("text/html"):
                shown = answer.content.decode()
                assert "<script" not in shown
                assert "http://" not in shown
                assert "https://" not in shown


@pytest.mark.rule("ROL-03")
@pytest.mark.parametrize("page", PAGES)
def test_a_link_is_never_in_the_logs(page: str, order: Order, client: Client) -> None:
    """Neither when it opens, nor when it does not, nor when it has ended; whatever is asked, however it is sent."""
    ended, good = _of_link(order, timezone.now() - timedelta(days=999)), _of_link(order)
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(Json().format(record))

    kept, root = Kept(), logging.getLogger()
    loggers = [root, logging.getLogger("django"), logging.getLogger("marketplace.logs")]
    for logger in loggers:
        logger.addHandler(kept)
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.DEBUG)
        for address in (good, ended, good[:-1] + "x"):
            client.get(address + page + "?idioma=en")
            client.post(address + page, {"text": ""})
            client.delete(address + page)
            client.get(address + page + "otra-cosa")
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(kept)
            logger.setLevel(level)
    assert any("/mi-pedido/<str:token>" in line for line in lines)
    for address in (good, ended):
        assert not [line for line in lines if address.split("/")[2] in line]


@pytest.mark.parametrize("asked", ["fr", "es'", "<script>", "../en", "", "en\x00", "ES", "en&idioma=es"])
def test_only_our_languages_are_spoken(asked: str, order: Order, client: Client) -> None:
    answer = client.get(path_of(order), query_params={"idioma": asked})
    assert (answer.status_code, answer.headers["Content-Language"]) == (200, "es")
    assert "script" not in answer.content.decode()


EVIL = "<script>alert(1)</script>\"'><img src=x onerror=1>{{ 7*7 }}"


def test_what_people_type_is_text_everywhere(order: Order, client: Client) -> None:
    Order.objects.filter(id=order.id).update(
        customer_name=EVIL[:60], street=EVIL, city=EVIL, customer_phone=EVIL[:40]
    )
    Line.objects.filter(order=order).update(title=EVIL)
    Shop.objects.filter(id=order.shop_id).update(name=EVIL)
    order.shipments.update(carrier_name=EVIL[:60], tracking=EVIL[:60], tracking_url="javascript:alert(1)")
    client.post(f"{path_of(order)}mensajes/", {"text": EVIL})
    conversing.start(
        order.shop,
        Words(EVIL.replace("{{", "{")),
        to=CUSTOMER,
        order=order,
        subject=EVIL[:100],
        by=SELLER,
        at=AT + HOUR,
    )
    line = order.lines.get(sku="JAR-AZUL")
    client.post(f"{path_of(order)}devolver/", {f"units_{line.id}": 1, "reason": "faulty", "text": EVIL})
    client.post(f"{path_of(order)}incidencia/", {f"line_{line.id}": "on", "reason": "damaged", "text": EVIL})
    refused = client.post(f"{path_of(order)}mensajes/", {"text": EVIL + "x" * 10_000})
    pages = [
        client.get(path_of(order) + page).content.decode()
        for page in ("", "mensajes/", "devolver/", "incidencia/")
    ]
    for page in (*pages, refused.content.decode()):
        assert "<script" not in page
        assert "<img src=x" not in page
        assert "javascript:" not in page
        assert "49" not in page.split("{{")[0][-5:]
    assert "&lt;script&gt;" in pages[0]


MARK = "SECRETO"


def _marked(order: Order, other: Order, norte: Supplier) -> None:
    """Plant a mark in everything that is not the customer's to read."""
    Order.objects.filter(id=order.id).update(
        commission_cents=77_123,
        commission_vat_cents=77_456,
        commission_parts=[{"why": MARK}],
        payment_token=MARK,
        customer_external_id=MARK,
        supplier=norte,
    )
    Order.objects.filter(id=other.id).update(
        customer_name=MARK, street=MARK, city=MARK, customer_email=f"{MARK}@otro.example"
    )
    Line.objects.filter(order=order).update(supplier=norte, category=MARK, sku=MARK)
    Supplier.objects.filter(id=norte.id).update(name=MARK, contact_name=MARK, phone=MARK, notes=MARK)
    Shop.objects.filter(id=order.shop_id).update(contact_email=f"{MARK}@alba.example")
    Basket.objects.filter(id=order.basket_id).update(payments=[{"method": MARK, "amount_cents": 1}])
    Hold.objects.create(
        order=order, shop_id=order.shop_id, kind=HoldKind.OPERATOR, note=MARK, placed_at=AT, placed_by=MARK
    )
    kept = {
        "note": MARK,
        "supplier": MARK,
        "message": MARK,
        "suppliers": [MARK],
        "about": MARK,
        "email": MARK,
    }
    Event.objects.bulk_create(  # the history is only ever added to
        Event(
            order=order,
            shop_id=order.shop_id,
            verb=verb,
            before=order.state,
            after=order.state,
            at=AT + 4 * HOUR,
            role=role,
            by=MARK,
            data=kept,
        )
        for verb in Verb
        for role in ("seller", "operator")
    )
    _said(order, other, norte)


def _said(order: Order, other: Order, norte: Supplier) -> None:
    inside = conversing.start(
        order.shop, Words(MARK), to=OPERATOR, order=order, subject=MARK, by=SELLER, at=AT + HOUR
    )
    Message.objects.filter(id=inside.id).update(author=MARK)
    shown = conversing.write(inside.thread_id, Words("Hola"), to=CUSTOMER, by=SELLER, at=AT + HOUR)
    Message.objects.filter(id=shown.id).update(author=MARK)
    conversing.start(
        order.shop, Words(MARK), to=SHOP, order=order, supplier=norte, by=actor_of(norte), at=AT + HOUR
    )
    conversing.start(
        order.shop, Words(MARK), to=SUPPLIER, order=order, supplier=norte, by=SELLER, at=AT + HOUR
    )
    conversing.start(order.shop, Words(MARK), to=SHOP, order=order, by=OLGA, at=AT + HOUR)
    conversing.start(other.shop, Words(MARK), to=CUSTOMER, order=other, by=SELLER, at=AT + HOUR)
    conversing.start(  # it can still be taken back: nobody has seen it yet
        order.shop, Words(MARK), to=CUSTOMER, order=order, by=SELLER, at=AT + 5 * HOUR
    )


@pytest.mark.rule("ROL-03", "MSG-03")
@pytest.mark.broken_books
def test_nothing_of_the_shops_own_is_on_any_page_or_in_any_mail(
    order: Order, channel: Channel, shop: Shop, norte: Supplier, client: Client
) -> None:
    other = Order.objects.get(id=brought_to(State.SHIPPED, channel, shop)[0])
    _marked(order, other, norte)
    line = order.lines.order_by("id").first()
    assert line is not None
    client.post(
        f"{path_of(order)}incidencia/", {f"line_{line.id}": "on", "reason": "damaged", "text": "Roto"}
    )
    seen = []
    for page in PAGES:
        for method in (client.get, client.post):
            answer = method(_of_link(order) + page)
            assert answer.status_code < 500
            if answer.headers["Content-Type"].startswith("text/html"):
                seen.append(answer.content.decode())
    assert len(seen) > len(PAGES)
    for notice in Notice.objects.filter(audience="customer", order_id=order.id, due_at__lte=AT + 5 * HOUR):
        mail = Letters(AT + 5 * HOUR).mail(notice)
        seen.append("\n".join((str(mail.subject), str(mail.body), str(mail.alternatives[0][0]))))
    for text in seen:
        assert MARK not in text
        for figure in ("771,23", "774,56", "1.545,79", "-693"):
            assert figure not in text
    assert "Hola" in "".join(seen)


@pytest.mark.rule("ROL-03")
def test_every_mail_to_a_customer_leads_to_their_page(order: Order) -> None:
    """By its button, or beside it where the button leads elsewhere; mails to others never do."""
    for notice in Notice.objects.filter(order_id=order.id):
        mail = Letters(AT + 5 * HOUR).mail(notice)
        html = str(mail.alternatives[0][0])
        for text in (str(mail.body), html):
            assert ("/mi-pedido/" in text) == (notice.audience == "customer")
        if notice.audience == "customer":
            token = html.split("/mi-pedido/")[1].split("/", maxsplit=1)[0]
            assert token == customer_url(order.id, at=AT + 5 * HOUR).split("/")[4]
            looked_at = str(Letters().mail(notice).body)
            assert token not in looked_at


@pytest.mark.rule("ROL-03")
def test_nothing_of_a_link_is_written_down(order: Order) -> None:
    """A mail is told of in rows that were there before there were links; a replay writes no more than it did."""
    for notice in Notice.objects.filter(order_id=order.id):
        assert "mi-pedido" not in json.dumps(notice.payload)


@pytest.mark.rule("ROL-03")
def test_the_shops_owner_makes_links_void_and_support_cannot(order: Order, alice: Any, bob: Any) -> None:
    desk, old = Client(), path_of(order)
    address = f"/pedidos/{order.reference}/enlaces/"
    desk.force_login(bob)
    assert "Anular los enlaces" not in desk.get(f"/pedidos/{order.reference}/").content.decode()
    assert desk.post(address).status_code == 403
    assert Client().get(old).status_code == 200
    desk.force_login(alice)
    assert "Anular los enlaces" in desk.get(f"/pedidos/{order.reference}/").content.decode()
    assert desk.post(address).status_code == 303
    assert Client().get(old).status_code == 404
    assert Client().get(path_of(order)).status_code == 200
    assert Event.objects.filter(order=order, verb="links_revoked").count() == 1


@pytest.mark.rule("ROL-03")
def test_an_operator_makes_links_void(order: Order, olga: Any) -> None:
    desk, old = Client(), path_of(order)
    desk.force_login(olga)
    assert desk.post(f"/admin/orders/order/{order.id}/links_revoked/", {}).status_code == 302
    assert Client().get(old).status_code == 404
