"""Blobs and rows are compared here: a blob without its row is swept up, a row without its blob is told (I12).

A blob is written before its row, so one whose transaction failed, or whose process was killed, is nobody's. It is found
by its day, once that is past: no transaction is under way for so long.
"""

import random
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

from marketplace import storage
from messaging.attachments import keys_of
from messaging.models import Attachment

SWEPT_AFTER_DAYS = 2
SWEPT_BACK_DAYS = 8
"""Each of the days from two to eight ago is looked at; what lies further back the command finds."""

PAGE = 500
NEWEST, OTHERS, READ = 20, 20, 2
"""Of how many rows the watch looks for the blob, and how many blobs it reads through."""


def days_to_sweep(at: datetime) -> list[date]:
    """The days whose blobs are compared with their rows at a moment, oldest first."""
    today = at.date()
    return [today - timedelta(days=back) for back in range(SWEPT_BACK_DAYS, SWEPT_AFTER_DAYS - 1, -1)]


def orphans(day: date) -> list[str]:
    """The blobs of a day that no row knows. Raises storage.Unreachable."""
    there = storage.keys_of(day)
    if not there:
        return []
    folder = there[0].rpartition("/")[0]
    rows = Attachment.objects.filter(key__gte=f"{folder}/", key__lt=f"{folder}0").only("key", "preview_width")
    known = {key for row in rows for key in keys_of(row)}
    return [key for key in there if key not in known]


def sweep(day: date) -> int:
    """Delete the blobs of a day that no row knows; answers how many. Raises storage.Unreachable."""
    return storage.drop(orphans(day))


def sample() -> list[Attachment]:
    """The newest files and some of the others, for a look that is quick however many there are."""
    newest = list(Attachment.objects.order_by("-id")[:NEWEST])
    if len(newest) < NEWEST:
        return newest
    last = newest[-1].id
    drawn = sorted({random.randint(1, last) for _ in range(OTHERS)})
    others = (Attachment.objects.filter(id__gte=number).order_by("id").first() for number in drawn)
    return newest + [one for one in others if one is not None and one.id < last]


def everything() -> Iterator[Attachment]:
    """Every file, a page at a time: whoever stops half-way leaves no cursor open."""
    last = 0
    while page := list(Attachment.objects.filter(id__gt=last).order_by("id")[:PAGE]):
        yield from page
        last = page[-1].id


def lacking(files: Iterable[Attachment], *, read: int | None = None) -> Iterator[str]:
    """The files whose blob is not there, or is another, in words; `read` is how many are read through, all if None."""
    for n, file in enumerate(files):
        try:
            if storage.size_of(file.key) != file.size:
                yield f"attachment {file.id}: its blob has another size"
            elif (read is None or n < read) and storage.hash_of(file.key) != file.sha256:
                yield f"attachment {file.id}: its blob has another hash"
            if file.has_preview:
                storage.size_of(file.preview_key)
        except storage.Missing:
            yield f"attachment {file.id}: it has no blob"
        except storage.Unreachable:
            yield "the storage of files does not answer"
            return
