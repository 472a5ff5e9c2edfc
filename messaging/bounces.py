"""Mails that did not arrive: noted on their notice and in the history of the order, with the reason (NOT-01).

News of a bounce comes three ways: the mail server refuses a mail while it is being sent, a mail provider calls a
webhook, or the mail itself comes back. A dead address is written to again all the same when there is something new
to say: mailboxes that were full are emptied, and each bounce is shown.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from email.utils import parseaddr
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy

from marketplace import bulk
from messaging.models import Audience, NotHeard, Notice
from orders import services as orders
from orders.states import Verb
from sellers.desk import PLATFORM

_OURS = re.compile(r"notice-([1-9][0-9]{0,17})@[^\s<>@]+")
_LONGEST_ID = 120

NO_ANSWER = "returned"
WORDS = {
    NO_ANSWER: gettext_lazy("el servidor del destinatario lo devolvió"),
    "bounced": gettext_lazy("esa dirección no recibe correo"),
    "invalid": gettext_lazy("la dirección no existe"),
    "blocked": gettext_lazy("el servidor del destinatario lo bloqueó"),
    "timed_out": gettext_lazy("el servidor del destinatario no contestó"),
    "other": gettext_lazy("el servidor del destinatario lo devolvió"),
}
"""What there is to say where the server that sent a mail back gave a code instead of words."""


def reason_words(answer: str) -> str:
    """Why a mail came back, in the reader's language where it is a code; an answer stands as it was given."""
    return str(WORDS.get(answer, answer))


@dataclass(frozen=True, slots=True)
class Bounce:
    """News of a mail that did not arrive: its Message-ID, whom it was for, what was answered."""

    message_id: str
    recipient: str
    answer: str


class Heard(StrEnum):
    """What became of news of a bounce."""

    NOTED = "noted"
    KNOWN = "known"
    NOBODY = "nobody"


def hear(bounce: Bounce, *, source: str, at: datetime) -> Heard:
    """Note a mail that came back; one that is known to have, changes nothing, and what is of no notice is counted.

    The recipient must be the notice's own: a Message-ID alone can be guessed.
    """
    with transaction.atomic():
        notice = _notice(bounce)
        if notice is None:
            refuse(source, NotHeard.UNKNOWN, at=at)
            return Heard.NOBODY
        if notice.bounced_at is not None:
            return Heard.KNOWN
        Notice.objects.filter(pk=notice.pk).update(**marks(bounce.answer, at=at))
        tell_order(notice, bounce.answer, at=at)
    return Heard.NOTED


def is_our_id(message_id: str) -> bool:
    """Whether a Message-ID is that of a notice of this site."""
    ours = _OURS.fullmatch(message_id.strip().strip("<>"))
    return ours is not None and message_id.rpartition("@")[2].strip(" >").lower() == our_host()


def our_host() -> str:
    """The name at the end of the Message-IDs of this site."""
    return urlsplit(settings.SITE_URL).hostname or "localhost"


def _notice(bounce: Bounce) -> Notice | None:
    """The notice that a mail was of, locked; None for a mail that is not ours, or was sent to somebody else."""
    ours = _OURS.fullmatch(bounce.message_id.strip().strip("<>"))
    if ours is None or len(bounce.message_id) > _LONGEST_ID:
        return None
    sent = Notice.objects.select_for_update().filter(pk=int(ours[1]), message_id=f"<{ours[0]}>").first()
    return sent if sent and sent.email.lower() == bounce.recipient.strip().lower() else None


def marks(answer: str, *, at: datetime) -> dict[str, Any]:
    """The columns of a notice that say that it did not arrive."""
    return {"bounced_at": at, "bounce_reason": _short(answer), "bounce_seen_at": None}


def tell_order(notice: Notice, answer: str, *, at: datetime) -> None:
    """Put into the history of the order that its customer's mail did not arrive."""
    if notice.order_id and notice.audience == Audience.CUSTOMER and notice.event in Verb.values:
        about = Verb(notice.event)
        orders.one(
            orders.note_bounce(
                notice.order_id, about=about, email=notice.email, answer=_short(answer), by=PLATFORM, at=at
            )
        )


def _short(answer: str) -> str:
    """An answer on one line, without what cannot be seen or kept."""
    seen = "".join(letter if letter.isprintable() else " " for letter in answer)
    return " ".join(seen.split())[:300] or NO_ANSWER


def refuse(source: str, reason: NotHeard, *, at: datetime) -> None:
    """Count news that was turned away; nothing of it is kept."""
    bulk.fetch(
        """
        INSERT INTO messaging_bouncerefusal AS refusal (source, reason, day, times, last_at)
        VALUES (%s, %s, %s, 1, %s)
        ON CONFLICT (source, reason, day) DO UPDATE SET times = refusal.times + 1, last_at = EXCLUDED.last_at
        RETURNING times
        """,
        [source, str(reason), at.astimezone(UTC).date(), at],
    )


def latest_of(order_id: int) -> Notice | None:
    """The last of the customer's mails about an order that did not arrive (NOT-01)."""
    told = Notice.objects.filter(order_id=order_id, audience=Audience.CUSTOMER, bounced_at__isnull=False)
    return told.order_by("-id").first()


class NoReport(Exception):
    """A mail that is no report of a delivery that failed."""


def read_report(message: bytes) -> list[Bounce]:
    """The bounces that a delivery status report tells (RFC 3464); none, where it tells of delays or of success.

    Raises NoReport for any other mail.
    """
    report = BytesParser(policy=compat32).parsebytes(message)
    parts = list(report.walk())
    status = next((part for part in parts if part.get_content_type() == "message/delivery-status"), None)
    sent = _returned_id(parts)
    if status is None or not isinstance(status.get_payload(), list) or not sent:
        raise NoReport
    blocks: list[Message] = [block for block in status.get_payload() if isinstance(block, Message)]
    return [
        Bounce(sent, _address(block), _diagnosis(block))
        for block in blocks
        if str(block.get("Action", "")).strip().lower() == "failed"
    ]


def _returned_id(parts: list[Message]) -> str:
    """The Message-ID of the mail that came back, from the copy, or the copy of its headers, in the report."""
    for part in parts:
        kind, inner = part.get_content_type(), part.get_payload()
        if kind == "message/rfc822" and isinstance(inner, list) and isinstance(inner[0], Message):
            return str(inner[0].get("Message-ID", ""))
        if kind == "text/rfc822-headers" and isinstance(inner, str):
            headers = BytesParser(policy=compat32).parsebytes(
                inner.encode(errors="replace"), headersonly=True
            )
            return str(headers.get("Message-ID", ""))
    return ""


def _address(block: Message) -> str:
    """`rfc822; ana@example.org`, the one that we wrote to before the one that it was passed on to."""
    named = str(block.get("Original-Recipient") or block.get("Final-Recipient") or "")
    return parseaddr(named.rpartition(";")[2])[1]


def _diagnosis(block: Message) -> str:
    code = str(block.get("Diagnostic-Code", "")).rpartition(";")[2].strip()
    return code or str(block.get("Status", "")).strip() or NO_ANSWER
