"""The schema is brought up to date before anything uses the database, and not looked at for nothing."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from devstack import ROOT, StackError
from devstack.processes import spawn

STAMP = "migrated"


def migrate(home: Path, env: Mapping[str, str], *, quiet: bool) -> None:
    """`manage.py migrate`, unless this cluster has already had these very migrations.

    A second of every start is saved. A database of somebody else's (DATABASE_URL) is always asked.
    Raises StackError when a migration fails.
    """
    stamp = home / STAMP
    state = _state(home)
    if state is not None and stamp.exists() and stamp.read_text() == state:
        return
    command: list[str | Path] = [
        sys.executable,
        ROOT / "manage.py",
        "migrate",
        "--noinput",
        "-v",
        "0" if quiet else "1",
    ]
    child = spawn(command, env=env, cwd=ROOT, stdout=sys.stderr, stderr=subprocess.STDOUT)
    if child.wait():
        raise StackError("The migrations failed; nothing has been started.")
    if state is not None:
        stamp.write_text(state)


def forget(home: Path) -> None:
    """After a command that may have changed the schema: look again at the next start."""
    (home / STAMP).unlink(missing_ok=True)


def _state(home: Path) -> str | None:
    """A digest of the cluster's birth, of every migration of ours, and of the locked dependencies."""
    cluster = home / "postgres" / "PG_VERSION"
    if "DATABASE_URL" in os.environ or not cluster.exists():
        return None
    digest = hashlib.sha256(str(cluster.stat().st_mtime_ns).encode())
    for path in (*sorted(ROOT.glob("*/migrations/*.py")), ROOT / "uv.lock"):
        digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()
