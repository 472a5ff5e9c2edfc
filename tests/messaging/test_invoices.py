"""Handing in the invoice that a customer asked for: in the order's documents, or with a message to them (DOC-02)."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from marketplace.models import Channel
from marketplace.policy import FileType
from marketplace.refusals import Code, MoveRefused
from marketplace.services import publish_policy
from messaging import conversing, invoices
from messaging.conversing import Words
from messaging.documents import Letters
from messaging.models import Attachment, AttachmentDownload, Message, Notice
from messaging.recipients import CUSTOMER as TO_CUSTOMER
from orders import services
from orders.models import Event, Order
from orders.states import Verb
from sellers.models import Membership, Shop, Supplier, User
from tests.conftest import ANA, AT, CUSTOMER, OPERATOR, SELLER, Placing, _member, _person, actor_of, again
from tests.customer.links import path_of
from tests.files.samples import checked, pdf, picture
from tests.orders.acting import HOUR, Untouched, debited, said

pytestmark = [pytest.mark.django_db, pytest.mark.rule("DOC-02")]

TICK = "Es la factura que pidió el cliente"
UNDO = re.compile(r'<form class="notice done undo" method="post" action="([^"]+)"')


@pytest.fixture
def order(place: Placing) -> Order:
    """An order of an hour ago that was charged; its customer asked for an invoice at checkout."""
    return debited(place(customer=replace(ANA, wants_invoice=True), at=timezone.now() - HOUR))


@pytest.fixture
def desk(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def paper(name: str = "factura.pdf", content: bytes = b"") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content or pdf(), content_type="application/pdf")


def documents(desk: Client, order: Order) -> str:
    return said(desk.get(f"/pedidos/{order.reference}/?tab=documentos"))


def uploads(desk: Client, order: Order, *files: SimpleUploadedFile) -> Any:
    return desk.post(f"/pedidos/{order.reference}/factura/", {"files": list(files)})


def writes(desk: Client, order: Order, *files: SimpleUploadedFile, **more: str) -> Any:
    told = {
        "to": "cliente",
        "subject": "Su factura",
        "text": "Va con el IVA desglosado.",
        "invoice": "on",
        **more,
    }
    return desk.post(f"/pedidos/{order.reference}/mensajes/nueva/", {**told, "files": list(files)})


def history(order: Order) -> list[str]:
    rows = Event.objects.filter(order=order, verb__startswith="invoice").order_by("id")
    return list(rows.values_list("verb", flat=True))


def later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> datetime:
    """Move the clock on the wall."""
    then = timezone.now() + by
    monkeypatch.setattr(timezone, "now", lambda: then)
    return then


def test_the_page_says_that_it_is_owed_until_it_is_handed_in(order: Order, desk: Client) -> None:
    page = said(desk.get(f"/pedidos/{order.reference}/"))
    assert "El cliente ha pedido factura." in page
    assert "La pidió Ana Soler al comprar" in page
    assert f'href="/pedidos/{order.reference}/?tab=documentos#factura">Entregar la factura</a>' in page
    tab = documents(desk, order)
    assert "se debe</span>" in tab
    assert f'action="/pedidos/{order.reference}/factura/"' in tab
    answer = uploads(desk, order, paper())
    assert (answer.status_code, answer["Location"]) == (
        303,
        f"/pedidos/{order.reference}/?tab=documentos#factura",
    )
    assert "El cliente ha pedido factura." not in said(desk.get(f"/pedidos/{order.reference}/"))
    tab = documents(desk, order)
    file = Attachment.objects.get()
    assert "entregada</span>" in tab
    assert f'href="/mensajes/adjuntos/{file.id}/"' in tab
    assert "Entregar otra" in tab
    assert history(order) == ["invoice_given"]


def test_the_files_are_a_message_to_the_customer_who_is_mailed(
    order: Order, desk: Client, alice: User
) -> None:
    uploads(desk, order, paper(), paper("hoja 2.jpg", picture()))
    message = Message.objects.get()
    assert (message.is_invoice, message.to_customer, message.to_operator) == (True, True, False)
    assert (message.author, message.user, message.thread.subject) == ("Alicia Alba", alice, "Tu factura")
    assert message.body == f"Aquí tienes la factura de tu pedido {order.reference}."
    assert list(Attachment.objects.order_by("id").values_list("name", "kind")) == [
        ("factura.pdf", "pdf"),
        ("hoja 2.jpg", "jpeg"),
    ]
    assert again(order).invoiced_at == message.written_at
    notice = Notice.objects.get(event="message")
    assert (notice.email, notice.due_at) == (ANA.email, message.visible_at)
    mail = Letters(timezone.now()).mail(notice)
    assert mail.subject == f"Tu pedido {order.reference}: Cerámicas Alba te manda la factura"
    assert "Con el mensaje: factura.pdf, hoja 2.jpg" in mail.body
    assert re.search(r"Ver la factura:\n\S+/mi-pedido/\S+/#factura", str(mail.body))


def test_it_is_written_in_the_customers_language(place: Placing, desk: Client) -> None:
    asks = replace(ANA, wants_invoice=True, language="en")
    order = debited(place(customer=asks, at=timezone.now() - HOUR))
    uploads(desk, order, paper())
    message = Message.objects.get()
    assert message.thread.subject == "Your invoice"
    assert message.body == f"Here is the invoice for your order {order.reference}."


def test_another_takes_its_place_in_the_same_conversation(
    order: Order, desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads(desk, order, paper())
    later(monkeypatch, HOUR)
    uploads(desk, order, paper("corregida.pdf", pdf(2)))
    first, second = Message.objects.order_by("id")
    assert first.thread_id == second.thread_id
    assert again(order).invoiced_at == second.written_at
    tab = documents(desk, order)
    assert tab.index("corregida.pdf") < tab.index("sustituida por otra") < tab.index(">factura.pdf")
    assert list(
        Event.objects.filter(verb=Verb.INVOICE_GIVEN).order_by("id").values_list("data", flat=True)
    ) == [
        {"files": ["factura.pdf"]},
        {"files": ["corregida.pdf"], "another": True},
    ]
    told = said(desk.get(f"/pedidos/{order.reference}/?tab=historial"))
    assert "en lugar de la anterior" in told
    assert "corregida.pdf" in told


def test_the_same_file_handed_in_twice_is_handed_in_once(order: Order, desk: Client) -> None:
    content = pdf()
    for _ in range(2):
        assert uploads(desk, order, paper(content=content)).status_code == 303
    assert Message.objects.count() == Attachment.objects.count() == 1
    assert history(order) == ["invoice_given"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([], "Una factura es un PDF o una imagen"),
        ([("factura.txt", b"Total: 84,00")], "factura.txt"),
        ([("factura.pdf", b"MZ\x90\x00" + b"\0" * 90)], "factura.pdf"),
        ([("a.pdf", b""), ("b.pdf", b"%PDF")], "a.pdf"),
    ],
)
def test_what_is_no_paper_is_refused_with_the_reason(
    files: list[tuple[str, bytes]], words: str, order: Order, desk: Client
) -> None:
    with Untouched(order):
        sent = [SimpleUploadedFile(name, content) for name, content in files]
        answer = uploads(desk, order, *sent)
    assert answer.status_code == 422
    assert words in unescape(said(answer))
    assert "No se ha cambiado nada." in said(answer)
    assert not Message.objects.exists()


def test_a_policy_without_files_in_messages_still_takes_an_invoice(
    channel: Channel, place: Placing, desk: Client
) -> None:
    assert channel.policy is not None
    changed = {"attachments_most": 0, "attachment_types": (FileType.TEXT,), "invoice_always": True}
    publish_policy(channel, channel.policy.rules.model_copy(update=changed), by="pruebas", at=AT)
    channel.refresh_from_db()
    order = debited(place(at=timezone.now() - HOUR))
    page = said(desk.get(f"/pedidos/{order.reference}/"))
    assert "El pedido lleva factura." in page
    assert "En este canal se entrega siempre" in page
    assert TICK not in said(desk.get(f"/pedidos/{order.reference}/?tab=mensajes"))
    assert uploads(desk, order, paper("f.jpg", picture())).status_code == 422
    assert uploads(desk, order, paper()).status_code == 303
    assert again(order).invoiced_at is not None


def test_with_a_message_it_is_handed_in_by_a_tick(order: Order, desk: Client) -> None:
    conversing.start(
        order.shop, Words("Hola"), to=TO_CUSTOMER, order=order, by=SELLER, at=timezone.now() - HOUR
    )
    tab = said(desk.get(f"/pedidos/{order.reference}/?tab=mensajes"))
    assert tab.count(TICK) == 1
    answer = writes(desk, order, paper())
    assert answer.status_code == 303
    message = Message.objects.get(is_invoice=True)
    assert message.body == "Va con el IVA desglosado."
    assert again(order).invoiced_at == message.written_at
    tab = said(desk.get(f"/pedidos/{order.reference}/?tab=mensajes"))
    assert TICK not in tab
    assert ">Factura</span>" in tab
    reply = {"to": "cliente", "text": "Y la copia", "files": [paper(content=pdf(2))]}
    assert desk.post(f"/pedidos/{order.reference}/mensajes/{message.thread_id}/", reply).status_code == 303
    assert Message.objects.filter(is_invoice=True).count() == 1
    assert history(order) == ["invoice_given"]


@pytest.mark.parametrize(
    ("more", "files", "words"),
    [
        ({}, [], "Una factura es un PDF o una imagen: adjunta el archivo."),
        ({"to": "operador"}, ["factura.pdf"], "La factura es para el cliente"),
    ],
)
def test_a_tick_that_cannot_be_keeps_what_was_typed(
    more: dict[str, str], files: list[str], words: str, order: Order, desk: Client
) -> None:
    with Untouched(order):
        answer = writes(desk, order, *(paper(name) for name in files), **more)
    page = said(answer)
    assert answer.status_code == 422
    assert words in page
    assert "Va con el IVA desglosado." in page
    assert re.search(r'name="invoice" checked', page)
    assert not Message.objects.exists()


def test_a_text_is_no_invoice_even_where_messages_carry_texts(order: Order) -> None:
    text = checked("factura.txt", b"Total: 84,00")
    for files in ((), (text,), (checked("f.pdf", pdf()), text)):
        with Untouched(order), pytest.raises(MoveRefused) as refused:
            invoices.hand_in_files(order, files, by=SELLER, at=timezone.now())
        assert refused.value.refusal.code == Code.NO_INVOICE_FILE
    assert not Message.objects.exists()


def test_what_was_never_asked_for_or_not_yet_charged_is_refused(place: Placing, desk: Client) -> None:
    ago = timezone.now() - HOUR
    unasked, uncharged = debited(place(at=ago)), place(customer=replace(ANA, wants_invoice=True), at=ago)
    for order, code in ((unasked, Code.INVOICE_NOT_ASKED), (uncharged, Code.NOT_DEBITED)):
        with Untouched(order):
            answers = [uploads(desk, order, paper())]
            answers.append(writes(desk, order, paper()))
        assert answers[0].status_code == 409
        assert str(code.label) in said(answers[0])
        assert f'action="/pedidos/{order.reference}/factura/"' not in documents(desk, order)
    assert Message.objects.filter(is_invoice=True).count() == 0
    assert answers[1].status_code == 409
    assert "Va con el IVA desglosado." in said(answers[1])
    assert "Se le debe en cuanto se cobre el pedido." in documents(desk, uncharged)
    assert "Factura del cliente" not in documents(desk, unasked)


def test_who_may_not_write_to_the_customer_cannot_hand_it_in(
    order: Order, shop: Shop, charlie: User, bob: User
) -> None:
    reader = _member(_person("lola@alba.example", "Lola"), shop, Membership.Role.READER)
    statuses = {}
    with Untouched(order):
        for who in (reader, charlie):
            client = Client()
            client.force_login(who)
            statuses[who.email] = uploads(client, order, paper()).status_code
        assert Client().post(f"/pedidos/{order.reference}/factura/", {"files": [paper()]}).status_code == 302
    assert statuses == {"lola@alba.example": 403, "charlie@bruma.example": 404}
    assert not Message.objects.exists()
    client = Client()
    client.force_login(reader)
    assert "Entregarla pueden: " in documents(client, order)
    client.force_login(bob)
    assert uploads(client, order, paper()).status_code == 303


def test_a_supplier_neither_sees_it_nor_hands_it_in(place: Placing, norte: Supplier, nuria: User) -> None:
    asks = replace(ANA, wants_invoice=True)
    order = debited(place(customer=asks, served=[norte, norte], at=timezone.now() - HOUR))
    client = Client()
    client.force_login(nuria)
    pages = [said(client.get(f"/pedidos/{order.reference}/?tab={tab}")) for tab in ("detalles", "documentos")]
    assert not any("actura" in page.split("<main")[1] for page in pages)
    with Untouched(order):
        assert uploads(client, order, paper()).status_code == 404
        words = Words("La factura", files=(checked("f.pdf", pdf()),))
        with pytest.raises(MoveRefused) as refused:
            invoices.hand_in(order.id, words, lambda one: Message(), by=actor_of(norte), at=timezone.now())
    assert refused.value.refusal.code == Code.NOT_ALLOWED
    assert not Message.objects.exists()
    uploads_of_the_shop = invoices.hand_in_files(order, words.files, by=SELLER, at=timezone.now() - HOUR / 2)
    file = uploads_of_the_shop.attachments.get()
    assert client.get(f"/mensajes/adjuntos/{file.id}/").status_code == 404


def test_what_is_undone_is_owed_again(order: Order, desk: Client) -> None:
    uploads(desk, order, paper())
    [address] = UNDO.findall(documents(desk, order))
    answer = desk.post(address, {"tab": "documentos"})
    assert answer["Location"] == f"/pedidos/{order.reference}/?tab=documentos"
    assert not Message.objects.exists()
    assert not Notice.objects.filter(event="message").exists()
    assert again(order).owes_invoice
    assert history(order) == ["invoice_given", "invoice_taken_back"]
    tab = documents(desk, order)
    assert "Deshecho: no ha salido, y nadie lo ha visto." in tab
    assert "se debe</span>" in tab


def test_of_two_the_one_that_is_undone_leaves_the_other(order: Order, place: Placing) -> None:
    at = timezone.now()
    first = invoices.hand_in_files(order, [checked("a.pdf", pdf())], by=SELLER, at=at)
    second = invoices.hand_in_files(
        order, [checked("b.pdf", pdf(2))], by=SELLER, at=at + timedelta(seconds=3)
    )
    conversing.take_back(second.id, by=SELLER, at=at + timedelta(seconds=5))
    assert again(order).invoiced_at == first.written_at
    with pytest.raises(MoveRefused):
        conversing.take_back(first.id, by=SELLER, at=at + HOUR)
    assert again(order).invoiced_at == first.written_at
    other = debited(place(customer=replace(ANA, wants_invoice=True), at=at - HOUR))
    assert other.owes_invoice


def test_each_download_is_checked_and_on_record(
    order: Order, desk: Client, place: Placing, charlie: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads(desk, order, paper())
    file = Attachment.objects.get()
    page, other = path_of(order), path_of(place(at=timezone.now() - HOUR))
    assert Client().get(f"{page}archivos/{file.id}/").status_code == 404, "not before it can be seen"
    later(monkeypatch, timedelta(minutes=1))
    stranger = Client()
    stranger.force_login(charlie)
    assert stranger.get(f"/mensajes/adjuntos/{file.id}/").status_code == 404
    assert Client().get(f"{other}archivos/{file.id}/").status_code == 404
    assert not AttachmentDownload.objects.exists()
    for client, address in (
        (desk, f"/mensajes/adjuntos/{file.id}/"),
        (Client(), f"{page}archivos/{file.id}/"),
    ):
        got = client.get(address)
        assert b"".join(got.streaming_content).startswith(b"%PDF")  # type: ignore[attr-defined]
    assert list(AttachmentDownload.objects.order_by("id").values_list("role", "by")) == [
        ("seller", "Alicia Alba"),
        ("customer", "Ana Soler"),
    ]
    downloads = documents(desk, order).partition("Descargas")[2]
    assert downloads.count("factura.pdf") == 2
    assert downloads.index("Ana Soler") < downloads.index("Alicia Alba")


def test_the_operator_sees_it_on_the_order_and_in_the_conversation(
    order: Order, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client()
    client.force_login(olga)
    room = f"/admin/orders/order/{order.id}/change/"
    assert "la tienda la debe desde que se cobró" in said(client.get(room))
    assert order.reference in said(client.get("/admin/orders/order/?turn=invoice"))
    message = invoices.hand_in_files(order, [checked("f.pdf", pdf())], by=SELLER, at=timezone.now())
    later(monkeypatch, HOUR)
    assert "entregada el" in said(client.get(room))
    assert order.reference not in said(client.get("/admin/orders/order/?turn=invoice"))
    assert TICK in said(client.get(f"/admin/messaging/thread/{message.thread_id}/change/"))


def test_an_operator_and_a_customer_hand_nothing_in(order: Order) -> None:
    words = Words("La factura", files=(checked("f.pdf", pdf()),))
    for by in (OPERATOR, CUSTOMER):
        with Untouched(order), pytest.raises(MoveRefused) as refused:
            invoices.hand_in(order.id, words, lambda one: Message(), by=by, at=timezone.now())
        assert refused.value.refusal.code == Code.NOT_ALLOWED
    assert services.judge_invoice(order, by=SELLER, at=timezone.now()) is None
