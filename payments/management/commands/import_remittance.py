"""`manage.py import_remittance FILE --channel … --carrier … --reference …`: what a courier hands over (PAY-06)."""

from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.dateparse import parse_datetime

from marketplace.models import Channel
from marketplace.money import NotMoney, parse
from payments.couriers import Couriers
from payments.intake.reading import CASH, LONGEST
from payments.management.file_command import FileCommand
from payments.remitting import Remitting
from sellers.desk import PLATFORM


class Command(FileCommand):
    help = "Record the cash that a courier hands over, from a CSV file; what is refused is told line by line."
    kind = CASH

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--carrier", metavar="NAME", required=True, help="the carrier's code, or its name"
        )
        parser.add_argument("--reference", metavar="NUMBER", required=True, help="what the courier calls it")
        parser.add_argument("--received", metavar="WHEN", help="when it came, with its offset; default: now")
        parser.add_argument("--amount", metavar="AMOUNT", help="what the courier says it is, all together")

    def act(self, channel: Channel, options: dict[str, Any], *, at: datetime) -> Remitting:
        reference, carrier = options["reference"].strip(), options["carrier"].strip()
        if not all(word and word.isprintable() and len(word) <= LONGEST for word in (reference, carrier)):
            raise CommandError("--carrier and --reference are words of at most 80 letters.", returncode=2)
        return Remitting(
            channel,
            Couriers().called(carrier),
            reference,
            _received(options["received"], at),
            PLATFORM,
            at,
            stated_cents=_stated(options["amount"], channel.currency),
        )


def _received(told: str | None, at: datetime) -> datetime:
    try:
        received_at = parse_datetime(told) if told else at
    except ValueError:
        received_at = None
    if received_at is None or received_at.tzinfo is None or received_at > at:
        raise CommandError("--received is a moment with its offset, and not in the future.", returncode=2)
    return received_at


def _stated(told: str | None, currency: str) -> int | None:
    if told is None:
        return None
    try:
        cents = parse(told, currency)
    except NotMoney as error:
        raise CommandError(f"--amount: {error}", returncode=2) from error
    if not cents:
        raise CommandError("--amount is more than 0.", returncode=2)
    return cents
