"""`manage.py demo`: fills an empty database with ten weeks of an invented marketplace."""

import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from playback.demo import making
from playback.demo.people import FILE, move_in, write_sign_ins
from sellers.models import Shop


class Command(BaseCommand):
    help = "Fill an empty database with a demonstration; does nothing where there are shops already."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--scale", type=float, default=1.0, help="multiplies the number of past orders; 1"
        )

    def handle(self, *args: Any, scale: float, **options: Any) -> None:
        if not settings.DEVELOPMENT:
            raise CommandError(
                "the demonstration has passwords that everybody knows: it is for development sites only"
            )
        if not 0 < scale <= 10:
            raise CommandError("--scale takes a number above 0, up to 10")
        started = time.monotonic()
        with transaction.atomic():
            making.alone()
            made = 0 if Shop.objects.exists() else self._make(scale)
        if made:
            self._analyse()
            self.stdout.write(f"demo  {made:,} baskets in {time.monotonic() - started:.0f} s")
        if made or not (settings.HOME / FILE).exists():
            write_sign_ins(settings.HOME)

    def _make(self, scale: float) -> int:
        at = timezone.now()
        with _shown(self.stdout.write) as progress:
            return making.fill(move_in(at=at), scale=scale, at=at, progress=progress)

    @staticmethod
    def _analyse() -> None:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


@contextmanager
def _shown(say: Callable[[str], object]) -> Iterator[making.Progress]:
    """A bar on a terminal; elsewhere a plain line about every second."""
    if not sys.stdout.isatty():
        last = time.monotonic()

        def line(done: int, of: int) -> None:
            nonlocal last
            if time.monotonic() - last >= 1:
                last = time.monotonic()
                say(f"demo  {done:,}/{of:,} baskets")

        yield line
        return
    columns = (
        TextColumn("demo"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("baskets"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
