"""`manage.py settings_page`: whether docs/settings.md lists the variables as they are; with --write, written anew."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace import settings_page


class Command(BaseCommand):
    help = "Write docs/settings.md from marketplace/environment.py."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true", help="write the page")

    def handle(self, *args: Any, write: bool, **options: Any) -> None:
        page = settings_page.page()
        if write:
            settings_page.PAGE.write_text(page, "utf-8")
        elif not settings_page.PAGE.exists() or settings_page.PAGE.read_text("utf-8") != page:
            raise CommandError("docs/settings.md is not current: ./run manage settings_page --write")
        self.stdout.write("docs/settings.md: as the code has it")
