"""`manage.py import_orders FILE --channel CODE`: bring orders in from a JSON Lines or CSV file (API-04)."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import override
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from marketplace.models import Channel
from marketplace.refusals import Code
from orders.intake.files import Flawed, Found, Source, Unreadable, json_lines
from orders.intake.importing import BATCH, Refused, Result, bring_in
from orders.intake.rows import csv_rows
from orders.intake.schema import published
from orders.intake.telling import Refusals, opened, tell_counts
from sellers.desk import PLATFORM

HEADS = ("lines", "commercial_id", "code", "reason")
_EVERY = 100


class Command(BaseCommand):
    help = "Bring orders in from a JSON Lines or CSV file; what is refused is told line by line, in English."
    # What the checks look at (addresses, templates) is not its business, and to load it all takes a second.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", help="the file, plain or gzip; - is standard input")
        parser.add_argument("--channel", metavar="CODE", help="the channel that the orders come through")
        parser.add_argument("--format", choices=["jsonl", "csv"], help="default: csv for *.csv and *.csv.gz")
        parser.add_argument("--create-shops", action="store_true", help="create the shops that are not here")
        parser.add_argument("--report", metavar="PATH", help="write what was refused, as CSV")
        parser.add_argument("--dry-run", action="store_true", help="only say what would happen")
        parser.add_argument("--batch", type=int, default=BATCH, metavar="N", help="baskets a transaction")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--schema", action="store_true", help="print the JSON Schema of a line, and end")

    @override("en")
    def handle(self, *args: Any, **options: Any) -> None:
        if options["schema"]:
            self.stdout.write(published(), ending="")
            return
        channel = _channel(options["file"], options["channel"], options["batch"])
        with ExitStack() as stack:
            source, refusals = opened(
                stack, options["file"], options["report"], heads=HEADS, rereadable=_is_csv(options)
            )
            started = time.monotonic()
            broken, result = "", Result()
            try:
                bring_in(
                    channel,
                    _watched(stack, source, _reader(source, options)),
                    result=result,
                    refuse=lambda refused: refusals.hear(*_told(refused)),
                    create_shops=options["create_shops"],
                    dry_run=options["dry_run"],
                    batch=options["batch"],
                    by=PLATFORM,
                    at=timezone.now(),
                )
            except Unreadable as error:
                broken = str(error)
        summary = _summary(source, result, options["dry_run"], time.monotonic() - started)
        if options["json"]:
            self.stdout.write(json.dumps(summary, ensure_ascii=False))
        else:
            self._tell(summary, refusals)
        if broken:
            raise CommandError(broken, returncode=1)

    def _tell(self, summary: dict[str, Any], refusals: Refusals) -> None:
        refusals.tell(self.stdout)
        if summary["dry_run"]:
            self.stdout.write("Only a rehearsal: nothing was kept.")
        rows: list[tuple[str, int | str]] = [
            ("lines read", summary["lines"]),
            ("baskets", summary["baskets"]),
            ("new orders", summary["orders"]),
            ("already there", summary["already_there"]),
            ("shops created", summary["shops"]),
            ("refused", sum(summary["refused"].values())),
        ]
        rows += [(f"  {code}: {Code(code).label}", n) for code, n in sorted(summary["refused"].items())]
        tell_counts(self.stdout, rows)


def _told(refused: Refused) -> tuple[str, Sequence[str | int]]:
    """A basket that did not come in: for the terminal, and for the report."""
    where = f"{'line' if len(refused.lines) == 1 else 'lines'} {_listed(refused.lines)}"
    number = f" · {refused.commercial_id}" if refused.commercial_id else ""
    cells = (" ".join(map(str, refused.lines)), refused.commercial_id, refused.code, refused.reason)
    return f"{where}{number}: {refused.code}: {refused.reason}", cells


def _listed(lines: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, lines[:10]))
    return shown if len(lines) <= 10 else f"{shown}, …"


def _channel(file: str | None, code: str | None, batch: int) -> Channel:
    if not file or not code:
        raise CommandError("FILE and --channel CODE are needed.", returncode=2)
    if batch < 1:
        raise CommandError("--batch is a number from 1.", returncode=2)
    channel = Channel.objects.select_related("policy").filter(code=code).first()
    if channel is None:
        raise CommandError(f"There is no channel “{code}”.", returncode=2)
    if channel.policy is None:
        raise CommandError(f"The channel “{code}” has no policy.", returncode=2)
    return channel


def _is_csv(options: dict[str, Any]) -> bool:
    if options["format"]:
        return bool(options["format"] == "csv")
    return str(options["file"]).lower().endswith((".csv", ".csv.gz"))


def _reader(source: Source, options: dict[str, Any]) -> Iterator[Found | Flawed]:
    return csv_rows(source) if _is_csv(options) else json_lines(source)


def _watched(stack: ExitStack, source: Source, found: Iterator[Found | Flawed]) -> Iterator[Found | Flawed]:
    """The same, with a progress bar where somebody is looking."""
    if not sys.stderr.isatty():
        yield from found
        return
    bar = stack.enter_context(
        Progress(
            TextColumn("{task.completed:>12,.0f} B"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
    )
    task = bar.add_task("", total=source.size)
    for n, item in enumerate(found):
        if n % _EVERY == 0:
            bar.update(task, completed=source.position)
        yield item


def _summary(source: Source, result: Result, dry_run: bool, seconds: float) -> dict[str, Any]:
    return {
        "lines": source.lines_read,
        "baskets": result.baskets,
        "orders": result.orders,
        "already_there": result.already_there,
        "shops": result.shops,
        "refused": dict(sorted(result.refused.items())),
        "dry_run": dry_run,
        "seconds": round(seconds, 2),
    }
