"""An order's money in the browser: given back in part while an incident stands, then whole; and a transfer followed
from the amount that the bank was told down to one posting."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from marketplace.services import open_channel
from orders import services
from orders.models import Order
from sellers.models import Membership, Shop, User
from settlements import payees
from tests.conftest import ALBA, JAR, OPERATOR, PASSWORD, PLATE, again, basket, told
from tests.dashboard.pages import shipped
from tests.e2e.conftest import Site, serving
from tests.incidents.claims import claimed

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

OLGA = "olga@trastienda.example"
MADE = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}"


def arranged() -> tuple[str, list[str]]:
    """Two parcels whose days are over; of one of them the customer has said that it came broken."""
    now = timezone.now()
    ago = now - timedelta(days=23)
    channel = open_channel("tienda", "Tienda de pruebas", by="pruebas", at=ago)
    payees.keep_issuer(channel, replace(ALBA, legal_name="Mercado, S. A."), by=OPERATOR, at=ago)
    new = Shop.objects.create(code="alba", name="Cerámicas Alba", contact_email="pedidos@alba.example")
    shop = told(new)
    owner = User.objects.create_user("alice@alba.example", PASSWORD, name="Alicia Alba")
    Membership.objects.create(user=owner, shop=shop, role=Membership.Role.OWNER)
    User.objects.create_user(OLGA, PASSWORD, name="Olga Operadora", is_staff=True, is_superuser=True)
    for number in ("ROTO", "SANO"):
        services.place(channel, [basket(shop, JAR, PLATE, at=ago, number=number)])
    broken, whole = (again(shipped(order)) for order in Order.objects.order_by("id"))
    claimed(broken.id, at=now - timedelta(days=3))
    return owner.email, [broken.reference, whole.reference]


@pytest.fixture
def site(own_database: str, tmp_path: Path, django_db_blocker: Any) -> Iterator[Site]:
    with serving(own_database, tmp_path, arranged, django_db_blocker) as there:
        yield there


def _signed_in(browser: Browser, site: Site, email: str) -> Page:
    context = browser.new_context(
        base_url=site.address, viewport={"width": 1280, "height": 900}, locale="es-ES"
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.goto("/")
    page.get_by_label("Correo").fill(email)
    page.get_by_label("Contraseña").fill(PASSWORD)
    page.get_by_role("button", name="Entrar").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    return page


def _gives_a_part_back(alice: Page, reference: str) -> None:
    alice.goto(f"/pedidos/{reference}/")
    alice.get_by_role("link", name="Reembols").first.click()
    alice.get_by_label("Por artículos").check()
    alice.get_by_label("Artículo", exact=True).first.fill("10,00")
    alice.get_by_label("Motivo").select_option("damaged")
    alice.get_by_label("Cómo lo has acordado con el cliente").fill(
        "Por teléfono: se la queda con un descuento"
    )
    expect(
        alice.get_by_text("La incidencia sigue abierta: solo la cierra un reembolso total.")
    ).to_be_visible()
    alice.get_by_role("button", name="Reembolsar 10,00").click()
    alice.wait_for_url(f"**/pedidos/{reference}/**")
    expect(alice.locator(".notice.incident")).to_contain_text("Llegó roto o dañado")


def _gives_all_back(alice: Page, reference: str) -> None:
    alice.goto(f"/pedidos/{reference}/")
    alice.get_by_role("link", name="Reembols").first.click()
    alice.get_by_label("Todo lo que queda").check()
    alice.get_by_label("Motivo").select_option("damaged")
    expect(alice.get_by_text("Al devolverse todo, la incidencia se cierra sola.")).to_be_visible()
    alice.get_by_role("button", name="Reembolsar 74,00").click()
    alice.wait_for_url(f"**/pedidos/{reference}/**")
    expect(alice.locator(".notice.incident")).to_have_count(0)


def _told_to_the_bank(olga: Page, into: Path) -> tuple[str, str]:
    """The reference and the amount of the only transfer in the file that an operator makes and takes with them."""
    olga.goto("/admin/settlements/payoutfile/")
    olga.get_by_role("link", name="Hacer el fichero").click()
    olga.get_by_role("button", name="Hacer el fichero").click()
    expect(olga.get_by_text("Hecho: 1 transferencias.")).to_be_visible()
    with olga.expect_download() as file:
        olga.get_by_role("link", name="Descargar").click()
    file.value.save_as(into)
    (transfer,) = ElementTree.parse(into).iter(f"{MADE}CdtTrfTxInf")
    return (
        str(transfer.findtext(f"{MADE}PmtId/{MADE}EndToEndId")),
        str(transfer.findtext(f"{MADE}Amt/{MADE}InstdAmt")),
    )


def _follows_the_cents(alice: Page, reference: str, amount: str, order: str) -> None:
    """From what came to the bank, by clicks alone: the statement, its difference, the order, the posting."""
    shown = amount.replace(".", ",")
    alice.goto("/")
    alice.get_by_role("link", name="Liquidaciones").first.click()
    row = alice.locator(".statements tbody tr").filter(has_text=shown)
    row.get_by_role("link").first.click()
    expect(alice.get_by_text(reference)).to_be_visible()
    expect(alice.locator(".proof dd").first).to_contain_text("0,00")
    alice.get_by_role("link", name=order).click()
    alice.wait_for_url(re.compile(r"/cuentas/#asiento-\d+$"))
    expect(alice.locator(".proof dd")).to_contain_text("0,00")
    expect(alice.locator("article.entry:target tr.mine").first).to_contain_text("84,00")


@pytest.mark.rule("REF-01", "REF-02", "INC-06", "SET-05", "SET-06")
def test_given_back_in_part_then_whole_and_a_transfer_followed_to_a_posting(
    site: Site, browser: Browser, tmp_path: Path
) -> None:
    broken, whole = site.orders
    alice = _signed_in(browser, site, site.owner)
    _gives_a_part_back(alice, broken)
    _gives_all_back(alice, broken)
    site.here("tick", "receive")
    site.here("settle", "--channel", "tienda", "--as-of", timezone.now().isoformat())
    olga = _signed_in(browser, site, OLGA)
    reference, amount = _told_to_the_bank(olga, tmp_path / "transferencias.xml")
    assert amount == "71.80"
    _follows_the_cents(alice, reference, amount, whole)
    site.here("check_invariants")
