"""`manage.py diagrams`: whether ARCHITECTURE.md shows the machines as they are; with --write, brought up to date."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace import diagrams


class Command(BaseCommand):
    help = "Write the state diagrams and tables of ARCHITECTURE.md from the code."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true", help="write the page")

    def handle(self, *args: Any, write: bool, **options: Any) -> None:
        page = diagrams.PAGE.read_text("utf-8")
        current = diagrams.current(page)
        if write:
            diagrams.PAGE.write_text(current, "utf-8")
        elif page != current:
            raise CommandError("ARCHITECTURE.md is not current: ./run manage diagrams --write")
        self.stdout.write(f"{', '.join(diagrams.written(page))}: as the code has them")
