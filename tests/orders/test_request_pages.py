"""The button that asks, and the clicks that answer, on the order's page and in the operators' room (ROL-05, CAN-03)."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from marketplace.models import Channel
from messaging.models import Thread
from orders import services
from orders.models import Asking, Order, Request
from orders.states import HoldKind, State
from sellers.models import Shop, Supplier, User
from tests.conftest import OPERATOR, SELLER, Placing, again, row
from tests.dashboard.pages import browser, get
from tests.orders.lives import tick
from tests.orders.test_matrix import everything_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def theirs(place: Placing, norte: Supplier) -> Order:
    """An order that a supplier prepares."""
    at = timezone.now() - timedelta(hours=2)
    order = place(at=at, served=(norte, norte))
    services.one(services.accept([order.id], by=SELLER, at=at))
    tick("charge", at)
    return again(order)


def address(order: Order, *parts: object) -> str:
    return "/".join(("/pedidos", order.reference, *map(str, parts))) + "/"


@pytest.mark.rule("ROL-05", "CAN-03")
def test_the_shop_asks_and_the_supplier_approves_in_a_click(theirs: Order, alice: User, nuria: User) -> None:
    shop, workshop = browser(alice), browser(nuria)
    page = get(shop, address(theirs))
    assert "Pedir: Cancelar el pedido" in page
    assert "Lo decide: Talleres Norte." in page
    assert "Hasta que responda no cambia nada" in get(shop, address(theirs) + "?acto=pedir&que=cancel")
    before = everything_of(theirs.id)
    answer = shop.post(address(theirs, "pedir", "cancel"))
    assert (answer.status_code, "Elige un motivo o escríbelo." in answer.content.decode()) == (422, True)
    assert everything_of(theirs.id) == before
    assert shop.post(address(theirs, "pedir", "cancel"), {"reason": "customer-asks"}).status_code == 303
    request = Request.objects.get()
    page = get(shop, address(theirs))
    assert "Está pedido: falta la respuesta." in page
    assert "Retirar la petición" in page
    assert "peticiones/" + str(request.id) + "/aprobar" not in page
    page = get(workshop, address(theirs))
    assert "Petición: Cancelar el pedido." in page
    assert workshop.post(address(theirs, "peticiones", request.id, "aprobar")).status_code == 303
    assert again(theirs).state == State.CANCELLED
    page = get(shop, address(theirs))
    assert "Petición aprobada: Cancelar el pedido." in page
    history = get(shop, address(theirs) + "?tab=historial")
    assert "Petición aprobada" in history
    assert "Motivo: El cliente lo pide" in history


@pytest.mark.rule("ROL-05")
def test_a_no_needs_its_why_and_a_late_yes_is_told(theirs: Order, alice: User, nuria: User) -> None:
    shop, workshop = browser(alice), browser(nuria)
    shop.post(address(theirs, "pedir", "cancel"), {"reason": "customer-asks"})
    request = Request.objects.get()
    before = row(theirs)
    answer = workshop.post(address(theirs, "peticiones", request.id, "denegar"))
    assert (answer.status_code, "Di por qué no." in answer.content.decode()) == (422, True)
    assert row(theirs) == before
    no = {"answer": "Ya está en el horno"}
    assert workshop.post(address(theirs, "peticiones", request.id, "denegar"), no).status_code == 303
    assert "Ya está en el horno" in get(shop, address(theirs))
    declined = everything_of(theirs.id)
    answer = workshop.post(address(theirs, "peticiones", request.id, "aprobar"))
    assert (answer.status_code, "Ya no espera respuesta." in answer.content.decode()) == (409, True)
    assert everything_of(theirs.id) == declined


@pytest.mark.rule("ROL-05", "ROL-01")
def test_strangers_find_no_request(
    theirs: Order, alice: User, charlie: User, sergio: User, nuria: User
) -> None:
    browser(alice).post(address(theirs, "pedir", "cancel"), {"reason": "customer-asks"})
    request = Request.objects.get()
    before = everything_of(theirs.id)
    for stranger in (charlie, sergio):
        for act in ("aprobar", "denegar", "retirar"):
            assert browser(stranger).post(address(theirs, "peticiones", request.id, act)).status_code == 404
        assert browser(stranger).post(address(theirs, "pedir", "cancel")).status_code == 404
    assert browser(alice).post(address(theirs, "peticiones", request.id, "aprobar")).status_code == 409
    assert browser(alice).post(address(theirs, "peticiones", "x", "aprobar")).status_code == 404
    assert browser(alice).post(address(theirs, "peticiones", "9" * 30, "aprobar")).status_code == 404
    assert browser(alice).post(address(theirs, "pedir", "settle")).status_code == 404
    assert browser(nuria).post(address(theirs, "peticiones", request.id, "retirar")).status_code == 409
    assert everything_of(theirs.id) == before
    assert browser(alice).get(address(theirs, "pedir", "cancel")).status_code == 302


@pytest.mark.rule("ROL-05")
def test_the_operator_answers_in_a_room_with_its_count(theirs: Order, alice: User, olga: User) -> None:
    at = timezone.now()
    services.one(services.hold([theirs.id], HoldKind.OPERATOR, by=OPERATOR, at=at))
    shop, desk = browser(alice), Client()
    desk.force_login(olga)
    assert "que=release" in get(shop, address(theirs))
    sent = {"kind": "operator", "note": "Ya está arreglado"}
    assert shop.post(address(theirs, "pedir", "release"), sent).status_code == 303
    request = Request.objects.get()
    assert "Alguien pide algo que solo tú puedes hacer." in desk.get("/admin/").content.decode()
    room = desk.get("/admin/orders/request/?state__exact=open&asked_of__exact=operator").content.decode()
    assert "Quitar la espera: Retenido por el operador" in room
    assert desk.get(f"/admin/orders/request/{request.pk}/change/").status_code == 200
    page = reverse("admin:orders_request_approve", args=[request.pk])
    assert "Aprobar: Quitar la espera" in desk.get(page).content.decode()
    assert again(theirs).held_at is not None
    no = reverse("admin:orders_request_decline", args=[request.pk])
    assert desk.post(no, {"answer": ""}).status_code == 200
    assert again(theirs).open_requests == 1
    assert desk.post(page, {"apply": "1", "answer": "Comprobado"}).status_code == 302
    assert (again(theirs).held_at, again(theirs).open_requests) == (None, 0)
    assert "Comprobado" in desk.get(f"/admin/orders/order/{theirs.pk}/change/").content.decode()


@pytest.mark.rule("ROL-05")
def test_many_are_approved_in_one_click(
    place: Placing, channel: Channel, shop: Shop, alice: User, olga: User
) -> None:
    at = timezone.now() - timedelta(hours=1)
    orders = [place(at=at) for _ in range(2)]
    services.accept([order.id for order in orders], by=SELLER, at=at)
    for order in orders:
        browser(alice).post(address(order, "pedir", "cancel"), {"reason": "customer-asks"})
    assert Thread.objects.filter(request__isnull=False).count() == 2
    desk = Client()
    desk.force_login(olga)
    chosen = {"action": "approve_many", "_selected_action": [str(one.pk) for one in Request.objects.all()]}
    assert desk.post("/admin/orders/request/", chosen).status_code == 302
    assert [again(order).state for order in orders] == [State.CANCELLED] * 2
    assert set(Request.objects.values_list("state", flat=True)) == {Asking.APPROVED}


@pytest.mark.rule("ROL-05", "MSG-01")
def test_the_conversation_of_a_request_is_named_in_the_readers_language(theirs: Order, alice: User) -> None:
    services.one(services.ask(theirs.id, "cancel", reason="Lo pide el cliente", by=SELLER, at=timezone.now()))
    person = browser(alice)
    assert "Cancelar el pedido" in get(person, "/mensajes/")
    User.objects.filter(id=alice.id).update(language="en")
    for page in ("/mensajes/", address(theirs) + "?tab=mensajes"):
        shown = get(browser(alice), page)
        assert "<bdi>Cancel the order</bdi>" in shown or ">Cancel the order<" in shown
        assert ">Cancelar el pedido<" not in shown
