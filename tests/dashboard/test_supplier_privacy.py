"""What a supplier may not read on any page, whatever becomes of the order, and what waits for them (ROL-04)."""

import io
import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from dashboard import queries
from marketplace.models import Channel
from messaging import bounces
from messaging.models import Notice
from orders import services
from orders.models import Order
from orders.services import Parcel
from orders.states import HoldKind
from sellers.models import Membership, Shop, Supplier, User
from tests.conftest import CLOCK, JAR, OPERATOR, PLATE, SELLER, Placing, actor_of, again
from tests.dashboard.pages import HOUR, browser, get, listed
from tests.orders.acting import debited, said
from tests.orders.digital import PATTERN, TICKET, placed

pytestmark = [pytest.mark.django_db, pytest.mark.rule("ROL-04")]
TABS = ("detalles", "envio", "historial", "documentos")
THIRD = ("TAZA", "Taza", 3, 700, 0)
REACH = ("Calle Mayor 14", "50001", "+34 600 111 222")


def pages(user: User, order: Order) -> dict[str, str]:
    """Every page that a supplier has, as text; the delivery note where there is one."""
    client = browser(user)
    there = {tab: reverse("order", args=[order.reference], query={"tab": tab}) for tab in TABS}
    there |= {"home": "/", "list": "/pedidos/", "search": "/pedidos/?buscar=soler"}
    found = {name: said(client.get(address)) for name, address in there.items()}
    note = client.get(reverse("delivery_note", args=[order.reference]))
    if note.status_code == 200:
        found["note"] = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(note.content)).pages)
    return found


def bounced(order: Order) -> None:
    told = Notice.objects.filter(order_id=order.id, audience="customer").latest("id")
    Notice.objects.filter(pk=told.pk).update(message_id=f"<notice-{told.pk}@x>", sent_at=timezone.now())
    heard = bounces.Bounce(f"<notice-{told.pk}@x>", told.email, "550 no such user")
    assert bounces.hear(heard, source="x", at=timezone.now()) == bounces.Heard.NOTED


def eventful(place: Placing, norte: Supplier, sur: Supplier) -> Order:
    """An order of three who fulfil it, to which everything happened that can, on its way for the second time."""
    at = timezone.now() - 2 * HOUR
    order = debited(place(JAR, PLATE, THIRD, at=at, served=[norte, sur, None]))
    Order.objects.filter(id=order.id).update(customer_phone=REACH[2])
    jar, _plate, cup = order.lines.order_by("id")
    at = timezone.now() - HOUR
    for kind, by in ((HoldKind.STOCK, SELLER), (HoldKind.OPERATOR, OPERATOR)):
        services.one(services.hold([order.id], kind, note="a 33,00 €, ana@cliente.example", by=by, at=at))
        services.one(services.release([order.id], kind, by=by, at=at))
    services.one(services.assign({order.id: {cup.id: sur.id}}, by=OPERATOR, at=at))
    services.one(services.assign({order.id: {cup.id: None}}, by=OPERATOR, at=at))
    services.one(services.shorten({order.id: {jar.id: 1, cup.id: 2}}, by=SELLER, at=at))
    for number, by in enumerate((actor_of(norte), actor_of(sur, "Sergio Sur"), SELLER), 1):
        parcel = Parcel(carrier_name="SEUR", tracking=f"TRK-{number}")
        services.one(services.ship({order.id: parcel}, by=by, at=at))
    at = timezone.now()
    services.one(services.report_exception([order.id], reason="Ausente", by=OPERATOR, at=at))
    services.one(services.retry([order.id], by=OPERATOR, at=at))
    bounced(order)
    return again(order)


def test_no_page_has_an_address_an_amount_or_anothers_line(
    place: Placing, norte: Supplier, sur: Supplier, nuria: User
) -> None:
    order = eventful(place, norte, sur)
    found = pages(nuria, order)
    assert len(found) == len(TABS) + 4
    for name, page in found.items():
        for hidden in ("€", "ana@", "@cliente", "Plato", "PLA-HONDO", "Taza", "TAZA", "Hornos", "Sergio",
                       "TRK-2", "TRK-3", "no such user"):  # fmt: skip
            assert hidden not in page, f"{name}: {hidden}"
        assert "Jarrón azul" in page or name in ("home", "documentos", "historial"), name
    assert "Rechazado: 1 × Jarrón azul" in found["historial"]
    assert "TRK-1" in found["historial"]


def test_the_seller_still_reads_that_a_mail_came_back(
    place: Placing, norte: Supplier, sur: Supplier, alice: User
) -> None:
    order = eventful(place, norte, sur)
    assert "El correo al cliente no llegó" in pages(alice, order)["detalles"]


def test_where_the_customer_lives_is_read_once_there_is_something_to_send(
    place: Placing, norte: Supplier, sur: Supplier, nuria: User
) -> None:
    def reached(order: Order) -> set[str]:
        return {name for name, page in pages(nuria, order).items() for word in REACH if word in page}

    orders = [
        place(JAR, PLATE, at=timezone.now() - n * HOUR, served=[norte, sur] if n < 3 else [norte, norte])
        for n in (1, 2, 3, 4)
    ]
    Order.objects.update(customer_phone=REACH[2])
    for order in orders:
        assert reached(order) == set()
    debited(orders[0])
    assert reached(orders[0]) == {"detalles", "note"}
    debited(orders[1])
    services.one(services.cancel([orders[1].id], reason="Roto", by=OPERATOR, at=timezone.now()))
    assert reached(orders[1]) == set()
    services.one(services.expire([orders[2].id], by=CLOCK, at=timezone.now() + timedelta(days=9)))
    assert reached(orders[2]) == set()
    services.one(services.refuse([orders[3].id], reason="Roto", by=SELLER, at=timezone.now()))
    assert browser(nuria).get(reverse("order", args=[orders[3].reference])).status_code == 404


@pytest.mark.rule("ORD-13")
def test_what_waits_for_a_supplier_is_what_they_can_do(
    channel: Channel, shop: Shop, norte: Supplier, nuria: User
) -> None:
    at = timezone.now() - 2 * HOUR
    member = Membership.objects.select_related("shop", "supplier").get(user=nuria)
    fresh = debited(placed(channel, shop, JAR, PATTERN, TICKET, served=[norte, norte], at=at))
    parcel = Parcel(carrier_name="SEUR", tracking="1")
    assert queries.waiting(member) == 1
    assert queries.figures(member, timezone.now()).confirm == 0, "the ticket is the shop's"
    services.one(services.ship({fresh.id: parcel}, by=actor_of(norte), at=timezone.now()))
    assert queries.waiting(member) == 0
    tickets = debited(placed(channel, shop, JAR, TICKET, served=[None, norte], at=at))
    assert (queries.waiting(member), queries.figures(member, timezone.now()).confirm) == (1, 1)
    page = get(browser(nuria), "/pedidos/")
    assert "#enviar" not in page
    assert re.search(rf'href="/pedidos/{tickets.reference}/#confirmar"', page)
    assert listed(get(browser(nuria), "/pedidos/?plazo=por-confirmar")) == [tickets.reference]
    assert "Confirmar al cliente" in get(browser(nuria), f"/pedidos/{tickets.reference}/")
    ticket = tickets.lines.get(supplier=norte)
    services.one(services.fulfil({tickets.id: {ticket.id: "A1"}}, by=actor_of(norte), at=timezone.now()))
    assert (queries.waiting(member), queries.figures(member, timezone.now()).confirm) == (0, 0)
