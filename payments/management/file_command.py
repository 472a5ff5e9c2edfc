"""What the commands that bring money in from a file have in common: the file, the report, the summary."""

import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import override

from marketplace import bell
from marketplace.models import Channel
from marketplace.money import plain
from marketplace.refusals import Code
from orders.intake.files import Unreadable
from orders.intake.telling import Refusals, opened, tell_counts
from payments.intake.reading import Kind, rows
from payments.intake.running import BATCH, Result, carry_out
from payments.verdicts import Act, Fate, Verdict

HEADS = ("line", "reference", "code", "reason")

_COUNTED = {
    Fate.DONE: "done",
    Fate.HERE: "already there",
    Fate.RETURNED: "late, goes back",
    Fate.REFUSED: "refused",
}


class FileCommand(BaseCommand):
    """Carry out a CSV file line by line; what is refused is told in English."""

    # What the checks look at (addresses, templates) is not its business, and to load it all takes a second.
    requires_system_checks: list[str] = []
    kind: ClassVar[Kind[Any]]
    wakes: ClassVar[tuple[str, ...]] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the CSV file, plain or gzip; - is standard input")
        parser.add_argument("--channel", metavar="CODE", required=True, help="the channel that it is about")
        parser.add_argument("--report", metavar="PATH", help="write what was refused, as CSV")
        parser.add_argument("--rehearse", action="store_true", help="only say what would happen")
        parser.add_argument("--batch", type=int, default=BATCH, metavar="N", help="lines a transaction")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def act(self, channel: Channel, options: dict[str, Any], *, at: datetime) -> Act[Any]:
        """What is done with the lines. Raises CommandError for options that will not do."""
        raise NotImplementedError

    @override("en")
    def handle(self, *args: Any, **options: Any) -> None:
        at, started = timezone.now(), time.monotonic()
        channel = _channel(options)
        act = self.act(channel, options, at=at)
        result, broken = Result(), ""
        with ExitStack() as stack:
            source, refusals = opened(stack, options["file"], options["report"], heads=HEADS, rereadable=True)
            try:
                carry_out(
                    act,
                    rows(self.kind, source, channel, at=at),
                    result=result,
                    tell=lambda one: refusals.hear(*_told(one)) if one.fate == Fate.REFUSED else None,
                    rehearse=options["rehearse"],
                    batch=options["batch"],
                    clock=timezone.now,
                )
            except Unreadable as error:
                broken = str(error)
        if result.moved and not options["rehearse"]:
            bell.ring(*self.wakes)
        summary = _summary(result, channel, options["rehearse"], time.monotonic() - started)
        if options["json"]:
            self.stdout.write(json.dumps(summary))
        else:
            self._tell(summary, refusals)
        if broken:
            raise CommandError(broken, returncode=1)

    def _tell(self, summary: dict[str, Any], refusals: Refusals) -> None:
        refusals.tell(self.stdout)
        if summary["rehearsed"]:
            self.stdout.write("Only a rehearsal: nothing was kept.")
        told = [("lines read", summary["lines"])]
        told += [(words, summary[fate.value]) for fate, words in _COUNTED.items()]
        told += [(f"  {code}: {Code(code).label}", n) for code, n in summary["codes"].items()]
        told.append((f"{summary['currency']} moved", summary["amount"]))
        tell_counts(self.stdout, told)


def _told(one: Verdict) -> tuple[str, Sequence[str | int]]:
    """A line that was refused: for the terminal, and for the report."""
    cells = (one.line, one.word, one.code or "", one.text)
    return f"line {one.line} · {one.word or '–'}: {one.code}: {one.text}", cells


def _channel(options: dict[str, Any]) -> Channel:
    if options["batch"] < 1:
        raise CommandError("--batch is a number from 1.", returncode=2)
    channel = Channel.objects.filter(code=options["channel"]).first()
    if channel is None:
        raise CommandError(f"There is no channel “{options['channel']}”.", returncode=2)
    return channel


def _summary(result: Result, channel: Channel, rehearsed: bool, seconds: float) -> dict[str, Any]:
    return {
        "lines": result.lines,
        **{fate.value: result.fates[fate.value] for fate in Fate},
        "codes": dict(sorted(result.codes.items())),
        "amount": plain(result.cents, channel.currency),
        "currency": channel.currency,
        "rehearsed": rehearsed,
        "seconds": round(seconds, 2),
    }
