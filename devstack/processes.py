"""Child processes: started so that they end with their parent, read line by line, stopped in order."""

from __future__ import annotations

import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Account(NamedTuple):
    """The unprivileged account that a server runs as."""

    uid: int
    gid: int


def spawn(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path | str | None = None,
    account: Account | None = None,
    own_group: bool = True,
    death_signal: signal.Signals = signal.SIGTERM,
    stdin: int | IO[Any] | None = None,
    stdout: int | IO[Any] | None = None,
    stderr: int | IO[Any] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child that receives `death_signal` when this process ends, however it ends (Linux).

    With `own_group` the child does not hear the terminal's Ctrl-C: the supervisor stops it in its turn.
    """
    parent = os.getpid()

    def tie_to_parent() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, int(death_signal))
            if os.getppid() != parent:  # it died before the tie was made
                os._exit(1)

    identity: dict[str, Any] = {}
    if account is not None:
        identity = {"user": account.uid, "group": account.gid, "extra_groups": []}
    return subprocess.Popen(
        command,
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL if own_group and stdin is None else stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=own_group,
        preexec_fn=tie_to_parent,  # noqa: PLW1509 -- no threads here
        **identity,
    )


def stop(popen: subprocess.Popen[bytes], *signals: signal.Signals, patience: float = 8.0) -> None:
    """Send each signal in turn until the process has ended, SIGKILL last, then sweep its process group."""
    for signum in (*signals, signal.SIGKILL):
        if popen.poll() is None:
            popen.send_signal(signum)
        with suppress(subprocess.TimeoutExpired):
            popen.wait(patience)
            break
    if popen.pid != os.getpgrp():
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(popen.pid, signal.SIGKILL)


def exit_code(returncode: int) -> int:
    """The shell's number for an end: a process killed by signal n ends with 128 + n."""
    return returncode if returncode >= 0 else 128 - returncode


def foreground(
    command: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path | str | None = None
) -> int:
    """Run a command on the terminal as if it had been typed: same input, output, Ctrl-C and exit code.

    A signal to end that is sent to the supervisor alone, or its death, reaches the child as Ctrl-C would:
    every command here is Python's, and pytest ends its workers in order only then.
    """
    child: list[subprocess.Popen[bytes]] = []

    def hand_on(signum: int, _frame: object) -> None:
        # Ctrl-C at a terminal reaches the child without us: both are in the terminal's foreground group.
        typed = signum == signal.SIGINT and any(map(os.isatty, (0, 1, 2)))
        if child and not typed:
            child[0].send_signal(signal.SIGINT)

    with handled({signal.SIGINT: hand_on, signal.SIGTERM: hand_on, signal.SIGHUP: hand_on}):
        child.append(spawn(command, env=env, cwd=cwd, own_group=False, death_signal=signal.SIGINT))
        return exit_code(child[0].wait())


@contextmanager
def handled(handlers: Mapping[signal.Signals, Callable[[int, Any], Any] | signal.Handlers]) -> Iterator[None]:
    """Signal handlers for the length of a block."""
    before = {signum: signal.signal(signum, handler) for signum, handler in handlers.items()}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


class Managed:
    """One of the stack's own processes: its lines are printed under its name, its group ends with it."""

    popen: subprocess.Popen[bytes]

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        cwd: Path,
        death_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.command = command
        self.env = env
        self.cwd = cwd
        self.death_signal = death_signal

    def start(self) -> None:
        self.popen = spawn(
            self.command,
            env=self.env,
            cwd=self.cwd,
            death_signal=self.death_signal,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert self.popen.stdout is not None
        os.set_blocking(self.popen.stdout.fileno(), False)

    def ask_to_stop(self) -> None:
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        stop(self.popen, signal.SIGTERM, patience=1)


class Log:
    """The lines of several processes on one screen, each behind its name, in colour on a terminal."""

    COLOURS = (36, 35, 33, 32, 34)

    def __init__(self, screen: IO[str]) -> None:
        self.screen = screen
        self.colours = screen.isatty() and not os.environ.get("NO_COLOR")
        self._pipes = selectors.DefaultSelector()
        self._rest: dict[str, bytes] = {}
        self._order: list[str] = []

    def follow(self, process: Managed) -> None:
        """From now on, `pump` prints what this process writes."""
        assert process.popen.stdout is not None
        self._pipes.register(process.popen.stdout, selectors.EVENT_READ, process.name)

    def pump(self, timeout: float) -> None:
        """Print what has been written; wait at most `timeout` seconds for something to come."""
        if not self._pipes.get_map():
            time.sleep(timeout)
            return
        for key, _ in self._pipes.select(timeout):
            chunk = os.read(key.fd, 65536)
            lines = (self._rest.pop(key.data, b"") + chunk).split(b"\n")
            if chunk:
                self._rest[key.data] = lines.pop()
            else:
                self._close(key.fileobj)
                lines = [line for line in lines if line]
            for line in lines:
                self.say(key.data, line.decode(errors="replace").rstrip("\r"))

    def leave(self, process: Managed) -> None:
        """The process has ended: print its last words, close its pipe."""
        self.pump(0)
        pipe = process.popen.stdout
        if pipe is not None and not pipe.closed:
            self._close(pipe)

    def _close(self, pipe: Any) -> None:
        self._pipes.unregister(pipe)
        pipe.close()

    def say(self, name: str, line: str) -> None:
        """Print one line under a name."""
        if name not in self._order:
            self._order.append(name)
        label = f"{name:<8}│"
        if self.colours:
            label = f"\x1b[{self.COLOURS[self._order.index(name) % len(self.COLOURS)]}m{label}\x1b[0m"
        print(label, line, file=self.screen, flush=True)
