"""A shop and its operator about no order, and a shop and a supplier on one: each page, and who finds it (MSG-14)."""

import re
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from marketplace.models import Channel
from marketplace.policy import Role
from marketplace.refusals import Code, MoveRefused
from messaging import conversing, talks
from messaging.conversing import Words
from messaging.models import Message, Notice, Thread
from messaging.recipients import CUSTOMER, OPERATOR, SHOP, SUPPLIER
from orders import services
from orders.models import Order
from sellers.desk import Actor
from sellers.models import Membership, Shop, Supplier, User
from tests.conftest import AT, JAR, PLATE, SELLER, Placing, sure
from tests.dashboard.pages import browser, get

pytestmark = pytest.mark.django_db

MINE = "/mensajes/operador/"
OLGA = Actor(Role.OPERATOR, "Olga")
EVIL = "<script>alert(1)</script>"


def ago(minutes: int = 5) -> datetime:
    return timezone.now() - timedelta(minutes=minutes)


def about_nothing(shop: Shop, text: str = "Una duda", *, by: Actor = SELLER, **wishes: object) -> Thread:
    to = OPERATOR if by.role == Role.SELLER else SHOP
    return conversing.start(shop, Words(text), to=to, by=by, at=ago(), **wishes).thread  # type: ignore[arg-type]


def talk_page(order: Order, supplier: Supplier) -> str:
    return f"/pedidos/{order.reference}/proveedor/{supplier.pk}/"


@pytest.mark.rule("MSG-14")
@pytest.mark.usefixtures("olga")
def test_a_shop_writes_to_its_operator_about_no_order(alice: User, shop: Shop, olga: User) -> None:
    Shop.objects.filter(pk=shop.pk).update(account_manager=olga)
    seller = browser(alice)
    assert MINE in get(seller, "/"), "it is reached from where the account manager is shown"
    assert "Recibe un correo Olga Operadora." in get(seller, MINE)
    answer = seller.post(MINE, {"to": "operador", "subject": EVIL, "text": EVIL})
    thread = Thread.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{MINE}{thread.pk}/")
    assert (thread.shop, thread.order, thread.subject) == (shop, None, EVIL)
    assert thread.operator_waits_since is not None
    message = Message.objects.get()
    assert (message.to_operator, message.to_shop, message.to_customer) == (True, False, False)
    assert [(one.audience, one.email) for one in Notice.objects.filter(of_message=message)] == [
        ("operator", olga.email)
    ]
    for page in (get(seller, MINE), get(seller, f"{MINE}{thread.pk}/")):
        assert EVIL not in page
        assert "&lt;script&gt;" in page


@pytest.mark.rule("MSG-14")
def test_the_operator_answers_and_the_shop_goes_on(alice: User, shop: Shop, channel: Channel) -> None:
    thread = about_nothing(shop)
    conversing.write(thread.pk, Words("Dime"), to=SHOP, by=OLGA, at=ago(4))
    seller = browser(alice)
    assert "Espera tu respuesta" in get(seller, MINE)
    page = get(seller, f"{MINE}{thread.pk}/")
    assert page.index("Una duda") < page.index("Dime")
    assert "para la tienda" in page
    assert Message.objects.filter(role="operator", read_by_shop_at__isnull=False).exists()
    assert seller.post(f"{MINE}{thread.pk}/", {"to": "operador", "text": "Gracias"}).status_code == 303
    now = Thread.objects.get()
    assert (now.messages_count, now.waiting) == (3, 0)


@pytest.mark.rule("MSG-14")
def test_what_is_not_understood_keeps_what_was_typed(alice: User) -> None:
    seller = browser(alice)
    for given, status in (
        ({"subject": "", "text": "Hola"}, 422),
        ({"subject": "Asunto", "text": " "}, 422),
        ({"subject": "Asunto", "text": "Hola {{new_date}}"}, 409),
        ({"subject": "x" * 121, "text": "Hola"}, 422),
    ):
        answer = seller.post(MINE, {"to": "operador", **given})
        assert answer.status_code == status
        page = answer.content.decode()
        assert given["subject"] in page
        assert given["text"].strip() in page
    assert not Thread.objects.exists()


@pytest.mark.rule("MSG-14")
@pytest.mark.rule("ROL-01")
def test_nobody_else_finds_it(
    alice: User, charlie: User, nuria: User, place: Placing, other_shop: Shop, norte: Supplier
) -> None:
    order = place(served=[norte])
    shop = order.shop
    mine, theirs = about_nothing(shop), about_nothing(other_shop)
    on_order = conversing.start(shop, Words("x"), to=OPERATOR, order=order, by=SELLER, at=ago())
    before = Message.objects.count()
    for who, thread_id in (
        (charlie, mine.pk), (alice, theirs.pk), (alice, on_order.thread_id), (nuria, mine.pk), (alice, 10**9),
    ):  # fmt: skip
        address = f"{MINE}{thread_id}/"
        assert browser(who).get(address).status_code == 404
        assert browser(who).post(address, {"text": "Hola"}).status_code == 404
        assert browser(who).post(address, {"take_back": "1"}).status_code == 404
    assert browser(nuria).get(MINE).status_code == 404
    assert browser(nuria).post(MINE, {"to": "operador", "subject": "a", "text": "b"}).status_code == 404
    assert Message.objects.count() == before


@pytest.mark.rule("ROL-01")
def test_who_only_reads_may_not_write(bob: User, shop: Shop) -> None:
    thread = about_nothing(shop)
    Membership.objects.filter(user=bob).update(role=Membership.Role.READER)
    reader = browser(bob)
    assert "Pueden escribir:" in get(reader, MINE)
    assert 'name="text"' not in get(reader, f"{MINE}{thread.pk}/")
    assert reader.post(MINE, {"to": "operador", "subject": "a", "text": "b"}).status_code == 409
    assert reader.post(f"{MINE}{thread.pk}/", {"to": "operador", "text": "b"}).status_code == 409
    assert Message.objects.count() == 1


@pytest.mark.rule("MSG-06")
def test_what_was_just_sent_comes_back_into_its_box(alice: User, bob: User) -> None:
    seller = browser(alice)
    seller.post(MINE, {"to": "operador", "subject": "Una", "text": "Un error"})
    thread, message = Thread.objects.get(), Message.objects.get()
    here = f"{MINE}{thread.pk}/"
    assert "Un error" not in get(browser(bob), here), "nobody sees it yet"
    assert browser(bob).post(here, {"take_back": str(message.pk)}).status_code == 303
    assert Message.objects.get() == message
    assert seller.post(here, {"take_back": "x"}).status_code == 404
    assert seller.post(here, {"take_back": str(message.pk)}).headers["Location"] == MINE
    assert not Thread.objects.exists()


def test_a_list_costs_the_same_at_one_and_at_fifty(alice: User, shop: Shop) -> None:
    seller, thread = browser(alice), about_nothing(shop)

    def queries(address: str) -> int:
        get(seller, address)
        with CaptureQueriesContext(connection) as ran:
            get(seller, address)
        return len(ran)

    one = queries(MINE), queries(f"{MINE}{thread.pk}/")
    for n in range(50):
        about_nothing(shop, f"{n}", subject=f"Asunto {n}")
        conversing.write(thread.pk, Words(f"{n}"), to=OPERATOR, by=SELLER, at=ago())
    assert (queries(MINE), queries(f"{MINE}{thread.pk}/")) == one
    assert max(one) <= 10
    seen, address = [], MINE
    while address:
        page = get(seller, address)
        seen += re.findall(r'/mensajes/operador/(\d+)/"><b>', page)
        older = re.search(r'(?<=href=")/mensajes/operador/\?antes=\d+', page)
        address = older[0] if older else ""
    assert [int(key) for key in seen] == list(
        Thread.objects.order_by("-written_at", "-id").values_list("id", flat=True)
    )


@pytest.mark.rule("ROL-04")
def test_a_shop_and_a_supplier_write_to_each_other_on_an_order(
    alice: User, nuria: User, place: Placing, norte: Supplier
) -> None:
    order = place(JAR, PLATE, served=[norte])
    seller, supplier, here = browser(alice), browser(nuria), talk_page(order, norte)
    assert here in get(seller, f"/pedidos/{order.reference}/")
    assert here in get(supplier, f"/pedidos/{order.reference}/")
    assert "Recibe un correo Talleres Norte." in get(seller, here)
    assert seller.post(here, {"to": "proveedor", "text": EVIL}).headers["Location"] == here
    first = Message.objects.get()
    assert (first.to_supplier, first.to_shop, first.to_customer, first.to_operator) == (
        True,
        False,
        False,
        False,
    )
    notice = Notice.objects.get(of_message=first)
    assert (notice.audience, notice.email, notice.payload["supplier_id"]) == (
        "supplier",
        norte.email,
        norte.pk,
    )
    Message.objects.update(visible_at=ago())
    page = get(supplier, here)
    assert EVIL not in page
    assert "&lt;script&gt;" in page
    assert supplier.post(here, {"to": "tienda", "text": "Mañana sale"}).status_code == 303
    second = Message.objects.get(role="supplier")
    assert (second.to_shop, second.to_supplier, second.answer_by) == (True, False, None)
    assert Notice.objects.get(of_message=second).email == order.shop.contact_email
    assert Thread.objects.get().supplier == norte, "there is one conversation, and it goes on"
    Message.objects.update(visible_at=ago())
    assert "Mañana sale" in get(seller, here)
    assert "Mañana sale" in get(supplier, here)


@pytest.mark.rule("ROL-04")
@pytest.mark.usefixtures("sergio", "charlie")
def test_nothing_else_of_the_order_is_the_suppliers(
    nuria: User, alice: User, place: Placing, norte: Supplier, sur: Supplier
) -> None:
    order = place(JAR, PLATE, served=[norte, sur])
    sergio, charlie = (User.objects.get(email__startswith=name) for name in ("sergio@", "charlie@"))
    at = ago()
    ana = Actor(Role.CUSTOMER, "Ana")
    for text, to, by in (
        ("cliente pregunta", SHOP, ana),
        ("al operador", OPERATOR, SELLER),
        ("a Ana", CUSTOMER, SELLER),
    ):
        conversing.start(order.shop, Words(text), to=to, order=order, by=by, at=at)
    talks.write_to_supplier(order, sur, Words("solo para Sur"), by=SELLER, at=at)
    north = get(browser(nuria), talk_page(order, norte))
    for text in ("cliente pregunta", "al operador", "a Ana", "solo para Sur"):
        assert text not in north
    south = talk_page(order, sur)
    assert "solo para Sur" in get(browser(sergio), south)
    before = Message.objects.count()
    for who in (nuria, charlie):
        assert browser(who).get(south).status_code == 404
        assert browser(who).post(south, {"text": "Hola"}).status_code == 404
    assert browser(alice).get(f"/pedidos/{order.reference}/proveedor/{10**9}/").status_code == 404
    assert Message.objects.count() == before


@pytest.mark.rule("ROL-04")
def test_a_supplier_without_a_part_is_not_written_to_unless_it_once_was(
    alice: User, nuria: User, place: Placing, norte: Supplier
) -> None:
    order = place()
    here = talk_page(order, norte)
    assert browser(alice).get(here).status_code == 404
    assert browser(alice).post(here, {"text": "Hola"}).status_code == 404
    assert not Thread.objects.exists()
    served = place(served=[norte])
    talks.write_to_supplier(served, norte, Words("Antes"), by=SELLER, at=ago())
    line = served.lines.first()
    services.assign({served.pk: {sure(line).pk: None}}, by=SELLER, at=AT)
    there = talk_page(served, norte)
    assert "Antes" in get(browser(alice), there)
    assert browser(nuria).get(there).status_code == 404, "the order is not theirs any more"


@pytest.mark.rule("ROL-04")
def test_a_customer_is_never_written_to_in_a_suppliers_conversation(place: Placing, norte: Supplier) -> None:
    order = place(served=[norte])
    thread = talks.write_to_supplier(order, norte, Words("Hola"), by=SELLER, at=ago()).thread
    ana = Actor(Role.CUSTOMER, "Ana")
    for by, to in ((SELLER, CUSTOMER), (OLGA, CUSTOMER), (ana, SHOP), (SELLER, OPERATOR), (OLGA, SUPPLIER)):
        with pytest.raises(MoveRefused) as refused:
            conversing.write(thread.pk, Words("Hola"), to=to, by=by, at=ago())
        wanted = Code.NOT_ALLOWED if by is ana else Code.NO_SUCH_RECIPIENT
        assert refused.value.refusal.code == wanted
    assert Message.objects.count() == 1
