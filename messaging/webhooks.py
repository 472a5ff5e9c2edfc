"""What mail providers tell of their own accord, read by django-anymail: which of our mails did not arrive (NOT-01)."""

from datetime import datetime
from typing import Any

from anymail.exceptions import AnymailError
from anymail.signals import AnymailTrackingEvent, EventType
from anymail.webhooks.brevo import BrevoTrackingWebhookView
from anymail.webhooks.mailgun import MailgunTrackingWebhookView
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

from messaging import bounces
from messaging.models import NotHeard

VIEWS: dict[str, Any] = {
    "brevo": BrevoTrackingWebhookView,
    "mailgun": MailgunTrackingWebhookView,
}
"""The providers that leave the Message-ID of a mail as it is and name it in what they tell."""

DID_NOT_ARRIVE = frozenset({EventType.BOUNCED, EventType.REJECTED, EventType.FAILED})

_GARBLED = (AnymailError, ImproperlyConfigured, ValueError, LookupError, TypeError, AttributeError, ArithmeticError,
            RecursionError)  # fmt: skip
"""What the readers raise over letters that are not as their provider writes them."""


class TurnedAway(Exception):
    """A webhook that is not believed or not understood; it has been counted."""

    def __init__(self, reason: NotHeard) -> None:
        super().__init__(str(reason))
        self.reason = reason


def is_open(provider: str) -> bool:
    """Whether a provider may call: it is one we know, and a secret is set."""
    if provider == "mailgun" and not settings.MAILGUN_SIGNING_KEY:
        return False
    return provider in VIEWS and bool(settings.MAIL_WEBHOOK_SECRETS)


def receive(provider: str, request: HttpRequest, *, at: datetime) -> dict[str, int]:
    """Hear a webhook; answers how many mails were noted, known already, or nobody's.

    Raises TurnedAway.
    """
    told: dict[str, int] = {}
    for event in _events(provider, request, at=at):
        if event.event_type in DID_NOT_ARRIVE and event.message_id and event.recipient:
            bounce = bounces.Bounce(str(event.message_id), str(event.recipient), _answer(event))
            heard = bounces.hear(bounce, source=provider, at=at)
            told[heard.value] = told.get(heard.value, 0) + 1
    return told


def _events(provider: str, request: HttpRequest, *, at: datetime) -> list[AnymailTrackingEvent]:
    keys = {"webhook_signing_key": settings.MAILGUN_SIGNING_KEY} if provider == "mailgun" else {}
    view = VIEWS[provider](webhook_secret=list(settings.MAIL_WEBHOOK_SECRETS), **keys)
    view.setup(request)
    try:
        view.run_validators(request)
    except _GARBLED:
        bounces.refuse(provider, NotHeard.SIGNATURE, at=at)
        raise TurnedAway(NotHeard.SIGNATURE) from None
    try:
        return list(view.parse_events(request))
    except _GARBLED:
        bounces.refuse(provider, NotHeard.MALFORMED, at=at)
        raise TurnedAway(NotHeard.MALFORMED) from None


def _answer(event: AnymailTrackingEvent) -> str:
    """What the receiving server said; else the provider's words or its code for them."""
    return str(event.mta_response or event.description or event.reject_reason or bounces.NO_ANSWER)
