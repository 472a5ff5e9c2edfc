"""One database is migrated for a run, and each worker's own is a copy of it.

Migrations take half a minute of a processor: one process is at it while the workers still look for their tests. On its
way it leaves a copy as the first release had it, for the test that brings one up.
"""

import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

NAME = "migrated"
FIRST_RELEASE = "first_release"
_MAKING = "migrating"
_LOCK = 20260303
_HERE = Path(__file__).parent.parent
_IN_THE_FIRST = [
    ("account", "0009_emailaddress_unique_primary_email"),
    ("admin", "0003_logentry_add_action_flag_choices"),
    ("auth", "0012_alter_user_first_name_max_length"),
    ("contenttypes", "0002_remove_content_type_name"),
    ("ledger", "0003_other_presets"),
    ("marketplace", "0003_reasons_and_carriers"),
    ("messaging", "0002_waits_by_index"),
    ("orders", "0005_other_presets"),
    ("payments", "0005_told_by_providers"),
    ("sellers", "0001_spine"),
    ("sessions", "0001_initial"),
    ("settlements", "0003_resting_balances"),
]


@contextmanager
def maintenance() -> Iterator[psycopg.Cursor[Any]]:
    """A line to the server that is in none of the databases that are made, copied and dropped."""
    with (
        psycopg.connect(os.environ["DATABASE_URL"], dbname="postgres", autocommit=True) as server,
        server.cursor() as cursor,
    ):
        yield cursor


@contextmanager
def copied(source: str, name: str) -> Iterator[str]:
    """A copy of a database that nobody is connected to, dropped after the block."""
    with maintenance() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
    try:
        yield name
    finally:
        with maintenance() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def begin() -> Callable[[], None]:
    """Forget the one of another run, and start to make this run's; answers what ends it, should nobody want it."""
    with maintenance() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
    making = subprocess.Popen([sys.executable, "-m", __name__], cwd=_HERE)

    def end() -> None:
        making.terminate()
        making.wait()

    return end


def wait() -> None:
    """Until it is there: whoever is at it is waited for, and what somebody left half-way is made anew."""
    subprocess.run([sys.executable, "-m", __name__], cwd=_HERE, check=True)


def _make() -> None:
    with maintenance() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        if cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone():
            return
        cursor.execute(f"DROP DATABASE IF EXISTS {_MAKING} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {_MAKING} TEMPLATE template0")
        _migrate()
        cursor.execute(f"ALTER DATABASE {_MAKING} RENAME TO {NAME}")


def _migrate() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
    import django
    from django.core.management import call_command
    from django.db import connection, connections
    from django.db.migrations.executor import MigrationExecutor

    django.setup()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    connections["default"].settings_dict["NAME"] = _MAKING
    MigrationExecutor(connection).migrate(_IN_THE_FIRST)
    connections.close_all()
    with maintenance() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {FIRST_RELEASE} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {FIRST_RELEASE} TEMPLATE {_MAKING}")
    call_command("migrate", verbosity=0)
    connections.close_all()


if __name__ == "__main__":
    _make()
