"""The commands of ./run."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from devstack import ROOT, StackError, schema, system
from devstack.processes import foreground
from devstack.services import default_home, held, joined, running, temporary_home

USAGE = """\
./run                      start everything and keep it running; Ctrl-C stops it
./run test [ARGS]          the tests, on services of their own; ARGS go to pytest
./run soak [ARGS]          the long tests: races and kills by the thousand
./run manage COMMAND …     any management command, on the services of this home
./run bench NAME [ARGS]    a benchmark of benchmarks/, on a home of its own
./run lint                 every check of the code
./run pictures             the pictures of the README, taken anew of a fresh demonstration

TRASTIENDA_HOME (.data)    where a stack keeps its data; another folder is another, empty stack
TRASTIENDA_PORT (8000)     TRASTIENDA_HOST (127.0.0.1)     TRASTIENDA_DEMO=0 for no demo data
TRASTIENDA_DEBUG=1         Django's error pages, with the trace, instead of ours
DATABASE_URL, REDIS_URL    to use servers of your own instead of the embedded ones"""

# Commands that do not need an up-to-date schema, or whose business it is.
UNMIGRATED = {
    "check", "compilemessages", "create_max_migration_files", "help", "makemessages", "makemigrations",
    "migrate", "rebase_migration", "showmigrations", "sqlmigrate", "squashmigrations", "version",
    "--help", "--version",
}  # fmt: skip

MANAGE = (sys.executable, "manage.py")
LINT: tuple[tuple[str, ...], ...] = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy", "."),
    ("lint-imports",),
    (*MANAGE, "makemigrations", "--check", "--dry-run"),
    (*MANAGE, "check", "--fail-level", "WARNING"),
    (*MANAGE, "check_templates"),
    (*MANAGE, "catalogue"),
    (*MANAGE, "rules_page"),
)


def stack(arguments: list[str]) -> int:
    from devstack.stack import run

    return run(default_home(), environment({}))


def test(arguments: list[str]) -> int:
    system.ensure_for_tests()
    chosen = any(word.startswith(("-n", "--numprocesses", "-p", "--pdb")) for word in arguments)
    spread = [] if chosen else ["-n", "auto", "--dist", "loadgroup", "--no-loadscope-reorder"]
    with temporary_home() as home, running(home, durable=False) as env:
        return foreground(
            [sys.executable, "-m", "pytest", *spread, *arguments], env=environment(env), cwd=ROOT
        )


def soak(arguments: list[str]) -> int:
    os.environ["TRASTIENDA_SOAK"] = "1"
    return test(["-m", "soak", "tests", *arguments])


def manage(arguments: list[str]) -> int:
    name = arguments[0] if arguments else "help"
    home = default_home()
    with joined(home, what=f"./run manage {name}") as (env, guest):
        if not guest and name not in UNMIGRATED:
            schema.migrate(home, environment(env), quiet=True)
        try:
            return foreground(
                [sys.executable, ROOT / "manage.py", *arguments],
                env=environment(env),
                cwd=os.environ.get("TRASTIENDA_FROM"),
            )
        finally:
            if name == "migrate":
                schema.forget(home)


def bench(arguments: list[str]) -> int:
    names = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py") if path.stem != "__init__")
    if not arguments or arguments[0] not in names:
        print(f"Which benchmark? {', '.join(names)}", file=sys.stderr)
        return 2
    home = default_home() / "bench"
    with held(home, durable=True, what=f"./run bench {arguments[0]}") as (env, _):
        schema.migrate(home, environment(env), quiet=True)
        command = [sys.executable, "-m", f"benchmarks.{arguments[0]}", *arguments[1:]]
        return foreground(command, env=environment(env), cwd=ROOT)


def lint(arguments: list[str]) -> int:
    failed = []
    with temporary_home() as home, running(home, durable=False) as env:
        for step in LINT:
            shown = shlex.join("python" if word == sys.executable else word for word in step)
            print(f"$ {shown}", flush=True)
            if foreground(step, env=environment(env), cwd=ROOT):
                failed.append(shown)
    print(f"\n{len(LINT) - len(failed)} of {len(LINT)} checks passed")
    for shown in failed:
        print(f"failed: {shown}")
    return 1 if failed else 0


def pictures(arguments: list[str]) -> int:
    from devstack.pictures import take

    system.ensure_for_tests()
    with temporary_home() as home, running(home, durable=False) as env:
        schema.migrate(home, environment(env), quiet=True)
        take(home, environment(env))
    return 0


def usage(arguments: list[str]) -> int:
    print(USAGE)
    return 0


COMMANDS: Mapping[str, Callable[[list[str]], int]] = {
    "": stack, "test": test, "soak": soak, "manage": manage, "bench": bench, "lint": lint, "pictures": pictures,
    "help": usage, "--help": usage, "-h": usage,
}  # fmt: skip


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """What a child gets: ours, the services' variables, the programs of the virtual environment first.

    libpq's own variables would bend the way to an embedded server.
    """
    ours = dict(os.environ)
    ours.pop("PYTHONDONTWRITEBYTECODE", None)
    if "DATABASE_URL" in env:
        ours = {name: value for name, value in ours.items() if not name.startswith("PG")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{ours.get('PATH', os.defpath)}"
    development = {"TRASTIENDA_DEVELOPMENT": "1", "DJANGO_SETTINGS_MODULE": "marketplace.settings"}
    return {**development, **ours, **env, "PATH": path}


def main(arguments: list[str]) -> int:
    name = arguments[0] if arguments else ""
    if name not in COMMANDS:
        print(f"There is no ./run {name}.\n\n{USAGE}", file=sys.stderr)
        return 2
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, lambda number, _: sys.exit(128 + number))
    try:
        return COMMANDS[name](arguments[1:])
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
