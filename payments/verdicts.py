"""What becomes of each line that tells of money: done, known already, sent back or refused, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.refusals import Code


class Fate(models.TextChoices):
    """The four things that can become of a line."""

    DONE = "done", _("Se registra")
    HERE = "here", _("Ya estaba")
    RETURNED = "returned", _("Llegó tarde: se devuelve")
    REFUSED = "refused", _("Rechazado")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a line; `word` is what it names, `orders` the ids of those that it moves or would move."""

    line: int
    word: str
    fate: Fate
    cents: int | None = None
    code: Code | None = None
    detail: str = ""
    orders: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """Why a line was refused, in the active language; nothing for another."""
        return f"{self.code.label} {self.detail}".strip() if self.code else self.detail


class Line(Protocol):
    """A line that tells of money: its number in the file and what it names."""

    @property
    def line(self) -> int: ...

    @property
    def word(self) -> str: ...

    @property
    def cents(self) -> int | None: ...


class Act[Told: Line](Protocol):
    """What is done with lines: all of a call in one transaction, each answered in turn.

    `bound` are the orders that earlier calls have done, with the number of their line; `at` is when it takes place.
    """

    bound: dict[int, int]
    at: datetime

    def carry_out(self, lines: Sequence[Told]) -> list[Verdict]: ...


@dataclass(slots=True)
class Bound:
    """The orders that one act has done so far."""

    bound: dict[int, int] = field(default_factory=dict)


def refused(told: Line, code: Code, detail: str = "") -> Verdict:
    """A line that changes nothing, and why."""
    return Verdict(told.line, told.word, Fate.REFUSED, told.cents, code, detail)
