"""A site of the test's own for a browser: a web server and a worker on a database that is really committed to."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone
from playwright.sync_api import Browser, sync_playwright

from devstack.stack import page_answers
from marketplace.services import open_channel
from orders import services
from orders.models import Order
from sellers.models import Membership, Shop, User
from tests.conftest import JAR, NO_DETAILS, PASSWORD, PLATE, basket

HOST = "127.0.0.1"
SWITCHES = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage"
)
_CORNER = 7 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8


@dataclass(frozen=True, slots=True)
class Site:
    """Where the site answers, whose orders are there, and how to run a command on it."""

    address: str
    owner: str
    orders: list[str]
    environment: dict[str, str]
    blocker: Any

    def manage(self, *command: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            env=self.environment,
            cwd=settings.ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def here(self, *command: str) -> str:
        """A command of the site that needs its database and none of its files: no process is started for it."""
        said = StringIO()
        try:
            self.inside(lambda: call_command(*command, stdout=said))
        except CommandError as refused:
            refused.add_note(said.getvalue())
            raise
        return said.getvalue()

    def inside(self, act: Callable[[], object]) -> None:
        """Do something with the database of the site, on another thread: the browser's loop runs on this one."""

        def run() -> None:
            try:
                act()
            finally:
                connections.close_all()

        with self.blocker.unblock(), ThreadPoolExecutor(1) as other:
            other.submit(run).result()


def arranged() -> tuple[str, list[str]]:
    """An owner with a shop and three new orders of two lines each."""
    now = timezone.now()
    channel = open_channel(
        "tienda", "Tienda de pruebas", changes=NO_DETAILS, by="pruebas", at=now - timedelta(days=30)
    )
    shop = Shop.objects.create(code="alba", name="Cerámicas Alba", contact_email="pedidos@alba.example")
    owner = User.objects.create_user("alice@alba.example", PASSWORD, name="Alicia Alba")
    Membership.objects.create(user=owner, shop=shop, role=Membership.Role.OWNER)
    services.place(channel, [basket(shop, JAR, PLATE, at=now - timedelta(hours=n)) for n in (3, 2, 1)])
    return owner.email, list(Order.objects.order_by("id").values_list("reference", flat=True))


def _environment(database: str, home: Path, port: int) -> dict[str, str]:
    return {
        **os.environ,
        **services_of(database),
        "TRASTIENDA_HOME": str(home),
        "TRASTIENDA_PORT": str(port),
        "PYTHONWARNINGS": "ignore",
    }


def services_of(database: str) -> dict[str, str]:
    """The way to a database of our servers, and to an empty corner of our broker."""
    broker = _of_our_own(os.environ["REDIS_URL"])
    with redis.from_url(broker) as line:
        line.flushdb()
    return {
        "DATABASE_URL": re.sub(r"(://[^/]*)/[^?]*", rf"\1/{database}", os.environ["DATABASE_URL"]),
        "REDIS_URL": broker,
    }


def _of_our_own(url: str) -> str:
    """The same broker, in a corner where no other test leaves its tasks."""
    if url.startswith("unix:"):
        return re.sub(r"\bdb=\d+", f"db={_CORNER}", url)
    return re.sub(r"(://[^/]*)(/\d*)?", rf"\1/{_CORNER}", url)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(environment: dict[str, str], log: Path, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            env=environment,
            cwd=settings.ROOT,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        # Nothing of theirs is looked at any more: they and their children are not asked to end in order.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for_page(serving: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Until the web process answers; fails with its log when it ends first."""
    until = time.monotonic() + 60
    while not page_answers(HOST, port):
        assert serving.poll() is None, log.read_text()
        assert time.monotonic() < until, "the page does not come up"


@contextmanager
def serving(
    database: str, home: Path, arrange: Callable[[], tuple[str, list[str]]], blocker: Any
) -> Iterator[Site]:
    """A site on this database, with what `arrange` puts there: an owner's address and the references of orders."""
    with blocker.unblock():
        owner, orders = arrange()
        connections.close_all()
    port = free_port()
    environment = _environment(database, home, port)
    web = ("granian", "--interface", "wsgi", "--host", HOST, "--port", str(port), "--no-ws",
           "--blocking-threads", "2", "marketplace.wsgi:application")  # fmt: skip
    worker = ("celery", "--quiet", "-A", "marketplace", "worker", "--pool", "solo",
              "--without-gossip", "--without-mingle", "--without-heartbeat")  # fmt: skip
    with (
        running(environment, home / "web.log", *web) as process,
        running(environment, home / "worker.log", *worker),
    ):
        wait_for_page(process, port, home / "web.log")
        yield Site(f"http://{HOST}:{port}", owner, orders, environment, blocker)


@pytest.fixture
def site(own_database: str, tmp_path: Path, django_db_blocker: Any) -> Iterator[Site]:
    with serving(own_database, tmp_path, arranged, django_db_blocker) as there:
        yield there


@pytest.fixture
def browser() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert found, "there is no Chromium on this machine: ./run test says how to install it"
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=found, args=SWITCHES.split())
        yield chromium
        chromium.close()
