"""`manage.py check_files`: does every file of a message have its blob, and every blob its file?"""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from marketplace import storage
from messaging import sweeping
from messaging.models import Attachment


class Command(BaseCommand):
    help = (
        "Compare every file of a message with its blob, and every blob with its file; exits 1 when one lacks."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--sweep", action="store_true", help="delete the blobs of past days that no row knows"
        )

    def handle(self, *args: Any, sweep: bool, **options: Any) -> None:
        lacking = 0
        for words in sweeping.lacking(sweeping.everything()):
            self.stdout.write(words)
            lacking += 1
        nobodys = 0
        settled = timezone.now().date() - timedelta(days=sweeping.SWEPT_AFTER_DAYS)
        try:
            for day in storage.days():
                if day <= settled:
                    nobodys += sweeping.sweep(day) if sweep else len(sweeping.orphans(day))
        except storage.Unreachable as error:
            raise CommandError("the storage of files does not answer") from error
        done = "deleted" if sweep else "to be deleted with --sweep"
        self.stdout.write(f"{Attachment.objects.count()} files; {nobodys} blobs of nobody's {done}")
        if lacking:
            raise CommandError(f"{lacking} files lack their blob")
