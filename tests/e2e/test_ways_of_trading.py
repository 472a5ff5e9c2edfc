"""One journey for each other way of trading, in a real browser, each person with a browser of their own."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from marketplace.policy import Preset
from marketplace.services import open_channel
from orders import services
from orders.models import Order
from payments.providers.sandbox import Sandbox
from sellers.models import Membership, Shop, Supplier, User
from tests.conftest import JAR, PASSWORD, PLATE, basket
from tests.e2e.conftest import Site, serving
from tests.orders.digital import LINK, PATTERN, digital_basket

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

NURIA, OLGA = "nuria@norte.example", "olga@trastienda.example"
PHONE, DESK = (390, 844), (1280, 900)


def _paid(basket: services.NewBasket, cents: int) -> services.NewBasket:
    """The same basket, which its customer has paid at the provider's page before it came to us."""
    key = uuid.uuid4()
    Sandbox().charge(key, card="ok", amount_cents=cents, currency="EUR", at=basket.placed_at)
    return replace(basket, payments=({"method": "card", "amount_cents": cents, "card": f"pay_{key}"},))


def arranged() -> tuple[str, list[str]]:
    """A shop on two channels with a supplier: a basket paid at checkout, a download, and one to be paid at the door."""
    now = timezone.now()
    ago = now - timedelta(hours=1)
    prepaid = open_channel("escaparate", "Escaparate", preset=Preset.PREPAID, by="pruebas", at=ago)
    cash = open_channel("puerta", "A la puerta", preset=Preset.CASH_ON_DELIVERY, by="pruebas", at=ago)
    shop = Shop.objects.create(code="alba", name="Cerámicas Alba", contact_email="pedidos@alba.example")
    norte = Supplier.objects.create(
        shop=shop,
        code="norte",
        name="Talleres Norte",
        contact_name="Nuria Norte",
        email="taller@norte.example",
    )
    owner = User.objects.create_user("alice@alba.example", PASSWORD, name="Alicia Alba")
    nuria = User.objects.create_user(NURIA, PASSWORD, name="Nuria Norte")
    User.objects.create_user(OLGA, PASSWORD, name="Olga Operadora", is_staff=True)
    Membership.objects.create(user=owner, shop=shop, role=Membership.Role.OWNER)
    Membership.objects.create(user=nuria, shop=shop, role=Membership.Role.SUPPLIER, supplier=norte)
    services.place(
        prepaid,
        [
            _paid(basket(shop, JAR, at=ago, number="PREVENTA"), 7000),
            _paid(digital_basket(shop, PATTERN, at=ago, number="PATRON"), 1200),
        ],
    )
    services.place(
        cash,
        [
            basket(shop, PLATE, at=ago, number="TALLER", served=[norte]),
            basket(shop, JAR, at=ago, number="PROPIO"),
        ],
    )
    return owner.email, list(Order.objects.order_by("id").values_list("reference", flat=True))


@pytest.fixture
def site(own_database: str, tmp_path: Path, django_db_blocker: Any) -> Iterator[Site]:
    with serving(own_database, tmp_path, arranged, django_db_blocker) as there:
        yield there


def _opened(browser: Browser, site: Site, email: str, size: tuple[int, int] = DESK) -> Page:
    """A fresh browser, signed in as somebody."""
    context = browser.new_context(
        base_url=site.address, viewport={"width": size[0], "height": size[1]}, locale="es-ES"
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.goto("/")
    page.get_by_label("Correo").fill(email)
    page.get_by_label("Contraseña").fill(PASSWORD)
    page.get_by_role("button", name="Entrar").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    return page


def _stands(page: Page, reference: str, state: str) -> None:
    """The order's page says this of it; the worker may need a moment."""
    badge = page.locator(".order-head .badge").first
    for _ in range(60):
        page.goto(f"/pedidos/{reference}/")
        if badge.inner_text() == state:
            break
    expect(badge).to_have_text(state)


def _more(page: Page, act: str) -> None:
    page.get_by_text("Más", exact=True).click()
    page.get_by_role("link", name=act).or_(page.get_by_role("button", name=act)).first.click()


def _is_told(page: Page, reference: str, words: str) -> None:
    """The mailbox lists a mail about an order that says so; one that is under way gets a moment."""
    told = page.get_by_role("row").filter(has_text=reference).filter(has_text=words)
    page.goto("/buzon/")
    for _ in range(40):
        if told.count():
            break
        page.wait_for_timeout(250)
        page.reload()
    expect(told.first).to_be_visible()


@pytest.mark.rule("ORD-06", "ORD-07")
def test_a_presale_paid_at_checkout_waits_for_its_date_and_is_released_by_it(
    site: Site, browser: Browser
) -> None:
    reference = next(one for one in site.orders if one.startswith("PREVENTA"))
    page = _opened(browser, site, site.owner)
    page.goto(f"/pedidos/{reference}/")
    expect(page.locator(".order-head .badge").first).to_have_text("Pendiente de pago")
    site.here("tick", "payments")
    _stands(page, reference, "Procesando")
    _more(page, "Poner en espera")
    until = timezone.localdate() + timedelta(days=3)
    page.get_by_label("Por qué espera").select_option(label="Preventa")
    page.get_by_label("Hasta el día").fill(until.isoformat())
    page.get_by_role("button", name="Poner en espera").last.click()
    expect(page.get_by_text("Pedido en espera.")).to_be_visible()
    expect(page.get_by_text("La espera por preventa acaba sola")).to_be_visible()
    page.goto(f"/pedidos/{reference}/?tab=envio")
    expect(page.get_by_text("Podrás enviarlo cuando salga de la espera.")).to_be_visible()

    site.here("tick", "presale", "--at", (timezone.now() + timedelta(days=2)).isoformat())
    page.reload()
    expect(page.get_by_text("Podrás enviarlo cuando salga de la espera.")).to_be_visible()
    site.here("tick", "presale", "--at", (timezone.now() + timedelta(days=3)).isoformat())
    _stands(page, reference, "Procesando")
    expect(page.get_by_text("En espera", exact=True)).to_have_count(0)
    page.goto(f"/pedidos/{reference}/?tab=historial")
    expect(page.get_by_text("Sale de la espera")).to_be_visible()
    site.here("check_invariants")


@pytest.mark.rule("ROL-04", "CAN-03", "PAY-06", "SHP-10")
def test_a_supplier_serves_cash_on_delivery_that_is_refused_at_the_door_and_comes_back(
    site: Site, browser: Browser
) -> None:
    reference = next(one for one in site.orders if one.startswith("TALLER"))
    own = next(one for one in site.orders if one.startswith("PROPIO"))
    alice = _opened(browser, site, site.owner)
    alice.goto(f"/pedidos/{reference}/")
    expect(alice.locator(".order-head .badge").first).to_have_text("Por confirmar")
    alice.get_by_role("button", name="Aceptar el pedido").click()
    expect(alice.get_by_text("Lo cobra el mensajero al entregarlo.").first).to_be_visible()
    expect(alice.locator(".order-head .badge").first).to_have_text("Por alistar")
    expect(alice.get_by_role("listitem").filter(has_text="Lo sirve Talleres Norte").last).to_be_visible()

    nuria = _opened(browser, site, NURIA, PHONE)
    nuria.goto("/pedidos/")
    expect(nuria.get_by_role("link", name=reference).first).to_be_visible()
    expect(nuria.get_by_text(own)).to_have_count(0)
    nuria.goto(f"/pedidos/{own}/")
    expect(nuria.get_by_role("heading", level=1)).not_to_have_text(own)
    nuria.goto(f"/pedidos/{reference}/")
    assert "€" not in nuria.locator("main").inner_text()
    _more(nuria, "Listo para recoger")
    expect(nuria.locator(".order-head .badge").first).to_have_text("Por recolectar")
    nuria.goto(f"/pedidos/{reference}/?tab=envio")
    nuria.get_by_label("Transportista", exact=True).select_option("seur")
    nuria.get_by_label("Número de seguimiento").fill("40011")
    nuria.get_by_role("button", name="Enviar el bulto").last.click()
    expect(nuria.get_by_text("Bulto enviado. El cliente recibe el seguimiento.")).to_be_visible()
    expect(nuria.locator(".order-head .badge").first).to_have_text("En tránsito")

    olga = _opened(browser, site, OLGA)
    olga.goto("/admin/orders/order/")
    olga.get_by_role("link", name=reference).first.click()
    olga.get_by_role("link", name="Entrega fallida").click()
    olga.get_by_label("Motivo").select_option("refused")
    olga.get_by_role("button", name="Entrega fallida").click()
    expect(olga.get_by_text(f"{reference}: hecho.")).to_be_visible()

    alice.goto(f"/pedidos/{reference}/")
    expect(alice.get_by_text("No se pudo entregar: No lo quiso recoger.")).to_be_visible()
    _more(alice, "Ha vuelto a la tienda")
    expect(alice.get_by_text("El pedido ha vuelto a la tienda.")).to_be_visible()
    expect(alice.locator(".order-head .badge").first).to_have_text("Devuelto a la tienda")
    site.here("check_invariants")


@pytest.mark.rule("ORD-13", "ORD-07")
def test_a_download_is_confirmed_as_soon_as_it_is_paid(site: Site, browser: Browser) -> None:
    reference = next(one for one in site.orders if one.startswith("PATRON"))
    page = _opened(browser, site, site.owner, PHONE)
    site.here("tick", "payments")
    _stands(page, reference, "Completado")
    expect(page.get_by_text("confirmado al cliente").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    site.manage("tick", "notices")
    _is_told(page, reference, "tu descarga está lista")
    page.get_by_role("link", name="tu descarga está lista").first.click()
    expect(page.get_by_text(LINK).first).to_be_visible()
    site.here("check_invariants")
