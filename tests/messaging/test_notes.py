"""Notes on an order: who writes and reads them, and that they stay (MSG-11)."""

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError, InternalError
from django.test import Client
from django.urls import reverse

from marketplace.policy import Role
from marketplace.refusals import Code, MoveRefused
from messaging.models import OrderNote
from messaging.noting import LONGEST_NOTE, MOST_NOTES, SAME, add_note, notes_of
from orders.models import Order
from sellers.desk import Actor
from sellers.models import Membership, Supplier, User
from tests.conftest import AT, CUSTOMER, OPERATOR, SELLER, Placing, actor_of, row
from tests.dashboard.pages import browser, get

pytestmark = [pytest.mark.django_db, pytest.mark.rule("MSG-11")]

EVIL = "<script>alert(1)</script>"


def noted(
    order: Order, body: str = "Llamó el jueves", *, public: bool = False, by: Actor = SELLER
) -> OrderNote:
    return add_note(order.pk, body, public=public, by=by, at=AT)


def test_a_note_is_for_the_shop_and_the_operator_and_a_public_one_for_the_customer_too(
    place: Placing,
) -> None:
    order = place()
    private, public = noted(order, "privada"), noted(order, " pública\n", public=True, by=OPERATOR)
    assert (public.body, public.author, public.role, public.written_at) == (
        "pública",
        OPERATOR.label,
        "operator",
        AT,
    )
    read = {
        role: notes_of(order, role) for role in (Role.SELLER, Role.OPERATOR, Role.CUSTOMER, Role.SUPPLIER)
    }
    both = [private, public]
    assert read == {Role.SELLER: both, Role.OPERATOR: both, Role.CUSTOMER: [public], Role.SUPPLIER: []}


def test_a_note_stays(place: Placing) -> None:
    note = noted(place())
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for statement in ("UPDATE messaging_ordernote SET body = 'x'", "DELETE FROM messaging_ordernote",
                      "TRUNCATE messaging_ordernote"):  # fmt: skip
        with (
            pytest.raises((IntegrityError, InternalError)),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    assert OrderNote.objects.get() == note


def test_a_note_is_of_its_orders_shop(place: Placing) -> None:
    order = place()
    other = {"shop_id": order.shop_id + 999, "order": order, "role": "seller", "author": "x", "body": "x"}
    with pytest.raises(IntegrityError), transaction.atomic():
        OrderNote.objects.create(**other, written_at=AT)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert not OrderNote.objects.exists()


@pytest.mark.parametrize(
    ("body", "by", "code"),
    [
        (" \u200b\n", SELLER, Code.EMPTY_MESSAGE),
        ("x" * (LONGEST_NOTE + 1), SELLER, Code.TOO_LONG),
        ("Hola", Actor(Role.SELLER, "Sin permiso", rights=frozenset()), Code.NOT_ALLOWED),
        ("Hola", CUSTOMER, Code.NOT_ALLOWED),
    ],
)
def test_what_is_no_note_is_refused(body: str, by: Actor, code: Code, place: Placing) -> None:
    order = place()
    before = row(order)
    with pytest.raises(MoveRefused) as refused:
        noted(order, body, by=by)
    assert refused.value.refusal.code == code
    assert (OrderNote.objects.count(), row(order)) == (0, before)


@pytest.mark.rule("MSG-12")
def test_what_a_customer_reads_asks_for_nothing_that_was_to_be_filled_in(place: Placing) -> None:
    order = place()
    with pytest.raises(MoveRefused) as refused:
        noted(order, "Hola, {{customer_name}}", public=True)
    assert (refused.value.refusal.code, refused.value.refusal.detail) == (Code.UNFILLED, "Nombre del cliente")
    assert not OrderNote.objects.exists()
    noted(order, "La plantilla pide {{customer_name}}")
    assert OrderNote.objects.count() == 1


def test_a_supplier_writes_none(place: Placing, norte: Supplier) -> None:
    with pytest.raises(MoveRefused) as refused:
        noted(place(served=[norte]), by=actor_of(norte))
    assert (refused.value.refusal.code, OrderNote.objects.count()) == (Code.NOT_ALLOWED, 0)


def test_two_clicks_are_one_note_and_an_order_has_room_for_so_many(place: Placing) -> None:
    order = place()
    noted(order)
    with pytest.raises(MoveRefused) as refused:
        noted(order)
    assert refused.value.refusal.code == Code.DUPLICATE
    add_note(order.pk, "Llamó el jueves", public=False, by=SELLER, at=AT + SAME)
    for n in range(MOST_NOTES - 2):
        noted(order, f"{n}")
    with pytest.raises(MoveRefused) as refused:
        noted(order, "una más")
    assert refused.value.refusal.code == Code.TOO_MANY_NOTES
    assert OrderNote.objects.count() == MOST_NOTES


def test_a_shop_adds_notes_on_the_order_page(alice: User, place: Placing) -> None:
    order = place()
    page, seller = f"/pedidos/{order.reference}/", browser(alice)
    assert 'action="/pedidos/' in get(seller, page)
    answer = seller.post(f"{page}notas/", {"body": EVIL, "public": "public"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{page}#notas")
    note = OrderNote.objects.get()
    assert (note.public, note.author, note.user, note.body) == (True, str(alice), alice, EVIL)
    shown = get(seller, page)
    assert EVIL not in shown
    assert "La ve el cliente" in shown
    for given, status in (
        ({"body": " "}, 422),
        ({"body": "x" * 2001}, 422),
        ({"body": EVIL, "public": "public"}, 409),
    ):
        answer = seller.post(f"{page}notas/", given)
        assert answer.status_code == status
        assert given["body"].replace("<", "&lt;").replace(">", "&gt;") in answer.content.decode()
    assert OrderNote.objects.count() == 1


def test_a_stranger_and_who_may_not_add_none(
    bob: User, charlie: User, nuria: User, place: Placing, norte: Supplier
) -> None:
    order = place(served=[norte])
    note = noted(order, "secreta", public=True)
    address = f"/pedidos/{order.reference}/notas/"
    given = {"body": "Hola"}
    assert browser(charlie).post(address, given).status_code == 404
    assert browser(nuria).post(address, given).status_code == 404
    assert "secreta" not in get(browser(nuria), f"/pedidos/{order.reference}/")
    Membership.objects.filter(user=bob).update(role=Membership.Role.READER)
    assert "secreta" in get(browser(bob), f"/pedidos/{order.reference}/")
    assert browser(bob).post(address, given).status_code == 403
    assert browser(bob).get(address).headers["Location"] == f"/pedidos/{order.reference}/"
    assert list(OrderNote.objects.all()) == [note]


def test_an_operator_reads_and_adds_them_in_the_rooms(client: Client, olga: User, place: Placing) -> None:
    order = place()
    noted(order, EVIL)
    client.force_login(olga)
    page = reverse("admin:orders_order_change", args=[order.pk])
    shown = client.get(page).content.decode()
    assert EVIL not in shown
    assert "&lt;script&gt;" in shown
    add = f"/admin/messaging/ordernote/add/?order={order.pk}"
    assert add in shown
    assert client.get(add).status_code == 200
    assert client.post(add, {"body": " "}).status_code == 422
    assert client.post(add, {"body": "Revisado", "public": "public"}).headers["Location"] == page
    assert client.post(add, {"body": "Revisado", "public": "public"}).status_code == 409
    last = OrderNote.objects.order_by("-id").first()
    assert last is not None
    assert (last.public, last.role, last.user, OrderNote.objects.count()) == (True, "operator", olga, 2)
    assert client.get("/admin/messaging/ordernote/add/").status_code == 404
    assert client.get(f"/admin/messaging/ordernote/{last.pk}/change/").status_code == 200
    assert client.post(f"/admin/messaging/ordernote/{last.pk}/change/", {"body": "x"}).status_code == 403
    assert client.post(f"/admin/messaging/ordernote/{last.pk}/delete/", {"post": "yes"}).status_code == 403
