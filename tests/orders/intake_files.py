"""Files of invented baskets, and the import run on them as an operator runs it."""

import csv
import gzip
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management import call_command

PLACED_AT = "2026-03-02T09:30:00Z"

HEADER = (
    "commercial_id,placed_at,currency,payment_amount,customer_first_name,customer_last_name,customer_email,"
    "street,postal_code,city,country,basket_shipping_price,line_external_id,shop,shop_name,supplier,sku,title,"
    "quantity,unit_price,shipping_price"
)


def line_in(n: int = 1, **wishes: Any) -> dict[str, Any]:
    article = {
        "shop": "alba",
        "sku": f"JAR-{n}",
        "title": "Jarrón azul",
        "category": "cerámica",
        "quantity": 2,
        "unit_price": "33.00",
        "shipping_price": "4.00",
    }
    return {**article, **wishes}


def basket_in(
    number: str = "P-1", *, lines: list[dict[str, Any]] | None = None, **wishes: Any
) -> dict[str, Any]:
    return {
        "commercial_id": number,
        "placed_at": PLACED_AT,
        "currency": "EUR",
        "customer": {"first_name": "Ana", "last_name": "Soler", "email": "ana@cliente.example"},
        "shipping_address": {"street": "Calle Mayor 14", "city": "Zaragoza", "country": "ES"},
        "lines": lines or [line_in()],
        **wishes,
    }


def json_file(path: Path, *baskets: Any) -> Path:
    """A JSON Lines file; a basket given as bytes is written as it is."""
    raw = [one if isinstance(one, bytes) else json.dumps(one, ensure_ascii=False).encode() for one in baskets]
    data = b"\n".join(raw) + b"\n"
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def row_in(number: str = "P-1", sku: str = "JAR-1", **wishes: str) -> dict[str, str]:
    return {
        "commercial_id": number,
        "placed_at": PLACED_AT,
        "currency": "EUR",
        "customer_first_name": "Ana",
        "customer_last_name": "Soler",
        "customer_email": "ana@cliente.example",
        "street": "Calle Mayor 14",
        "city": "Zaragoza",
        "country": "ES",
        "shop": "alba",
        "sku": sku,
        "title": "Jarrón azul",
        "quantity": "2",
        "unit_price": "33.00",
        "shipping_price": "4.00",
        **wishes,
    }


def csv_text(*rows: dict[str, str] | str, delimiter: str = ",") -> str:
    """A CSV with its header; a row given as text is written as it is."""
    out = io.StringIO()
    columns = HEADER.split(",")
    writer = csv.DictWriter(out, columns, delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        if isinstance(row, str):
            out.write(row + "\n")
        else:
            writer.writerow(row)
    return out.getvalue()


def csv_file(path: Path, *rows: dict[str, str] | str, delimiter: str = ",") -> Path:
    path.write_text(csv_text(*rows, delimiter=delimiter), encoding="utf-8")
    return path


@dataclass(frozen=True, slots=True)
class Import:
    """What an import printed and reported."""

    summary: dict[str, Any]
    report: list[tuple[str, str, str, str]]

    @property
    def counts(self) -> tuple[int, int, int]:
        """Orders made, baskets already there, baskets refused."""
        return (
            self.summary["orders"],
            self.summary["already_there"],
            sum(self.summary["refused"].values()),
        )


def bring(path: Path, *options: str, channel: str = "tienda") -> Import:
    """Run the command with `--json` and a report."""
    out, report = io.StringIO(), path.with_name(f"{path.name}.report")
    call_command(
        "import_orders",
        str(path),
        "--channel",
        channel,
        "--json",
        "--report",
        str(report),
        *options,
        stdout=out,
    )
    with report.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["lines", "commercial_id", "code", "reason"]
    return Import(json.loads(out.getvalue()), [(row[0], row[1], row[2], row[3]) for row in rows[1:]])
