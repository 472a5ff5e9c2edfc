"""Two jars go back and one of them is broken: from the customer's phone to the money on it, and the shop in between."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, FilePayload, Page, expect

from marketplace.services import open_channel
from orders import services
from orders.models import Order
from sellers.models import Membership, Shop, User
from tests.conftest import JAR, OPERATOR, PASSWORD, PLATE, basket
from tests.dashboard.pages import shipped
from tests.e2e.conftest import Site, serving
from tests.e2e.test_incident import _customer, _signed_in
from tests.files.samples import picture

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


def arranged() -> tuple[str, list[str]]:
    """An order that was delivered yesterday."""
    now = timezone.now()
    ago = now - timedelta(days=4)
    channel = open_channel("tienda", "Tienda de pruebas", by="pruebas", at=ago)
    shop = Shop.objects.create(code="alba", name="Cerámicas Alba", contact_email="pedidos@alba.example")
    owner = User.objects.create_user("alice@alba.example", PASSWORD, name="Alicia Alba")
    Membership.objects.create(user=owner, shop=shop, role=Membership.Role.OWNER)
    services.place(channel, [basket(shop, JAR, PLATE, at=ago, number="VUELVE")])
    order = shipped(Order.objects.get())
    services.one(services.deliver([order.id], by=OPERATOR, at=now - timedelta(days=1)))
    return owner.email, list(Order.objects.values_list("reference", flat=True))


@pytest.fixture
def site(own_database: str, tmp_path: Path, django_db_blocker: Any) -> Iterator[Site]:
    with serving(own_database, tmp_path, arranged, django_db_blocker) as there:
        yield there


def _asks(ana: Page) -> None:
    ana.get_by_role("link", name="Devolver artículos").click()
    ana.get_by_label("Jarrón azul").fill("2")
    ana.get_by_label("Por qué").select_option("changed-mind")
    ana.get_by_role("button", name="Pedir la devolución").click()
    expect(ana.get_by_text("La tienda te contesta como muy tarde")).to_be_visible()


def _accepts(alice: Page) -> None:
    """With a label, found from the list."""
    alice.get_by_role("link", name="Devoluciones").first.click()
    alice.get_by_role("link", name="VUELVE").first.click()
    expect(alice.get_by_text("te toca a ti").first).to_be_visible()
    alice.get_by_label("Instrucciones para el cliente").fill("Pega la etiqueta en la caja")
    label: FilePayload = {
        "name": "etiqueta.png",
        "mimeType": "image/png",
        "buffer": picture("PNG", size=(400, 300)),
    }
    alice.get_by_label("Etiqueta o documento").set_input_files(label)
    alice.get_by_role("button", name="Aceptar la devolución").click()
    expect(alice.get_by_text("Devolución aceptada. El cliente ya lo sabe.")).to_be_visible()


def _sends(ana: Page) -> None:
    ana.goto(ana.url.partition("?")[0])
    expect(ana.get_by_text("Pega la etiqueta en la caja").first).to_be_visible()
    with ana.expect_download() as label:
        ana.get_by_role("link", name="etiqueta.png").first.click()
    assert label.value.suggested_filename == "etiqueta.png"
    ana.get_by_role("link", name="Ya la he mandado").click()
    ana.get_by_label("Con quién la mandaste").fill("Correos")
    ana.get_by_label("Número de seguimiento").fill("PQ123456789ES")
    ana.get_by_role("button", name="Sí, ya la he mandado").click()
    expect(ana.get_by_text("Tu devolución va de camino")).to_be_visible()


def _looks_and_refunds(alice: Page) -> None:
    alice.reload()
    expect(alice.get_by_text("PQ123456789ES")).to_be_visible()
    alice.get_by_role("button", name="Ya la tengo").click()
    alice.get_by_label("Están bien").fill("1")
    alice.get_by_label("Qué les pasa a las demás").fill("Tiene el asa rota")
    alice.get_by_role("button", name="Dar por revisada").click()
    alice.get_by_role("link", name="Reembolsar", exact=True).click()
    expect(alice.get_by_text("van puestas las unidades que diste por buenas")).to_be_visible()
    alice.get_by_role("button", name="Reembolsar 33,00").click()
    expect(alice.get_by_text("Reembolsada").first).to_be_visible()


@pytest.mark.rule("REF-09", "ROL-03")
def test_a_return_from_the_phone_to_the_money(site: Site, browser: Browser) -> None:
    ana, alice = _customer(browser, site), _signed_in(browser, site, site.owner)
    _asks(ana)
    _accepts(alice)
    _sends(ana)
    _looks_and_refunds(alice)
    site.here("tick", "payback")
    ana.goto(ana.url.partition("?")[0])
    expect(ana.get_by_text("Te hemos devuelto 33,00")).to_be_visible()
    expect(ana.get_by_text("Tiene el asa rota")).to_be_visible()
    site.manage("check_invariants")  # looks for the photographs too, which are in the home of the site
