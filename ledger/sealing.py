"""The sealed past of the books: each night the day's entries go under a digest that covers the day before too.

What was sealed is read again and compared: the last month every night, an older day once in thirty nights. A digest
that is no longer the same means that somebody changed the past behind the database's own refusals.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from django.db import connection, transaction

from ledger.models import Entry, Proof, Seal
from marketplace.invariants import check_all

SEALED_AFTER = timedelta(hours=27)
"""From a day's first moment until it is sealed: three hours into the next, when what it wrote has been committed."""

OF_PROOFS = "I35"
"""The invariant that tells of the last proof: it is no part of the next one."""

_ALWAYS_DAYS, _NIGHTS = 31, 30
_ROWS = 2000
_SHOWN = 20
"""Findings of a kind that a proof writes down; of the others it says how many there are."""


def next_seal() -> datetime | None:
    """When the next day can be sealed; None while there is nothing in the books."""
    day = _next_day()
    return _starts(day) + SEALED_AFTER if day else None


def _next_day() -> date | None:
    last = Seal.objects.order_by("-day").values_list("day", flat=True).first()
    if last:
        return last + timedelta(days=1)
    first = Entry.objects.order_by("written_at").values_list("written_at", flat=True).first()
    return first.astimezone(UTC).date() if first else None


def _starts(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def seal(*, at: datetime) -> list[Seal]:
    """Seal every day that is over by now, in their order, those without entries too; answers the new seals."""
    made = []
    while (day := _next_day()) and _starts(day) + SEALED_AFTER <= at:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE ledger_seal IN EXCLUSIVE MODE")
            if _next_day() != day:
                continue
            last = Seal.objects.order_by("-day").first()
            previous = last.digest if last else ""
            count, digest = digest_of(day, previous)
            made.append(
                Seal.objects.create(
                    day=day, entries_count=count, previous=previous, digest=digest, sealed_at=at
                )
            )
    return made


def digest_of(day: date, previous: str) -> tuple[int, str]:
    """How many entries a day has, and the digest of them all after that of the day before."""
    digest, count = hashlib.sha256(f"{previous}\n{day.isoformat()}\n".encode()), 0
    for line in _lines(day):
        digest.update(line.encode())
        count += 1
    return count, digest.hexdigest()


def _lines(day: date) -> Iterator[str]:
    """Each entry of a day with its postings, as one line; read in pieces, however many there are."""
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(
            """
            SELECT e.id, e.key, e.kind, e.shop_id, e.channel_id, e.order_id, e.at, e.note, e.written_at,
                   array_agg(ARRAY[p.id::text, p.shop_id::text, p.account, p.kind, p.currency, p.amount_cents::text]
                             ORDER BY p.id)
              FROM ledger_entry e LEFT JOIN ledger_posting p ON p.entry_id = e.id
             WHERE e.written_at >= %s AND e.written_at < %s
             GROUP BY e.id ORDER BY e.id
            """,
            [_starts(day), _starts(day + timedelta(days=1))],
        )
        while rows := cursor.fetchmany(_ROWS):
            for row in rows:
                words = [one.astimezone(UTC).isoformat() if isinstance(one, datetime) else one for one in row]
                yield json.dumps(words, separators=(",", ":")) + "\n"


def prove(*, at: datetime) -> Proof | None:
    """Check all that must always hold, and read sealed days again; None while no day is sealed.

    What is found is written down, and stays: the next proof says what is so then. That something is late is no fault of
    the books, and is not looked at here.
    """
    seals = list(Seal.objects.order_by("day"))
    if not seals:
        return None
    chosen = [one for one in seals if _is_due(one.day, seals[-1].day, at)]
    changed = [*_before(seals[0].day), *_chain(seals)]
    count = 0
    for one in chosen:
        entries, digest = digest_of(one.day, one.previous)
        count += entries
        if (entries, digest) != (one.entries_count, one.digest):
            changed.append(f"{one.day.isoformat()}: {entries} / {one.entries_count}")
    failed = [
        f"{result.invariant.code}: {row}"
        for result in check_all(at=None)
        if result.invariant.code != OF_PROOFS
        for row in result.failures
    ]
    return Proof.objects.create(
        at=at,
        up_to=seals[-1].day,
        days_count=len(chosen),
        entries_count=count,
        broken=[*_first(changed), *_first(failed)],
    )


def _first(found: list[str]) -> list[str]:
    more = len(found) - _SHOWN
    return [*found[:_SHOWN], *([f"+{more}"] if more > 0 else [])]


def _before(first: date) -> list[str]:
    """What says that it was written before the first day that was sealed: nothing can have been."""
    count = Entry.objects.filter(written_at__lt=_starts(first)).count()
    return [f"< {first.isoformat()}: {count}"] if count else []


def _is_due(day: date, last: date, at: datetime) -> bool:
    recent = (last - day).days < _ALWAYS_DAYS
    return recent or day.toordinal() % _NIGHTS == at.toordinal() % _NIGHTS


def _chain(seals: Iterable[Seal]) -> list[str]:
    """Seals that do not follow the one before them."""
    previous, expected, found = "", None, []
    for one in seals:
        if one.previous != previous or (expected is not None and one.day != expected):
            found.append(f"{one.day.isoformat()}: {one.previous[:8]} / {previous[:8]}")
        previous, expected = one.digest, one.day + timedelta(days=1)
    return found


def last_proof() -> Proof | None:
    """The latest proof of the books."""
    return Proof.objects.order_by("-id").first()
