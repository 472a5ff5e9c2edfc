"""docs/payments.md names every column of the files, and no other."""

import re
from pathlib import Path
from typing import Any

import pytest

from marketplace.refusals import Code
from payments.intake.reading import CASH, PAID, Kind

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "payments.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "kind"), [("payments", PAID), ("remittance", CASH)])
def test_every_column_is_on_the_page(name: str, kind: Kind[Any]) -> None:
    table = PAGE.split(f"<!-- columns: {name} -->")[1].split("<!-- /columns -->")[0]
    rows = re.findall(r"^\| `(\w+)` \| (yes|no) \|", table, re.MULTILINE)
    assert rows == [(column, "yes" if column in kind.needed else "no") for column in kind.columns]


def test_every_reason_is_a_code() -> None:
    codes = re.findall(r"^\| `(\w+)` \|", PAGE.split("## What is refused, and why")[1], re.MULTILINE)
    assert len(codes) == 10
    assert set(codes) <= {str(code) for code in Code}
