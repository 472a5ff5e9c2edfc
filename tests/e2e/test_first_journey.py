"""A seller's first order in a real browser, from the sign-in to the money: the journey of the README."""

from datetime import timedelta

import pypdfium2
import pytest
import zxingcpp
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from tests.conftest import JAR, PASSWORD, PLATE
from tests.e2e.conftest import Site

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

PHONE, DESK = (390, 844), (1280, 900)


def _opened(browser: Browser, site: Site, size: tuple[int, int], *, scripts: bool = True) -> Page:
    """A fresh browser, signed in as the owner."""
    context = browser.new_context(
        base_url=site.address,
        viewport={"width": size[0], "height": size[1]},
        java_script_enabled=scripts,
        locale="es-ES",
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.goto("/")
    page.get_by_label("Correo").fill(site.owner)
    page.get_by_label("Contraseña").fill(PASSWORD)
    page.get_by_role("button", name="Entrar").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    return page


def _accepted_in_part(page: Page, reference: str, *, scripts: bool = True) -> None:
    """From the list to the order; the jars are accepted and the plate refused, with its reason."""
    page.get_by_role("navigation").get_by_role("link", name="Pedidos").click()
    page.get_by_role("link", name=reference).first.click()
    expect(page.get_by_role("heading", name=reference)).to_be_visible()
    plate = page.get_by_role("listitem").filter(has_text=PLATE[1])
    plate.get_by_text("Rechazar", exact=True).click()
    plate.get_by_label("Motivo").select_option(label="Sin existencias")
    left, whole = page.locator("#money .sum dd"), page.get_by_text("Son las cifras con todas las líneas")
    if scripts:
        expect(left).to_have_text("59,84 €")
        expect(whole).not_to_be_visible()
        page.get_by_role("button", name="Aceptar 1 línea y rechazar 1").click()
    else:
        expect(left).to_have_text("71,80 €")
        expect(whole).to_be_visible()
        page.get_by_role("button", name="Aceptar lo elegido").click()
    said = page.get_by_text("Pedido aceptado: recibirás 59,84 €. Ahora se cobra al cliente.")
    expect(said).to_be_visible()


def _debited_by_itself(page: Page, reference: str) -> None:
    """The bell rang, the worker asks the provider: looking again is all there is to do."""
    state = page.locator(".order-head .badge").first
    for _ in range(60):
        page.goto(f"/pedidos/{reference}/")
        if state.inner_text() == "Esperando envío":
            break
    expect(state).to_have_text("Esperando envío")


def _shipped_in_two(page: Page, reference: str) -> None:
    page.get_by_role("navigation", name="Partes del pedido").get_by_role("link", name="Envío").click()
    for number in ("40011", "40012"):
        page.get_by_label("Transportista", exact=True).select_option("seur")
        page.get_by_label("Número de seguimiento").fill(number)
        page.get_by_label(JAR[1]).fill("1")
        page.get_by_role("button", name="Enviar el bulto").last.click()
        expect(page.get_by_text("Bulto enviado. El cliente recibe el seguimiento.")).to_be_visible()
        page.goto(f"/pedidos/{reference}/?tab=envio")
        expect(page.get_by_role("link", name=number)).to_be_visible()
    expect(page.locator(".order-head .badge").first).to_have_text("Enviado")


def _delivery_note_reads_back(page: Page, reference: str) -> None:
    page.goto(f"/pedidos/{reference}/?tab=documentos")
    paper = page.request.get(page.get_by_role("link", name="Descargar").get_attribute("href") or "")
    assert paper.headers["content-type"] == "application/pdf"
    image = pypdfium2.PdfDocument(paper.body())[0].render(scale=3).to_pil()
    assert [code.text for code in zxingcpp.read_barcodes(image)] == [reference]


def _told_by_mail(page: Page, reference: str) -> None:
    """Customer and shop each got their mails of the order, once, and the shop its settlement."""
    told = page.get_by_role("row").filter(has_text=reference)
    for _ in range(20):
        page.goto("/buzon/")
        if told.count() == 6:
            break
    subjects = [
        text.split("\t")[1].removeprefix(f"Pedido {reference}: ")[:14] for text in told.all_inner_texts()
    ]
    assert sorted(subjects) == [
        "aceptado en pa", "acéptalo hasta", "cobrado, envía", "enviado", "ha salido el b", "lo hemos recib"
    ]  # fmt: skip
    assert page.get_by_role("row").filter(has_text="Liquidación cerrada: te pagamos 119,68").count() == 1


def _fits(page: Page, *addresses: str) -> None:
    """Nothing on these pages is wider than the screen."""
    for address in addresses:
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0], address


def _work(page: Page, reference: str, *, scripts: bool = True) -> None:
    _accepted_in_part(page, reference, scripts=scripts)
    _debited_by_itself(page, reference)
    _shipped_in_two(page, reference)
    _delivery_note_reads_back(page, reference)


def _state(page: Page, reference: str) -> str:
    page.goto(f"/pedidos/{reference}/")
    return page.locator(".order-head .badge").first.inner_text()


@pytest.mark.rule("ORD-05", "PAY-01", "SHP-01", "SHP-03", "SHP-07", "SET-01", "DOC-01", "NOT-01")
def test_from_the_sign_in_to_the_settlement(site: Site, browser: Browser) -> None:
    first, second, third = site.orders
    page = _opened(browser, site, DESK)
    _work(page, first)

    _work(_opened(browser, site, PHONE, scripts=False), second, scripts=False)

    phone = _opened(browser, site, PHONE)
    _fits(
        phone,
        "/",
        "/pedidos/",
        f"/pedidos/{third}/",
        f"/pedidos/{first}/?tab=envio",
        f"/pedidos/{first}/?tab=historial",
    )
    _accepted_in_part(phone, third)

    now = timezone.now()
    site.here("tick", "receive", "--at", (now + timedelta(days=21, hours=1)).isoformat())
    assert [_state(page, one) for one in (first, second)] == ["Recibido", "Recibido"]
    site.manage("tick", "statements", "notices", "--at", (now + timedelta(days=45)).isoformat())
    assert [_state(page, one) for one in (first, second)] == ["Cerrado", "Cerrado"]

    _told_by_mail(page, first)
    site.here("check_invariants")
