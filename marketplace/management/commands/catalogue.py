"""`manage.py catalogue`: what the English catalogue lacks; with --write, brought up to date and compiled."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace import catalogue


class Command(BaseCommand):
    help = "Merge the strings of the source into locale/en and compile it; no gettext tools needed."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("parts", nargs="*", type=Path, help=".po files whose translations come first")
        parser.add_argument("--write", action="store_true", help="write the .po and the .mo")

    def handle(self, *args: Any, parts: list[Path], write: bool, **options: Any) -> None:
        merge = catalogue.merged(parts)
        if write:
            catalogue.write(merge)
        for msgid in merge.missing:
            self.stdout.write(f"not translated: {msgid!r}")
        self.stdout.write(f"{len(merge.entries)} strings, {len(merge.missing)} not translated")
        if merge.missing:
            raise CommandError("the English catalogue is not complete")
