"""`manage.py import_payments FILE --channel CODE`: payments as the bank or the provider lists them (ORD-07)."""

from datetime import datetime
from typing import Any

from marketplace.models import Channel
from payments.intake.reading import PAID
from payments.management.file_command import FileCommand
from payments.matching import Paying
from sellers.desk import PLATFORM


class Command(FileCommand):
    help = "Confirm payments from a CSV file; what is refused is told line by line, in English."
    kind = PAID
    wakes = ("payback", "notices")

    def act(self, channel: Channel, options: dict[str, Any], *, at: datetime) -> Paying:
        return Paying(channel, PLATFORM, at)
