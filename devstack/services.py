"""PostgreSQL and Valkey of one home: who started them, who else uses them, when they stop.

A home is a folder (TRASTIENDA_HOME, `.data` in the checkout by default) with everything a stack keeps. Its
file `lock` is held by the process that started the services and tells the others how to reach them.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from devstack import ROOT, StackError
from devstack.postgres import Postgres, may_enter
from devstack.processes import handled
from devstack.valkey import Valkey

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TEMPORARY = "trastienda-test-"


class Service(Protocol):
    """What the supervisor starts, watches and stops."""

    @property
    def name(self) -> str: ...
    @property
    def popen(self) -> Any: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


class InUse(StackError):
    """Another process holds this home; `facts` is what it says of itself."""

    def __init__(self, home: Path, facts: dict[str, Any]) -> None:
        self.facts = facts
        at = f" at {facts['address']}" if facts.get("address") else ""
        super().__init__(
            f"{home} is in use: `{facts.get('what', 'another start')}` is already running{at}"
            f" (process {facts.get('pid', '?')}).\n"
            "For a second, empty stack beside it: TRASTIENDA_HOME=/some/folder TRASTIENDA_PORT=8010 ./run"
        )


class Lock:
    """A home's lock: one holder, who publishes facts, and any number of guests of the holder."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        self._file = (home / "lock").open("a+")
        self.guests = (home / "guests").open("a")

    def take(self) -> bool:
        """Become the holder, if there is none. The lock falls with the process, however that ends."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def publish(self, **facts: Any) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._file.write(json.dumps({"pid": os.getpid(), **facts}))
        self._file.flush()

    def facts(self) -> dict[str, Any]:
        """What the holder has published so far."""
        self._file.seek(0)
        try:
            facts: dict[str, Any] = json.loads(self._file.read())
        except ValueError:  # between two writes
            return {}
        return facts

    def join(self) -> dict[str, str] | None:
        """Become a guest: the holder's environment, None when it has none yet or is about to leave."""
        try:
            fcntl.flock(self.guests, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        env: dict[str, str] | None = self.facts().get("env")
        if env is None:
            fcntl.flock(self.guests, fcntl.LOCK_UN)
        return env

    def close_to_guests(self) -> None:
        """Let no more guests in and wait until the last has left."""
        fcntl.flock(self.guests, fcntl.LOCK_EX)

    def release(self) -> None:
        self._file.close()
        self.guests.close()


def default_home() -> Path:
    """TRASTIENDA_HOME, else `.data` in the checkout."""
    return Path(os.environ.get("TRASTIENDA_HOME") or ROOT / ".data").expanduser().absolute()


@contextmanager
def running(home: Path, durable: bool) -> Iterator[dict[str, str]]:
    """PostgreSQL and Valkey for the length of a block; yields the variables that lead to them.

    A server that DATABASE_URL or REDIS_URL already names is used as it is. Raises InUse when another process
    holds the home, StackError when a server does not start.
    """
    with held(home, durable=durable, what="./run") as (env, _):
        yield env


@contextmanager
def held(
    home: Path, *, durable: bool, what: str, address: str | None = None
) -> Iterator[tuple[dict[str, str], list[Service]]]:
    """Like `running`, under a name and with the servers at hand, for the one who watches over them."""
    lock = Lock(home)
    if not lock.take():
        facts = lock.facts()
        lock.release()
        raise InUse(home, facts)
    with _serving(lock, durable=durable, what=what, address=address) as serving:
        yield serving


@contextmanager
def joined(home: Path, *, what: str) -> Iterator[tuple[dict[str, str], bool]]:
    """The services of a home: those of the process that holds it, else started for the length of the block.

    Yields the variables and whether we are a guest. A holder that is a command waits for its guests.
    """
    lock = Lock(home)
    until = time.monotonic() + 120
    while not lock.take():
        env = lock.join()
        if env is not None:
            try:
                yield env, True
            finally:
                lock.release()
            return
        if time.monotonic() > until:
            raise InUse(home, lock.facts())
        time.sleep(0.05)
    with _serving(lock, durable=True, what=what, address=None, wait_for_guests=True) as (env, _):
        yield env, False


@contextmanager
def _serving(
    lock: Lock, *, durable: bool, what: str, address: str | None, wait_for_guests: bool = False
) -> Iterator[tuple[dict[str, str], list[Service]]]:
    home = lock.home
    facts = {"what": what, "address": address}
    lock.publish(**facts)
    servers: list[Service] = []
    try:
        env = _start(home, durable, servers)
        lock.publish(**facts, env=env)
        yield env, servers
    finally:
        with handled(dict.fromkeys(SIGNALS, signal.SIG_IGN)):
            lock.publish(**facts)
            if wait_for_guests:
                lock.close_to_guests()
            for server in reversed(servers):
                server.stop()
            shutil.rmtree(socket_folder(home), ignore_errors=True)
            lock.release()


def _start(home: Path, durable: bool, servers: list[Service]) -> dict[str, str]:
    env = {"TRASTIENDA_HOME": str(home)}
    sockets = socket_folder(home)
    (home / "logs").mkdir(exist_ok=True)
    if "DATABASE_URL" not in os.environ:
        postgres = Postgres(home / "postgres", sockets, home / "logs" / "postgres.log", durable=durable)
        servers.append(postgres)
        postgres.start()
        env["DATABASE_URL"] = postgres.url
    if "REDIS_URL" not in os.environ:
        sockets.mkdir(mode=0o700, exist_ok=True)
        valkey = Valkey(home / "valkey", sockets, home / "logs" / "valkey.log", durable=durable)
        servers.append(valkey)
        valkey.start()
        env["REDIS_URL"] = valkey.url
    return env


def socket_folder(home: Path) -> Path:
    """A short path (a socket's may have 104 bytes) of this home's own, where the servers may enter."""
    name = hashlib.sha256(f"{os.getuid()}:{home.resolve()}".encode()).hexdigest()[:10]
    place = Path(tempfile.gettempdir())
    if len(str(place)) > 60 or (os.geteuid() == 0 and not may_enter(place)):
        place = Path("/tmp")
    return place / f"trastienda-{name}"


@contextmanager
def temporary_home() -> Iterator[Path]:
    """An empty home in memory where there is room for it, else on disk; gone after the block.

    What a killed run left is removed on the way.
    """
    places = [Path("/dev/shm"), Path(tempfile.gettempdir()), Path("/var/tmp")]
    place = next(place for place in places if _fits(place))
    for left in place.glob(TEMPORARY + "*"):
        _remove_if_abandoned(left)
    home = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=place))
    home.chmod(0o755)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _fits(place: Path) -> bool:
    if not place.is_dir() or not os.access(place, os.W_OK) or (os.geteuid() == 0 and not may_enter(place)):
        return False
    free = shutil.disk_usage(place).free
    return free > 2 * 1024**3 or place == Path("/var/tmp")


def _remove_if_abandoned(home: Path) -> None:
    try:
        young = time.time() - home.stat().st_mtime < 60
        if not (home / "lock").exists() and young:  # being made at this moment
            return
        lock = Lock(home)
        abandoned = lock.take()
        lock.release()
    except OSError:  # somebody else's, or just gone
        return
    if abandoned:
        shutil.rmtree(home, ignore_errors=True)
        shutil.rmtree(socket_folder(home), ignore_errors=True)
