"""Pages that answer an act which did not come off, and what they say of an order that has ended."""

import pytest
from django.test import Client
from django.utils import timezone

from orders import documents, services
from orders.models import Order
from orders.states import State
from sellers.models import User
from tests.conftest import SELLER, Placing, again
from tests.orders.acting import Recent, Untouched, debited, post, said
from tests.orders.test_delivery_note import text_of

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def leads_back_to(page: str) -> str:
    form = page.partition('action="/cuenta/idioma/"')[2].partition("</form>")[0]
    return form.partition('name="next" value="')[2].partition('"')[0]


@pytest.mark.parametrize(
    ("act", "status"), [("aceptar", 422), ("enviar", 409), ("listo", 409), ("seguir", 422)]
)
def test_the_language_is_changed_on_the_page_and_not_at_the_act(
    act: str, status: int, recent: Recent, alice: User
) -> None:
    order = recent()
    answer = post(alice, order, act)
    assert answer.status_code == status
    back = leads_back_to(said(answer))
    assert back.split("?")[0] == f"/pedidos/{order.reference}/"
    client = signed_in(alice)
    client.post("/cuenta/idioma/", {"language": "en", "next": back})
    assert '<html lang="en">' in client.get(back).content.decode()


def test_who_may_not_act_and_a_paper_that_is_none_lead_back_to_the_order(
    recent: Recent, alice: User, bob: User
) -> None:
    order = recent()
    assert leads_back_to(said(post(bob, order, "aceptar"))) == f"/pedidos/{order.reference}/"
    services.refuse([order.id], reason="Sin existencias", by=SELLER, at=timezone.now())
    answer = signed_in(alice).get(f"/pedidos/{order.reference}/albaran.pdf")
    assert answer.status_code == 409
    assert leads_back_to(said(answer)) == f"/pedidos/{order.reference}/"


@pytest.mark.rule("SHP-01")
@pytest.mark.parametrize("name", ["\u200b", "\u200b \u2060", "\u202e"])
def test_a_carrier_that_nobody_can_see_is_none(name: str, recent: Recent, alice: User) -> None:
    order = debited(recent())
    units = {f"units_{line.id}": line.quantity for line in order.lines.all()}
    with Untouched(order):
        answer = post(alice, order, "enviar", carrier="other", carrier_name=name, tracking="1", **units)
    assert answer.status_code == 422
    assert "Escribe el nombre del transportista." in said(answer)


def test_a_number_that_nobody_can_see_is_none(recent: Recent, alice: User, carrier: object) -> None:
    order = debited(recent())
    with Untouched(order):
        answer = post(alice, order, "enviar", carrier="nuestro", tracking="\u200b")
    assert answer.status_code == 422
    assert "Escribe el número de seguimiento." in said(answer)


def test_what_was_never_ready_is_not_told_to_be_so_no_longer(recent: Recent, alice: User) -> None:
    order = recent()
    units = {f"units_{line.id}": line.quantity for line in order.lines.all()}
    page = said(post(alice, order, "enviar", carrier="other", carrier_name="X", tracking="1", **units))
    assert "El pedido no está en un estado que lo permita." in page


@pytest.mark.rule("CAN-02")
def test_an_ended_order_keeps_no_deadline(recent: Recent, alice: User) -> None:
    order = debited(recent())
    client, address = signed_in(alice), f"/pedidos/{order.reference}/?tab=envio"
    assert "Enviar antes de" in said(client.get(address))
    services.one(services.cancel([order.id], reason="Sin existencias", by=SELLER, at=timezone.now()))
    assert again(order).state == State.CANCELLED
    page = said(client.get(address))
    for words in ("Plazos", "Enviar antes de", "Entregar antes de"):
        assert words not in page


def test_a_tab_that_there_is_not_is_named(recent: Recent, alice: User) -> None:
    order, client = recent(), signed_in(alice)
    page = said(client.get(f"/pedidos/{order.reference}/?tab=zzz"))
    assert "Parte del pedido: no se entiende “zzz”" in page
    assert "Artículos" in page
    assert "no se entiende" not in said(client.get(f"/pedidos/{order.reference}/?tab=envio"))
    assert "no se entiende" in said(client.get(f"/pedidos/{order.reference}/?tab=%00"))


@pytest.mark.rule("DOC-01")
def test_a_note_without_a_bar_code_says_so(place: Placing) -> None:
    def page(order: Order) -> str:
        return text_of(documents.delivery_note(order, at=order.placed_at).pdf)[0]

    assert "Sin código de barras: el número lleva letras que no admite." in page(place(number="Ñ€-21"))
    assert "Sin código de barras" not in page(place(number="N-21"))
