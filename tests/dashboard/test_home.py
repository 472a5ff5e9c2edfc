"""The home page: its boxes lead to exactly what they count, what comes next, where the money is."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from marketplace.models import Channel
from marketplace.money import format_money
from orders import services
from orders.models import Order
from sellers.models import Membership, Shop, User
from tests.conftest import OPERATOR
from tests.dashboard.pages import BOX, NEXT_UP, NOTE, browser, furnished, get, listed

pytestmark = pytest.mark.django_db

EXPECTED = {
    "Por aceptar": {"expiring", "fresh"},
    "Débito en curso": {"debit"},
    "Por enviar": {"late", "held", "to-ship"},
    "Envío con retraso": {"late"},
    "En espera": {"held"},
    "Enviados": {"late-arriving", "shipped"},
}


@pytest.mark.rule("ORD-03")
def test_every_box_leads_to_exactly_the_orders_it_counts(
    channel: Channel, shop: Shop, other_shop: Shop, alice: User
) -> None:
    mine = furnished(channel, shop)
    furnished(channel, other_shop, "Y")
    client = browser(alice)
    boxes = {text: (figure, unescape(href)) for figure, href, text, _ in BOX.findall(get(client, "/"))}
    found = {text: listed(get(client, href)) for text, (_, href) in boxes.items()}
    for text, situations in EXPECTED.items():
        assert set(found[text]) == {mine[situation] for situation in situations}, text
        assert boxes[text][0] == str(len(situations)), text
    assert found["Próxima liquidación"] == [mine["received"]]


@pytest.mark.rule("EXC-02")
def test_what_comes_next_says_of_a_failed_delivery_that_somebody_has_to_decide(
    channel: Channel, shop: Shop, alice: User
) -> None:
    reference = furnished(channel, shop)["shipped"]
    order = Order.objects.get(reference=reference)
    services.one(services.report_exception([order.id], reason="absent", by=OPERATOR, at=order.moved_at))
    row = get(browser(alice), "/").partition(f"<b>{reference}</b>")
    assert row[0].rpartition("<li>")[2].count("No se pudo entregar") == 1
    assert "Decidir" in row[2].partition("</li>")[0]


@pytest.mark.rule("ORD-03")
@pytest.mark.rule("SHP-09")
def test_the_notes_of_the_boxes_lead_to_exactly_what_they_count(
    channel: Channel, shop: Shop, alice: User
) -> None:
    mine = furnished(channel, shop)
    client = browser(alice)
    notes = {text: unescape(href) for href, text in NOTE.findall(get(client, "/"))}
    assert listed(get(client, notes["1 caduca hoy"])) == [mine["expiring"]]
    assert listed(get(client, notes["1 llega tarde"])) == [mine["late-arriving"]]


@pytest.mark.rule("ORD-16")
def test_what_comes_next_is_in_the_order_of_deadlines_and_says_what_will_happen(
    channel: Channel, shop: Shop, alice: User
) -> None:
    mine = furnished(channel, shop)
    page = get(browser(alice), "/")
    coming = NEXT_UP.findall(page)
    assert set(coming) == {mine[name] for name in ("late", "expiring", "fresh", "to-ship")}
    assert coming[:2] == [mine["late"], mine["expiring"]]
    deadlines = [
        order.accept_by if order.state == "pending_acceptance" else order.ship_by
        for order in (Order.objects.get(reference=reference) for reference in coming)
    ]
    assert deadlines == sorted(deadlines)  # type: ignore[type-var]
    assert re.search(r"Se cancelará .+ si no lo aceptas\.", page)
    assert "72 horas desde" in page
    assert "Había que enviarlo como muy tarde" in page


def test_says_what_holds_the_money_to_the_cent(channel: Channel, shop: Shop, alice: User) -> None:
    furnished(channel, shop)
    page = get(browser(alice), "/")
    one = 7000 - 840 - 176
    shown = dict(re.findall(r"<dt>([^<]+)</dt><dd>([^<]+)</dd>", page))
    euros = {name: format_money(cents, "EUR").replace("\u00a0", " ") for name, cents in {
        "Débito en curso": one,
        "Por enviar": 2 * one,
        "Enviado, hasta darse por recibido": 3 * one,
        "Incidencia, devolución o espera": one,
        "Listo para liquidar": one,
        "En total": 8 * one,
    }.items()}  # fmt: skip
    assert shown == euros


def test_reads_each_table_once(channel: Channel, shop: Shop, alice: User) -> None:
    furnished(channel, shop)
    client = browser(alice)
    with CaptureQueriesContext(
        connection,
    ) as cold:
        get(client, "/")
    with CaptureQueriesContext(connection) as warm:
        get(client, "/")
    assert len(cold) <= 9
    assert len(warm) == 7


def test_a_new_shop_is_welcomed(shop: Shop, alice: User) -> None:
    page = get(browser(alice), "/")
    assert "Aquí empezará todo" in page
    assert BOX.findall(page) == []


@pytest.mark.rule("ROL-01")
def test_a_shop_counts_only_its_own(channel: Channel, shop: Shop, other_shop: Shop, alice: User) -> None:
    furnished(channel, other_shop)
    page = get(browser(alice), "/")
    assert "Aquí empezará todo" in page
    assert "X-" not in page


@pytest.mark.rule("ROL-01")
def test_who_may_not_work_orders_is_offered_no_act(channel: Channel, shop: Shop, bob: User) -> None:
    furnished(channel, shop)
    page = get(browser(bob), "/")
    assert 'name="only"' not in page
    assert len(NEXT_UP.findall(page)) == 4


@pytest.mark.rule("ROL-02")
def test_names_the_account_manager(shop: Shop, alice: User, olga: User) -> None:
    assert "Tu gestor" not in get(browser(alice), "/pedidos/")
    shop.account_manager = olga
    shop.save(update_fields=["account_manager"])
    for address in ("/", "/pedidos/"):
        page = get(browser(alice), address)
        assert "Olga Operadora" in page, address
        assert "mailto:olga@operador.example" in page, address


def test_goes_on_without_a_shop(olga: User, shop: Shop) -> None:
    assert browser(olga).get("/").headers["Location"] == "/admin/"
    nobody = User.objects.create_user("nadie@x.example", language="es")
    client = browser(nobody)
    assert client.get("/").headers["Location"] == "/cuenta/sin-tienda/"
    answer = client.get("/cuenta/sin-tienda/")
    assert answer.status_code == 403
    assert "Todavía no trabajas en ninguna tienda" in answer.content.decode()
    Membership.objects.create(user=nobody, shop=shop, role="reader")
    assert client.get("/cuenta/sin-tienda/").headers["Location"] == "/"


def test_the_settlement_box_says_when_it_closes(channel: Channel, shop: Shop, alice: User) -> None:
    furnished(channel, shop)
    assert re.search(r"cierra el \w+ (15|28|29|30|31) de \w+", get(browser(alice), "/"))


@pytest.mark.rule("ORD-03")
def test_failed_deliveries_are_counted_while_there_are_any_and_lead_to_them(
    channel: Channel, shop: Shop, alice: User
) -> None:
    mine = furnished(channel, shop)
    client = browser(alice)
    assert "Entregas fallidas" not in get(client, "/")
    order = Order.objects.get(reference=mine["shipped"])
    services.one(services.report_exception([order.id], reason="Ausente", by=OPERATOR, at=order.moved_at))
    boxes = {text: (figure, unescape(href)) for figure, href, text, _ in BOX.findall(get(client, "/"))}
    figure, address = boxes["Entregas fallidas"]
    assert (figure, listed(get(client, address))) == ("1", [mine["shipped"]])
