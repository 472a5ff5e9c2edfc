"""A customer's journey on a phone that runs no scripts: from the mail to the page of their order, and through it."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from marketplace.services import open_channel
from orders.models import Order
from sellers.models import Membership, Shop, User
from tests.conftest import PASSWORD
from tests.dashboard.pages import placed, shipped
from tests.e2e.conftest import Site, serving

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

WIDTH = 390
TOKEN = re.compile(r"/mi-pedido/[\w-]{44}/")


def arranged() -> tuple[str, list[str]]:
    """A shop and an order that left it an hour ago."""
    ago = timezone.now() - timedelta(hours=2)
    channel = open_channel("tienda", "Tienda de pruebas", by="pruebas", at=ago)
    shop = Shop.objects.create(code="alba", name="Cerámicas Alba", contact_email="pedidos@alba.example")
    owner = User.objects.create_user("alice@alba.example", PASSWORD, name="Alicia Alba")
    Membership.objects.create(user=owner, shop=shop, role=Membership.Role.OWNER)
    shipped(placed(channel, shop, "CLIENTE", ago))
    return owner.email, list(Order.objects.values_list("reference", flat=True))


@pytest.fixture
def site(own_database: str, tmp_path: Path, django_db_blocker: Any) -> Iterator[Site]:
    with serving(own_database, tmp_path, arranged, django_db_blocker) as there:
        yield there


def _from_the_mail(browser: Browser, site: Site, subject: str) -> Page:
    """The page that the button of a mail opens, on a phone without scripts."""
    context = browser.new_context(
        base_url=site.address,
        viewport={"width": WIDTH, "height": 844},
        java_script_enabled=False,
        locale="es-ES",
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    site.manage("tick", "notices")
    page.goto("/buzon/")
    page.get_by_role("link", name=subject).first.click()
    page.frame_locator("iframe").get_by_role("link", name="Ver tu pedido").click()
    page.wait_for_url(TOKEN)
    return page


def _fits(page: Page) -> None:
    """Nothing is wider than the phone."""
    assert page.locator("html").evaluate("e => e.scrollWidth") <= WIDTH


@pytest.mark.rule("ROL-03", "SHP-06", "MSG-01")
def test_from_the_mail_to_the_page_a_message_and_the_receipt(site: Site, browser: Browser) -> None:
    page = _from_the_mail(browser, site, "enviado")
    expect(page.get_by_role("heading", level=1)).to_have_text("En camino")
    expect(page.get_by_text("Te llega, como muy tarde,")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Salió de la tienda")).to_be_visible()
    _fits(page)
    assert page.context.cookies() == []

    page.get_by_role("link", name="Escribir a la tienda").first.click()
    page.get_by_label("De qué se trata").select_option(label="Dónde está mi pedido")
    page.get_by_label("Tu mensaje").fill("¿Puede venir por la tarde?")
    page.get_by_role("button", name="Enviar a la tienda").click()
    expect(page.get_by_text("Enviado. Te avisaremos por correo")).to_be_visible()
    expect(page.get_by_text("¿Puede venir por la tarde?")).to_be_visible()
    _fits(page)

    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Messages")
    page.get_by_role("link", name="Your order", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("On its way")
    page.get_by_role("link", name="Español").click()

    page.get_by_role("link", name="Pedir factura").click()
    page.get_by_label("A nombre de quién va").fill(f"Ana Soler, S. L.\n{'B58378431' * 9}")
    _fits(page)
    page.get_by_role("button", name="Pedir factura").click()
    expect(page.get_by_role("heading", name="La tienda te debe la factura")).to_be_visible()
    _fits(page)

    page.get_by_role("link", name="Ya me ha llegado").click()
    page.get_by_role("button", name="Sí, ya me ha llegado").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Entregado")
    expect(page.get_by_text("Gracias: queda anotado")).to_be_visible()
    expect(page.get_by_role("link", name="Devolver artículos")).to_be_visible()
    _fits(page)
    page.reload()
    expect(page.get_by_role("listitem").filter(has_text="Confirmaste que te llegó")).to_be_visible()
    assert page.context.cookies() == []
    site.here("check_invariants")


@pytest.mark.rule("ROL-03")
def test_every_page_is_worked_by_the_keyboard_alone(site: Site, browser: Browser) -> None:
    page = _from_the_mail(browser, site, "enviado")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Saltar al contenido")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Ya me ha llegado")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/recibido/"))
    page.get_by_role("button", name="Sí, ya me ha llegado").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Entregado")
