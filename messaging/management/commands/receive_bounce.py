"""Read a delivery status report from standard input: what a mail server hands over when a mail of ours comes back."""

import sys
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from messaging import bounces
from messaging.models import NotHeard

MOST_BYTES = 10_000_000


class Command(BaseCommand):
    help = "Note a mail that came back, from the report on standard input (for a mail server's pipe)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Always ends well: a mail server would send a failure back to itself. What is no report is counted."""
        at = timezone.now()
        try:
            told = bounces.read_report(sys.stdin.buffer.read(MOST_BYTES))
        except (bounces.NoReport, ValueError, LookupError, RecursionError):
            bounces.refuse("mail", NotHeard.MALFORMED, at=at)
            self.stderr.write("not a delivery status report: counted, and nothing else written")
            return
        for bounce in told:
            self.stdout.write(f"{bounce.message_id} {bounces.hear(bounce, source='mail', at=at).value}")
