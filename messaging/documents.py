"""A notice as a mail: its words stand once, in `templates/mail/<event>_<audience>.jinja`, in two frames.

Such a template is plain text in blocks: `subject`, `title`, `body` (a paragraph a line; lines that begin with
"- " are a list), `facts` (lines of "label: value"), and, where there is somewhere to go, `action` (what the
button says) and `url`. `base_html.jinja` and `base_text.jinja` are the frames of the two parts. A mail to a customer
leads to the page of their order as well, by its button where it has no other (ROL-03).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address, AddressHeader
from functools import lru_cache
from typing import Any, NamedTuple, cast
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import engines
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from jinja2 import Environment, Template

from marketplace.models import Channel
from marketplace.moments import last_day, when
from marketplace.money import format_money
from marketplace.reasons import answer_words, said
from messaging import bounces, replying
from messaging.customer_links import customer_url
from messaging.models import Audience, Notice
from orders.states import HoldKind
from orders.telling import PARTS, asked_words, kind_of

_ITEM = "- "
_SPACES = re.compile(r"[ \t\r\n]+")


class Part(NamedTuple):
    """A paragraph (one line), or a list of lines."""

    lines: tuple[str, ...]
    listed: bool = False


class Fact(NamedTuple):
    """A thing that the mail is about, under its label."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Words:
    """What a mail says, in its reader's language; `url` is empty where there is nowhere to go."""

    subject: str
    title: str
    parts: tuple[Part, ...]
    facts: tuple[Fact, ...]
    action: str
    url: str
    own_url: str = ""
    """Where a customer's own page is, when the button leads elsewhere."""


def message_id(notice: Notice) -> str:
    """The Message-ID of a notice: the same at every try, so that a receiver sees a mail that comes twice."""
    return notice.message_id or f"<notice-{notice.pk}@{bounces.our_host()}>"


class Letters:
    """Writes the mails of a run; each channel is read once.

    `at` is when they are sent, and what the links of customers are counted from; mails that are only looked at carry
    links that open nothing.
    """

    def __init__(self, at: datetime | None = None) -> None:
        self._at = at
        self._channels: dict[int, Channel | None] = {}

    def mail(self, notice: Notice) -> EmailMultiAlternatives:
        """The mail of a notice, with a text and an HTML part, in the language of whoever it is for.

        Raises what the template raises: jinja2.TemplateError, KeyError, ValueError.
        """
        channel = self._channel(notice.payload.get("channel_id"))
        language = notice.language if notice.language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        with translation.override(language):
            words = _words(notice, channel, _own_url(notice, self._at))
            sender = _sender(notice, channel)
            frame = {
                "words": words,
                "sender": _brand(notice),
                "footer": _footer(notice, channel),
                "language": language,
            }
            text = _plain().get_template("mail/base_text.jinja").render(frame)
            html = _pages().get_template("mail/base_html.jinja").render(frame)
        mail = EmailMultiAlternatives(
            words.subject,
            text,
            sender,
            [notice.email],
            headers={
                "Message-ID": message_id(notice),
                "Auto-Submitted": "auto-generated",
                "Content-Language": language,
                **_in_its_thread(notice),
            },
        )
        mail.attach_alternative(html, "text/html")
        return mail

    def subject(self, notice: Notice) -> str:
        """What a notice says in one line, in the language that is active. Raises what the template raises."""
        template, context = self._told(notice)
        return _one_line(_block(template, "subject", context))

    def address(self, notice: Notice) -> str:
        """Where the button of a notice leads; "" where it has none. Raises what the template raises."""
        template, context = self._told(notice)
        return _block(template, "url", context).strip()

    def _told(self, notice: Notice) -> tuple[Template, Any]:
        template = _plain().get_template(f"mail/{notice.event}_{notice.audience}.jinja")
        channel = self._channel(notice.payload.get("channel_id"))
        return template, template.new_context(_told(notice, channel))

    def _channel(self, channel_id: int | None) -> Channel | None:
        if channel_id is None:
            return None
        if channel_id not in self._channels:
            self._channels[channel_id] = Channel.objects.filter(id=channel_id).first()
        return self._channels[channel_id]


def _in_its_thread(notice: Notice) -> dict[str, str]:
    """What makes a mail about a conversation answerable, and what a mail program groups it by (MSG-07)."""
    headers = {}
    if address := replying.reply_address(notice):
        headers["Reply-To"] = address
    if before := replying.told_before(notice):
        headers |= {"In-Reply-To": before[-1], "References": " ".join(before)}
    return headers


def _pages() -> Environment:
    return cast("Environment", engines["jinja2"].env)  # type: ignore[attr-defined]


@lru_cache(maxsize=1)
def _plain_of(pages: Environment) -> Environment:
    return pages.overlay(autoescape=False)


def _plain() -> Environment:
    """The site's templates written out as text: what is put into HTML afterwards is escaped there, once."""
    return _plain_of(_pages())


def _own_url(notice: Notice, at: datetime | None) -> str:
    """The address of the customer's page in a mail that is sent then; for anybody else none."""
    if notice.audience != Audience.CUSTOMER:
        return ""
    return customer_url(notice.order_id if at else None, at=at or notice.created_at)


def _words(notice: Notice, channel: Channel | None, own_url: str) -> Words:
    template = _plain().get_template(f"mail/{notice.event}_{notice.audience}.jinja")
    context = template.new_context({**_told(notice, channel), "customer_url": own_url})

    def block(name: str) -> str:
        return _block(template, name, context)

    url = block("url").strip()
    if urlsplit(url).scheme not in ("http", "https"):
        url = ""
    action = _one_line(block("action")) if url else ""
    leads_there = not url or url.startswith(own_url)
    return Words(
        subject=_one_line(block("subject")),
        title=_one_line(block("title")),
        parts=_parts(block("body")),
        facts=_facts(block("facts")),
        action=action or (_("Ver tu pedido") if own_url else ""),
        url=url or own_url,
        own_url="" if leads_there else own_url,
    )


def _block(template: Template, name: str, context: Any) -> str:
    return "".join(template.blocks[name](context)) if name in template.blocks else ""


_OF_GOODS = {"ships": True, "at_once": 0, "to_confirm": 0}
"""What a notice says that was written before there was anything but goods."""


def _told(notice: Notice, channel: Channel | None) -> dict[str, Any]:
    """What a template may say: the payload, and the ways of writing its moments, amounts and addresses."""
    payload = _clean(notice.payload)
    zone = ZoneInfo(channel.timezone if channel else settings.TIME_ZONE)
    written_at = datetime.fromisoformat(payload["at"]) if "at" in payload else notice.created_at

    def moment(told: str, *, since: bool = False, ends: bool = False) -> str:
        at = datetime.fromisoformat(told)
        day = last_day(at, zone) if ends else at.astimezone(zone).date()
        year = day.year != written_at.astimezone(zone).year
        return when(at, zone, None, year=year, since=since, ends=ends)

    return {
        **_OF_GOODS,
        **payload,
        "audience": notice.audience,
        "answered": answer_words,
        "because": lambda told: said(kind_of(notice.event), told),
        "because_of": lambda act, told: said(kind_of(act["verb"]), told),
        "asked": lambda act: asked_words(act["verb"], act["facts"]),
        "part_word": lambda name: PARTS.get(name, name),
        "hold_word": lambda kind: HoldKind(kind).label,
        "until_when": payload.get("until"),
        "moment": moment,
        "starting": lambda told: moment(told, since=True),
        "until": lambda told: moment(told, since=True, ends=True),
        "ending": lambda told: moment(told, ends=True),
        "money": lambda cents: format_money(cents, payload["currency"]),
        "order_url": f"{settings.SITE_URL}/pedidos/{quote(payload.get('reference', ''), safe='')}/",
        "home_url": f"{settings.SITE_URL}/",
        "admin_url": lambda: f"{settings.SITE_URL}{reverse('admin:index')}",
    }


def _one_line(text: str) -> str:
    """Text on one line; the fixed spaces inside amounts stay."""
    return _SPACES.sub(" ", text).strip()


def _clean(told: Any) -> Any:
    """What people typed, on one line each: nobody writes a header or a paragraph of ours by way of a name."""
    if isinstance(told, str):
        return " ".join(told.split())
    if isinstance(told, Mapping):
        return {key: _clean(value) for key, value in told.items()}
    if isinstance(told, list):
        return [_clean(value) for value in told]
    return told


def _parts(body: str) -> tuple[Part, ...]:
    parts: list[Part] = []
    for line in (line.strip() for line in body.splitlines()):
        if not line:
            continue
        if not line.startswith(_ITEM):
            parts.append(Part((line,)))
        elif parts and parts[-1].listed:
            parts[-1] = Part((*parts[-1].lines, line.removeprefix(_ITEM)), listed=True)
        else:
            parts.append(Part((line.removeprefix(_ITEM),), listed=True))
    return tuple(parts)


def _facts(block: str) -> tuple[Fact, ...]:
    pairs = (line.strip().partition(": ") for line in block.splitlines())
    return tuple(Fact(label, value) for label, _colon, value in pairs if value)


def _site() -> Address:
    """Who sends: the name and the address that the site is set up with."""
    return _read_address(settings.MAIL_FROM)


@lru_cache(maxsize=4)
def _read_address(text: str) -> Address:
    address = AddressHeader.value_parser(text).all_mailboxes[0]
    return Address(address.display_name or "Trastienda", addr_spec=address.addr_spec)


def _brand(notice: Notice) -> str:
    """The name over a mail: the shop's for its customers, the site's for those who work here."""
    if notice.audience == Audience.CUSTOMER:
        return str(_clean(notice.payload["shop"]))
    return _site().display_name


def _sender(notice: Notice, channel: Channel | None) -> str:
    name = _brand(notice)
    if notice.audience == Audience.CUSTOMER and channel:
        name = f"{name} · {_clean(channel.name)}"
    return str(Address(name, addr_spec=_site().addr_spec))


def _footer(notice: Notice, channel: Channel | None) -> list[str]:
    """Why the reader gets this, and what becomes of an answer."""
    names = {
        "shop": _clean(notice.payload.get("shop", "")),
        "site": _site().display_name,
        "channel": _clean(channel.name) if channel else "",
    }
    if notice.audience == Audience.OPERATOR:
        why = _("Recibes este correo porque eres operador de %(site)s.") % names
    elif notice.audience == Audience.SUPPLIER:
        names["supplier"] = _clean(notice.payload["supplier"])
        why = _("Recibes este correo porque %(supplier)s sirve pedidos de %(shop)s en %(site)s.") % names
    elif notice.audience == Audience.SELLER:
        why = _("Recibes este correo porque es el de avisos de %(shop)s en %(site)s.") % names
    elif channel:
        why = _("Recibes este correo porque compraste a %(shop)s en %(channel)s.") % names
    else:
        why = _("Recibes este correo porque compraste a %(shop)s.") % names
    return [why, _of_answers(notice)]


def _of_answers(notice: Notice) -> str:
    """What becomes of an answer to this mail: it arrives, it arrives elsewhere, or nobody reads it (MSG-07)."""
    if not replying.is_open() or not replying.is_of_conversation(notice):
        return _("Se envía solo: nadie lee lo que se responda a esta dirección.")
    if notice.audience == Audience.OPERATOR:
        return _(
            "Contesta desde la administración: lo que respondas a este correo te vuelve y no llega a nadie."
        )
    if notice.audience == Audience.SELLER:
        return _(
            "No contestes a este correo: le llegaría al operador, y a nadie más. Contesta en la trastienda."
        )
    return _("Puedes contestar a este correo: lo que escribas llega a %(shop)s.") % {
        "shop": _clean(notice.payload.get("shop", ""))
    }
