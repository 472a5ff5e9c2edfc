"""Operators record remittances and payments: shown first, done as it was shown, told line by line (PAY-06, ORD-07)."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from ledger.models import Entry
from marketplace.models import Channel
from marketplace.money import FLAW_WORDS, Flaw
from marketplace.policy import Preset
from marketplace.refusals import Code
from marketplace.services import open_channel
from orders import services
from orders.models import Order
from orders.states import State
from payments.models import Charge, Collection, Remittance
from sellers.models import Shop, User
from tests.conftest import AT, CLOCK, SELLER, again, basket

pytestmark = pytest.mark.django_db


@pytest.fixture
def cod(db: None) -> Channel:
    return open_channel("puerta", "A la puerta", preset=Preset.CASH_ON_DELIVERY, by="x", at=AT)


@pytest.fixture
def prepaid(db: None) -> Channel:
    return open_channel("antes", "Antes", preset=Preset.PREPAID, by="x", at=AT)


def collected(channel: Channel, shop: Shop, courier: str = "Portes Norte", tracking: str = "") -> Order:
    """An order whose courier has been paid at the door, two days ago."""
    at = timezone.now() - timedelta(days=2)
    ids = [services.place(channel, [basket(shop, at=at)]).moved[0].order_id]
    services.accept(ids, by=SELLER, at=at)
    services.ship({ids[0]: services.Parcel(carrier_name=courier, tracking=tracking)}, by=SELLER, at=at)
    services.deliver(ids, by=CLOCK, at=at)
    return Order.objects.get(id=ids[0])


def record(channel: Channel, courier: str = "portes norte") -> str:
    return f"{reverse('admin:payments_remittance_record')}?of={channel.id}:{courier}"


def said(**wishes: Any) -> dict[str, Any]:
    return {"reference": "R-1", "received_on": str(timezone.localdate()), "apply": "1", **wishes}


def seal(answer: Any) -> dict[str, str]:
    """What the page that shows carries to the page that does."""
    text = answer.content.decode()
    assert answer.status_code == 200, text
    found = re.search(r'name="seal" value="([^"]+)"', text)
    assert found is not None, text
    return {"seal": found[1], "apply": "1"}


def panel_of(answer: Any) -> list[list[str]]:
    """The cells of the table of lines, as text."""
    (panel,) = answer.context["panels"]
    return [[re.sub(r"<[^>]*>", "", str(cell)).strip() for cell in cells] for cells in panel.rows]


@pytest.mark.rule("PAY-06")
def test_who_holds_how_much_each_figure_leading_to_its_rows(desk: Client, cod: Channel, shop: Shop) -> None:
    orders = [collected(cod, shop), collected(cod, shop, "Envíos Este")]
    page = reverse("admin:payments_remittance_in_hand")
    text = desk.get(page).content.decode()
    links = re.findall(r'href="(/admin/payments/collection/[^"]*owed=yes[^"]*)"', text)
    assert len(links) == 4
    lists = [desk.get(link.replace("&amp;", "&")).content.decode() for link in dict.fromkeys(links)]
    assert [[order.reference in one for order in orders] for one in lists] in (
        [[True, False], [False, True]],
        [[False, True], [True, False]],
    )
    assert "84,00\u00a0€" in text


@pytest.mark.rule("PAY-06")
def test_the_page_costs_no_more_queries_for_more_orders_and_couriers(
    desk: Client, cod: Channel, shop: Shop
) -> None:
    asked = []
    page = reverse("admin:payments_remittance_in_hand")
    for couriers in (["Portes Norte"], ["Portes Norte", "Envíos Este", "Rápidos Sur"]):
        for courier in couriers:
            collected(cod, shop, courier)
        desk.get(page)
        with CaptureQueriesContext(connection) as queries:
            desk.get(page)
        asked.append(len(queries))
    assert asked[0] == asked[1]


@pytest.mark.rule("PAY-06")
def test_orders_are_picked_shown_and_recorded(desk: Client, cod: Channel, shop: Shop) -> None:
    one, other = collected(cod, shop), collected(cod, shop)
    form = desk.get(record(cod)).content.decode()
    assert [one.reference in form, other.reference in form] == [True, True]
    shown = desk.post(record(cod), said(orders=[one.reference], stated="84,00"))
    assert panel_of(shown) == [["1", one.reference, "84,00\u00a0€", "Se registra", "–", one.reference]]
    assert not Remittance.objects.exists()
    assert not Entry.objects.filter(kind="remit").exists()
    done = desk.post(record(cod), seal(shown))
    assert done.context["intro"] == "Registrada 1 línea: 84,00\u00a0€."
    remittance = Remittance.objects.get()
    assert (remittance.reference, remittance.amount_cents, remittance.stated_cents, remittance.recorded_by) == (
        "R-1", 8400, 8400, "Olga Operadora",
    )  # fmt: skip
    assert Collection.objects.get(order=other).remittance_id is None
    page = desk.get(reverse("admin:payments_remittance_change", args=[remittance.pk])).content.decode()
    assert one.reference in page
    again_done = desk.post(record(cod), seal(shown))
    assert again_done.context["intro"] == "Registradas 0 líneas: 0,00\u00a0€. Ya estaban: 1."
    assert Entry.objects.filter(kind="remit").count() == 1


@pytest.mark.rule("PAY-06")
def test_a_pasted_list_shows_what_each_line_will_do(desk: Client, cod: Channel, shop: Shop) -> None:
    one, two, other = (
        collected(cod, shop, tracking="N-1"),
        collected(cod, shop),
        collected(cod, shop, "Envíos Este"),
    )
    pasted = f"N-1\n{two.reference};83,99\n\n{other.reference}\t84,00\nNADIE\n{one.reference};=1"
    shown = desk.post(record(cod), said(lines=pasted))
    assert [(row[0], row[3], row[4]) for row in panel_of(shown)] == [
        ("1", "Se registra", "–"),
        ("2", "Rechazado", f"{Code.MISMATCH.label} Se cobraron 84,00\u00a0€ y la remesa dice 83,99\u00a0€."),
        ("4", "Rechazado", "Lo cobró otro mensajero. Envíos Este"),
        ("5", "Rechazado", "No existe ese pedido."),
        ("6", "Rechazado", f"{Code.MALFORMED.label} amount: {FLAW_WORDS[Flaw.MALFORMED]}"),
    ]  # fmt: skip
    done = desk.post(record(cod), seal(shown))
    assert done.context["intro"] == "Registrada 1 línea: 84,00\u00a0€. Rechazadas: 4."
    assert list(Collection.objects.exclude(remittance=None).values_list("order_id", flat=True)) == [one.id]


@pytest.mark.rule("PAY-06")
def test_a_file_is_shown_and_recorded(desk: Client, cod: Channel, shop: Shop) -> None:
    collected(cod, shop, tracking="N-1")
    file = SimpleUploadedFile("r.csv", b"reference;amount\nN-1;84,00\nN\xff;1\n")
    shown = desk.post(record(cod), said(file=file))
    assert [row[3] for row in panel_of(shown)] == ["Se registra", "Rechazado"]
    desk.post(record(cod), seal(shown))
    assert Remittance.objects.get().amount_cents == 8400


@pytest.mark.parametrize(
    ("wishes", "field"),
    [
        ({}, "__all__"),
        ({"lines": "N-1", "file": SimpleUploadedFile("r.csv", b"reference,amount\nN-1,84.00\n")}, "__all__"),
        ({"file": SimpleUploadedFile("r.csv", b"a,b\n1,2\n")}, "__all__"),
        ({"file": SimpleUploadedFile("r.csv", b"reference,amount\n")}, "__all__"),
        ({"file": SimpleUploadedFile("r.csv", b"x" * 1_000_001)}, "__all__"),
        ({"file": SimpleUploadedFile("r.csv", b"reference,amount\n" + b"N-1,1\n" * 2001)}, "__all__"),
        ({"lines": "N-1\n" * 2001}, "__all__"),
        ({"lines": "N-1", "reference": ""}, "reference"),
        ({"lines": "N-1", "reference": "R" * 81}, "reference"),
        ({"lines": "N-1", "received_on": "2999-01-01"}, "received_on"),
        ({"lines": "N-1", "stated": "84,001"}, "stated"),
        ({"orders": ["P-9-A"]}, "orders"),
    ],
)  # fmt: skip
def test_what_will_not_do_is_said_beside_its_field(
    desk: Client, cod: Channel, shop: Shop, wishes: dict[str, Any], field: str
) -> None:
    collected(cod, shop, tracking="N-1")
    for sent in wishes.values():
        if isinstance(sent, SimpleUploadedFile):
            sent.seek(0)
    answer = desk.post(record(cod), said(**wishes))
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert not Remittance.objects.exists()


def test_a_page_that_was_tampered_with_or_is_old_does_nothing(desk: Client, cod: Channel, shop: Shop) -> None:
    collected(cod, shop, tracking="N-1")
    good = seal(desk.post(record(cod), said(lines="N-1")))["seal"]
    for bad in ("", "x", good[:-1], f"a{good}"):
        assert desk.post(record(cod), {"seal": bad}).status_code == 302
    assert not Remittance.objects.exists()
    assert desk.get(record(cod, "nadie")).status_code == 302


def test_what_was_shown_is_done_on_its_page_for_its_courier_by_who_saw_it(
    desk: Client, client: Client, cod: Channel, prepaid: Channel, shop: Shop
) -> None:
    at = timezone.now() - timedelta(hours=2)
    collected(cod, shop, tracking="N-1")
    collected(cod, shop, "Envíos Este", tracking="E-1")
    order = Order.objects.get(id=services.place(prepaid, [basket(shop, at=at)]).moved[0].order_id)
    row = f"order,amount,payment_reference,date\n{order.reference},84.00,TR-1,{at.isoformat()}\n".encode()
    by_file = reverse("admin:payments_charge_by_file")
    of_payments = seal(desk.post(by_file, {"channel": prepaid.pk, "file": SimpleUploadedFile("p.csv", row)}))
    of_cash = seal(desk.post(record(cod), said(lines="N-1")))
    for page, wrong in (
        (record(cod), of_payments),
        (by_file, of_cash),
        (record(cod, "envíos este"), of_cash),
    ):
        answer = desk.post(page, wrong, follow=True)
        assert answer.status_code == 200
        assert "Eso no es lo que viste en esta página" in answer.content.decode()
    client.force_login(User.objects.create_superuser("pia@operador.example", "una-clave-larga"))
    client.post(record(cod), of_cash)
    assert (Remittance.objects.exists(), Charge.objects.exists()) == (False, False)


def test_only_operators_record_money(client: Client, alice: Any, cod: Channel) -> None:
    for page in (
        record(cod),
        reverse("admin:payments_charge_by_file"),
        reverse("admin:payments_remittance_in_hand"),
    ):
        assert client.get(page).status_code == 302
    client.force_login(alice)
    for page in (
        record(cod),
        reverse("admin:payments_charge_by_file"),
        reverse("admin:payments_remittance_in_hand"),
    ):
        assert (client.get(page).status_code, client.post(page, {"seal": "x"}).status_code) == (404, 404)


@pytest.mark.rule("ORD-07")
@pytest.mark.rule("PAY-07")
def test_a_list_of_payments_is_shown_and_confirmed(desk: Client, prepaid: Channel, shop: Shop) -> None:
    at = timezone.now() - timedelta(hours=2)
    one, other = (
        Order.objects.get(id=services.place(prepaid, [basket(shop, at=at)]).moved[0].order_id)
        for _ in range(2)
    )
    rows = [f"{one.reference},84.00,TR-1,{at.isoformat()}", f"{other.reference},84.01,TR-2,{at.isoformat()}"]
    data = "\n".join(["order,amount,payment_reference,date", *rows]).encode()
    page = reverse("admin:payments_charge_by_file")
    assert desk.get(page).status_code == 200
    shown = desk.post(page, {"channel": prepaid.pk, "file": SimpleUploadedFile("p.csv", data), "apply": "1"})
    assert [row[3] for row in panel_of(shown)] == ["Se registra", "Rechazado"]
    assert again(one).state == State.PENDING_PAYMENT
    done = desk.post(page, seal(shown))
    assert done.context["intro"] == "Registrada 1 línea: 84,00\u00a0€. Rechazadas: 1."
    assert (again(one).state, again(other).state) == (State.AWAITING_SHIPMENT, State.PENDING_PAYMENT)
    assert Charge.objects.values_list("order_id", "reference").get() == (one.id, "TR-1")
    bad = desk.post(page, {"channel": prepaid.pk, "file": SimpleUploadedFile("p.csv", b"x,y\n1,2\n")})
    assert (bad.status_code, "file" in bad.context["form"].errors) == (422, True)
