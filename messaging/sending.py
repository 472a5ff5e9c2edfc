"""Sending notices: one connection a batch, each mail marked as soon as the server has taken it (NOT-01).

A mail goes out twice only if a worker dies between the server's answer and its mark; it then carries the same
Message-ID. A failure is the mail's own (its template, its address, what the server says of it: tried again,
or given up) or the server's (no answer, or it takes nothing from us: everything waits, nothing is given up).
"""

import logging
import smtplib
import time
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, mailers
from django.core.mail.backends.base import BaseEmailBackend
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F

from marketplace import outbox
from marketplace.refusals import Tally
from messaging import bounces
from messaging.documents import Letters, message_id
from messaging.models import Notice

logger = logging.getLogger(__name__)

BATCH = 50

LEASE = timedelta(minutes=5)
"""Longer than a server takes over one mail at its slowest; it is renewed before each."""

LONGEST_RUN = timedelta(minutes=1)
"""Then the run lets go of what it holds: the clock comes again."""

MOST_TRIES = 12
"""Over a day of back-off; then a notice is given up, and operators see why."""

TRIES_WHILE_DOWN = 4
"""A server that is down uses up no more tries than this, so that its return finds patience left."""


class ServerDown(Exception):
    """The mail server does not answer, or takes nothing from us."""


class _HungUp(Exception):
    """The server ended the connection over this mail; the next one needs another."""


class _Later(Exception):
    """The server refused this mail for now."""


class _Refused(Exception):
    """The server refused this mail for good."""


def drain(*, at: datetime, tally: Tally) -> None:
    """Send every notice that is due; one that was sent, given up or muted is never due."""
    run = Run(mailers.default, at=at, tally=tally)
    for batch in outbox.claims(Notice, at=at, count=BATCH, lease=LEASE):
        try:
            run.send(batch)
        except ServerDown as down:
            logger.warning("notices wait for the mail server: %s", down)
            return
        if run.is_over:
            return


class Run:
    """What one run of the clock sends, over one connection at a time."""

    def __init__(self, server: BaseEmailBackend, *, at: datetime, tally: Tally) -> None:
        self._server = server
        self._started = time.monotonic()
        self._at = at
        self._tally = tally
        self._letters = Letters(at)

    @property
    def _spent(self) -> timedelta:
        return timedelta(seconds=time.monotonic() - self._started)

    @property
    def _now(self) -> datetime:
        return self._at + self._spent

    @property
    def is_over(self) -> bool:
        return self._spent > LONGEST_RUN

    def send(self, batch: list[Notice]) -> None:
        """Send a claimed batch. Raises ServerDown once everything that was not sent has been given back."""
        waiting = list(batch)
        try:
            while waiting and not self.is_over:
                _connect(self._server)
                self._send(waiting[0])
                del waiting[0]
        except ServerDown as down:
            for notice in waiting:
                tries = min(notice.tries, TRIES_WHILE_DOWN)
                self._give_back(notice, str(down), tries=tries)
            raise
        finally:
            _disconnect(self._server)
        for notice in waiting:
            _settle(notice, tries=F("tries") - 1)

    def _send(self, notice: Notice) -> None:
        try:
            mail = self._written(notice)
            if not _renew(notice, until=self._now + LEASE):
                return
            _hand_over(mail, self._server)
        except ServerDown:
            raise
        except (_Refused, ValidationError) as refusal:
            self._bounce(notice, _said(refusal))
        except (_Later, _HungUp) as error:
            logger.warning("notice %s waits: %s", notice.pk, error)
            if isinstance(error, _HungUp):
                _disconnect(self._server)
            self._fail(notice, str(error))
        except Exception as error:
            logger.exception("notice %s cannot be written out or sent", notice.pk)
            self._fail(notice, f"{type(error).__name__}: {error}")
        else:
            self._mark_sent(notice)

    def _written(self, notice: Notice) -> EmailMultiAlternatives:
        validate_email(notice.email)
        return self._letters.mail(notice)

    def _mark_sent(self, notice: Notice) -> None:
        if _settle(notice, sent_at=self._now, due_at=None, last_error=""):
            self._tally.done += 1
        else:
            logger.warning("notice %s was sent after its claim had lapsed", notice.pk)

    def _fail(self, notice: Notice, error: str) -> None:
        if notice.tries >= MOST_TRIES:
            self._give_up(notice, error)
        else:
            self._give_back(notice, error, tries=notice.tries)

    def _give_back(self, notice: Notice, error: str, *, tries: int) -> None:
        if _settle(notice, due_at=self._now + outbox.back_off(tries), tries=tries, last_error=error):
            self._tally.parked += 1

    def _bounce(self, notice: Notice, answer: str) -> None:
        """The address takes no mail of ours: it is not tried again by itself, and whoever cares is shown why."""
        logger.warning("notice %s is refused for good: %s", notice.pk, answer)
        with transaction.atomic():
            ended = {"due_at": None, "given_up_at": self._now, "last_error": answer}
            if _settle(notice, **ended, **bounces.marks(answer, at=self._now)):
                self._tally.refused["given_up"] += 1
                bounces.tell_order(notice, answer, at=self._now)

    def _give_up(self, notice: Notice, error: str) -> None:
        logger.warning("notice %s is given up: %s", notice.pk, error)
        if _settle(notice, due_at=None, given_up_at=self._now, last_error=error):
            self._tally.refused["given_up"] += 1


def _renew(notice: Notice, *, until: datetime) -> bool:
    """Hold the claim on, if it is still ours, and write down under which Message-ID the mail is going out."""
    ours = Notice.objects.filter(pk=notice.pk, claimed_by=notice.claimed_by)
    return ours.update(claimed_until=until, message_id=message_id(notice)) == 1


def _settle(notice: Notice, **values: Any) -> bool:
    """Write down how it went and let go of the claim; False, and nothing written, if it is not ours now."""
    ours = Notice.objects.filter(pk=notice.pk, claimed_by=notice.claimed_by)
    return ours.update(claimed_by=None, claimed_until=None, **values) == 1


def _connect(server: BaseEmailBackend) -> None:
    """Have a connection open; opening an open one does nothing."""
    try:
        server.open()
    except (OSError, smtplib.SMTPException) as error:
        raise ServerDown(f"{type(error).__name__}: {error}") from error


def _disconnect(server: BaseEmailBackend) -> None:
    with suppress(OSError, smtplib.SMTPException):
        server.close()


def _hand_over(mail: EmailMultiAlternatives, server: BaseEmailBackend) -> None:
    """Give a mail to the server, and say in our words what it answers."""
    try:
        server.send_messages([mail])
    except smtplib.SMTPRecipientsRefused as refused:
        code, answer = next(iter(refused.recipients.values()))
        raise _answer(code, answer) from refused
    except smtplib.SMTPDataError as refused:
        raise _answer(refused.smtp_code, refused.smtp_error) from refused
    except smtplib.SMTPSenderRefused as refused:
        verdict = _answer(refused.smtp_code, refused.smtp_error)
        raise (ServerDown(str(verdict)) if isinstance(verdict, _Refused) else verdict) from refused
    except (smtplib.SMTPServerDisconnected, OSError) as error:
        raise _HungUp(f"{type(error).__name__}: {error}") from error


def _said(refusal: Exception) -> str:
    """What was answered; an address that is none has no server to answer."""
    return str(refusal.message if isinstance(refusal, ValidationError) else refusal)


_NOT_ABOUT_THE_MAIL = frozenset({530, 534, 535, 538})
"""Answers about who we are: authentication is missing or wrong."""


def _answer(code: int, text: bytes | str) -> Exception:
    """A refusal by its code: 421 hangs up, 4xx may pass, 5xx is for good (RFC 5321)."""
    words = f"{code} {text.decode(errors='replace') if isinstance(text, bytes) else text}"
    if code == 421:
        return _HungUp(words)
    if code in _NOT_ABOUT_THE_MAIL:
        return ServerDown(words)
    return _Refused(words) if code >= 500 else _Later(words)
