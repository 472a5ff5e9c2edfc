"""`manage.py check_invariants`: does everything that must always hold, hold?"""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from marketplace.invariants import check_all


class Command(BaseCommand):
    help = "Check everything that must always hold; exits 1 when something does not."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--at", default=None, help="the moment to judge deadlines by (ISO, with offset); now"
        )

    def handle(self, *args: Any, at: str | None, **options: Any) -> None:
        moment: datetime | None = parse_datetime(at) if at else timezone.now()
        if moment is None or moment.tzinfo is None:
            raise CommandError("--at takes a moment such as 2026-12-01T00:00:00+01:00")
        broken = 0
        for result in check_all(at=moment):
            mark = "ok" if not result.failures else "BROKEN"
            self.stdout.write(f"{result.invariant.code:>4}  {mark:<7} {result.invariant.sentence}")
            for failure in result.failures:
                self.stdout.write(f"      {failure}")
            broken += bool(result.failures)
        if broken:
            raise CommandError(f"{broken} invariants do not hold")
