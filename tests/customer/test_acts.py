"""What a customer does from their page: each act, its twin, its refusal and what is said of it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customer.conversation import MOST
from customer.services import MOST_MESSAGES, MOST_PAPERS
from marketplace.models import Channel
from marketplace.policy import Role
from messaging import conversing
from messaging.conversing import Words
from messaging.models import Message, Notice, Thread
from messaging.recipients import CUSTOMER, OPERATOR, SHOP, To, of
from orders.models import Download, Event, Order
from orders.states import State, Verb
from refunds.models import ReturnLine, ReturnRequest
from sellers.models import Shop
from tests.conftest import AT, SELLER, again, row
from tests.conftest import OPERATOR as OPERATOR_ACTOR
from tests.customer.conftest import Clock
from tests.customer.links import path_of
from tests.orders.lives import HOUR, brought_to

pytestmark = pytest.mark.django_db


@pytest.fixture
def stands(channel: Channel, shop: Shop, clock: Clock) -> Any:
    """An order in a state, looked at five hours after it was placed."""

    def standing(state: State) -> Order:
        order = Order.objects.get(id=brought_to(state, channel, shop)[0])
        clock(AT + 5 * HOUR)
        return order

    return standing


def send(client: Client, order: Order, page: str, **data: Any) -> Any:
    return client.post(f"{path_of(order)}{page}/", data)


def text(answer: Any) -> str:
    page: str = answer.content.decode()
    return page


@pytest.mark.rule("ROL-03", "MSG-01", "MSG-04")
def test_a_customer_writes_and_reads_the_answer(stands: Any, client: Client) -> None:
    order = stands(State.SHIPPED)
    answer = send(client, order, "mensajes", text="¿Cuándo llega?", reason="delivery")
    assert (answer.status_code, answer.headers["Location"]) == (
        303,
        f"{path_of(order)}mensajes/?hecho=escrito",
    )
    message = Message.objects.get()
    assert (message.role, message.author, message.to_shop) == ("customer", "Ana Soler 0", True)
    assert message.thread.reason_code == "delivery"
    assert Notice.objects.filter(event="message", audience="seller").count() == 1
    conversing.write(message.thread_id, Words("El jueves."), to=CUSTOMER, by=SELLER, at=AT + 4 * HOUR)
    page = text(client.get(f"{path_of(order)}mensajes/?hecho=escrito"))
    assert "Enviado. Te avisaremos" in page
    assert "El jueves." in page
    assert "Alicia" not in page  # the shop answers in its own name
    assert Message.objects.get(body="El jueves.").read_by_customer_at == AT + 5 * HOUR
    send(client, order, "mensajes", text="Gracias", thread=message.thread_id)
    assert Thread.objects.count() == 1


@pytest.mark.rule("MSG-03")
def test_what_is_not_for_the_customer_is_neither_shown_nor_marked_as_read(
    stands: Any, client: Client
) -> None:
    order = stands(State.SHIPPED)
    first = conversing.start(
        order.shop, Words("Ojo con este"), to=OPERATOR, order=order, subject="Sospechoso", by=SELLER, at=AT
    )
    second = conversing.write(first.thread_id, Words("Hola, Ana"), to=CUSTOMER, by=SELLER, at=AT + HOUR)
    for page in ("", "mensajes/"):
        shown = text(client.get(path_of(order) + page))
        assert "Hola, Ana" in shown
        assert "Ojo con este" not in shown
        assert "Sospechoso" not in shown
    assert Message.objects.get(id=first.id).read_by_customer_at is None
    assert Message.objects.get(id=second.id).read_by_customer_at is not None


@pytest.mark.rule("MSG-03")
def test_a_conversation_that_is_not_theirs_cannot_be_written_in(
    stands: Any, client: Client, channel: Channel, shop: Shop
) -> None:
    order = stands(State.SHIPPED)
    other = Order.objects.get(id=brought_to(State.SHIPPED, channel, shop)[0])
    inside = conversing.start(order.shop, Words("x"), to=OPERATOR, order=order, by=SELLER, at=AT)
    others = conversing.start(other.shop, Words("x"), to=CUSTOMER, order=other, by=SELLER, at=AT)
    for thread in (inside.thread_id, others.thread_id, 10**15):
        answer = send(client, order, "mensajes", text="Me cuelo", thread=thread)
        assert answer.status_code == 409
    assert send(client, order, "mensajes", text="Me cuelo", thread="1; DROP").status_code == 422
    assert not Message.objects.filter(body="Me cuelo").exists()


def test_the_same_words_sent_twice_are_one_message(stands: Any, client: Client, clock: Clock) -> None:
    order = stands(State.SHIPPED)
    for _ in range(3):
        assert send(client, order, "mensajes", text="¿Cuándo llega?").status_code == 303
    assert Message.objects.count() == 1
    clock(AT + 6 * HOUR)
    send(client, order, "mensajes", text="¿Cuándo llega?")
    assert Message.objects.count() == 2


@pytest.mark.rule("MSG-01")
def test_the_same_words_to_another_question_are_another_message(stands: Any, client: Client) -> None:
    order = stands(State.SHIPPED)
    colour, parcel = (
        conversing.start(order.shop, Words(asked), to=CUSTOMER, order=order, by=SELLER, at=AT + HOUR)
        for asked in ("¿Lo quieres azul?", "¿Te ha llegado?")
    )

    def yes(**place: Any) -> int:
        for _ in range(2):
            assert send(client, order, "mensajes", text="Sí", **place).status_code == 303
        return Message.objects.filter(body="Sí").count()

    assert yes(thread=colour.thread_id) == 1
    assert yes(thread=parcel.thread_id) == 2
    conversing.write(parcel.thread_id, Words("¿Y entero?"), to=CUSTOMER, by=SELLER, at=AT + 2 * HOUR)
    assert yes(thread=parcel.thread_id) == 3
    assert yes(reason="delivery") == 4
    assert yes(reason="stock") == 5
    assert Thread.objects.count() == 4


@pytest.mark.rule("MSG-04")
def test_whom_the_operator_wrote_to_answers_them_too(stands: Any, client: Client) -> None:
    order = stands(State.SHIPPED)
    asked = conversing.start(
        order.shop, Words("Soy del equipo"), to=CUSTOMER, order=order, by=OPERATOR_ACTOR, at=AT + HOUR
    )
    send(client, order, "mensajes", text="Hola", thread=asked.thread_id)
    assert of(Message.objects.latest("id")) == To(shop=True, operator=True)
    assert Thread.objects.get().operator_waits_since == AT + 5 * HOUR
    conversing.write(asked.thread_id, Words("Ya lo miro yo"), to=CUSTOMER, by=SELLER, at=AT + 5 * HOUR)
    send(client, order, "mensajes", text="Gracias", thread=asked.thread_id)
    assert of(Message.objects.latest("id")) == SHOP


def test_what_cannot_be_sent_stays_in_the_form(stands: Any, client: Client) -> None:
    order = stands(State.SHIPPED)
    for data, status, words in (
        ({"text": " \u200b "}, 422, "Escribe algo."),
        ({"text": "a" * 10_001}, 422, "El mensaje es demasiado largo"),
        ({"text": "con\x00nulo"}, 422, "con"),
    ):
        answer = send(client, order, "mensajes", **data)
        assert answer.status_code == status
        assert words in text(answer)
    assert "a" * 10_001 in text(send(client, order, "mensajes", text="a" * 10_001))
    assert not Message.objects.exists()


def test_what_was_typed_under_an_older_page_is_not_lost(stands: Any, client: Client) -> None:
    order = stands(State.SHIPPED)
    old, new = (
        conversing.start(order.shop, Words("Hola"), to=CUSTOMER, order=order, by=SELLER, at=AT + HOUR)
        for _ in range(2)
    )
    for n in range(MOST):
        conversing.write(new.thread_id, Words(f"{n}"), to=CUSTOMER, by=SELLER, at=AT + HOUR)
    answer = send(client, order, "mensajes", text="a" * 10_001, thread=old.thread_id)
    assert (answer.status_code, "a" * 10_001 in text(answer)) == (422, True)
    assert Message.objects.filter(role="customer").count() == 0


def test_a_flood_of_messages_is_stopped_and_nothing_is_lost(stands: Any, client: Client) -> None:
    order = stands(State.SHIPPED)
    for n in range(MOST_MESSAGES):
        assert send(client, order, "mensajes", text=f"n.º {n}").status_code == 303
    stopped = send(client, order, "mensajes", text="uno más")
    assert stopped.status_code == 429
    assert "uno más" in text(stopped)
    assert Message.objects.count() == MOST_MESSAGES


@pytest.mark.rule("SHP-06", "ROL-03")
def test_a_customer_says_that_it_has_arrived_once(stands: Any, client: Client) -> None:
    order = stands(State.SHIPPED)
    assert "Sí, ya me ha llegado" in text(client.get(path_of(order) + "recibido/"))
    assert again(order).state == State.SHIPPED
    for _ in range(2):
        answer = send(client, order, "recibido")
        assert (answer.status_code, answer.headers["Location"]) == (303, f"{path_of(order)}?hecho=recibido")
    event = Event.objects.get(order=order, verb=Verb.DELIVER)
    assert (event.role, event.by) == (Role.CUSTOMER, "Ana Soler 0")
    assert "Confirmaste que te llegó" in text(client.get(path_of(order)))


@pytest.mark.rule("SHP-06")
def test_what_has_not_left_cannot_be_said_to_have_arrived(stands: Any, client: Client) -> None:
    order = stands(State.AWAITING_SHIPMENT)
    before = row(order)
    for answer in (send(client, order, "recibido"), client.get(path_of(order) + "recibido/")):
        assert answer.status_code == 409
        assert "El pedido no está en un estado que lo permita." in text(answer)
    assert row(order) == before


@pytest.mark.rule("CAN-02")
def test_a_customer_cancels_before_it_is_prepared(stands: Any, client: Client) -> None:
    order = stands(State.PENDING_ACCEPTANCE)
    assert send(client, order, "cancelar", why="x" * 161).status_code == 422
    assert again(order).state == State.PENDING_ACCEPTANCE
    for _ in range(2):
        answer = send(client, order, "cancelar", why="Me he equivocado")
        assert answer.headers["Location"] == f"{path_of(order)}?hecho=cancelado"
    event = Event.objects.get(order=order, verb=Verb.CANCEL)
    assert (event.role, event.data["reason"]) == (
        "customer",
        {"code": "customer-asks", "note": "Me he equivocado"},
    )
    assert "Lo cancelaste" in text(client.get(path_of(order)))


@pytest.mark.rule("ROL-05", "CAN-03")
def test_once_it_is_prepared_a_customer_asks_for_it_and_whoever_may_decides(
    stands: Any, client: Client
) -> None:
    order = stands(State.AWAITING_SHIPMENT)
    assert "Pedir que se cancele" in text(client.get(path_of(order) + "cancelar/"))
    for _ in range(2):
        answer = send(client, order, "cancelar", why="Ya no lo quiero")
        assert answer.headers["Location"] == f"{path_of(order)}?hecho=pedida"
    assert again(order).state == State.AWAITING_SHIPMENT
    assert (order.requests.count(), order.requests.get().asked_role) == (1, "customer")
    assert "Ya no lo quiero" in text(client.get(path_of(order) + "mensajes/"))


@pytest.mark.rule("CAN-04")
def test_nothing_is_cancelled_on_its_way(stands: Any, client: Client) -> None:
    order = stands(State.SHIPPED)
    before = row(order)
    assert send(client, order, "cancelar").status_code == 409
    assert (row(order), order.requests.count()) == (before, 0)


@pytest.mark.rule("REF-09", "ROL-03")
def test_a_return_is_asked_for_noted_and_told(stands: Any, client: Client) -> None:
    order = stands(State.DELIVERED)
    jar = order.lines.get(sku="JAR-AZUL")
    sent = {f"units_{jar.id}": 1, "reason": "changed-mind", "text": "No pega <b>nada</b>"}
    for _ in range(2):
        answer = send(client, order, "devolver", **sent)
        assert answer.headers["Location"] == f"{path_of(order)}?hecho=devolucion"
    request = ReturnRequest.objects.get()
    assert (request.state, request.reason_code, request.asked_by) == ("asked", "changed-mind", "Ana Soler 0")
    assert list(ReturnLine.objects.values_list("line_id", "units")) == [(jar.id, 1)]
    told = Notice.objects.filter(event=Verb.RETURN_ASKED).values_list("audience", flat=True)
    assert set(told) == {"customer", "seller"}
    page = text(client.get(path_of(order)))
    assert "No pega &lt;b&gt;nada&lt;/b&gt;" in page
    assert "Pediste devolver artículos" in page


@pytest.mark.rule("REF-09")
def test_no_more_is_returned_than_was_sent_nor_after_its_time(
    stands: Any, client: Client, clock: Clock
) -> None:
    order = stands(State.DELIVERED)
    jar = order.lines.get(sku="JAR-AZUL")
    other = f"units_{jar.id}"
    assert send(client, order, "devolver", **{other: 1, "reason": "changed-mind"}).status_code == 303
    for data, status in (
        ({other: 2, "reason": "faulty"}, 409),
        ({other: 3, "reason": "faulty"}, 422),
        ({other: -1, "reason": "faulty"}, 422),
        ({other: "x", "reason": "faulty"}, 422),
        ({other: 1, "reason": "ninguno"}, 422),
        ({"reason": "faulty"}, 422),
        ({"units_1": 1, "reason": "faulty"}, 422),
    ):
        assert send(client, order, "devolver", **data).status_code == status
    clock(AT + timedelta(days=20))
    late = send(client, order, "devolver", **{other: 1, "reason": "faulty"})
    assert (late.status_code, "El plazo ya ha pasado." in text(late)) == (409, True)
    assert ReturnRequest.objects.count() == 1


@pytest.mark.rule("REF-09")
def test_the_shop_sees_what_is_asked_back(
    stands: Any, client: Client, alice: Any, charlie: Any, nuria: Any
) -> None:
    order = stands(State.DELIVERED)
    jar = order.lines.get(sku="JAR-AZUL")
    send(client, order, "devolver", **{f"units_{jar.id}": 1, "reason": "changed-mind", "text": "No pega"})
    desk = Client()
    desk.force_login(alice)
    page = text(desk.get(f"/pedidos/{order.reference}/"))
    assert "Devolución 1" in page
    assert "No pega" in page
    for stranger in (charlie, nuria):
        desk.force_login(stranger)
        assert desk.get(f"/pedidos/{order.reference}/").status_code == 404


@pytest.mark.rule("DOC-01", "DOC-04")
def test_each_paper_is_recorded_and_very_many_are_refused(stands: Any, client: Client) -> None:
    order = stands(State.SHIPPED)
    answer = client.get(path_of(order) + "albaran.pdf")
    assert answer.content.startswith(b"%PDF")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert list(Download.objects.values_list("role", "by", "document")) == [
        ("customer", "Ana Soler 0", "delivery_note")
    ]
    given = Download.objects.get()
    Download.objects.bulk_create(
        Download(
            order=order,
            shop_id=order.shop_id,
            document="delivery_note",
            at=given.at,
            role="customer",
            by="Ana",
        )
        for _ in range(MOST_PAPERS - 1)
    )
    assert client.get(path_of(order) + "albaran.pdf").status_code == 429


@pytest.mark.rule("DOC-01")
def test_there_is_no_paper_of_what_is_not_delivered(stands: Any, client: Client) -> None:
    order = stands(State.CANCELLED)
    assert client.get(path_of(order) + "albaran.pdf").status_code == 409
    assert not Download.objects.exists()


@pytest.mark.rule("ROL-03")
def test_a_link_that_has_ended_has_another_mailed_and_says_the_same_whatever_happens(
    stands: Any, client: Client
) -> None:
    order = stands(State.SHIPPED)
    ended = path_of(order, timezone.now() - timedelta(days=999))
    answers = [client.post(f"{ended}enlace-nuevo/") for _ in range(3)]
    Order.objects.filter(id=order.id).update(customer_email="")
    answers.append(client.post(f"{ended}enlace-nuevo/"))
    assert {(one.status_code, one.content) for one in answers} == {(200, answers[0].content)}
    notice = Notice.objects.get(event="new_link")
    assert (notice.email, notice.audience) == ("ana0@cliente.example", "customer")
    for page in ("mensajes", "recibido", "cancelar", "devolver", "incidencia"):
        assert client.post(f"{ended}{page}/", {"text": "x"}).status_code == 410
    assert again(order).state == State.SHIPPED
    assert not Message.objects.exists()


@pytest.mark.parametrize("page", ["", "mensajes/"])
def test_a_page_of_much_is_read_in_as_few_queries(
    page: str, channel: Channel, shop: Shop, client: Client, clock: Clock
) -> None:
    def queries(lines: int, messages: int) -> int:
        articles = tuple((f"A-{n}", f"Artículo {n}", 1, 100, 10) for n in range(lines))
        ids = brought_to(State.DELIVERED, channel, shop, articles=articles)
        order = Order.objects.select_related("shop", "policy", "channel").get(id=ids[0])
        clock(AT + 5 * HOUR)
        for n in range(messages):
            words = Words(f"Mensaje {n}")
            conversing.start(order.shop, words, to=CUSTOMER, order=order, by=SELLER, at=AT + HOUR)
        address = path_of(order) + page
        client.get(address)
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert client.get(address).status_code == 200
        return len(found)

    few, many = queries(1, 1), queries(50, 50)
    assert few == many
    assert many <= 10
