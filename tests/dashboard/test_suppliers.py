"""What a supplier's member sees of a shop, and what the seller sees of the supplier (ROL-04)."""

import io
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone
from pypdf import PdfReader

from dashboard import queries
from dashboard.asked import Asked
from marketplace.models import Channel
from orders import services
from orders.models import Order
from orders.queries import get_order
from orders.states import HoldKind
from sellers.models import Membership, Shop, Supplier, User
from tests.conftest import JAR, PLATE, SELLER, Placing, actor_of, again, anas, basket, works_for
from tests.dashboard.pages import HOUR, browser, get, listed, tab_count
from tests.orders.acting import Recent, Untouched, debited, post, said

pytestmark = [pytest.mark.django_db, pytest.mark.rule("ROL-04")]
TABS = ("detalles", "envio", "historial", "documentos")


@pytest.fixture
def recent(place: Placing) -> Recent:
    def placing(*articles: tuple[str, str, int, int, int], ago: timedelta = HOUR, **wishes: object) -> Order:
        return place(*articles, at=timezone.now() - ago, **wishes)

    return placing


@pytest.fixture
def shared(recent: Recent, norte: Supplier, sur: Supplier) -> Order:
    """The jar is one supplier's, the plate another's."""
    return debited(recent(JAR, PLATE, served=[norte, sur]))


_ONE = ["1"]
MORE = {
    "order_ask": ["cancel"],
    "request_approve": _ONE,
    "return": _ONE,
    "return_act": [*_ONE, "aceptar"],
    "request_decline": _ONE,
    "request_withdraw": _ONE,
    "conversation_reply": _ONE,
    "message_needless": _ONE,
    "message_send_on": _ONE,
    "message_take_back": _ONE,
    "incident_resolve": _ONE,
    "supplier_thread": _ONE,
}
"""What an address names besides the order."""


def order_urls() -> Iterator[str]:
    """The names of all addresses that are about one order."""
    for one in get_resolver().url_patterns:
        for pattern in getattr(one, "url_patterns", ()):
            if isinstance(pattern, URLPattern) and "reference" in str(pattern.pattern) and pattern.name:
                yield pattern.name


def page_of(user: User, order: Order, tab: str = "detalles") -> str:
    return get(browser(user), reverse("order", args=[order.reference], query={"tab": tab}))


def pdf_of(user: User, order: Order) -> str:
    answer = browser(user).get(reverse("delivery_note", args=[order.reference]))
    assert answer.status_code == 200
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)


@pytest.mark.parametrize("name", sorted(order_urls()))
def test_what_is_anothers_is_not_found(
    name: str, recent: Recent, nuria: User, sergio: User, sur: Supplier, other_shop: Shop
) -> None:
    stranger = works_for(
        Supplier.objects.create(shop=other_shop, code="ajeno", name="Ajeno"), "a@a.example", "Ana"
    )
    for order in (debited(recent()), debited(recent(served=[sur, sur]))):
        address = reverse(name, args=[order.reference, *MORE.get(name, ())])
        for user in (nuria, stranger):
            with Untouched(order):
                assert browser(user).get(address).status_code == 404
                answer = browser(user).post(address, {"all": "1", "kind": "stock", "reason": "other"})
                assert answer.status_code == (
                    405 if name in ("order", "delivery_note", "order_books", "return") else 404
                )
    assert len(list(order_urls())) >= 12


def test_what_spans_orders_is_the_shops_alone(shared: Order, nuria: User, alice: User) -> None:
    fresh = shared.reference
    with Untouched(shared):
        assert browser(nuria).post(reverse("orders_accept"), {"order": fresh}).status_code == 404
    assert browser(alice).get(reverse("home")).status_code == 200


@pytest.mark.parametrize("tab", TABS)
def test_a_supplier_sees_their_lines_and_no_money(
    tab: str, shared: Order, nuria: User, sur: Supplier
) -> None:
    plate = shared.lines.get(sku=PLATE[0])
    parcel = services.Parcel(carrier_name="SEUR", tracking="DEL-SUR-1", quantities={plate.id: 1})
    at = timezone.now()
    services.one(services.ship({shared.id: parcel}, by=actor_of(sur, "Sergio Sur"), at=at))
    services.one(services.hold([shared.id], HoldKind.STOCK, note="el plato sale caro", by=SELLER, at=at))
    page = said(browser(nuria).get(reverse("order", args=[shared.reference], query={"tab": tab})))
    for hidden in ("€", "Plato", "PLA-HONDO", "ana@cliente", "Hornos", "Sergio", "DEL-SUR", "sale caro"):
        assert hidden not in page, hidden
    if tab == "detalles":
        for shown in ("Jarrón azul", "2 unidades", "Ana Soler", "Calle Mayor 14", "Faltan existencias"):
            assert shown in page, shown
    if tab == "historial":
        assert "Débito en curso → Esperando envío" in page
        assert "Puesto en espera" in page
        assert "Bulto" not in page


def test_a_supplier_ships_from_the_page_and_gets_a_note_of_their_lines(
    shared: Order, nuria: User, sergio: User
) -> None:
    jar, plate = shared.lines.order_by("id")
    assert "Jarrón azul" in pdf_of(nuria, shared)
    assert "Plato" not in pdf_of(nuria, shared)
    given = {"carrier": "other", "carrier_name": "SEUR", "tracking": "MIO-1"}
    with Untouched(shared):
        for strange in ({f"units_{plate.id}": "1"}, {f"units_{jar.id}": "1", f"units_{plate.id}": "1"}):
            answer = post(nuria, shared, "enviar", **given, **strange)
            assert answer.status_code == 409
            assert "No existe esa línea en el pedido." in said(answer)
    assert post(nuria, shared, "enviar", **given, **{f"units_{jar.id}": "2"}).status_code == 303
    assert again(shared).parcels == 1
    page = page_of(nuria, shared, "envio")
    assert "MIO-1" in page and "Enviar otro bulto" not in page  # noqa: PT018
    assert "MIO-1" not in page_of(sergio, shared, "envio")
    assert "MIO-1" in page_of(nuria, shared, "historial")
    assert "MIO-1" not in page_of(sergio, shared, "historial")
    assert page_of(nuria, shared, "documentos").count("Nuria Norte") == 2
    assert "Nuria Norte" not in page_of(sergio, shared, "documentos")


def test_the_list_and_its_search_are_of_their_own_lines(
    recent: Recent, shared: Order, norte: Supplier, nuria: User, sergio: User, alice: User
) -> None:
    whole, plain = recent(served=[norte, norte], ago=2 * HOUR), recent(ago=3 * HOUR)
    client = browser(nuria)
    page = get(client, "/pedidos/")
    assert listed(page) == [shared.reference, whole.reference]
    assert [tab_count(page, tab) for tab in ("Todos", "Por aceptar", "Por enviar")] == [2, 1, 1]
    assert "€" not in page
    assert "Plato" not in page.split(whole.reference)[0]
    assert listed(get(client, "/pedidos/?estado=por-enviar")) == [shared.reference]
    assert listed(get(client, "/pedidos/?orden=envio")) == [shared.reference, whole.reference]
    for words, found in (
        ("jarron", [shared, whole]),
        ("plato", [whole]),
        (plain.reference, []),
        ("ana soler", [shared, whole]),
        ("ana@cliente.example", []),
    ):
        assert listed(get(client, f"/pedidos/?buscar={words}")) == [one.reference for one in found], words
    assert listed(get(browser(sergio), "/pedidos/")) == [shared.reference]
    assert len(listed(get(browser(alice), "/pedidos/"))) == 3


def test_a_parcel_is_found_by_whoevers_lines_are_in_it(
    shared: Order, norte: Supplier, nuria: User, sergio: User
) -> None:
    parcel = services.Parcel(carrier_name="SEUR", tracking="T-77")
    services.one(services.ship({shared.id: parcel}, by=actor_of(norte), at=timezone.now()))
    assert listed(get(browser(nuria), "/pedidos/?buscar=T-77")) == [shared.reference]
    assert listed(get(browser(sergio), "/pedidos/?buscar=T-77")) == []


@pytest.mark.rule("ORD-03")
def test_home_counts_what_is_theirs(recent: Recent, shared: Order, norte: Supplier, nuria: User) -> None:
    debited(recent())
    recent(served=[norte, norte])
    page = get(browser(nuria), "/")
    boxes = re.findall(r"<strong>([^<]*)</strong><a class=\"whole\" href=\"[^\"]+\">([^<]+)", page)
    assert boxes == [("1", "Por enviar"), ("0", "Envío con retraso"), ("0", "En espera"), ("0", "Enviados")]
    assert "€" not in page
    assert "1 pedido espera que hagas algo" in page
    parcel = services.Parcel(carrier_name="SEUR", tracking="1")
    services.one(services.ship({shared.id: parcel}, by=actor_of(norte), at=timezone.now()))
    page = get(browser(nuria), "/")
    assert "espera que hagas algo" not in page
    assert "No hay nada que hacer" in page


def test_whoever_works_for_a_supplier_that_is_not_active_is_out(shared: Order, nuria: User) -> None:
    Supplier.objects.filter(code="norte").update(active=False)
    assert browser(nuria).get("/", follow=True).status_code == 403


def test_a_person_can_work_for_suppliers_of_several_shops(
    recent: Recent, norte: Supplier, nuria: User, other_shop: Shop
) -> None:
    other = Supplier.objects.create(shop=other_shop, code="norte", name="Talleres Norte")
    Membership.objects.create(user=nuria, shop=other_shop, supplier=other, role=Membership.Role.SUPPLIER)
    mine, theirs = recent(served=[norte, norte]), recent(shop=other_shop, served=[other, other])
    client = browser(nuria)
    assert listed(get(client, "/pedidos/")) == [theirs.reference]
    client.post(reverse("switch_shop"), {"shop": norte.shop_id})
    assert listed(get(client, "/pedidos/")) == [mine.reference]


@pytest.mark.rule("CAN-03")
def test_the_seller_sees_who_fulfils_and_how_to_write_to_them(
    recent: Recent, norte: Supplier, alice: User
) -> None:
    order = debited(recent(served=[norte, norte]))
    page = page_of(alice, order)
    mail = f'href="mailto:taller@norte.example?subject={order.reference}"'
    assert page.count("Lo sirve <b><bdi>Talleres Norte</bdi></b> · <bdi>Nuria Norte</bdi>") == 2
    assert page.count(mail) == 2, "one a line"
    assert page.count('href="tel:+34555020020"') == 2
    assert page.count("Lo decide: Talleres Norte.") == 2, "the two acts that are the supplier's are asked for"
    with Untouched(order):
        answer = post(alice, order, "cancelar", reason="other", note="Roto")
    assert answer.status_code == 409
    assert "No tienes permiso para hacerlo. Lo sirve Talleres Norte." in said(answer)


def test_the_seller_narrows_the_list_by_supplier(
    recent: Recent, shared: Order, norte: Supplier, alice: User, charlie: User
) -> None:
    recent()
    client = browser(alice)
    page = get(client, "/pedidos/?proveedor=norte")
    assert listed(page) == [shared.reference]
    assert tab_count(page, "Todos") == 1
    assert 'name="proveedor"' in page
    assert "Proveedor: no se entiende “nadie”" in get(client, "/pedidos/?proveedor=nadie")
    assert 'name="proveedor"' not in get(browser(charlie), "/pedidos/")


def test_the_seller_says_who_fulfils_a_line(
    recent: Recent, norte: Supplier, sur: Supplier, alice: User, bob: User
) -> None:
    order = debited(recent())
    jar, plate = order.lines.order_by("id")
    assert 'name="supplier_' in get(browser(alice), f"/pedidos/{order.reference}/?acto=servir")
    with Untouched(order):
        assert post(bob, order, "servir", **{f"supplier_{jar.id}": "norte"}).status_code == 403
        assert post(alice, order, "servir", **{f"supplier_{jar.id}": "nadie"}).status_code == 422
        assert post(alice, order, "servir", supplier_999999="norte").status_code == 422
    assert post(alice, order, "servir", **{f"supplier_{jar.id}": "norte"}).status_code == 303
    jar.refresh_from_db()
    plate.refresh_from_db()
    assert (jar.supplier_id, plate.supplier_id, again(order).shared) == (norte.id, None, True)
    history = page_of(alice, order, "historial")
    assert "Jarrón azul: lo servía la tienda y ahora Talleres Norte" in history


def test_reads_are_as_few_for_many_as_for_one(
    channel: Channel, shop: Shop, norte: Supplier, nuria: User, shared: Order
) -> None:
    client = browser(nuria)
    client.get("/pedidos/")

    def reads(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            get(client, address)
        return len(captured)

    addresses = ("/pedidos/", "/", "/pedidos/?buscar=jarron", f"/pedidos/{shared.reference}/")
    before = [reads(address) for address in addresses]
    at = timezone.now() - HOUR
    services.place(channel, [basket(shop, at=at, customer=anas(n), served=[norte, norte]) for n in range(60)])
    assert [reads(address) for address in addresses] == before
    member = Membership.objects.select_related("shop").get(user=nuria)
    with CaptureQueriesContext(connection) as captured:
        get_order(member, shared.reference)
        get_order(Membership(shop=shop), shared.reference)
    assert len(captured) == 2


def test_pages_follow_each_other(
    channel: Channel, shop: Shop, norte: Supplier, nuria: User, client: Client
) -> None:
    at = timezone.now() - HOUR
    new = [
        basket(shop, at=at - n * timedelta(minutes=1), customer=anas(n), served=[norte, norte])
        for n in range(70)
    ]
    wanted = [move.reference for move in services.place(channel, new).moved]
    client = browser(nuria)
    first = get(client, "/pedidos/")
    onwards = re.search(r'href="(/pedidos/\?despues=[^"]+)"', first)
    assert onwards
    assert listed(first) + listed(get(client, onwards[1])) == wanted


def test_a_suppliers_list_is_carried_by_an_index_of_theirs(
    shared: Order, nuria: User, channel: Channel, shop: Shop
) -> None:
    """Ten orders in a shop with 300,000 are read as ten are: from the supplier's parts, the newest first, unsorted."""
    member = Membership.objects.select_related("shop", "supplier").get(user=nuria)
    with CaptureQueriesContext(connection) as captured:
        queries.page(member, Asked(), timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute("EXPLAIN " + captured[0]["sql"])
        plan = [row[0] for row in cursor.fetchall()]
    assert [line for line in plan if "Scan using part_newest on orders_part" in line]
    assert "Limit" in plan[0]
    assert "Nested Loop" in plan[1], "its order is the index's: nothing is sorted"
