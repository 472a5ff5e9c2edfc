"""A shop's answer that went to the operator is sent on with one click, once, by whoever may (MSG-07)."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from marketplace.policy import Role
from marketplace.refusals import Code, MoveRefused
from messaging import astray, conversing
from messaging.conversing import Words
from messaging.documents import Letters
from messaging.models import Attachment, Message, Notice, Thread
from messaging.recipients import CUSTOMER, SHOP, SUPPLIER, of
from orders.models import Order
from sellers.desk import Actor, operator
from sellers.models import Membership, Supplier, User
from tests.conftest import AT, SELLER
from tests.files.samples import picture
from tests.mail_in.conftest import LATER, address, last, mail, notice_to, outcome, stands

pytestmark = [pytest.mark.django_db, pytest.mark.rule("MSG-07"), pytest.mark.usefixtures("olga")]

SOON = LATER + timedelta(minutes=5)


@pytest.fixture
def stray(sellers: str) -> Message:
    """What the shop answered by mail, with a photo and a file that was turned away."""
    answer = mail(sellers, "Llega el jueves.\nUn saludo")
    answer.add_attachment(picture(), maintype="image", subtype="jpeg", filename="caja.jpg")
    answer.add_attachment(b"MZ", maintype="application", subtype="octet-stream", filename="ver.exe")
    assert outcome(answer) == "taken=1"
    return last()


def send(user: User, order: Order, message: Message, method: str = "post") -> Any:
    client = Client()
    client.force_login(user)
    return getattr(client, method)(reverse("message_send_on", args=[order.reference, message.id]))


def test_one_click_sends_what_the_person_wrote(order: Order, stray: Message, bob: User) -> None:
    assert "No se adjuntó «ver.exe»" in stray.body
    answer = send(bob, order, stray)
    assert (answer.status_code, answer["Location"]) == (
        303,
        f"/pedidos/{order.reference}/?tab=mensajes&enviado={last().id}#hilo-{stray.thread_id}",
    )
    sent = last()
    assert (sent.body, of(sent), sent.misdirected) == ("Llega el jueves.\nUn saludo", CUSTOMER, False)
    assert (sent.role, sent.author, sent.user_id) == ("seller", str(bob), bob.id)
    assert [one.name for one in Attachment.objects.filter(message=sent)] == ["caja.jpg"]
    assert {one.audience for one in Notice.objects.filter(of_message=sent)} == {"customer"}
    assert Thread.objects.get().waiting == 0
    stray.refresh_from_db()
    assert stray.sent_on_as == sent


def test_a_second_click_sends_nothing_and_says_so(order: Order, stray: Message, bob: User) -> None:
    send(bob, order, stray)
    send(bob, order, stray)  # its page has been read
    before = stands()
    answer = send(bob, order, stray)
    assert answer.status_code == 409
    assert str(Code.SENT_ALREADY.label) in answer.text
    assert stands() == before


def test_what_was_sent_on_and_taken_back_can_be_sent_on_again(stray: Message) -> None:
    sent = astray.send_on(stray.id, by=SELLER, at=SOON)
    conversing.take_back(sent.id, by=SELLER, at=SOON)
    stray.refresh_from_db()
    assert stray.sent_on_as is None
    assert astray.send_on(stray.id, by=SELLER, at=SOON).to_customer


def test_nobody_else_sends_it_on(
    order: Order, stray: Message, bob: User, charlie: User, nuria: User, alice: User
) -> None:
    Membership.objects.filter(user=bob).update(role=Membership.Role.READER)
    asked = Message.objects.earliest("id")
    before = stands()
    assert [send(user, order, stray).status_code for user in (bob, charlie, nuria)] == [403, 404, 404]
    assert send(alice, order, asked).status_code == 404
    assert send(alice, order, stray, "get").status_code == 302
    assert stands() == before


def test_it_is_another_orders(stray: Message, alice: User, place: Any) -> None:
    before_orders = place()
    before = stands()
    assert send(alice, before_orders, stray).status_code == 404
    assert stands() == before


def test_what_was_for_a_supplier_is_sent_on_to_them(order: Order, norte: Supplier) -> None:
    first = conversing.start(
        order.shop, Words("¿Te queda barro?"), to=SUPPLIER, order=order, supplier=norte, by=SELLER, at=AT
    )
    actor = Actor(Role.SUPPLIER, "Taller", supplier_id=norte.id)
    conversing.write(first.thread_id, Words("Poco"), to=SHOP, by=actor, at=AT)
    assert outcome(mail(address(notice_to("seller")), "Vale, resérvalo")) == "taken=1"
    assert of(astray.send_on(last().id, by=SELLER, at=SOON)) == SUPPLIER


def test_an_answer_about_no_order_has_arrived(order: Order, olga: User) -> None:
    conversing.start(order.shop, Words("Hola"), to=SHOP, by=operator(olga), at=AT)
    assert outcome(mail(address(notice_to("seller")), "Hola, Olga")) == "taken=1"
    before = stands()
    with pytest.raises(MoveRefused) as refused:
        astray.send_on(last().id, by=SELLER, at=SOON)
    assert refused.value.refusal.code == Code.NO_SUCH_RECIPIENT
    assert stands() == before
    how = Notice.objects.get(event="astray")
    assert how.payload["can_send_on"] is False


def test_an_answer_to_the_operator_about_an_order_is_never_sent_on_to_its_customer(
    order: Order, olga: User, bob: User
) -> None:
    conversing.start(order.shop, Words("¿Te fías de ella?"), to=SHOP, order=order, by=operator(olga), at=AT)
    assert outcome(mail(address(notice_to("seller")), "De Ana, no")) == "taken=1"
    how = Notice.objects.get(event="astray")
    assert how.payload["can_send_on"] is False
    assert "Así no llega" not in Letters().mail(how).body
    client = Client()
    client.force_login(bob)
    page = client.get(f"/pedidos/{order.reference}/", {"tab": "mensajes"}).text
    assert "Lo tiene el operador." in page
    assert reverse("message_send_on", args=[order.reference, last().id]) not in page
    before = stands()
    assert send(bob, order, last()).status_code == 409
    assert stands() == before


def test_the_page_says_who_has_it_and_offers_the_click(
    order: Order, stray: Message, bob: User, alice: User
) -> None:
    Membership.objects.filter(user=alice).update(role=Membership.Role.READER)
    button = f'action="{reverse("message_send_on", args=[order.reference, stray.id])}"'

    def page(user: User) -> str:
        client = Client()
        client.force_login(user)
        return client.get(f"/pedidos/{order.reference}/", {"tab": "mensajes"}).text

    said = "Lo tiene el operador: el cliente no lo ha recibido."
    assert [(said in page(user), button in page(user)) for user in (bob, alice)] == [
        (True, True),
        (True, False),
    ]
    astray.send_on(stray.id, by=SELLER, at=SOON)
    assert ("Después se envió al cliente desde aquí." in page(bob), button in page(bob)) == (True, False)


def test_files_of_a_letter_pass_the_gate(sellers: str) -> None:
    answer = mail(sellers, "Mira")
    for n in range(7):
        answer.add_attachment(picture(), maintype="image", subtype="jpeg", filename=f"{n}.jpg")
    assert outcome(answer) == "taken=1"
    assert [one.name for one in Attachment.objects.order_by("id")] == [f"{n}.jpg" for n in range(5)]
    assert last().body.count("No se adjuntó") == 2
