"""The tab of an order's conversations, and the acts on it: writing, taking back, letting be, assigning."""

import re
from datetime import timedelta
from html import unescape
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from marketplace.models import Channel
from marketplace.services import publish_policy
from messaging import conversing
from messaging.conversing import Words
from messaging.models import Attachment, CameBy, Message, Notice, Thread
from messaging.recipients import CUSTOMER, SHOP, SUPPLIER
from messaging.recipients import OPERATOR as TO_OPERATOR
from orders.models import Order
from sellers.models import Membership, Shop, Supplier, User
from tests.conftest import AT, SELLER, Placing, _member, _person
from tests.dashboard.pages import browser, get
from tests.dashboard.talking import ANA, HOUR, asks, everything, reply, tab
from tests.incidents.claims import disputed

UNDO = re.compile(r'<form class="notice done undo" method="post" action="([^"]+)"')


@pytest.mark.rule("MSG-01", "MSG-06", "MSG-09")
def test_the_tab_tells_who_wrote_to_whom_and_until_when_to_answer(place: Placing, alice: User) -> None:
    order = place()
    message = asks(order)
    page = get(browser(alice), tab(order))
    assert "<b><bdi>Ana Soler, el cliente</bdi></b> <span>para la tienda</span>" in page
    assert "Hay que contestar como muy tarde" in page
    assert "24 horas laborables desde" in page
    assert ">nuevo</span>" in page
    message.refresh_from_db()
    assert message.read_by_shop_at is not None
    assert ">nuevo</span>" not in get(browser(alice), tab(order))


@pytest.mark.rule("MSG-01")
@pytest.mark.parametrize("header", ["Sec-Purpose", "Purpose", "X-Moz"])
def test_what_a_browser_fetches_ahead_is_not_read(header: str, place: Placing, alice: User) -> None:
    message = asks(order := place())
    get(browser(alice), tab(order), **{header: "prefetch;prerender"})
    browser(alice).head(tab(order))
    message.refresh_from_db()
    assert message.read_by_shop_at is None


@pytest.mark.rule("MSG-06")
def test_before_sending_each_recipient_says_who_sees_it_and_who_is_mailed(
    place: Placing, shop: Shop, alice: User, olga: User
) -> None:
    asks(order := place())
    Shop.objects.update(account_manager=olga)
    page = get(browser(alice), tab(order))
    for words in (
        "<b>Lo ven Ana Soler, el operador y tu tienda.</b> Recibe un correo Ana Soler; el operador no.",
        "<b>Lo ven el operador y tu tienda; el cliente no.</b> Recibe un correo Olga Operadora.",
        "Reciben un correo Ana Soler y Olga Operadora.",
    ):
        assert words in page, words
    assert re.search(r'value="cliente" checked', page)


@pytest.mark.rule("MSG-05")
def test_a_policy_takes_customer_and_operator_away(channel: Channel, place: Placing, alice: User) -> None:
    rules = channel.policy.rules.model_copy(update={"write_to_both": False})  # type: ignore[union-attr]
    publish_policy(channel, rules, by="pruebas", at=AT)
    message = asks(order := place())
    assert 'value="ambos"' not in get(browser(alice), tab(order))
    before = everything()
    assert reply(browser(alice), message, to="ambos").status_code == 422
    assert everything() == before


@pytest.mark.rule("MSG-02", "MSG-04")
def test_a_conversation_is_started_with_a_reason(place: Placing, alice: User) -> None:
    order, client = place(), browser(alice)
    page = get(client, tab(order))
    assert 'action="/pedidos/' in page
    assert "Iniciar una conversación" in page
    answer = client.post(
        f"/pedidos/{order.reference}/mensajes/nueva/",
        {"to": "cliente", "reason": "delay", "subject": "", "text": "Llegará un día más tarde."},
    )
    thread = Thread.objects.get()
    assert answer.status_code == 303
    assert (thread.reason_code, thread.with_customer, thread.with_operator) == ("delay", True, False)
    assert "Un retraso" in get(client, tab(order))
    assert Notice.objects.get(event="message").audience == "customer"


@pytest.mark.rule("MSG-02")
@pytest.mark.parametrize(
    ("flaw", "says"),
    [
        ({"text": "  "}, "Escribe el mensaje."),
        ({"text": "x" * 10_001}, "El mensaje es demasiado largo."),
        ({"reason": "", "subject": ""}, "Elige un motivo, o escribe el asunto."),
        ({"reason": "no-such"}, "Elige un motivo de la lista."),
        ({"subject": "x" * 121}, "Son demasiadas letras: 120 como mucho."),
        ({"to": ""}, "Elige a quién escribes."),
        ({"to": "proveedor"}, "Elige a quién escribes."),
        ({"text": "a\0b"}, "null"),
    ],
)
def test_a_message_with_a_flaw_keeps_what_was_typed(
    flaw: dict[str, str], says: str, place: Placing, alice: User
) -> None:
    order = place()
    sent = {"to": "cliente", "reason": "delay", "subject": "Tarde", "text": "Un <b>día</b> más"} | flaw
    answer = browser(alice).post(f"/pedidos/{order.reference}/mensajes/nueva/", sent)
    page = unescape(answer.content.decode())
    assert answer.status_code == 422
    assert says in page or says == "null"
    assert sent["subject"] in page
    assert not Thread.objects.exists()


@pytest.mark.rule("MSG-04", "MSG-09")
def test_an_answer_stops_the_clock_and_is_escaped(place: Placing, alice: User) -> None:
    message = asks(order := place())
    client = browser(alice)
    assert reply(client, message, "<script>alert(1)</script>").status_code == 303
    message.refresh_from_db()
    assert message.answered_at is not None
    page = get(client, tab(order))
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    assert "Hay que contestar" not in page


@pytest.mark.rule("MSG-06")
def test_what_was_just_sent_is_taken_back_and_its_text_is_in_its_box(place: Placing, alice: User) -> None:
    message = asks(order := place())
    client = browser(alice)
    sent = reply(client, message, "El jueves, seguro")
    page = get(client, sent.headers["Location"].partition("#")[0])
    assert "Enviado." in page
    assert "Deshacer (10 s)" in page
    undo = UNDO.search(page)
    assert undo
    assert client.post(undo[1]).status_code == 303
    assert list(Message.objects.values_list("id", flat=True)) == [message.id]
    assert not Notice.objects.filter(audience="customer", event="message").exists()
    page = get(client, tab(order))
    assert ">El jueves, seguro</textarea>" in page
    assert client.post(undo[1]).status_code == 303, "pressed twice"
    reply(client, message, "El viernes")
    assert "El jueves, seguro" not in get(client, tab(order))


@pytest.mark.rule("MSG-06")
def test_a_first_message_taken_back_is_a_new_conversation_again(place: Placing, alice: User) -> None:
    order, client = place(), browser(alice)
    told = {"to": "operador", "reason": "stock", "subject": "Falta barro", "text": "No queda barro azul"}
    client.post(f"/pedidos/{order.reference}/mensajes/nueva/", told)
    undo = UNDO.search(get(client, tab(order)))
    assert undo
    client.post(undo[1])
    page = get(client, tab(order))
    assert not Thread.objects.exists()
    assert ">No queda barro azul</textarea>" in page
    assert 'value="Falta barro"' in page
    assert re.search(r'value="operador" checked', page)


@pytest.mark.rule("MSG-06")
def test_what_others_can_see_is_not_taken_back(place: Placing, alice: User, bob: User) -> None:
    order = place()
    old = asks(order, "Ya está", by=SELLER, to=CUSTOMER)
    fresh = reply(browser(alice), old, "Y otra cosa")
    message = Message.objects.latest("id")
    before = everything()
    undo = f"/pedidos/{order.reference}/mensajes/deshacer/{{}}/"
    assert browser(alice).post(undo.format(old.id)).status_code == 409
    assert browser(bob).post(undo.format(message.id)).status_code == 303, "unseen to all but its author"
    assert everything() == before
    assert "Y otra cosa" not in get(browser(bob), tab(order))
    assert fresh.status_code == 303


@pytest.mark.rule("MSG-08")
def test_a_message_that_needs_no_answer_waits_no_more(place: Placing, bob: User) -> None:
    message = asks(order := place(), "Gracias")
    client = browser(bob)
    address = f"/pedidos/{order.reference}/mensajes/sin-respuesta/{message.id}/"
    assert address in get(client, tab(order))
    assert client.post(address).status_code == 303
    message.refresh_from_db()
    assert (message.needs_no_answer, Thread.objects.get().waiting) == (True, 0)
    assert "no requiere respuesta" in get(client, tab(order))
    assert client.post(address).status_code == 409


@pytest.mark.rule("MSG-08")
def test_while_an_incident_is_open_it_is_warned_of_first(place: Placing, alice: User) -> None:
    message = asks(order := place(), "Gracias")
    disputed([order.id], at=timezone.now())
    client = browser(alice)
    address = f"/pedidos/{order.reference}/mensajes/sin-respuesta/{message.id}/"
    assert "¿Seguro que no hay que contestarle?" in get(client, tab(order))
    before = everything()
    answer = client.post(address)
    assert answer.status_code == 409
    assert "El pedido tiene una incidencia abierta." in answer.content.decode()
    assert {**everything(), "messages": before["messages"]} == before, "opening the page has read it"
    assert client.post(address, {"despite_incident": "yes"}).status_code == 303
    assert Thread.objects.get(id=message.thread_id).waiting == 0


@pytest.mark.rule("MSG-01", "ROL-05")
@pytest.mark.parametrize("role", [Membership.Role.READER, Membership.Role.FINANCE])
def test_who_may_not_answer_reads_and_is_told_who_may(role: str, place: Placing, shop: Shop) -> None:
    message = asks(order := place())
    client = browser(_member(_person("rita@alba.example", "Rita"), shop, role))
    page = get(client, tab(order))
    assert "¿Cuándo llega?" in page
    assert "<textarea" not in page
    assert "Escribir pueden: Propietaria, Encargada, Pedidos, Atención al cliente." in page
    before = everything()
    for address in (
        f"mensajes/{message.thread_id}/",
        "mensajes/nueva/",
        f"mensajes/sin-respuesta/{message.id}/",
        f"mensajes/deshacer/{message.id}/",
    ):
        answer = client.post(
            f"/pedidos/{order.reference}/{address}", {"to": "cliente", "text": "Hola", "reason": "delay"}
        )
        assert answer.status_code == 403, address
    assert client.post(f"/mensajes/{message.thread_id}/lleva/", {"to": "me"}).status_code == 403
    assert everything() == before
    assert before["messages"][0]["read_by_shop_at"] is None, "nobody who could answer has read it"


@pytest.mark.rule("ROL-01")
def test_a_stranger_finds_none_of_it(place: Placing, charlie: User, alice: User) -> None:
    message = asks(order := place())
    client, before = browser(charlie), everything()
    for address in (
        f"/pedidos/{order.reference}/mensajes/nueva/",
        f"/pedidos/{order.reference}/mensajes/{message.thread_id}/",
        f"/pedidos/{order.reference}/mensajes/deshacer/{message.id}/",
        f"/pedidos/{order.reference}/mensajes/sin-respuesta/{message.id}/",
        f"/mensajes/{message.thread_id}/lleva/",
    ):
        assert client.post(address, {"to": "me", "text": "Hola"}).status_code == 404, address
    other = place()
    address = f"/pedidos/{other.reference}/mensajes/{message.thread_id}/"
    assert browser(alice).post(address, {"to": "cliente", "text": "Hola"}).status_code == 404
    assert everything() == before


@pytest.mark.rule("ROL-04")
def test_a_supplier_sees_the_threads_with_them_alone(
    place: Placing, norte: Supplier, sur: Supplier, nuria: User, alice: User
) -> None:
    order = place(served=[norte, sur])
    asks(order, "¿Cuándo llega?")
    at = timezone.now() - HOUR
    for supplier in (norte, sur):
        conversing.start(
            order.shop,
            Words(f"A {supplier}"),
            to=SUPPLIER,
            order=order,
            supplier=supplier,
            take_back=False,
            by=SELLER,
            at=at,
        )
    page = get(browser(nuria), tab(order))
    assert "A Talleres Norte" in page
    assert "A Hornos del Sur" not in page
    assert "¿Cuándo llega?" not in page
    assert "Ana Soler y" not in page
    own = Thread.objects.get(supplier=norte)
    others = Thread.objects.get(supplier=sur)
    address = f"/pedidos/{order.reference}/mensajes/"
    told = {"to": "tienda", "text": "Mañana sale"}
    assert browser(nuria).post(f"{address}{others.id}/", told).status_code == 404
    assert browser(nuria).post(f"{address}{own.id}/", told).status_code == 303
    assert own.messages.latest("id").to_shop
    assert browser(nuria).post(f"{address}nueva/", told | {"reason": "delay"}).status_code in (409, 422)
    assert Thread.objects.count() == 3


@pytest.mark.rule("MSG-01")
def test_a_conversation_is_taken_passed_on_and_let_go(place: Placing, alice: User, bob: User) -> None:
    message = asks(order := place())
    address, here = f"/mensajes/{message.thread_id}/lleva/", tab(order)
    bobs = Membership.objects.get(user=bob)
    assert browser(alice).post(address, {"to": "me", "was": "", "next": here}).headers["Location"] == here
    assert "La lleva Alicia Alba" in get(browser(bob), here)
    assert "Bernardo Oliva</option>" in get(browser(alice), tab(order, lleva=str(message.thread_id)))
    stale = browser(alice).post(address, {"to": str(bobs.id), "was": "", "next": here}, follow=True)
    assert "Ha cambiado desde que lo viste." in stale.content.decode()
    alices = Membership.objects.get(user=alice)
    browser(alice).post(address, {"to": str(bobs.id), "was": str(alices.id), "next": here})
    assert Thread.objects.get().assignee == bobs
    browser(bob).post(address, {"to": "", "was": str(bobs.id), "next": "https://evil.example/"})
    assert Thread.objects.get().assignee is None


@pytest.mark.rule("MSG-01")
def test_nobody_but_who_may_answer_there_is_given_a_conversation(
    place: Placing, alice: User, charlie: User, nuria: User
) -> None:
    message = asks(place())
    for stranger in (charlie, nuria):
        their = Membership.objects.get(user=stranger)
        browser(alice).post(f"/mensajes/{message.thread_id}/lleva/", {"to": str(their.id), "was": ""})
    assert Thread.objects.get().assignee is None


@pytest.mark.rule("MSG-02")
def test_a_refused_file_never_loses_the_text(place: Placing, alice: User) -> None:
    message = asks(order := place())
    bad = SimpleUploadedFile("foto.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png")
    before = everything()
    answer = reply(browser(alice), message, "Aquí está la foto", files=[bad])
    assert answer.status_code == 422
    assert ">Aquí está la foto</textarea>" in answer.content.decode()
    assert {**everything(), "messages": before["messages"]} == before
    picture = BytesIO()
    Image.new("RGB", (8, 8), "navy").save(picture, "PNG")
    good = SimpleUploadedFile("foto.png", picture.getvalue(), "image/png")
    assert reply(browser(alice), message, "Aquí está la foto", files=[good]).status_code == 303
    assert Attachment.objects.get().name == "foto.png"
    assert "foto.png" in get(browser(alice), tab(order))


@pytest.mark.rule("MSG-01")
@pytest.mark.parametrize("count", [1, 200])
def test_a_thread_costs_the_same_however_long(count: int, place: Placing, alice: User) -> None:
    message = asks(order := place())
    at = timezone.now() - HOUR / 2
    rows = [
        Message(
            shop=order.shop, thread_id=message.thread_id, role="customer", author="Ana Soler", to_shop=True,
            body=f"Otra pregunta {n}", written_at=at, visible_at=at, answer_by=message.answer_by,
        )
        for n in range(count - 1)
    ]  # fmt: skip
    Message.objects.bulk_create(rows)
    client = browser(alice)
    with CaptureQueriesContext(
        connection,
    ) as taken:
        page = get(client, tab(order))
    assert page.count('<li class="said') == count
    assert len(taken) == 9, "\n".join(query["sql"][:110] for query in taken)


@pytest.mark.rule("MSG-01")
def test_older_messages_are_a_page_away(place: Placing, alice: User) -> None:
    message = asks(order := place(), "La primera")
    at = timezone.now() - timedelta(minutes=10)
    for n in range(200):
        conversing.write(message.thread_id, Words(f"n{n:03}"), to=SHOP, take_back=False, by=ANA, at=at)
    page = get(browser(alice), tab(order))
    assert "La primera" not in page
    found = re.search(r'href="([^"]+antes=\d+)"', page)
    assert found
    assert "La primera" in get(browser(alice), unescape(found[1]))


@pytest.mark.rule("MSG-06")
def test_what_came_by_mail_to_the_operator_is_marked(place: Placing, alice: User) -> None:
    message = asks(order := place())
    words = Words("Mañana", came_by=CameBy.MAIL, misdirected=True)
    conversing.write(message.thread_id, words, to=TO_OPERATOR, by=SELLER, at=timezone.now() - HOUR / 2)
    page = get(browser(alice), tab(order))
    assert "Lo tiene el operador: el cliente no lo ha recibido." in page
    assert "Hay que contestar" in page, "the customer waits all the same"
    assert re.search(r'value="cliente" checked', page), "whoever answers now means the customer"


def test_a_reader_of_another_order_is_led_to_its_tab(place: Placing, alice: User) -> None:
    order: Order = place()
    answer = browser(alice).get(f"/pedidos/{order.reference}/mensajes/nueva/")
    assert (answer.status_code, answer.headers["Location"]) == (302, tab(order))
