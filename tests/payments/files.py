"""Files that tell of money, and the commands run on them as an operator runs them."""

import io
import json
from pathlib import Path
from typing import Any

from django.core.management import call_command


def money_file(path: Path, *rows: str, header: str = "reference,amount") -> Path:
    """A CSV file of these rows; one given with its own line end is taken as it is."""
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def brought(command: str, path: Path, **wishes: Any) -> dict[str, Any]:
    """What a command says of a file, as numbers; and under `told`, the rows of its report."""
    out, report = io.StringIO(), path.with_suffix(".report.csv")
    call_command(
        command, str(path), json=True, report=str(report), stdout=out, **{"channel": "tienda", **wishes}
    )
    told = report.read_text(encoding="utf-8").splitlines()[1:]
    summary: dict[str, Any] = json.loads(out.getvalue())
    return {**summary, "told": told}


def counts(done: dict[str, Any]) -> tuple[int, int, int, int]:
    """Done, already there, sent back, refused."""
    return done["done"], done["here"], done["returned"], done["refused"]
