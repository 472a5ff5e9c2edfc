"""`manage.py rules_page`: whether docs/rules.md tells the truth; with --write, written anew."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace import rules_page


class Command(BaseCommand):
    help = "Write docs/rules.md from docs/rules.toml and the `rule` marks of the tests."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true", help="write the page")

    def handle(self, *args: Any, write: bool, **options: Any) -> None:
        rules, proofs = rules_page.rules(), rules_page.proofs()
        page = rules_page.page(rules, proofs)
        if write:
            rules_page.PAGE.write_text(page, "utf-8")
        faults = rules_page.faults(rules, proofs)
        if page != rules_page.PAGE.read_text("utf-8"):
            faults.append("docs/rules.md is not current: ./run manage rules_page --write")
        for fault in faults:
            self.stdout.write(fault)
        if faults:
            raise CommandError(f"{len(faults)} things to put right")
        self.stdout.write(f"{len(rules)} rules, {len(proofs)} proofs")
