"""A mail as it came: what its headers say of where it goes and who made it, what it says, what it carries.

Anybody can send one, so it is looked at cheapest first (size, headers, then the rest), by readers that take no longer
for a mail that was made to be hard; what is bounded is said here. No address in it is believed or parsed: the reply
addresses are looked for in the headers as they stand.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import MessageError
from email.feedparser import BytesFeedParser
from email.header import decode_header, make_header
from email.message import Message
from email.policy import compat32
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile, File

from messaging import bounces, replying
from messaging.inbound.cutting import reply_of
from messaging.inbound.markup import MOST_HTML, of_html
from messaging.inbound.plain import clean, decoded
from messaging.models import NotTaken

MOST_OF_HEADERS = 200_000
"""Bytes of the headers of a mail: a thousand recipients take 50,000."""

_CHUNK = 65_536
_MOST_HEADERS = 1_000
_MOST_NESTED = 30
_MOST_PARTS = 1_000
_MOST_TEXT = 400_000
_SHORTEST_MEAN_LINE = 30
_FEW_LINES = 20_000
_LONGEST_NAME = 300
_NO_KIND = b"\x00"
"""What no kind of file begins like."""

_SMALL_PICTURE = 10_000
"""Bytes of a picture inside a text, up to which it is part of a signature and nothing that somebody sends."""

_CONTAINER = re.compile(rb"(multipart|message)/", re.IGNORECASE)
_WHERE_TO = frozenset(
    {"to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-forwarded-to", "x-envelope-to"}
)
_MADE_BY_MACHINES = frozenset({"x-auto-response-suppress", "x-autoreply", "x-autorespond", "x-autoresponder",
                               "x-autoreply-from", "x-failed-recipients", "x-loop", "feedback-type"})  # fmt: skip
_PRECEDENCE = frozenset({"bulk", "junk", "list", "auto_reply", "auto-reply"})
_SEALS = frozenset({"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature",
                    "application/pgp-keys", "text/calendar", "application/ics"})  # fmt: skip

GARBLED = (MessageError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError,
           RecursionError, NotImplementedError, OSError)  # fmt: skip
"""What Python's readers raise over a mail that is none."""


class Unreadable(Exception):
    """A mail that is not taken in, whoever wrote it; `reason` is too_large or broken."""

    def __init__(self, reason: NotTaken) -> None:
        super().__init__(str(reason.value))
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the headers of a mail say: its Message-ID and date, the tokens of the reply addresses that it goes to, and
    whether a machine wrote it, or it has been here before."""

    message_id: str
    date: str
    tokens: tuple[str, ...]
    automatic: bool


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says in answer to ours: the text that was written, and the files that came with it, unchecked."""

    key: str
    text: str
    files: "tuple[File[Any], ...]"


def opened(raw: bytes) -> Message:
    """A mail as its parts. Raises Unreadable for one that is too large, or is built to take memory or time."""
    if len(raw) > settings.MAIL_MOST_BYTES:
        raise Unreadable(NotTaken.TOO_LARGE)
    lines = raw.count(b"\n") + raw.count(b"\r") - raw.count(b"\r\n")
    parts = raw.count(b"\n--") + raw.count(b"\r--")
    nested = sum(1 for _found in _CONTAINER.finditer(raw))
    if lines > _FEW_LINES + len(raw) // _SHORTEST_MEAN_LINE or parts > _MOST_PARTS or nested > _MOST_NESTED:
        raise Unreadable(NotTaken.BROKEN)
    return _parsed(raw)


type Headers = list[tuple[str, str]]
"""The headers of a mail as they stand, names in small letters."""


def headers_of(raw: bytes) -> Headers:
    """The headers of a mail, without looking at the rest. Raises Unreadable."""
    end = re.search(rb"\r?\n\r?\n|\r\r", raw[: MOST_OF_HEADERS + 4])
    if len(raw) > settings.MAIL_MOST_BYTES:
        raise Unreadable(NotTaken.TOO_LARGE)
    if (end is None and len(raw) > MOST_OF_HEADERS) or (end and end.start() > MOST_OF_HEADERS):
        raise Unreadable(NotTaken.BROKEN)
    message = _parsed(raw[: end.end()] if end else raw)
    return [(name.lower(), str(value)) for name, value in message.raw_items()]


def _parsed(raw: bytes) -> Message:
    """Read in pieces: the parser's own way of reading bytes takes four times their size."""
    try:
        parser = BytesFeedParser(policy=compat32)
        for start in range(0, len(raw), _CHUNK):
            parser.feed(raw[start : start + _CHUNK])
        message: Message = parser.close()
    except GARBLED as error:
        raise Unreadable(NotTaken.BROKEN) from error
    if not message.keys():
        raise Unreadable(NotTaken.BROKEN)
    return message


def envelope_of(headers: Headers, *, recipients: str = "", sender: str | None = None) -> Envelope:
    """What the headers say; `recipients` and `sender` are what the mail server was told, where it passed that on.

    An empty `sender` is that of a mail that nobody is to answer. Raises Unreadable.
    """
    if len(headers) > _MOST_HEADERS or sum(len(value) for _name, value in headers) > MOST_OF_HEADERS:
        raise Unreadable(NotTaken.BROKEN)
    told = {name: value.strip() for name, value in reversed(headers)}
    nobodys = sender is not None and sender.strip() in ("", "<>")
    return Envelope(
        message_id=told.get("message-id", ""),
        date=told.get("date", ""),
        tokens=tuple(replying.tokens_in([recipients, *(v for name, v in headers if name in _WHERE_TO)])),
        automatic=nobodys or _is_automatic(told),
    )


def _is_automatic(told: dict[str, str]) -> bool:
    """Whether a mail says of itself that a machine made it, that it goes to many, or that it was ours."""
    kind = told.get("content-type", "").partition(";")[0].strip().lower()
    return (
        kind in ("multipart/report", "message/delivery-status")
        or told.get("auto-submitted", "no").split(";")[0].strip().lower() != "no"
        or told.get("precedence", "").lower() in _PRECEDENCE
        or told.get("return-path") == "<>"
        or not _MADE_BY_MACHINES.isdisjoint(told)
        or any(name.startswith("list-") for name in told)
        or bounces.is_our_id(told.get("message-id", ""))
        or told.get("from", "").lower().strip().startswith(("mailer-daemon", "<mailer-daemon"))
    )


def read(message: Message, envelope: Envelope) -> Letter:
    """What the mail says and carries. Raises Unreadable."""
    try:
        leaves = list(_leaves(message))
        text = _text(leaves)
        files = tuple(_file(leaf) for leaf in leaves if _is_sent(leaf))
        return Letter(_key(envelope, text, files), reply_of(text), files)
    except GARBLED as error:
        raise Unreadable(NotTaken.BROKEN) from error


def _leaves(message: Message) -> Iterator[Message]:
    """The parts that hold something; a mail inside the mail is one, and is not looked into."""
    waiting = [message]
    seen = 0
    while waiting:
        part = waiting.pop()
        seen += 1
        if seen > _MOST_PARTS:
            raise ValueError("too many parts")
        payload = part.get_payload()
        if isinstance(payload, list) and part.get_content_maintype() != "message":
            waiting.extend(inner for inner in reversed(payload) if isinstance(inner, Message))
        elif part.get_content_maintype() == "multipart":
            raise ValueError("parts without a boundary")
        else:
            yield part


def _is_text(part: Message, kind: str) -> bool:
    return (
        part.get_content_type() == kind and not _name(part) and part.get_content_disposition() != "attachment"
    )


def _text(leaves: list[Message]) -> str:
    """The plain text; the HTML, as text, where there is no other or it is empty."""
    plain = [clean(_words(part)[:_MOST_TEXT]) for part in leaves if _is_text(part, "text/plain")]
    if any(plain):
        return "\n\n".join(filter(None, plain))
    pages = [_words(part)[:MOST_HTML] for part in leaves if _is_text(part, "text/html")][:5]
    return "\n\n".join(filter(None, map(of_html, pages)))


def _words(part: Message) -> str:
    charset = part.get_param("charset")
    return decoded(_bytes(part)[: 4 * _MOST_TEXT], charset if isinstance(charset, str) else None)


def _bytes(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _is_sent(part: Message) -> bool:
    """Whether a part is something that somebody sends: no text, no seal, no picture of a signature."""
    if _is_text(part, "text/plain") or _is_text(part, "text/html") or part.get_content_type() in _SEALS:
        return False
    drawn_inside = part.get("Content-ID") and part.get_content_disposition() != "attachment"
    return not (drawn_inside and len(_bytes(part)) <= _SMALL_PICTURE)


def _file(part: Message) -> "File[Any]":
    """A part as a file; of one that is a mail itself nothing is read: whatever a policy takes, it is turned away."""
    if part.get_content_maintype() == "message":
        return ContentFile(_NO_KIND, name=_name(part) or "mail.eml")
    return ContentFile(_bytes(part), name=_name(part) or part.get_content_type().replace("/", "."))


def _name(part: Message) -> str:
    """What a part is called; encoded words are read, whatever is wrong with them."""
    try:
        name = str(part.get_filename() or "")[:_LONGEST_NAME]
        return clean(str(make_header(decode_header(name))) if "=?" in name else name).replace("\n", " ")
    except GARBLED:
        return "archivo"


def _key(envelope: Envelope, text: str, files: "tuple[File[Any], ...]") -> str:
    """By what a mail is known again: its Message-ID; what it says and when, where it has none."""
    said = envelope.message_id
    if not said:
        said = "\n".join([envelope.date, text, *(f"{one.name} {one.size}" for one in files)])
    return hashlib.sha256(said.encode(errors="replace")).hexdigest()
