"""A seller's order on a site that is started as a server: the compose file's environment, the image's own command."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.db import connections
from playwright.sync_api import Browser, Page, expect

from tests.conftest import JAR, PASSWORD
from tests.e2e import conftest as sites
from tests.e2e import test_first_journey as journey
from tests.e2e.conftest import HOST, Site
from tests.production import papers

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]

BEHIND_A_PROXY = {"X-Forwarded-Proto": "https"}


class Catcher:
    """Takes in every mail that the site sends."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append(BytesParser(policy=default).parsebytes(envelope.content))
        return "250 OK"

    def to(self, address: str) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails if address in str(mail["To"])]


@pytest.fixture
def catcher() -> Iterator[tuple[Catcher, int]]:
    caught, port = Catcher(), sites.free_port()
    controller = Controller(caught, hostname=HOST, port=port)
    controller.start()
    yield caught, port
    controller.stop()


@pytest.fixture
def server(
    own_database: str, tmp_path: Path, catcher: tuple[Catcher, int], django_db_blocker: Any
) -> Iterator[Site]:
    """Web and worker as the compose file starts them, on the services of the tests and a mail server of our own."""
    with django_db_blocker.unblock():
        owner, orders = sites.arranged()
        connections.close_all()
    port = sites.free_port()
    here = sites.services_of(own_database)
    environment = (
        papers.server_environment()
        | here
        | {
            "GRANIAN_HOST": HOST,
            "GRANIAN_PORT": str(port),
            "TRASTIENDA_HOSTS": HOST,
            "TRASTIENDA_ORIGINS": f"http://{HOST}:{port}",
            "TRASTIENDA_SMTP_URL": f"smtp://{HOST}:{catcher[1]}",
            "TRASTIENDA_STATIC": str(tmp_path / "static"),
        }
    )
    site = Site(f"http://{HOST}:{port}", owner, orders, environment, django_db_blocker)
    # What the admin brings along takes longest to be compressed, and nobody goes there in this journey.
    site.manage("collectstatic", "--noinput", "--ignore", "unfold", "--ignore", "admin")
    worker = papers.compose()["services"]["worker"]["command"]
    with ExitStack() as running:
        web = running.enter_context(sites.running(environment, tmp_path / "web.log", *papers.image_command()))
        running.enter_context(sites.running(environment, tmp_path / "worker.log", *worker))
        sites.wait_for_page(web, port, tmp_path / "web.log")
        yield site


def _signed_in(browser: Browser, site: Site) -> Page:
    context = browser.new_context(
        base_url=site.address, locale="es-ES", extra_http_headers=BEHIND_A_PROXY,
        viewport={"width": 1280, "height": 900},
    )  # fmt: skip
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.goto("/")
    page.get_by_label("Correo").fill(site.owner)
    page.get_by_label("Contraseña").fill(PASSWORD)
    page.get_by_role("button", name="Entrar").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    return page


def _shipped(page: Page, reference: str) -> None:
    page.goto(f"/pedidos/{reference}/?tab=envio")
    page.get_by_label("Transportista", exact=True).select_option("seur")
    page.get_by_label("Número de seguimiento").fill("50011")
    page.get_by_label(JAR[1]).fill("2")
    page.get_by_role("button", name="Enviar el bulto").last.click()
    expect(page.locator(".order-head .badge").first).to_have_text("Enviado")


def _told(page: Page, reference: str, caught: Catcher) -> list[str]:
    """What the customer was mailed, once the parcel is among it."""
    for _ in range(100):
        page.goto(f"/pedidos/{reference}/")
        subjects = [subject for subject in caught.to("ana@cliente.example") if reference in subject]
        if any(subject.endswith("enviado") for subject in subjects):
            break
        page.wait_for_timeout(500)
    return sorted(subject.removeprefix(f"Pedido {reference}: ")[:14] for subject in subjects)


def _is_closed_to_strangers(page: Page) -> None:
    """Files are hashed, cookies travel under TLS alone, and what belongs to a site being built is not there."""
    styles = page.locator("link[rel=stylesheet]").first.get_attribute("href") or ""
    assert re.fullmatch(r"/static/css/\w+\.[0-9a-f]{12}\.css", styles)
    assert "immutable" in page.request.get(styles).headers["cache-control"]
    assert all(cookie["secure"] for cookie in page.context.cookies())
    assert page.request.get("/buzon/").status == 404
    assert page.request.get("/", headers={"X-Forwarded-Proto": "http"}, max_redirects=0).status == 301
    probe = page.request.get("/health/ready", headers={"X-Forwarded-Proto": "http", "Host": "10.1.2.3"})
    behind = {"clock": "behind", "late": ["notices"]}  # nobody has rung yet, and there is no beat
    assert (probe.status, probe.json()) == (200, {"database": "ok", "broker": "ok", **behind})


def _lines(log: Path) -> list[dict[str, Any]]:
    """The log of a process: every line is JSON, and none knows a person."""
    text = log.read_text("utf-8")
    assert [
        word for word in ("ana@", "alice@", "Ana Soler", "Alicia", PASSWORD, "50011") if word in text
    ] == []
    return [json.loads(line) for line in text.splitlines()]


def test_an_order_from_the_sign_in_to_the_mails(
    server: Site, browser: Browser, catcher: tuple[Catcher, int], tmp_path: Path
) -> None:
    caught, reference = catcher[0], server.orders[0]
    page = _signed_in(browser, server)
    _is_closed_to_strangers(page)
    journey._accepted_in_part(page, reference)
    journey._debited_by_itself(page, reference)
    _shipped(page, reference)
    assert _told(page, reference, caught) == ["aceptado en pa", "enviado", "lo hemos recib"]
    assert {str(mail["From"]).rpartition(" ")[2] for mail in caught.mails} == {"<avisos@tienda.example>"}
    server.manage("check_invariants")
    shipped = [line for line in _lines(tmp_path / "web.log") if line.get("route", "").endswith("/enviar/")]
    assert [(line["method"], line["status"]) for line in shipped] == [("POST", 303)]
    assert _lines(tmp_path / "worker.log") == []
