"""Three people and a broken jar, each in a browser of their own: what happens to the order's money meanwhile."""

import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, FilePayload, Page, expect

from marketplace.services import open_channel
from orders import services
from orders.models import Order
from sellers.models import Membership, Shop, User
from tests.conftest import JAR, PASSWORD, PLATE, again, basket, sure
from tests.dashboard.pages import shipped
from tests.e2e.conftest import Site, serving
from tests.files.samples import picture

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

OLGA = "olga@trastienda.example"
WORKING_DAYS = timedelta(days=12)
"""Three working days are over by then, whatever holidays there are; two days are never enough."""


def arranged() -> tuple[str, list[str]]:
    """An order that counts as received within the hour, if nothing holds it."""
    now = timezone.now()
    ago = now - timedelta(days=21)
    channel = open_channel("tienda", "Tienda de pruebas", by="pruebas", at=ago)
    shop = Shop.objects.create(code="alba", name="Cerámicas Alba", contact_email="pedidos@alba.example")
    owner = User.objects.create_user("alice@alba.example", PASSWORD, name="Alicia Alba")
    Membership.objects.create(user=owner, shop=shop, role=Membership.Role.OWNER)
    User.objects.create_user(OLGA, PASSWORD, name="Olga Operadora", is_staff=True, is_superuser=True)
    services.place(channel, [basket(shop, JAR, PLATE, at=ago, number="ROTO")])
    order = again(shipped(Order.objects.get()))
    assert now < sure(order.receive_at) < now + timedelta(hours=2)
    return owner.email, list(Order.objects.values_list("reference", flat=True))


@pytest.fixture
def site(own_database: str, tmp_path: Path, django_db_blocker: Any) -> Iterator[Site]:
    with serving(own_database, tmp_path, arranged, django_db_blocker) as there:
        yield there


def _browser(browser: Browser, site: Site, width: int, *, scripts: bool = True) -> Page:
    context = browser.new_context(
        base_url=site.address,
        viewport={"width": width, "height": 900},
        java_script_enabled=scripts,
        locale="es-ES",
    )
    context.set_default_timeout(15_000)
    return context.new_page()


def _customer(browser: Browser, site: Site) -> Page:
    """The customer, on a phone without scripts, at the page that the button of their mail opens."""
    page = _browser(browser, site, 390, scripts=False)
    site.manage("tick", "notices")
    page.goto("/buzon/")
    page.get_by_role("link", name="enviado").first.click()
    page.frame_locator("iframe").get_by_role("link", name="Ver tu pedido").click()
    page.wait_for_url(re.compile(r"/mi-pedido/[\w-]{44}/"))
    return page


def _signed_in(browser: Browser, site: Site, email: str) -> Page:
    page = _browser(browser, site, 1280)
    page.goto("/")
    page.get_by_label("Correo").fill(email)
    page.get_by_label("Contraseña").fill(PASSWORD)
    page.get_by_role("button", name="Entrar").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    return page


def _complains(ana: Page) -> None:
    ana.get_by_role("link", name="Algo ha ido mal").click()
    ana.get_by_role("checkbox").first.check()
    ana.get_by_label("Qué ha pasado").select_option("damaged")
    ana.get_by_label("Cuéntalo").fill("La jarra llegó en dos trozos")
    photo: FilePayload = {
        "name": "jarra.jpg",
        "mimeType": "image/jpeg",
        "buffer": picture(size=(640, 480)),
    }
    ana.get_by_label("Archivos").set_input_files(photo)
    ana.get_by_role("button", name="Abrir la incidencia").click()
    expect(ana.get_by_text("La tienda la está mirando")).to_be_visible()


def _answers(alice: Page, reference: str) -> None:
    """The shop sees the photo and writes back."""
    alice.get_by_role("link", name="Incidencias").first.click()
    expect(alice.get_by_text("te toca a ti")).to_be_visible()
    alice.goto(f"/pedidos/{reference}/?tab=mensajes")
    expect(alice.get_by_text("La jarra llegó en dos trozos")).to_be_visible()
    photo = alice.locator("ul.files img").first
    expect(photo).to_be_visible()
    assert photo.evaluate("async e => { await e.decode(); return e.naturalWidth }") > 0
    alice.get_by_label("Mensaje", exact=True).first.fill("Te mandamos otra hoy mismo")
    alice.get_by_role("button", name="Enviar").first.click()
    expect(alice.get_by_text("Te mandamos otra hoy mismo")).to_be_visible()


def _reads(ana: Page, words: str) -> None:
    """What was written to her is there as soon as it cannot be taken back any more."""
    ana.get_by_role("link", name="Mensajes").first.click()
    said, until = ana.get_by_text(words), time.monotonic() + 60
    while not said.count() and time.monotonic() < until:
        ana.wait_for_timeout(500)
        ana.reload()
    expect(said).to_be_visible()


def _resolves(alice: Page, reference: str, words: str) -> None:
    alice.goto(f"/pedidos/{reference}/")
    expect(alice.locator(".notice.incident")).to_contain_text("Llegó roto o dañado")
    alice.get_by_text("Marcar como resuelta").first.click()
    alice.get_by_label("Cómo se ha solucionado").select_option("replaced")
    alice.get_by_label("Mensaje al operador").fill(words)
    alice.get_by_role("button", name="Marcar como resuelta").click()
    expect(alice.get_by_text("Incidencia resuelta: la cierra el operador cuando la revise.")).to_be_visible()


def _incident(olga: Page, reference: str) -> None:
    olga.goto("/admin/incidents/incident/")
    olga.get_by_role("link", name=reference).first.click()


def _sends_back(olga: Page, reference: str) -> None:
    _incident(olga, reference)
    expect(olga.get_by_text("Ha salido otra jarra")).to_be_visible()
    olga.get_by_role("link", name="Devolver a la tienda").click()
    olga.get_by_label("Por qué no está resuelta").fill("Falta el seguimiento de la nueva")
    olga.get_by_role("button", name="Devolver a la tienda").click()
    expect(olga.get_by_text("Hecho. Incidencias: 1.")).to_be_visible()


def _due(olga: Page) -> int:
    """How many incidents wait for the operator's review."""
    olga.goto("/admin/incidents/incident/?situation=review")
    return olga.locator("#result_list tbody tr").count()


def _closes(olga: Page, reference: str) -> None:
    _incident(olga, reference)
    olga.get_by_role("link", name="Cerrar la incidencia").click()
    olga.get_by_role("button", name="Cerrar la incidencia").click()
    expect(olga.get_by_text("Hecho. Incidencias: 1.")).to_be_visible()


def _state(alice: Page, reference: str) -> str:
    alice.goto(f"/pedidos/{reference}/")
    return alice.locator(".order-head .badge").first.inner_text()


@pytest.mark.rule("INC-01", "INC-04", "INC-05", "INC-07", "SHP-08", "ROL-03")
def test_an_incident_from_the_photo_to_the_money(site: Site, browser: Browser) -> None:
    (reference,) = site.orders
    now: datetime = timezone.now()
    soon, later, last = (
        (now + span).isoformat() for span in (timedelta(days=2), WORKING_DAYS, timedelta(days=45))
    )
    ana, alice = _customer(browser, site), _signed_in(browser, site, site.owner)
    olga = _signed_in(browser, site, OLGA)

    _complains(ana)
    _answers(alice, reference)
    _resolves(alice, reference, "Ha salido otra jarra")
    _sends_back(olga, reference)
    _reads(ana, "Te mandamos otra hoy mismo")
    alice.goto(f"/pedidos/{reference}/")
    expect(alice.locator(".notice.incident")).to_contain_text("Falta el seguimiento de la nueva")
    _resolves(alice, reference, "Va con SEUR, 12345678901234")
    expect(alice.locator(".notice.incident")).to_contain_text("El operador la revisa")

    site.here("tick", "incidents", "--at", soon)
    assert _due(olga) == 0
    site.here("tick", "incidents", "receive", "statements", "--at", later)
    assert _due(olga) == 1
    assert _state(alice, reference) == "Enviado"
    _closes(olga, reference)
    site.here("tick", "receive", "--at", later)
    assert _state(alice, reference) == "Recibido"
    site.here("tick", "statements", "--at", last)
    assert _state(alice, reference) == "Cerrado"
    ana.goto(ana.url)
    expect(ana.locator("body")).not_to_contain_text("Ha salido otra jarra")
    site.manage("check_invariants")  # looks for the photographs too, which are in the home of the site
