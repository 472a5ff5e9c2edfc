"""`manage.py tick [NAME …]`: run the timers once, for cron; the same code as the worker's task."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from marketplace import timers
from marketplace.celery import BY_NAME, TIMERS, Timer
from marketplace.refusals import Tally

_FIRST_YEAR, _LAST_YEAR = 1970, 2200
_WIDE = max(len(timer.name) for timer in TIMERS)


class Command(BaseCommand):
    help = "Run all timers once, in their order, or the named ones; as beat and the worker would."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(BY_NAME)}; all of them")
        parser.add_argument("--at", default="", help="the moment to run them for (ISO, with offset); now")
        parser.add_argument(
            "--list", action="store_true", help="say what each does, how often, and when next"
        )

    def handle(self, *args: Any, names: list[str], at: str, **options: Any) -> None:
        chosen = self._chosen(names)
        if options["list"]:
            self._list(chosen)
            return
        moment = self._moment(at)
        try:
            with timers.clock():
                failed = self._run(chosen, moment)
        except timers.ClockTaken as taken:
            raise CommandError("a replay holds the clock of this database: nothing was run") from taken
        if failed:
            raise CommandError(f"failed: {', '.join(failed)}")

    @staticmethod
    def _chosen(names: Sequence[str]) -> list[Timer]:
        unknown = [name for name in names if name not in BY_NAME]
        if unknown:
            raise CommandError(
                f"no such timer: {', '.join(unknown)}. There are: {', '.join(BY_NAME)}", returncode=2
            )
        return [timer for timer in TIMERS if not names or timer.name in names]

    @staticmethod
    def _moment(text: str) -> datetime:
        try:
            moment = parse_datetime(text) if text else timezone.now()
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None or not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            raise CommandError(
                "--at takes a moment with its offset, such as 2026-12-01T00:00:00+01:00", returncode=2
            )
        return moment

    def _list(self, chosen: Sequence[Timer]) -> None:
        for timer in chosen:
            due_at = timer.next_due()
            when = f"{timezone.localtime(due_at):%Y-%m-%d %H:%M:%S %z}" if due_at else "nothing waits"
            self.stdout.write(
                f"{timer.name:<{_WIDE}}  every {timer.every_s:>3} s  next {when:<26}  {timer.what}"
            )

    def _run(self, chosen: Sequence[Timer], at: datetime) -> list[str]:
        """Run each and print what it did; one that fails does not stop the others. Answers those that failed."""
        failed = []
        for timer in chosen:
            tally = Tally()
            try:
                with _watched(timer, tally):
                    timers.run(timer, at=at, tally=tally)
            except Exception as error:
                failed.append(timer.name)
                self.stderr.write(f"{timer.name:<{_WIDE}}  {type(error).__name__}: {error}")
            self.stdout.write(f"{timer.name:<{_WIDE}}  {_told(tally)}")
        return failed


def _told(tally: Tally) -> str:
    refused = ", ".join(f"{code} {n:,}" for code, n in sorted(tally.refused.items()))
    told = f"{tally.done:,} done, {sum(tally.refused.values()):,} refused"
    return f"{told}{f' ({refused})' if refused else ''}, {tally.parked:,} parked"


class _Counted(ProgressColumn):
    """How far the timer has come, read off its tally as it counts."""

    def __init__(self, tally: Tally) -> None:
        super().__init__()
        self._tally = tally

    def render(self, task: Task) -> Text:
        return Text(_told(self._tally))


@contextmanager
def _watched(timer: Timer, tally: Tally) -> Iterator[None]:
    """A bar for as long as a timer runs, on a terminal only; how much is due is not known beforehand."""
    if not sys.stderr.isatty():
        yield
        return
    columns = (TextColumn(timer.name), BarColumn(), _Counted(tally), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        bar.add_task("", total=None)
        yield
