"""Mails that a mail provider hands over, read by django-anymail and taken in as any other (MSG-07).

What a provider signs with or signs in with is anymail's to check. Of the headers, which are a stranger's, anymail is
given none: they are read here, as they stand.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote, urljoin

import requests
from anymail.exceptions import AnymailError
from anymail.inbound import AnymailInboundMessage
from anymail.webhooks.brevo import BrevoInboundWebhookView
from anymail.webhooks.mailgun import MailgunInboundWebhookView
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation
from django.http import HttpRequest

from messaging import replying
from messaging.inbound import reading, receiving
from messaging.inbound.reading import Headers, Unreadable
from messaging.inbound.receiving import NotNow, Receipt
from messaging.models import NotTaken

PROVIDERS = ("brevo", "mailgun")

_GARBLED = (*reading.GARBLED, AnymailError, ImproperlyConfigured, SuspiciousOperation)
_PATIENCE_S = (5, 20)
_CHUNK = 65_536


class TurnedAway(Exception):
    """A call that is not believed or not understood; it has been counted."""

    def __init__(self, reason: NotTaken) -> None:
        super().__init__(str(reason.value))
        self.reason = reason


def is_open(provider: str) -> bool:
    """Whether a provider may hand mails over: answers arrive somewhere, and its secrets are set."""
    keys = {"brevo": settings.BREVO_API_KEY, "mailgun": settings.MAILGUN_SIGNING_KEY}
    return replying.is_open() and bool(settings.MAIL_WEBHOOK_SECRETS) and bool(keys.get(provider))


def receive(provider: str, request: HttpRequest, *, at: datetime) -> list[Receipt]:
    """Take in the mails that a call hands over.

    Raises TurnedAway; NotNow and django.db.Error, after which the provider calls again.
    """
    secrets = list(settings.MAIL_WEBHOOK_SECRETS)
    view: Any
    if provider == "brevo":
        view = _Brevo(webhook_secret=secrets, api_key=settings.BREVO_API_KEY, api_url=settings.BREVO_API)
    else:
        view = MailgunInboundWebhookView(
            webhook_secret=secrets, webhook_signing_key=settings.MAILGUN_SIGNING_KEY
        )
    view.setup(request)
    try:
        view.run_validators(request)
    except _GARBLED:
        raise _turned_away(provider, NotTaken.SIGNATURE, at=at) from None
    try:
        return list(_brevos(view, request, at=at) if provider == "brevo" else _mailguns(view, request, at=at))
    except Unreadable as unreadable:
        raise _turned_away(provider, unreadable.reason, at=at) from None
    except _GARBLED:
        raise _turned_away(provider, NotTaken.BROKEN, at=at) from None


def _turned_away(provider: str, reason: NotTaken, *, at: datetime) -> TurnedAway:
    receiving.refuse(provider, reason, at=at)
    return TurnedAway(reason)


def _pairs(told: Any) -> Headers:
    """Headers as a provider writes them, each name with one value or with a list."""
    return [
        (str(name).lower(), value)
        for name, values in told
        for value in (values if isinstance(values, list) else [values])
        if isinstance(value, str)
    ]


class _Brevo(BrevoInboundWebhookView):  # type: ignore[misc]  # anymail has no types
    """Anymail's reader, which fetches attachments within bounds of time and size."""

    fetched = 0

    def _fetch_attachment(self, attachment: dict[str, Any]) -> Any:
        address = urljoin(
            self.api_url, f"inbound/attachments/{quote(str(attachment['DownloadToken']), safe='')}"
        )
        content = bytearray()
        try:
            with requests.get(
                address, headers={"api-key": self.api_key}, timeout=_PATIENCE_S, stream=True
            ) as answer:
                if answer.status_code >= 500 or answer.status_code == 429:
                    raise NotNow
                for chunk in answer.iter_content(_CHUNK) if answer.ok else ():
                    content += chunk
                    self.fetched += len(chunk)
                    if self.fetched > settings.MAIL_MOST_BYTES:
                        raise Unreadable(NotTaken.TOO_LARGE)
        except requests.RequestException as error:
            raise NotNow from error
        return AnymailInboundMessage.construct_attachment(
            content_type=str(attachment.get("ContentType") or "application/octet-stream")[:100],
            content=bytes(content),
            filename=str(attachment.get("Name") or "")[:300],
            content_id=attachment.get("ContentID") and "inline",
        )


def _brevos(view: _Brevo, request: HttpRequest, *, at: datetime) -> Iterator[Receipt]:
    """Each mail of a call; the attachments of one that is for nobody are not fetched."""
    for told in json.loads(request.body.decode())["items"]:
        headers = _pairs(told.get("Headers", {}).items())
        envelope = reading.envelope_of(headers)
        wanted = told.get("Attachments") or [] if envelope.tokens and not envelope.automatic else []
        event = view.esp_to_anymail_event({**told, "Headers": {}, "Attachments": wanted})
        yield receiving.receive_parsed(event.message, headers, source="brevo", at=at)


def _mailguns(view: MailgunInboundWebhookView, request: HttpRequest, *, at: datetime) -> Iterator[Receipt]:
    """The mail of a call, whole or taken apart, as its route is set up."""
    told = request.POST
    to, sender = told.get("recipient", ""), told.get("sender")
    if "body-mime" in told:
        whole = told["body-mime"].encode()
        yield receiving.receive(whole, recipients=to, sender=sender, source="mailgun", at=at)
        return
    headers = _pairs(json.loads(told["message-headers"]))
    without = told.copy()
    without["message-headers"] = "[]"
    setattr(request, "POST", without)  # noqa: B010  # Django lets it be set, its types do not
    event = view.esp_to_anymail_event(request)
    yield receiving.receive_parsed(
        event.message, headers, recipients=to, sender=sender, source="mailgun", at=at
    )
