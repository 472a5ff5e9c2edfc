"""Take a mail in from standard input: what a mail server hands over for a reply address (MSG-07)."""

import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import Error
from django.utils import timezone

from marketplace import bell
from messaging.inbound import receiving
from messaging.inbound.receiving import NotNow, Receipt
from messaging.models import NotTaken

_CHUNK = 65_536
_NOBODY = (NotTaken.UNKNOWN, NotTaken.REVOKED, NotTaken.NO_RIGHT)


class Command(BaseCommand):
    help = "Take in an answer to a mail of ours from standard input (for a mail server's pipe)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--to", default="", help="whom the mail server was asked to deliver it to")
        parser.add_argument("--from", dest="sender", help="the sender of the envelope; empty for a report")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ends as mail servers expect (sysexits.h): 0 taken, or left aside on purpose; 65 not a mail that can be
        read; 67 to nobody who may write; 75 later, please. Said in one line on standard error."""
        try:
            receipt = receiving.receive(
                _read(),
                recipients=options["to"],
                sender=options["sender"],
                source="mail",
                at=timezone.now(),
            )
        except (Error, NotNow) as error:
            self.stderr.write(f"try again later: {type(error).__name__}")
            sys.exit(os.EX_TEMPFAIL)
        if receipt.is_done:
            bell.ring("notices")
        self.stderr.write(receipt.words())
        sys.exit(ending(receipt))


def ending(receipt: Receipt) -> int:
    """The exit code that says what became of a mail."""
    if receipt.is_done or NotTaken.AUTOMATIC in receipt.refused:
        return os.EX_OK
    if NotTaken.TOO_OFTEN in receipt.refused:
        return os.EX_TEMPFAIL
    return os.EX_NOUSER if any(reason in receipt.refused for reason in _NOBODY) else os.EX_DATAERR


def _read() -> bytes:
    """Standard input, as far as it is looked at; a mail server that is not read to the end takes it for a failure."""
    raw = sys.stdin.buffer.read(settings.MAIL_MOST_BYTES + 1)
    while sys.stdin.buffer.read(_CHUNK):
        pass
    return raw
