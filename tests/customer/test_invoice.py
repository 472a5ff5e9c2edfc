"""The customer's page and their invoice: asked for, owed, to come, and theirs to download (DOC-02)."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from customer.services import MOST_WISHES
from messaging import invoices
from messaging.models import Message, Notice
from orders import services
from orders.models import LONGEST_INVOICE_TO, Event, Order
from orders.states import Verb
from tests.conftest import ANA, AT, OPERATOR, SELLER, Placing, again
from tests.customer.conftest import Clock
from tests.customer.links import path_of
from tests.files.samples import checked, pdf
from tests.orders.acting import HOUR, Untouched, debited

pytestmark = [pytest.mark.django_db, pytest.mark.rule("DOC-02")]

COMPANY = "Ana Soler, S. L.\nB58378431\nCalle Mayor 14, 50001 Zaragoza"
TITLE = re.compile(r'<h2 id="bill">(.*?)</h2>')


@pytest.fixture
def order(place: Placing, clock: Clock) -> Order:
    """An order that was charged, of which nobody has asked for an invoice."""
    clock(AT + 2 * HOUR)
    return debited(place(at=AT))


def page_of(client: Client, order: Order, language: str = "es") -> str:
    answer = client.get(path_of(order), query_params={"idioma": language})
    return answer.content.decode().replace("\u00a0", " ")


def titles(client: Client, order: Order) -> list[str]:
    """What the page says of the invoice in both languages."""
    return [words for language in ("es", "en") for words in TITLE.findall(page_of(client, order, language))]


def asks(client: Client, order: Order, words: str = COMPANY) -> Any:
    return client.post(path_of(order) + "factura/", {"made_out_to": words})


def test_a_customer_asks_for_it_and_says_whom_it_is_made_out_to(order: Order, client: Client) -> None:
    page = page_of(client, order)
    assert f'<a href="{path_of(order)}factura/"><b>Pedir factura</b>' in page
    assert titles(client, order) == []
    form = client.get(path_of(order) + "factura/").content.decode()
    assert "La factura te la hace Cerámicas Alba." in form
    assert "Ana Soler\nCalle Mayor 14\n50001 Zaragoza</textarea>" in form
    answer = asks(client, order, COMPANY.replace("\n", "  \r\n\r\n"))
    assert (answer.status_code, answer["Location"]) == (303, f"{path_of(order)}?hecho=factura")
    stands = again(order)
    assert (stands.owes_invoice, stands.invoice_to) == (True, COMPANY)
    assert titles(client, order) == ["La tienda te debe la factura", "The shop owes you the invoice"]
    page = page_of(client, order)
    assert "<b>Pedir factura</b>" not in page
    assert COMPANY in page
    assert "Cambiar los datos" in page
    assert Notice.objects.get(event="invoice_asked").audience == "seller"


def test_the_page_says_how_it_stands_in_both_languages(place: Placing, client: Client, clock: Clock) -> None:
    """Before the charge, owed, handed in a moment ago, to be seen; and none of what went back."""
    order = place(customer=replace(ANA, wants_invoice=True), at=AT)
    clock(AT + HOUR / 8)
    assert titles(client, order) == ["Tendrás factura", "You will get an invoice"]
    order = debited(order)
    clock(AT + 2 * HOUR)
    owed = ["La tienda te debe la factura", "The shop owes you the invoice"]
    assert titles(client, order) == owed
    assert "Decir a nombre de quién" in page_of(client, order)
    invoices.hand_in_files(order, [checked("factura.pdf", pdf())], by=SELLER, at=AT + 2 * HOUR)
    assert titles(client, order) == owed, "until it can be seen"
    clock(AT + 2 * HOUR + timedelta(minutes=1))
    assert titles(client, order) == ["Tu factura", "Your invoice"]
    page, file = page_of(client, order), Message.objects.get().attachments.get()
    assert f'href="{path_of(order)}archivos/{file.id}/"' in page
    assert "Decir a nombre de quién" not in page
    got = client.get(f"{path_of(order)}archivos/{file.id}/")
    assert b"".join(got.streaming_content).startswith(b"%PDF")  # type: ignore[attr-defined]
    assert "tu factura" in client.get(path_of(order) + "mensajes/").content.decode()
    cancelled = debited(place(customer=replace(ANA, wants_invoice=True), at=AT))
    services.one(services.cancel([cancelled.id], reason="Roto", by=OPERATOR, at=AT + 2 * HOUR))
    assert titles(client, cancelled) == []


def test_asking_again_with_the_same_words_is_asking_once(order: Order, client: Client) -> None:
    for _ in range(2):
        assert asks(client, order).status_code == 303
    assert Event.objects.filter(verb=Verb.INVOICE_ASKED).count() == 1
    assert Notice.objects.filter(event="invoice_asked").count() == 1
    assert asks(client, order, "Ana Soler\n12345678Z").status_code == 303
    assert again(order).invoice_to == "Ana Soler\n12345678Z"
    assert Event.objects.filter(verb=Verb.INVOICE_ASKED).count() == 2


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("", "Escribe a nombre de quién va."),
        (" \u200b\r\n ", "Escribe a nombre de quién va."),
        ("a" * (LONGEST_INVOICE_TO + 1), "caben 300 letras"),
    ],
)
def test_words_that_say_nothing_or_too_much_are_refused(
    words: str, why: str, order: Order, client: Client
) -> None:
    with Untouched(order):
        answer = asks(client, order, words)
    assert answer.status_code == 422
    assert why in answer.content.decode()
    assert not Notice.objects.filter(event="invoice_asked").exists()


def test_lines_of_a_browser_count_one_letter_each(order: Order, client: Client) -> None:
    words = "\r\n".join(["a" * 99] * 3)
    assert len(words) > LONGEST_INVOICE_TO
    assert asks(client, order, words).status_code == 303
    assert len(again(order).invoice_to) == LONGEST_INVOICE_TO - 1


def test_too_often_is_refused(order: Order, client: Client) -> None:
    for n in range(MOST_WISHES):
        assert asks(client, order, f"Ana Soler {n}").status_code == 303
    order = again(order)
    with Untouched(order):
        answer = asks(client, order, "Ana Soler otra vez")
    assert answer.status_code == 429
    assert "Ana Soler otra vez" in answer.content.decode()


def test_it_is_not_asked_for_once_it_is_there_or_nothing_is_sold(
    order: Order, place: Placing, client: Client
) -> None:
    cancelled = place(at=AT)
    services.one(services.cancel([cancelled.id], reason="Ya no", by=OPERATOR, at=AT + HOUR / 8))
    asks(client, order)
    invoices.hand_in_files(order, [checked("factura.pdf", pdf())], by=SELLER, at=AT + 2 * HOUR)
    for one in (again(order), again(cancelled)):
        with Untouched(one):
            answers = [asks(client, one, "Otro"), client.get(path_of(one) + "factura/")]
        assert [answer.status_code for answer in answers] == [409, 409]
        assert "No se ha cambiado nada." in answers[0].content.decode()
    assert "Pedir factura" not in page_of(client, cancelled)


def test_no_other_link_reaches_it(order: Order, client: Client) -> None:
    ended = path_of(order, AT - timedelta(days=999))
    revoked = path_of(order)
    services.one(services.revoke_links([order.id], by=OPERATOR, at=AT + HOUR))
    order = again(order)
    with Untouched(order):
        assert client.post(f"{ended}factura/", {"made_out_to": COMPANY}).status_code in (404, 410)
        assert client.post(f"{revoked}factura/", {"made_out_to": COMPANY}).status_code == 404
    assert timezone.now() == AT + 2 * HOUR
