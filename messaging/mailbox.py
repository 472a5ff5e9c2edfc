"""The local mailbox: mails as files in a folder instead of on their way, for a machine without a mail server.

A file is named by the moment of its mail and its Message-ID, so that names sort by time and a mail that is
sent again takes the place of the first.
"""

import os
import re
import tempfile
from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage as Message
from email.parser import BytesParser
from email.policy import SMTP, default
from email.utils import format_datetime, make_msgid
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.core.files.base import File
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone
from django.utils.translation import gettext as _

NAME = r"[0-9]{8}T[0-9]{6}-[0-9]{6}-[0-9a-f]{16}"
_NAME = re.compile(NAME)
_READER = BytesParser(policy=default)


class MailboxBackend(BaseEmailBackend):
    """Puts mails into the folder `settings.MAILBOX`; a disk that is full or read-only raises OSError."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._known: dict[str, str] | None = None

    def open(self) -> bool:
        """Look once a connection at what is there; answers whether this call did."""
        if self._known is not None:
            return False
        settings.MAILBOX.mkdir(parents=True, exist_ok=True)
        self._known = {name.rpartition("-")[2]: name for name in _names()}
        return True

    def close(self) -> None:
        """Forget what is there."""
        self._known = None

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Put mails into the folder; answers how many."""
        opened = self.open()
        try:
            for mail in email_messages:
                self._put(mail.message(policy=SMTP))
        finally:
            if opened:
                self.close()
        return len(email_messages)

    def _put(self, message: Message) -> None:
        known = self._known if self._known is not None else {}
        key = sha256(str(message["Message-ID"]).encode()).hexdigest()[:16]
        name = known.get(key) or f"{_sent_at(message):%Y%m%dT%H%M%S-%f}-{key}"
        known[key] = name
        handle, draft = tempfile.mkstemp(dir=settings.MAILBOX, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(message.as_bytes())
            Path(draft).replace(settings.MAILBOX / f"{name}.eml")
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise


class Kept(NamedTuple):
    """A mail of the mailbox: the name of its file and the message."""

    name: str
    message: Message

    @property
    def sent_at(self) -> datetime:
        return _sent_at(self.message)

    def part(self, kind: str) -> str:
        """The text or the HTML of it; empty where it has none."""
        body = self.message.get_body((kind,))
        return str(body.get_content()) if body is not None else ""

    @property
    def reply_to(self) -> str:
        """Where an answer goes; empty where nobody would read it."""
        return str(self.message["Reply-To"] or "")

    def answer(self, text: str, files: "Sequence[File[Any]]" = ()) -> Message:
        """A mail as its reader would write it in answer: their words above what they quote."""
        answer = Message()
        answer["From"], answer["To"] = str(self.message["To"]), self.reply_to
        answer["Subject"] = f"Re: {self.message['Subject']}"
        answer["Date"] = format_datetime(timezone.now())
        answer["Message-ID"] = make_msgid(domain="buzon.local")
        answer["In-Reply-To"] = str(self.message["Message-ID"])
        quoted = "\n".join(f"> {line}" for line in self.part("plain").splitlines())
        told = _("El %(day)s, %(sender)s escribió:") % {
            "day": f"{self.sent_at:%d/%m/%Y}",
            "sender": self.message["From"],
        }
        answer.set_content(f"{text}\n\n{told}\n\n{quoted}\n")
        for file in files:
            kind = (getattr(file, "content_type", "") or "application/octet-stream").partition("/")
            answer.add_attachment(file.read(), maintype=kind[0], subtype=kind[2], filename=file.name)
        return answer


def _sent_at(message: Message) -> datetime:
    moment: datetime = message["Date"].datetime
    return moment


def _names() -> list[str]:
    """The names in the mailbox, newest first; what else lies in the folder is passed over."""
    if not settings.MAILBOX.is_dir():
        return []
    names = (path.stem for path in settings.MAILBOX.glob("*.eml"))
    return sorted((name for name in names if _NAME.fullmatch(name)), reverse=True)


def latest(*, start: int, count: int) -> list[Kept]:
    """The mails from the start-th newest on."""
    return [kept for name in _names()[start : start + count] if (kept := find(name)) is not None]


def find(name: str) -> Kept | None:
    """The mail of this name; None when there is none, or it is no name of the mailbox."""
    if not _NAME.fullmatch(name):
        return None
    try:
        with (settings.MAILBOX / f"{name}.eml").open("rb") as file:
            return Kept(name, _READER.parse(file))
    except FileNotFoundError:
        return None
