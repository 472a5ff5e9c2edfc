"""The embedded services: what a stop, a kill, a second start and a taken port do."""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from devstack import ROOT, StackError
from devstack.postgres import Postgres
from devstack.processes import Log, Managed, foreground
from devstack.services import TEMPORARY, Lock, held, joined, running, socket_folder, temporary_home

pytestmark = pytest.mark.xdist_group("devstack")

HOLDER = """
import json, sys
from pathlib import Path
from devstack.services import held
home, address = Path(sys.argv[1]), "http://localhost:8123"
with held(home, durable=len(sys.argv) > 2, what="./run", address=address) as (env, servers):
    print(json.dumps({"env": env, "pids": [server.popen.pid for server in servers]}), flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def own_services(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever servers the test run itself uses are not the ones tried here."""
    for name in ("DATABASE_URL", "REDIS_URL", "TRASTIENDA_HOME", "TRASTIENDA_PORT", "TRASTIENDA_HOST"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def home() -> Iterator[Path]:
    with temporary_home() as home:
        yield home


@contextmanager
def holder(home: Path, *options: str) -> Iterator[tuple["subprocess.Popen[str]", dict[str, Any]]]:
    """Another process that runs the services of this home until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home), *options],
        cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process, json.loads(process.stdout.readline())
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait()


def devstack(home: Path, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "devstack", *arguments],
        cwd=ROOT, text=True, capture_output=True, check=False,
        env={**os.environ, "TRASTIENDA_HOME": str(home), **env},
    )  # fmt: skip


def alive(pid: int) -> bool:
    """Whether the process runs; one that waits to be buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def becomes(condition: Callable[[], bool], seconds: float = 5) -> bool:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.01)
    return condition()


def family(pid: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def write(env: dict[str, str], text: str) -> None:
    with psycopg.connect(env["DATABASE_URL"], autocommit=True) as line:
        line.execute("CREATE TABLE IF NOT EXISTS kept (text text)")
        line.execute("INSERT INTO kept VALUES (%s)", [text])
    with redis.from_url(env["REDIS_URL"]) as queue:
        queue.rpush("kept", text)


def kept(env: dict[str, str]) -> list[str]:
    with psycopg.connect(env["DATABASE_URL"]) as line:
        return [text for (text,) in line.execute("SELECT text FROM kept ORDER BY text")]


def test_services_start_and_stop_and_leave_no_process(home: Path) -> None:
    with holder(home) as (process, told):
        write(told["env"], "a")
        pids = [pid for server in told["pids"] for pid in family(server)]
        assert all(map(alive, told["pids"]))  # a connection just closed may be among the others
    assert process.returncode == 0
    assert [pid for pid in pids if alive(pid)] == []
    assert not socket_folder(home).exists()


def test_killing_the_supervisor_leaves_nothing_and_the_next_start_has_the_data(home: Path) -> None:
    with holder(home, "durable") as (process, told):
        write(told["env"], "before")
        pids = [pid for server in told["pids"] for pid in family(server)]
        process.kill()
        process.wait()
        with running(home, durable=True) as env:  # at once, while the old ones are still dying
            assert kept(env) == ["before"]
    assert becomes(lambda: not any(map(alive, pids)))


def test_data_survive_a_kill_of_the_servers(home: Path) -> None:
    with held(home, durable=True, what="test") as (env, servers):
        write(env, "committed")
        for server in servers:
            server.popen.kill()
            server.popen.wait()
            server.stop()
            server.start()
        assert kept(env) == ["committed"]
        with redis.from_url(env["REDIS_URL"]) as queue:
            assert queue.lrange("kept", 0, -1) == [b"committed"]


def test_a_stale_pid_of_somebody_else_does_not_keep_the_server_from_starting(home: Path) -> None:
    with running(home, durable=False):
        pass
    (home / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\nx\n0\n5432\n\n\n\nready   \n")
    with running(home, durable=False) as env, psycopg.connect(env["DATABASE_URL"]) as line:
        assert line.execute("SELECT 1").fetchone() == (1,)


def test_a_home_in_a_folder_closed_to_others(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    home = tmp_path / "home"
    with running(home, durable=False) as env, psycopg.connect(env["DATABASE_URL"]) as line:
        assert line.execute("SHOW data_directory").fetchone() == (str((home / "postgres").resolve()),)
    shutil.rmtree((home / "postgres").resolve())


def test_the_cluster_speaks_utf8_whatever_the_machine_does(home: Path) -> None:
    with running(home, durable=False) as env, psycopg.connect(env["DATABASE_URL"]) as line:
        found = line.execute(
            "SELECT lower('ÑANDÚ'), 'ñ' ~ '^[[:alpha:]]$', pg_encoding_to_char(6)"
        ).fetchone()
        assert found == ("ñandú", True, "UTF8")


def test_data_of_another_version_are_told_plainly(home: Path) -> None:
    (home / "postgres").mkdir()
    (home / "postgres" / "PG_VERSION").write_text("15\n")
    server = Postgres(home / "postgres", socket_folder(home), home / "log", durable=False)
    with pytest.raises(StackError, match="written by PostgreSQL 15; this is PostgreSQL"):
        server.start()


def test_a_second_start_says_where_the_first_one_is(home: Path) -> None:
    with holder(home) as (process, _):
        second = devstack(home)
    assert second.returncode == 1
    assert second.stdout == ""
    assert second.stderr.splitlines()[0] == (
        f"{home} is in use: `./run` is already running at http://localhost:8123 (process {process.pid})."
    )


def test_a_port_in_use_is_told_plainly(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        start = devstack(home, TRASTIENDA_PORT=str(port))
    assert start.returncode == 1
    assert start.stderr == (
        f"Port {port} on 127.0.0.1 cannot be had (Address already in use). "
        "Another one: TRASTIENDA_PORT=8010 ./run\n"
    )


def test_a_command_is_the_guest_of_a_running_stack(home: Path) -> None:
    with holder(home) as (_, told):
        with joined(home, what="test") as (env, guest):
            assert (env, guest) == (told["env"], True)
        assert all(map(alive, told["pids"]))


def test_a_holder_waits_for_its_guests(home: Path) -> None:
    guest, owner = Lock(home), Lock(home)
    assert owner.take()
    owner.publish(what="test", env={"A": "1"})
    assert guest.join() == {"A": "1"}
    late = Lock(home)
    with pytest.raises(BlockingIOError):
        fcntl.flock(owner.guests, fcntl.LOCK_EX | fcntl.LOCK_NB)
    guest.release()
    owner.close_to_guests()
    assert late.join() is None
    late.release()
    owner.release()


def test_manage_passes_output_and_exit_code_through(home: Path) -> None:
    with holder(home):  # saves a start for each
        version, unknown = devstack(home, "manage", "version"), devstack(home, "manage", "no_such_command")
    assert (version.returncode, version.stdout.count("\n")) == (0, 1)
    assert (unknown.returncode, unknown.stdout) == (1, "")


def test_an_unknown_command_shows_the_usage(home: Path) -> None:
    unknown = devstack(home, "bogus")
    assert (unknown.returncode, unknown.stderr.splitlines()[0]) == (2, "There is no ./run bogus.")


def test_the_exit_code_of_a_killed_command_is_the_shells() -> None:
    kill = [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"]
    assert foreground(kill, env=os.environ) == 128 + signal.SIGKILL


def test_stopping_a_process_sweeps_its_children(tmp_path: Path) -> None:
    told = tmp_path / "child"
    stubborn = "sh -c 'trap : TERM; while :; do sleep 1; done'"
    command = ["sh", "-c", f"{stubborn} & echo $! >{told}; exec sleep 60"]
    process = Managed("sh", command, env=os.environ, cwd=tmp_path)
    process.start()
    assert becomes(lambda: told.exists() and told.read_text().strip().isdigit())
    process.stop()
    assert process.popen.stdout is not None
    process.popen.stdout.close()
    assert becomes(lambda: not alive(int(told.read_text())))


def test_log_lines_stand_behind_the_name_of_their_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process = Managed("web", ["printf", "one\\ntwo"], env=os.environ, cwd=tmp_path)
    process.start()
    log = Log(sys.stdout)
    log.follow(process)
    process.popen.wait()
    log.pump(1)
    log.leave(process)
    assert process.popen.stdout is not None
    assert process.popen.stdout.closed
    assert capsys.readouterr().out == "web     │ one\nweb     │ two\n"


def test_what_a_killed_test_run_left_is_removed() -> None:
    with temporary_home() as first:
        left = first.with_name(TEMPORARY + "left")
        left.mkdir()
        (left / "lock").touch()
        used = Lock(first)
        assert used.take()
        with temporary_home():
            assert (first.exists(), left.exists()) == (True, False)
        used.release()
