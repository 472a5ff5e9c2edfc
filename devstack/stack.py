"""`./run`: the whole stack on one screen, until Ctrl-C."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from devstack import ROOT, StackError, schema, system
from devstack.processes import Log, Managed, exit_code, handled, spawn, stop
from devstack.services import SIGNALS, Service, held

STARTED = time.time()


class Stopped(BaseException):
    """The signal to stop, raised where the supervisor waits."""


def run(home: Path, environment: Mapping[str, str]) -> int:
    """Start everything, print the box, watch; 0 after Ctrl-C. Raises StackError when a start fails."""
    host, port = os.environ.get("TRASTIENDA_HOST") or "127.0.0.1", port_asked_for()
    address = f"http://{'localhost' if host in ('127.0.0.1', '0.0.0.0', '::') else host}:{port}"
    with (
        handled(dict.fromkeys(SIGNALS, _stop)),
        suppress(Stopped),
        held(home, durable=True, what="./run", address=address) as (env, servers),
    ):
        check_port(host, port)
        Supervisor(home, {**environment, **env}, servers, host=host, port=port, address=address).run()
    return 0


def port_asked_for() -> int:
    """TRASTIENDA_PORT, 8000 by default. Raises StackError when it is not a port."""
    text = os.environ.get("TRASTIENDA_PORT") or "8000"
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise StackError(f"TRASTIENDA_PORT is {text!r}; it must be a number from 1 to 65535.")
    return int(text)


def check_port(host: str, port: int) -> None:
    """Raises StackError when the port cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise StackError(
                f"Port {port} on {host} cannot be had ({error.strerror}). "
                "Another one: TRASTIENDA_PORT=8010 ./run"
            ) from None


class Supervisor:
    """Web, worker and beat on running services, and the log of them all."""

    def __init__(
        self,
        home: Path,
        env: Mapping[str, str],
        servers: list[Service],
        *,
        host: str,
        port: int,
        address: str,
    ) -> None:
        self.home = home
        self.env = {**env, "PYTHONUNBUFFERED": "1", "TRASTIENDA_PORT": str(port)}
        self.servers = servers
        self.host = host
        self.port = port
        self.address = address
        self.log = Log(sys.stdout)
        self.processes: list[Managed] = []
        self.deaths: dict[str, list[float]] = {}

    def run(self) -> None:
        try:
            schema.migrate(self.home, self.env, quiet=False)
            web, *others = self._processes()
            self._start(web)
            self._wait_for_page()
            for process in others:
                self._start(process)
            self._install_missing()
            self._seed()
            self._print_box()
            while True:
                self._watch()
        finally:
            with handled(dict.fromkeys(SIGNALS, signal.SIG_IGN)):
                self._stop_all()

    def _processes(self) -> list[Managed]:
        python, threads = sys.executable, min(8, 2 * (os.cpu_count() or 1) + 1)
        celery = (python, "-W", "ignore:You're running the worker with superuser privileges",
                  "-m", "celery", "--quiet", "-A", "marketplace")  # fmt: skip
        web = (python, "-m", "granian", "--interface", "wsgi", "--host", self.host, "--port", str(self.port),
               "--no-ws", "--blocking-threads", str(threads), "--backpressure", "64",
               "--log-level", "warning",
               "marketplace.wsgi:application")  # fmt: skip
        worker = (*celery, "worker", "--loglevel", "WARNING", "--concurrency", "2",
                  "--without-gossip", "--without-mingle")  # fmt: skip
        beat = (*celery, "beat", "--loglevel", "WARNING", "--schedule", str(self.home / "beat"))
        return [
            Managed("web", web, env=self.env, cwd=ROOT),
            # Anything milder has it wait for its tasks and for a broker that is gone by then.
            Managed("worker", worker, env=self.env, cwd=ROOT, death_signal=signal.SIGKILL),
            Managed("beat", beat, env=self.env, cwd=ROOT),
        ]

    def _start(self, process: Managed) -> None:
        process.start()
        self.processes.append(process)
        self.log.follow(process)

    def _wait_for_page(self) -> None:
        while not page_answers(self.host, self.port):
            self._watch(0.03)
        self.log.say("run", f"page up at {self.address}/ after {seconds_since_start():.1f} s")

    def _watch(self, timeout: float = 0.3) -> None:
        """Print what comes, and start again what has ended by itself."""
        self.log.pump(timeout)
        for member in (*self.servers, *self.processes):
            code = member.popen.poll()
            if code is not None:
                self._revive(member, code)

    def _revive(self, member: Service, code: int) -> None:
        now = time.monotonic()
        recent = [at for at in self.deaths.get(member.name, []) if now - at < 30]
        if len(recent) == 3:
            raise StackError(f"{member.name} ends again and again (last code {exit_code(code)}); giving up.")
        self.deaths[member.name] = [*recent, now]
        self.log.say("run", f"{member.name} ended with code {exit_code(code)}; starting it again")
        member.stop()
        if isinstance(member, Managed):
            self.log.leave(member)
            member.start()
            self.log.follow(member)
        else:
            member.start()

    def _aside(self, name: str, *command: str | Path) -> int:
        """Run a child on this screen while the others go on; its exit code."""
        child = spawn(command, env=self.env, cwd=ROOT)
        try:
            while (code := child.poll()) is None:
                self._watch(0.1)
        finally:
            stop(child, signal.SIGTERM)
        if code:
            self.log.say("run", f"{name} failed with code {exit_code(code)}")
        return code

    def _seed(self) -> None:
        if os.environ.get("TRASTIENDA_DEMO") != "0":
            self._aside("demo", sys.executable, ROOT / "manage.py", "demo")

    def _install_missing(self) -> None:
        if system.missing_for_pdf() and system.may_install():
            self._aside("apt", sys.executable, "-m", "devstack.system")

    def _print_box(self) -> None:
        from rich import box
        from rich.console import Console
        from rich.panel import Panel
        from rich.table import Table

        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        for row in self._box_rows():
            table.add_row(*row)
        Console().print(Panel(table, title="Trastienda", box=box.ROUNDED, expand=False, padding=(1, 2)))

    def _box_rows(self) -> list[tuple[str, ...]]:
        rows = [("The page", f"{self.address}/", "")]
        rows += [("Sign in: " + who["role"], who["email"], who["password"]) for who in self._sign_ins()]
        rows += [("Mailbox", f"{self.address}/buzon/", ""), ("Admin", f"{self.address}/admin/", "")]
        packages = system.missing_for_pdf()
        if packages:
            rows.append(("For PDFs, type", system.by_hand(packages), ""))
        return [*rows, ("To stop", "Ctrl-C", "")]

    def _sign_ins(self) -> list[dict[str, Any]]:
        try:
            sign_ins: list[dict[str, Any]] = json.loads((self.home / "sign-ins.json").read_text())
        except FileNotFoundError:
            return []
        return sign_ins

    def _stop_all(self) -> None:
        self.log.say("run", "stopping")
        for process in self.processes:
            process.ask_to_stop()
        until = time.monotonic() + 8
        while any(process.popen.poll() is None for process in self.processes) and time.monotonic() < until:
            self.log.pump(0.05)
        for process in self.processes:
            process.stop()
            self.log.leave(process)
        self.log.say("run", "stopped")


def page_answers(host: str, port: int) -> bool:
    """Whether the web process answers a request, whatever it answers."""
    target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    line = http.client.HTTPConnection(target, port, timeout=0.5)
    with suppress(OSError, http.client.HTTPException), closing(line):
        line.request("GET", "/health/live")
        line.getresponse().read()
        return True
    return False


def seconds_since_start() -> float:
    """Seconds since the command was typed: `run` hands its process on, so its start is ours."""
    try:
        ticks = float(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        up = float(Path("/proc/uptime").read_text().split()[0])
        return up - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return time.time() - STARTED


def _stop(_signum: int, _frame: object) -> None:
    for signum in SIGNALS:
        signal.signal(signum, signal.SIG_IGN)
    raise Stopped
