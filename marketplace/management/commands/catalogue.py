"""`manage.py catalogue`: what the catalogues lack or have too much; with --write, both are brought up to date."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace import catalogue


class Command(BaseCommand):
    help = "Merge the strings of the source into locale/en and compile locale/; no gettext tools needed."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("parts", nargs="*", type=Path, help=".po files whose English comes first")
        parser.add_argument(
            "--spanish",
            nargs="+",
            type=Path,
            default=[],
            help=".po files with Spanish for words of libraries",
        )
        parser.add_argument("--write", action="store_true", help="write the catalogues")

    def handle(self, *args: Any, parts: list[Path], spanish: list[Path], write: bool, **options: Any) -> None:
        english = catalogue.english(parts)
        kept = {catalogue.ENGLISH: english, catalogue.SPANISH: catalogue.spanish(spanish)}
        if write:
            for language, entries in kept.items():
                catalogue.write(language, entries)
        lacking = catalogue.lacking(english)
        for msgid in lacking:
            self.stdout.write(f"not translated: {msgid!r}")
        if lacking:
            raise CommandError(f"{len(lacking)} of {len(english)} strings are not translated")
        for language, entries in kept.items():
            if catalogue.po(language).read_text("utf-8") != catalogue.text(entries):
                raise CommandError(f"locale/{language} is not current: ./run manage catalogue --write")
        self.stdout.write(f"{len(english)} strings, all of them translated")
