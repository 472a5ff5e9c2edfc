"""docker-compose.yml and Dockerfile: sound, without a secret of their own, and with nothing but the product."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from django.conf import settings

from devstack.system import PDF_PACKAGES
from marketplace import environment
from tests.production import papers

ROOT = Path(settings.ROOT)


def composed(folder: Path, answers: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """`config -q` by Compose itself, which needs no engine for it."""
    program = shutil.which("docker-compose")
    assert program, "there is no docker-compose on this machine: ./run test says how to install it"
    written = folder / "env"
    written.write_text("".join(f"{name}={value}\n" for name, value in answers.items()))
    return subprocess.run(
        [program, "--file", str(papers.COMPOSE), "--env-file", str(written), "--profile", "mailcatcher",
         "--profile", "clamav", "config", "-q"],
        cwd=folder, env={"PATH": os.environ["PATH"], "HOME": str(folder)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_compose_itself_accepts_the_file(tmp_path: Path) -> None:
    done = composed(tmp_path, papers.ANSWERS)
    assert done.returncode == 0, done.stderr


def test_compose_itself_refuses_to_start_without_a_secret(tmp_path: Path) -> None:
    done = composed(tmp_path, {**papers.ANSWERS, "TRASTIENDA_SECRET_KEY": ""})
    assert done.returncode != 0
    assert "at least 50 random characters" in done.stderr


@pytest.mark.parametrize("name", papers.ANSWERS)
def test_each_thing_that_must_be_said_is_asked_for_by_name(name: str) -> None:
    with pytest.raises(papers.Refused, match=f"^{name}: "):
        papers.environment_of("web", {**papers.ANSWERS, name: ""})


def test_no_secret_has_a_default() -> None:
    text = papers.COMPOSE.read_text("utf-8")
    holes = {hole[1]: hole[2] for hole in papers.HOLE.finditer(text) if hole[1]}
    assert {name for name, kind in holes.items() if kind == "?"} == set(papers.ANSWERS)
    assert [name for name, kind in holes.items() if kind is None] == []
    bare = re.sub(r"\$\{[^}]*\}|#.*", "", text)
    assert re.findall(r"(?im)^\s*\w*(?:password|secret|key)\w*:[ \t]*\w.*$", bare) == []


def test_every_part_of_a_site_is_there_and_watched() -> None:
    services = papers.compose()["services"]
    assert set(services) == {
        "migrate",
        "web",
        "worker",
        "beat",
        "postgres",
        "valkey",
        "mailcatcher",
        "clamav",
    }
    assert [name for name, one in services.items() if "healthcheck" not in one] == ["migrate"]
    assert {name: one["profiles"] for name, one in services.items() if "profiles" in one} == {
        "mailcatcher": ["mailcatcher"],
        "clamav": ["clamav"],
    }
    published = [port for one in services.values() for port in one.get("ports", [])]
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_the_parts_that_are_ours_share_one_environment_and_may_little() -> None:
    services = papers.compose()["services"]
    ours = [services[name] for name in ("migrate", "web", "worker", "beat")]
    assert all(one["environment"] == ours[0]["environment"] for one in ours)
    assert all(one["read_only"] and one["cap_drop"] == ["ALL"] for one in ours)
    assert set(ours[0]["environment"]) <= set(environment.purposes())
    assert "TRASTIENDA_DEVELOPMENT" not in papers.COMPOSE.read_text("utf-8")


def test_the_image_is_not_root_and_has_the_product_alone() -> None:
    text = papers.DOCKERFILE.read_text("utf-8")
    last = text.rpartition("\nFROM ")[2]
    user = re.findall(r"^USER (\S+)$", last, re.MULTILINE)
    assert user
    assert user[-1] not in ("root", "0")
    assert "uv sync --frozen --no-default-groups" in text
    assert " uv" not in last
    assert all(package in last for package in PDF_PACKAGES)
    assert re.search(r"requires-python = \">=3\.12\"", (ROOT / "pyproject.toml").read_text("utf-8"))
    assert (ROOT / ".python-version").read_text().strip() in re.findall(
        r"^FROM python:([\d.]+)", text, re.MULTILINE
    )


def test_what_the_product_runs_on_goes_into_the_image_and_no_more() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = {*project["tool"]["importlinter"]["root_packages"], "templates", "static", "locale", "manage.py",
              "pyproject.toml", "uv.lock", ".python-version", "LICENSE"}  # fmt: skip
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert lines[1] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == wanted
    assert [name for name in wanted if not (ROOT / name).exists()] == []
