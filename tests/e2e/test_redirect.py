"""A parcel that nobody took: an operator notes it, the shop gives it to another order, in a real browser (EXC-04).

`both_customers` is what each customer's side of it shows: their mails, and the page that these lead to.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from marketplace import timers
from marketplace.celery import BY_NAME
from marketplace.models import Carrier
from marketplace.services import open_channel
from orders import services
from sellers import desk
from sellers.models import Membership, Shop, User
from tests.conftest import ANA, JAR, PASSWORD, PLATE, basket
from tests.e2e.conftest import Site, serving

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

OLGA = "olga@trastienda.example"
BEA = replace(
    ANA, name="Beatriz Pons", email="bea@cliente.example", street="Calle Alfonso 3", postal_code="50003"
)
CARLA = replace(ANA, name="Carla Mas", email="carla@cliente.example", postal_code="28004", city="Madrid")


def arranged() -> tuple[str, list[str]]:
    """An order on its way, one nearby that waits for the same, and one that waits for it far away."""
    now = timezone.now()
    ago = now - timedelta(hours=5)
    channel = open_channel("tienda", "Tienda de pruebas", by="pruebas", at=ago)
    shop = Shop.objects.create(code="alba", name="Cerámicas Alba", contact_email="pedidos@alba.example")
    owner = User.objects.create_user("alice@alba.example", PASSWORD, name="Alicia Alba")
    User.objects.create_user(OLGA, PASSWORD, name="Olga Operadora", is_staff=True, is_superuser=True)
    alice = desk.seller(Membership.objects.create(user=owner, shop=shop, role=Membership.Role.OWNER))
    placed = [
        services.one(
            services.place(channel, [basket(shop, JAR, PLATE, at=ago, number=number, customer=customer)])
        )
        for number, customer in (("PRIMERO", ANA), ("CERCA", BEA), ("LEJOS", CARLA))
    ]
    ids = [one.order_id for one in placed]
    services.accept(ids, by=alice, at=ago)
    timers.run(BY_NAME["charge"], at=ago)
    parcel = services.Parcel(carrier=Carrier.objects.get(code="seur"), tracking="12345678901234")
    services.one(services.ship({ids[0]: parcel}, by=alice, at=ago + timedelta(hours=1)))
    return owner.email, [one.reference for one in placed]


@pytest.fixture
def site(own_database: str, tmp_path: Path, django_db_blocker: Any) -> Iterator[Site]:
    with serving(own_database, tmp_path, arranged, django_db_blocker) as there:
        yield there


def _opened(browser: Browser, site: Site, email: str) -> Page:
    """A fresh browser, signed in as somebody."""
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


def both_customers(page: Page, first: str, other: str) -> dict[str, str]:
    """What each customer is told once the parcel has changed hands, as they read it."""
    told = {}
    for reference, subject in ((first, f"Pedido {first}: no llegará"), (other, f"Pedido {other}: enviado")):
        mail = page.get_by_role("link", name=subject)
        for _ in range(40):
            page.goto("/buzon/")
            if mail.count():
                break
        mail.first.click()
        letter = page.frame_locator("iframe")
        mailed = page.locator("main").inner_text() + letter.locator("body").inner_text()
        letter.locator("a[href*='/mi-pedido/']").first.click()
        page.wait_for_url("**/mi-pedido/**")
        expect(page.get_by_text(reference).first).to_be_visible()
        told[reference] = mailed + page.locator("body").inner_text()
    return {reference: words.replace("\u00a0", " ") for reference, words in told.items()}


def _noted_by_the_operator(olga: Page, reference: str) -> None:
    olga.goto("/admin/orders/order/")
    olga.get_by_role("link", name=reference).first.click()
    olga.get_by_role("link", name="Entrega fallida").click()
    olga.get_by_label("Motivo").select_option("refused")
    olga.get_by_role("button", name="Entrega fallida").click()
    expect(olga.get_by_text(f"{reference}: hecho.")).to_be_visible()


@pytest.mark.rule("EXC-02", "EXC-03", "EXC-04")
def test_a_parcel_that_nobody_took_goes_to_another_order(site: Site, browser: Browser) -> None:
    first, near, far = site.orders
    _noted_by_the_operator(_opened(browser, site, OLGA), first)
    alice = _opened(browser, site, site.owner)
    alice.get_by_role("link", name="Novedades").click()
    expect(alice.locator(".rows")).to_contain_text("No lo quiso recoger")
    alice.get_by_text("Decidir", exact=True).click()
    alice.get_by_role("link", name="Redirigir a otro pedido").click()
    expect(alice.get_by_text("Está en la zona «Zaragoza» (50001).")).to_be_visible()
    expect(alice.locator("ol.proposals a")).to_have_text([near])
    alice.get_by_text("con algo de esto no puede tenerlo").click()
    expect(alice.locator(".others li")).to_contain_text([far])
    expect(alice.locator(".others li")).to_contain_text(["No está en la misma zona."])
    alice.get_by_text("Redirigir aquí").click()
    alice.get_by_role("button", name=f"Redirigir a {near}").click()
    expect(alice.get_by_text(f"El bulto va ahora al pedido {near}.")).to_be_visible()

    for reference, state, words in (
        (first, "Devuelto a la tienda", f"Su bulto va ahora al pedido {near}"),
        (near, "Enviado", f"El bulto viene del pedido {first}"),
    ):
        alice.goto(f"/pedidos/{reference}/?tab=historial")
        expect(alice.locator(".order-head .badge").first).to_have_text(state)
        expect(alice.locator(".history")).to_contain_text(words)
    told = both_customers(alice, first, near)
    for words in (BEA.name, BEA.street, BEA.postal_code, BEA.email, near):
        assert words not in told[first], words
    for words in (ANA.name, ANA.street, ANA.email, first):
        assert words not in told[near], words
    assert "84,00 €" in told[first]
    assert "No llegará" in told[first]
    assert "En camino" in told[near]
    assert "12345678901234" in told[near]
    site.here("check_invariants")
