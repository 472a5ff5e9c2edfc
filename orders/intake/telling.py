"""What the commands that read a file tell of it: the file opened, what was refused, the table of counts (API-04)."""

import csv
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from django.core.management.base import CommandError, OutputWrapper

from orders.intake.files import Source
from orders.intake.importing import inert

SHOWN = 20


class Refusals:
    """What was refused: the first for the terminal, all of them for the report, where one is asked for."""

    def __init__(self, heads: Sequence[str], report: TextIO | None) -> None:
        self.first: list[str] = []
        self.more = 0
        self._report = csv.writer(report) if report is not None else None
        if self._report is not None:
            self._report.writerow(heads)

    def hear(self, words: str, cells: Sequence[str | int]) -> None:
        """Keep one: its words for the terminal, its cells for the report."""
        if len(self.first) < SHOWN:
            self.first.append(words)
        else:
            self.more += 1
        if self._report is not None:
            self._report.writerow([inert(str(cell)) for cell in cells])

    def tell(self, out: OutputWrapper) -> None:
        """Print the first of them, and how many more there are."""
        for words in self.first:
            out.write(words)
        if self.more:
            out.write(f"… and {self.more} more refused")


def opened(
    stack: ExitStack, file: str, report: str | None, *, heads: Sequence[str], rereadable: bool
) -> tuple[Source, Refusals]:
    """Open the file that was asked for, and the report beside it; the stack closes both.

    Raises CommandError where one of them cannot be opened, or where they are the same file.
    """
    try:
        source = Source(file, rereadable=rereadable)
        stack.callback(source.close)
        if report is None:
            return source, Refusals(heads, None)
        if file != "-" and Path(report).exists() and os.path.samefile(file, report):
            raise CommandError("The report cannot be the file itself.", returncode=2)
        out = open(report, "w", encoding="utf-8", newline="")  # noqa: SIM115
        stack.callback(out.close)
    except OSError as error:
        raise CommandError(f"Cannot open {error.filename}: {error.strerror}.", returncode=2) from error
    return source, Refusals(heads, out)


def tell_counts(out: OutputWrapper, rows: Sequence[tuple[str, int | str]]) -> None:
    """Print what was counted, the figures under each other."""
    wide = max(len(words) for words, _n in rows)
    long = max(9, *(len(f"{n}") for _words, n in rows))
    for words, n in rows:
        out.write(f"{words:<{wide}}  {n:>{long}}")
