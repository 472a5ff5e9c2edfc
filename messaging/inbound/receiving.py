"""Taking a mail in: from its bytes to a message in the conversation that its reply address names (MSG-07).

One way for every door. A mail is looked at, its writer asked for their rights, its files put through the gate, all
before anything is written; then the mail, the message and the notices are one transaction, under a key that the same
Message-ID can use one time. What is turned away is counted, and nothing else of it is kept.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message as Mail

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from marketplace import bulk, files
from marketplace.policy import Role
from marketplace.refusals import Code, MoveRefused
from messaging import answer_clock, astray, conversing, replying
from messaging.conversing import LONGEST, Words
from messaging.inbound import deciding, reading
from messaging.inbound.deciding import Writer
from messaging.inbound.reading import Envelope, Headers, Letter, Unreadable
from messaging.models import CameBy, Correspondent, Message, NotTaken, ReceivedMail

MOST_AN_HOUR = 30
"""Mails of one person in one conversation: more than anybody writes, and fewer than two machines write each other."""

_MOST_TOKENS = 10


class NotNow(Exception):
    """A mail cannot be kept at the moment, for no fault of its own; it has to be handed over again later."""


@dataclass
class Receipt:
    """What became of a mail: the messages that it became, how often it was known already or went back to whoever wrote
    it, and why it was turned away otherwise."""

    taken: list[Message] = field(default_factory=list)
    known: int = 0
    returned: int = 0
    refused: Counter[NotTaken] = field(default_factory=Counter)

    @property
    def is_done(self) -> bool:
        """Whether somebody got something of it, now or before."""
        return bool(self.taken or self.known or self.returned)

    def words(self) -> str:
        """The same on a line, for a log or the answer to a provider."""
        told = {"taken": len(self.taken), "known": self.known, "returned": self.returned}
        told |= {reason.value: times for reason, times in self.refused.items()}
        return " ".join(f"{what}={n}" for what, n in told.items() if n)


def receive(
    raw: bytes, *, recipients: str = "", sender: str | None = None, source: str, at: datetime
) -> Receipt:
    """Take a mail in from its bytes; `recipients` and `sender` are what the mail server was told, `source` the door.

    Raises nothing because of the mail; NotNow and django.db.Error, and nothing is written then.
    """
    receipt = Receipt()
    try:
        envelope = reading.envelope_of(reading.headers_of(raw), recipients=recipients, sender=sender)
        writers = _writers(envelope, receipt)
        if writers:
            _take(writers, reading.read(reading.opened(raw), envelope), receipt, at=at)
    except Unreadable as unreadable:
        receipt.refused[unreadable.reason] += 1
    return _counted(receipt, source, at=at)


def receive_parsed(
    mail: Mail,
    headers: Headers,
    *,
    recipients: str = "",
    sender: str | None = None,
    source: str,
    at: datetime,
) -> Receipt:
    """The same for a mail that a provider has taken apart already; `headers` are those that it came with."""
    receipt = Receipt()
    try:
        envelope = reading.envelope_of(headers, recipients=recipients, sender=sender)
        writers = _writers(envelope, receipt)
        if writers:
            _take(writers, reading.read(mail, envelope), receipt, at=at)
    except Unreadable as unreadable:
        receipt.refused[unreadable.reason] += 1
    return _counted(receipt, source, at=at)


def _writers(envelope: Envelope, receipt: Receipt) -> list[Writer]:
    """Who writes, by each of the reply addresses that the mail goes to; the others are noted."""
    if envelope.automatic:
        receipt.refused[NotTaken.AUTOMATIC] += 1
        return []
    writers = []
    for token in envelope.tokens[:_MOST_TOKENS]:
        found = replying.correspondent_of(token)
        writer = deciding.writer(found) if found is not None else NotTaken.UNKNOWN
        if isinstance(writer, Writer):
            writers.append(writer)
        else:
            receipt.refused[writer] += 1
    if not envelope.tokens:
        receipt.refused[NotTaken.UNKNOWN] += 1
    return writers


def _take(writers: Sequence[Writer], letter: Letter, receipt: Receipt, *, at: datetime) -> None:
    if not letter.text and not letter.files:
        receipt.refused[NotTaken.EMPTY] += 1
        return
    for writer in writers:
        if _came_before(writer, letter):
            receipt.known += 1
        elif _too_often(writer.correspondent, at=at):
            receipt.refused[NotTaken.TOO_OFTEN] += 1
        else:
            words = _words(writer, letter)
            try:
                _write(writer, letter, words, receipt, at=at)
            except MoveRefused as refused:
                if refused.refusal.code == Code.FILES_NOT_KEPT:
                    raise NotNow from refused
                receipt.refused[NotTaken.NO_RIGHT] += 1


def _came_before(writer: Writer, letter: Letter) -> bool:
    """Whether the mail is known: asked before its files are looked into, and decided when it is written."""
    return ReceivedMail.objects.filter(correspondent=writer.correspondent, key=letter.key).exists()


def _too_often(correspondent: Correspondent, *, at: datetime) -> bool:
    lately = ReceivedMail.objects.filter(correspondent=correspondent, at__gt=at - timedelta(hours=1))
    return lately.count() >= MOST_AN_HOUR


def _words(writer: Writer, letter: Letter) -> Words:
    """What the message says: the text, the files that passed the gate, and the names of those that did not."""
    one = writer.correspondent
    terms = answer_clock.terms_of(one.thread)
    with translation.override(one.shop.language):
        kept: Sequence[files.Checked] = ()
        turned: Sequence[files.Turned] = ()
        if letter.files and terms is not None:
            rules = terms[0]
            kept, turned = files.check(
                letter.files,
                types=rules.attachment_types,
                most_mb=rules.attachment_mb,
                most_files=rules.attachments_most,
            )
        notes = [astray.note_of(one) for one in turned]
        body = _fitting(letter.text, "\n".join(notes))
    return Words(body, CameBy.MAIL, misdirected=writer.is_seller, files=kept)


def _fitting(text: str, notes: str) -> str:
    """A text with the notes under it, no longer than a message may be; what was cut is said."""
    room = LONGEST - len(notes) - 2
    if len(text) > room:
        note = _("(El correo seguía: es demasiado largo para un mensaje.)")
        text = f"{text[: room - len(note) - 2]}\n\n{note}"
    return "\n\n".join(filter(None, (text, notes)))


@transaction.atomic
def _write(writer: Writer, letter: Letter, words: Words, receipt: Receipt, *, at: datetime) -> None:
    """Write the mail down, and what it says; of two that come at once the second waits here for the first.

    Raises MoveRefused, and nothing is written then.
    """
    one = writer.correspondent
    row_id = _written_down(one, letter.key, at=at)
    if row_id is None:
        receipt.known += 1
        return
    if writer.actor.role == Role.OPERATOR:
        astray.return_to(one, words.body, at=at)
        receipt.returned += 1
        return
    message = conversing.write(one.thread_id, words, to=writer.to, take_back=False, by=writer.actor, at=at)
    ReceivedMail.objects.filter(pk=row_id).update(message=message)
    if writer.is_seller:
        astray.tell_how(one, message, at=at)
    receipt.taken.append(message)


def _written_down(correspondent: Correspondent, key: str, *, at: datetime) -> int | None:
    """Take the key of a mail; None where it is taken."""
    rows = bulk.fetch(
        "INSERT INTO messaging_receivedmail (correspondent_id, key, at) VALUES (%s, %s, %s) "
        "ON CONFLICT (correspondent_id, key) DO NOTHING RETURNING id",
        [correspondent.pk, key, at],
    )
    return int(rows[0][0]) if rows else None


def _counted(receipt: Receipt, source: str, *, at: datetime) -> Receipt:
    for reason in receipt.refused:
        refuse(source, reason, at=at)
    return receipt


def refuse(source: str, reason: NotTaken, *, at: datetime) -> None:
    """Count a mail that was turned away; nothing of it is kept."""
    bulk.fetch(
        """
        INSERT INTO messaging_mailrefusal AS refusal (source, reason, day, times, last_at)
        VALUES (%s, %s, %s, 1, %s)
        ON CONFLICT (source, reason, day) DO UPDATE SET times = refusal.times + 1, last_at = EXCLUDED.last_at
        RETURNING times
        """,
        [source, reason.value, at.astimezone(UTC).date(), at],
    )
