"""A provider to practise with: it behaves by the card given and keeps its own books.

| card | what it does |
|---|---|
| `slow` | answers «pending»; done 30 s later |
| `late` | answers «pending»; done two hours later |
| `refused` | refuses |
| `lost` | charges, and the answer is lost on the way |
| `down` | does not answer the first two times and does nothing |
| anything else | charges at once |

A card's name may stand behind a dash, as in `card-slow`; a refund of a `norefund` card is refused.
"""

import uuid
from datetime import datetime, timedelta

from django.db import transaction

from payments.models import SandboxBook
from payments.providers import Answer, NoAnswer, Payment, Status

_DELAYS = {"slow": timedelta(seconds=30), "late": timedelta(hours=2)}


class Sandbox:
    """The sandbox provider (`payments.providers.Provider`)."""

    def prepare(
        self, key: uuid.UUID, *, reference: str, card: str, amount_cents: int, currency: str, at: datetime
    ) -> Answer:
        return Answer(Status.UNKNOWN)

    def charge(
        self,
        key: uuid.UUID,
        *,
        reference: str = "",
        card: str,
        amount_cents: int,
        currency: str,
        at: datetime,
    ) -> Answer:
        return self._ask(key, "charge", card=card, of="", amount_cents=amount_cents, currency=currency, at=at)

    def pay_back(
        self, key: uuid.UUID, *, reference: str, amount_cents: int, currency: str, at: datetime
    ) -> Answer:
        # What was paid beforehand may have been taken by somebody else: a bank, or the storefront itself.
        charged = SandboxBook.objects.filter(key=reference).first() if _is_key(reference) else None
        return self._ask(
            key,
            "payback",
            card=charged.card if charged else "",
            of=reference,
            amount_cents=amount_cents,
            currency=currency,
            at=at,
        )

    def look_up(self, key: uuid.UUID, *, reference: str, at: datetime) -> Answer:
        return self._kept(key, at=at)

    def look_up_payback(self, key: uuid.UUID, *, reference: str, at: datetime) -> Answer:
        return self._kept(key, at=at)

    def let_go(self, card: str, *, at: datetime) -> Answer:
        return Answer(Status.SUCCEEDED, card)

    def payment(self, reference: str, *, at: datetime) -> Payment:
        """A payment is a charge in the books, by its key; whoever plays the storefront makes it with `charge`.

        As a means of payment it is called `pay_` and the key.
        """
        reference = reference.removeprefix("pay_")
        with transaction.atomic():
            books = SandboxBook.objects.select_for_update().filter(kind="charge")
            book = books.filter(key=reference).first() if _is_key(reference) else None
            if book is None or book.status == Status.UNKNOWN:
                return Payment(Status.UNKNOWN)
            answer = self._answer(book, at)
            paid = book.amount_cents if answer.status == Status.SUCCEEDED else 0
            return Payment(answer.status, paid, book.currency, answer.message)

    def _kept(self, key: uuid.UUID, *, at: datetime) -> Answer:
        with transaction.atomic():
            book = SandboxBook.objects.select_for_update().filter(key=key).first()
            if book is None or book.status == Status.UNKNOWN:
                return Answer(Status.UNKNOWN)
            return self._answer(book, at)

    def _ask(
        self, key: uuid.UUID, kind: str, *, card: str, of: str, amount_cents: int, currency: str, at: datetime
    ) -> Answer:
        habit = card.rsplit("-", 1)[-1]
        (book,) = SandboxBook.objects.raw(
            """
            INSERT INTO payments_sandboxbook AS book
                (key, kind, card, "of", amount_cents, currency, status, asked_at, settles_at, times_asked)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 1)
            ON CONFLICT (key) DO UPDATE SET times_asked = book.times_asked + 1, status =
                CASE WHEN book.status = 'unknown' AND book.times_asked >= 2 THEN 'succeeded' ELSE book.status END
            RETURNING *
            """,
            [
                key,
                kind,
                card,
                of,
                amount_cents,
                currency,
                str(self._first_status(habit, kind)),
                at,
                at + _DELAYS[habit] if habit in _DELAYS else None,
            ],
        )
        answer = self._answer(book, at)
        if book.status == Status.UNKNOWN or (habit == "lost" and book.times_asked == 1):
            raise NoAnswer(f"no answer for {key}")
        return answer

    @staticmethod
    def _first_status(habit: str, kind: str) -> Status:
        if habit == "norefund":
            return Status.REFUSED if kind == "payback" else Status.SUCCEEDED
        if habit == "refused":
            return Status.REFUSED
        if habit == "down":
            return Status.UNKNOWN
        return Status.PENDING if habit in _DELAYS else Status.SUCCEEDED

    @staticmethod
    def _answer(book: SandboxBook, at: datetime) -> Answer:
        if book.status == Status.PENDING and book.settles_at and at >= book.settles_at:
            book.status = Status.SUCCEEDED
            book.save(update_fields=["status"])
        message = "card declined" if book.status == Status.REFUSED else ""
        return Answer(Status(book.status), str(book.key), message)


def _is_key(reference: str) -> bool:
    try:
        uuid.UUID(reference)
    except ValueError:
        return False
    return True
