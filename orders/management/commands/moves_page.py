"""`manage.py moves_page`: whether the pages of moves show them as they are; with --write, written anew."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orders import moves_page


class Command(BaseCommand):
    help = "Write docs/movimientos.md and docs/moves.md from the table of moves and the presets."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true", help="write the pages")

    def handle(self, *args: Any, write: bool, **options: Any) -> None:
        for language, path in moves_page.PAGES.items():
            page = moves_page.page(language)
            if write:
                path.write_text(page, "utf-8")
            elif not path.exists() or path.read_text("utf-8") != page:
                raise CommandError(f"docs/{path.name} is not current: ./run manage moves_page --write")
        self.stdout.write(
            f"{', '.join(path.name for path in moves_page.PAGES.values())}: as the code has them"
        )
