"""ARCHITECTURE.md is current, and what README, ARCHITECTURE and the ADRs point at exists."""

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from django.conf import settings

from marketplace import diagrams

ROOT = Path(settings.ROOT)
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#]+)")
NAMED = re.compile(r"`((?:[\w.-]+/)+[\w.-]*)`")


def test_what_the_code_writes_is_current() -> None:
    page = diagrams.PAGE.read_text("utf-8")
    assert diagrams.current(page) == page, "./run manage diagrams --write"


def test_every_machine_and_table_is_on_the_page() -> None:
    assert sorted(diagrams.written(diagrams.PAGE.read_text("utf-8"))) == sorted(diagrams.PARTS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert [to for to in LINK.findall(page.read_text("utf-8")) if not (page.parent / to).exists()] == []


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md"])
def test_files_and_folders_that_are_named_exist(name: str) -> None:
    named = NAMED.findall((ROOT / name).read_text("utf-8"))
    assert [
        path for path in named if not (ROOT / path).exists() and not path.startswith((".data/", "./"))
    ] == []


def test_adrs_are_numbered_without_a_gap() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "adr").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_dependency_has_its_reason() -> None:
    """The ADR names what pyproject.toml lists, and nothing else."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    listed = [*project["project"]["dependencies"], *chain(*project["dependency-groups"].values())]
    rows = (ROOT / "docs" / "adr" / "0007-dependencies.md").read_text("utf-8").split("\n")
    cells = [
        row.split("|")[1].strip() for row in rows if row.startswith("| ") and not row.startswith("| package")
    ]
    named = [name for cell in cells for name in cell.split(", ")]
    assert sorted(named) == sorted(re.split(r"[\[<>=!~ ]", wanted, maxsplit=1)[0] for wanted in listed)
