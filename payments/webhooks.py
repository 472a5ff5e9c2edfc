"""What a provider tells us of its own accord: it only hurries what the clock would ask about anyway (PAY-02).

Nothing that a webhook says of money is believed. It names a charge or a payback, and that one is looked up at once
instead of at its turn; so before, after, twice and never lead to the same books.
"""

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from marketplace import bulk
from marketplace.models import Channel
from marketplace.refusals import Outcome
from payments import inquiring
from payments.models import Charge, Payback
from payments.providers.stripe_keys import secrets_of
from payments.queries import WEBHOOKS_KEPT_FOR
from payments.services import hurry, hurry_paybacks
from payments.states import Heard, TurnedAway

TOLERANCE = timedelta(minutes=5)
"""How far the moment of a signature may lie from ours, either way."""

_KEY, _ORDER = "trastienda_key", "trastienda_order"


class NotHeard(Exception):
    """A webhook was turned away and counted; `reason` says why."""

    def __init__(self, reason: TurnedAway) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Told:
    """What a webhook names: the event, and by our key or the provider's reference what it is about."""

    event_id: str
    kind: str
    subject: str
    intent: str
    key: uuid.UUID | None
    order: str = ""


def receive(channel_code: str, body: bytes, signature: str, *, at: datetime) -> tuple[Heard, list[str]]:
    """Hear a webhook of Stripe's for a channel; answers what came of it, and the timers to wake.

    One that was heard before is counted, and nothing else is done. Raises NotHeard; the refusal has been counted.
    """
    channel = Channel.objects.filter(code=channel_code, provider="stripe").first()
    try:
        if channel is None:
            raise NotHeard(TurnedAway.NO_CHANNEL)
        _genuine(channel, body, signature, at=at)
        told = _read(body)
    except NotHeard as refusal:
        _count(channel, refusal.reason, at=at)
        raise
    with transaction.atomic():
        if not _first_time(channel, told, at=at):
            return Heard.KNOWN, []
        heard, timers = _heed(channel, told, at=at)
        bulk.fetch(
            "UPDATE payments_webhookreceipt SET heard = %s WHERE channel_id = %s AND event_id = %s RETURNING id",
            [str(heard), channel.id, told.event_id],
        )
        return heard, timers


def forget(*, at: datetime, count: int = 1000) -> int:
    """Delete the oldest receipts once nobody can ask about them any more; answers how many.

    A webhook is heard within minutes of its signature, so one that is repeated after that is refused all the same.
    """
    rows = bulk.fetch(
        """
        DELETE FROM payments_webhookreceipt WHERE id IN
            (SELECT id FROM (SELECT id, received_at FROM payments_webhookreceipt ORDER BY id LIMIT %s) AS oldest
              WHERE received_at < %s)
        RETURNING id
        """,
        [count, at - WEBHOOKS_KEPT_FOR],
    )
    return len(rows)


def _genuine(channel: Channel, body: bytes, signature: str, *, at: datetime) -> None:
    """Refuse a body that no secret of the channel has signed, and one that was signed at another time."""
    from stripe import SignatureVerificationError, WebhookSignature  # most processes never hear from Stripe

    for secret in secrets_of(channel.code):
        try:
            WebhookSignature.verify_header(body, signature, secret)
        except (SignatureVerificationError, UnicodeDecodeError):
            continue
        break
    else:
        raise NotHeard(TurnedAway.SIGNATURE)
    stamps = [part[2:] for part in signature.split(",") if part.startswith("t=")]
    try:
        signed_at = datetime.fromtimestamp(int(stamps[0]), tz=UTC)
    except (IndexError, ValueError, OverflowError, OSError):
        raise NotHeard(TurnedAway.SIGNATURE) from None
    if abs(at - signed_at) > TOLERANCE:
        raise NotHeard(TurnedAway.OLD)


def _read(body: bytes) -> Told:
    """The names in an event, and nothing else of it. Raises NotHeard for what is none."""
    try:
        event = json.loads(body)
        thing: dict[str, Any] = event["data"]["object"]
        event_id, kind, subject = str(event["id"]), str(event["type"]), str(thing.get("id") or "")
        intent = thing.get("payment_intent") if thing.get("object") != "payment_intent" else subject
        metadata = thing.get("metadata") or {}
        named, order = metadata.get(_KEY, ""), str(metadata.get(_ORDER) or "")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise NotHeard(TurnedAway.MALFORMED) from None
    words = (event_id, kind, subject)
    if not event_id or any(
        len(word) > most or "\0" in word for word, most in zip(words, (120, 80, 120), strict=True)
    ):
        raise NotHeard(TurnedAway.MALFORMED)
    return Told(
        event_id,
        kind,
        subject,
        intent if isinstance(intent, str) and intent.isprintable() and len(intent) <= 120 else "",
        _uuid(named),
        order if order.isprintable() and len(order) <= 80 else "",
    )


def _uuid(named: object) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(named))
    except ValueError:
        return None


def _first_time(channel: Channel, told: Told, *, at: datetime) -> bool:
    """Write the receipt, or count that the event came again."""
    ((times,),) = bulk.fetch(
        """
        INSERT INTO payments_webhookreceipt AS receipt
            (channel_id, event_id, kind, subject, heard, received_at, times, last_at)
        VALUES (%s, %s, %s, %s, %s, %s, 1, %s)
        ON CONFLICT (channel_id, event_id) DO UPDATE SET times = receipt.times + 1, last_at = EXCLUDED.last_at
        RETURNING times
        """,
        [channel.id, told.event_id, told.kind, told.subject, str(Heard.NOBODY), at, at],
    )
    return bool(times == 1)


def _count(channel: Channel | None, reason: TurnedAway, *, at: datetime) -> None:
    bulk.fetch(
        """
        INSERT INTO payments_webhookrefusal AS refusal (channel_id, reason, day, times, last_at)
        VALUES (%s, %s, %s, 1, %s)
        ON CONFLICT (channel_id, reason, day) DO UPDATE SET times = refusal.times + 1, last_at = EXCLUDED.last_at
        RETURNING times
        """,
        [channel.id if channel else None, str(reason), at.astimezone(UTC).date(), at],
    )


def _heed(channel: Channel, told: Told, *, at: datetime) -> tuple[Heard, list[str]]:
    """Hurry what the event names: a charge or a payback by its key, the charges of its intent, or the question
    whether it has been paid."""
    if told.key is not None:
        if paybacks := _ids(Payback.objects.filter(key=told.key, order__channel=channel)):
            return _hurried(hurry_paybacks(paybacks, at=at), "payback")
        if charges := _ids(Charge.objects.filter(key=told.key, order__channel=channel)):
            return _hurried(hurry(charges, at=at), "charge")
    if told.intent:
        of_intent = Charge.objects.filter(provider="stripe", reference=told.intent, order__channel=channel)
        if charges := _ids(of_intent):
            return _hurried(hurry(charges, at=at), "charge")
        asked = inquiring.hear(channel, told.intent, told.order, at=at)
        if asked is not None:
            return (Heard.HURRIED, ["payments"]) if asked else (Heard.KNOWN, [])
    return Heard.NOBODY, []


def _ids(rows: "QuerySet[Charge] | QuerySet[Payback]") -> list[int]:
    return list(rows.values_list("id", flat=True))


def _hurried(outcome: Outcome[int], timer: str) -> tuple[Heard, list[str]]:
    """What was answered before needs no hurry."""
    return (Heard.HURRIED, [timer]) if outcome.moved else (Heard.KNOWN, [])
