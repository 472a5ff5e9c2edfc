"""The pictures of the README: the demonstration in Spanish, in daylight, on a desk's screen and on a phone's."""

from __future__ import annotations

import io
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from devstack import ROOT, StackError
from devstack.processes import spawn, stop
from devstack.stack import page_answers
from devstack.system import BROWSERS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FOLDER = ROOT / "docs" / "pictures"
LARGEST = 150_000
HOST = "127.0.0.1"
SWITCHES = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
)  # fmt: skip
DESK, PHONE = (1440, 900), (390, 844)


class Shot(NamedTuple):
    """A picture: its name, who is signed in, how large the screen is, and the way to the page."""

    name: str
    role: str
    size: tuple[int, int]
    go: Callable[[Page], object]


def _page(address: str) -> Callable[[Page], object]:
    return lambda page: page.goto(address)


def _first_order(page: Page) -> None:
    """The order that has to be answered first."""
    page.goto("/pedidos/?estado=por-aceptar&orden=aceptacion")
    page.locator("main a[href^='/pedidos/']").filter(has_text="-").first.click()
    page.wait_for_load_state("networkidle")


def _last_statement(page: Page) -> None:
    """The newest statement, with what it is made of."""
    page.goto("/liquidaciones/")
    page.locator("main a[href^='/liquidaciones/']").filter(has_text=re.compile(r"\d{4}")).first.click()
    page.wait_for_load_state("networkidle")


SHOTS = (
    Shot("home", "shop owner", DESK, _page("/")),
    Shot("orders", "shop owner", DESK, _page("/pedidos/")),
    Shot("order", "shop owner", DESK, _first_order),
    Shot("operators", "operator", DESK, _page("/admin/")),
    Shot("statement", "shop owner", DESK, _last_statement),
    Shot("home-phone", "shop owner", PHONE, _page("/")),
    Shot("order-phone", "shop owner", PHONE, _first_order),
    Shot("held-phone", "shop owner", PHONE, _page("/liquidaciones/retenido/")),
)


def take(home: Path, env: Mapping[str, str]) -> None:
    """Make the demonstration in this home, wind its clocks, take every picture and put it where the README shows it."""
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if chromium is None:
        raise StackError("There is no Chromium on this machine.")
    for command in ("demo", "tick"):
        subprocess.run([sys.executable, ROOT / "manage.py", command], env=dict(env), cwd=ROOT, check=True)
    people = {row["role"]: row for row in json.loads((home / "sign-ins.json").read_text())}
    port = _free_port()
    web = spawn(
        [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(port), "--no-ws",
         "--blocking-threads", "2", "--log-level", "warning", "marketplace.wsgi:application"],
        env=env, cwd=ROOT,
    )  # fmt: skip
    try:
        while not page_answers(HOST, port):
            if web.poll() is not None:
                raise StackError("The page did not come up.")
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=chromium, args=list(SWITCHES))
            for shot in SHOTS:
                _keep(shot.name, _taken(browser, f"http://{HOST}:{port}", people[shot.role], shot))
            browser.close()
    finally:
        stop(web, signal.SIGTERM)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _taken(browser: Browser, address: str, person: Mapping[str, Any], shot: Shot) -> bytes:
    context = browser.new_context(
        base_url=address, locale="es-ES", timezone_id="Europe/Madrid", color_scheme="light",
        reduced_motion="reduce", viewport={"width": shot.size[0], "height": shot.size[1]},
    )  # fmt: skip
    page = context.new_page()
    page.goto("/")
    page.get_by_label("Correo").fill(person["email"])
    page.get_by_label("Contraseña").fill(person["password"])
    page.get_by_role("button", name="Entrar").click()
    page.wait_for_load_state("networkidle")
    shot.go(page)
    picture = page.screenshot()
    context.close()
    return picture


def _keep(name: str, picture: bytes) -> None:
    """Write a picture in 64 colours, which is what keeps it small. Raises StackError when it is too large."""
    from PIL import Image

    out = io.BytesIO()
    image = Image.open(io.BytesIO(picture)).convert("RGB").quantize(64, dither=Image.Dither.NONE)
    image.save(out, "PNG", optimize=True)
    if len(out.getvalue()) >= LARGEST:
        raise StackError(f"{name} has {len(out.getvalue()):,} bytes; {LARGEST:,} are too many.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.png").write_bytes(out.getvalue())
    print(f"docs/pictures/{name}.png  {len(out.getvalue()):,} bytes")
