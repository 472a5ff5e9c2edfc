"""The front page of the operators' rooms: what waits for them now, how the clocks stand, the day in figures."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace import waits
from marketplace.admin_clocks import ClockFace, clock_faces, did_words, unwell
from marketplace.moments import moment_words


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of the day: what it counts, how many, and a line beneath; `late` marks a line that presses."""

    title: object
    number: object
    note: object = ""
    address: str = ""
    late: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """A kind of row that waits: how many, what to do about it, and the way there."""

    title: object
    advice: object
    number: str
    address: str


FIGURES: list[tuple[int, Callable[[datetime], Iterable[Figure]]]] = []
"""Figures of the day by rank, each reader answering some; the apps add theirs beside the rooms that show them."""


def _first(ranked: tuple[int, object]) -> int:
    return ranked[0]


def front(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the front page shows, in the order in which an operator needs it."""
    now = timezone.now()
    faces = clock_faces(now)
    numbers = waits.counts()
    kinds = [
        Card(wait.title, wait.advice, waits.words(numbers[name]), wait.address)
        for name, wait in waits.WAITS.items()
    ]
    return {
        **context,
        "cards": [card for card in kinds if card.number],
        "calm": [card for card in kinds if not card.number],
        "faces": [_clock(face, now) for face in faces],
        "unwell": len(unwell(faces)),
        "figures": [figure for _rank, read in sorted(FIGURES, key=_first) for figure in read(now)],
        "clocks_address": reverse("admin:marketplace_timerrun_clocks"),
    }


def _clock(face: ClockFace, now: datetime) -> dict[str, object]:
    """A row of the table of clocks; the run is a link to what it did, its error included."""
    zone = timezone.get_current_timezone()
    run = face.run
    return {
        "name": face.name,
        "tone": face.tone,
        "standing": face.words,
        "ran": moment_words(run.started_at, now, zone) if run else _("sin trabajo todavía"),
        "did": did_words(run) if run and not run.error else "",
        "error": run.error if run else "",
        "address": reverse("admin:marketplace_timerrun_change", args=[run.pk]) if run else "",
        "due": moment_words(face.next_due, now, zone) if face.next_due and face.next_due > now else "",
    }
