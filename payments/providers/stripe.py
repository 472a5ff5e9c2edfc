"""Stripe: a payment intent for each charge, confirmed or captured once, and looked up before anything is repeated.

A means of payment is `pi_…`, authorised at checkout with manual capture, or `pm_…`, with its customer where it
belongs to one (`pm_…:cus_…`). An intent can be charged one time only, and its id is saved before it is; so whatever
dies between a question and its answer, the intent itself says what was done.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import stripe
from django.conf import settings
from django.utils.translation import gettext as _

from payments.providers import Answer, NoAnswer, Payment, Status
from payments.providers.stripe_keys import key_name, key_of, secrets_name, secrets_of
from payments.providers.stripe_words import CODES, is_of_the_payment, refused_words

if TYPE_CHECKING:
    from stripe import PaymentIntent, Refund

KEY = "trastienda_key"
"""Where an intent or a refund carries our key, so that it is found again."""

ORDER = "trastienda_order"
"""Where the storefront may write, in an intent of its own, which order or commercial number it pays."""

_CANCELLABLE = {"requires_payment_method", "requires_capture", "requires_confirmation", "requires_action"}
_COUNTED_OTHERWISE = frozenset(["BHD", "IQD", "ISK", "JOD", "KWD", "LYD", "OMR", "TND", "UGX"])
"""Currencies whose smallest unit is not the one that Stripe counts in."""

stripe.enable_telemetry = False


class Stripe:
    """The Stripe account of one channel (`payments.providers.Provider`)."""

    def __init__(self, channel: str) -> None:
        self._channel = channel

    @staticmethod
    def flaw(channel: str, currency: str) -> str:
        """What a channel lacks for being paid through Stripe, in the active language; nothing when it has it all."""
        if currency.upper() in _COUNTED_OTHERWISE:
            return _("Con esta moneda no se puede cobrar por Stripe.")
        if not key_of(channel):
            return _("Falta la clave de Stripe en el entorno: %(name)s.") % {"name": key_name(channel)}
        if not secrets_of(channel):
            name = secrets_name(channel)
            return _("Falta en el entorno el secreto de los avisos de Stripe: %(name)s.") % {"name": name}
        return ""

    def prepare(
        self, key: uuid.UUID, *, reference: str, card: str, amount_cents: int, currency: str, at: datetime
    ) -> Answer:
        if reference:
            return Answer(Status.UNKNOWN, reference)
        means: dict[str, Any] | None = _means(card)
        try:
            with self._asked() as ask:
                if card.startswith("pi_"):
                    intent = ask.payment_intents.retrieve(card)
                    if _mark(intent) in ("", str(key)):
                        return _covers(intent, amount_cents, currency)
                    means = _of_another_order(intent)
                if means is None:
                    words = "payment taken already" if card.startswith("pi_") else "no means of payment"
                    return Answer(Status.REFUSED, message=words)
                made = ask.payment_intents.create(
                    {
                        **means,
                        "amount": amount_cents,
                        "currency": currency.lower(),
                        "metadata": {KEY: str(key), "trastienda_channel": self._channel},
                        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
                    },
                    # A try has its own key here: an intent that is never confirmed moves nothing, and Stripe
                    # would answer the failure of the first try to all that repeat it.
                    {"idempotency_key": f"{key}:{at.timestamp():.0f}"},
                )
        except stripe.InvalidRequestError as error:
            if not is_of_the_payment(error):
                raise
            return Answer(Status.REFUSED, message=refused_words(error))
        return Answer(Status.UNKNOWN, made.id)

    def charge(
        self, key: uuid.UUID, *, reference: str, card: str, amount_cents: int, currency: str, at: datetime
    ) -> Answer:
        try:
            with self._asked() as ask:
                if reference == card:
                    intent = ask.payment_intents.capture(
                        reference, {"amount_to_capture": amount_cents, "metadata": {KEY: str(key)}}
                    )
                else:
                    intent = ask.payment_intents.confirm(reference, {"off_session": True})
                return self._told(ask, intent, key)
        except stripe.CardError as error:
            return Answer(Status.REFUSED, reference, refused_words(error))
        except stripe.InvalidRequestError as error:
            # Out of turn, or impossible: the intent as it stands knows which.
            with self._asked() as ask:
                answer = self._told(ask, ask.payment_intents.retrieve(reference), key)
            if answer.status != Status.UNKNOWN or not answer.reference:
                return answer
            if not is_of_the_payment(error):
                raise
            return Answer(Status.REFUSED, reference, refused_words(error))

    def look_up(self, key: uuid.UUID, *, reference: str, at: datetime) -> Answer:
        with self._asked() as ask:
            if reference:
                return self._told(ask, ask.payment_intents.retrieve(reference), key)
            try:
                query = {"query": f"metadata['{KEY}']:'{key}'", "limit": 100}
                found = ask.payment_intents.search(query).data
            except stripe.InvalidRequestError:  # there are countries without search
                found = []
            if not found:  # then nothing was confirmed: its id would have been saved
                return Answer(Status.UNKNOWN)
            done = [intent for intent in found if intent.status != "requires_confirmation"]
            return self._told(ask, (done or found)[0], key)

    def pay_back(
        self, key: uuid.UUID, *, reference: str, amount_cents: int, currency: str, at: datetime
    ) -> Answer:
        try:
            with self._asked() as ask:
                refund = ask.refunds.create(
                    {"payment_intent": reference, "amount": amount_cents, "metadata": {KEY: str(key)}},
                    {"idempotency_key": str(key)},
                )
        except (stripe.InvalidRequestError, stripe.CardError) as error:
            return Answer(Status.REFUSED, message=refused_words(error))
        return _refund_told(refund)

    def look_up_payback(self, key: uuid.UUID, *, reference: str, at: datetime) -> Answer:
        with self._asked() as ask:
            refunds = ask.refunds.list({"payment_intent": reference, "limit": 100})
            for refund in refunds.auto_paging_iter():
                if _mark(refund) == str(key):
                    return _refund_told(refund)
        return Answer(Status.UNKNOWN)

    def let_go(self, card: str, *, at: datetime) -> Answer:
        try:
            with self._asked() as ask:
                if ask.payment_intents.retrieve(card).status in _CANCELLABLE:
                    ask.payment_intents.cancel(card)
        except stripe.InvalidRequestError as error:
            return Answer(Status.REFUSED, card, refused_words(error))
        return Answer(Status.SUCCEEDED, card)

    def payment(self, reference: str, *, at: datetime) -> Payment:
        if not reference.startswith("pi_"):
            return Payment(Status.UNKNOWN)
        try:
            with self._asked() as ask:
                intent = ask.payment_intents.retrieve(reference)
        except stripe.InvalidRequestError as error:
            return Payment(Status.UNKNOWN, message=refused_words(error))
        currency, named = intent.currency.upper(), _mark(intent, ORDER)
        if intent.status == "succeeded":
            return Payment(Status.SUCCEEDED, intent.amount_received, currency, named=named)
        if intent.status == "canceled":
            return Payment(Status.REFUSED, 0, currency, "authorisation gone", named)
        return Payment(Status.PENDING, 0, currency, named=named)

    @contextmanager
    def _asked(self) -> Iterator[Any]:
        """Stripe's own client. Silence is what leaves open whether anything was done: cut off, too slow, 500, 429."""
        client = _client(key_of(self._channel), settings.STRIPE_API, settings.STRIPE_TIMEOUT_S)
        try:
            yield client.v1
        except (stripe.APIConnectionError, stripe.APIError, stripe.RateLimitError) as error:
            raise NoAnswer("the provider does not answer") from error

    def _told(self, ask: Any, intent: "PaymentIntent", key: uuid.UUID) -> Answer:
        """What an intent says of our charge."""
        ours = _mark(intent) == str(key)
        if intent.status == "succeeded":
            if ours:
                return Answer(Status.SUCCEEDED, intent.id, amount_cents=intent.amount_received)
            if _of_another_order(intent):
                return Answer(Status.UNKNOWN)
            return Answer(Status.REFUSED, intent.id, "payment taken already")
        if intent.status in ("requires_confirmation", "requires_capture"):
            return Answer(Status.UNKNOWN, intent.id)
        if intent.status == "processing":
            return Answer(Status.PENDING, intent.id)
        if intent.status == "requires_action" and ours:
            ask.payment_intents.cancel(
                intent.id
            )  # nobody is there to confirm it, and it must not succeed later
        return Answer(Status.REFUSED, intent.id, _why_not(intent))


@cache
def _client(key: str, base: str, timeout_s: float) -> stripe.StripeClient:
    if not key:
        raise LookupError("no key of Stripe for this channel in the environment")
    transport = stripe.RequestsClient(timeout=timeout_s)
    return stripe.StripeClient(
        key, base_addresses={"api": base}, http_client=transport, max_network_retries=0
    )


def _means(card: str) -> dict[str, Any] | None:
    """The parameters of `pm_…` or `pm_…:cus_…`; None for anything else."""
    method, _colon, customer = card.partition(":")
    if not method.startswith("pm_"):
        return None
    return {"payment_method": method, **({"customer": customer} if customer else {})}


def _mark(thing: "PaymentIntent | Refund", name: str = KEY) -> str:
    """The key of ours that an intent is charged under, or a refund made; nothing where there is none."""
    metadata = thing.metadata
    return str(metadata[name]) if metadata and name in metadata else ""


def _of_another_order(intent: "PaymentIntent") -> dict[str, Any] | None:
    """How to charge a second order of a basket whose one authorisation the first has used; None where one may not.

    The customer must have agreed at checkout that the card may be charged again without them.
    """
    agreed = intent.status == "succeeded" and intent.setup_future_usage == "off_session"
    if not (agreed and _mark(intent) and intent.customer and intent.payment_method):
        return None
    return {"payment_method": str(intent.payment_method), "customer": str(intent.customer)}


def _covers(intent: "PaymentIntent", amount_cents: int, currency: str) -> Answer:
    """Whether an authorisation of the storefront's can be captured for this much."""
    if intent.currency.upper() != currency.upper():
        return Answer(Status.REFUSED, intent.id, "authorised in another currency")
    if intent.status == "requires_capture" and intent.amount_capturable < amount_cents:
        return Answer(Status.REFUSED, intent.id, "authorisation too small")
    if intent.status == "succeeded" and not _mark(intent):
        return Answer(Status.REFUSED, intent.id, "payment taken already")
    if intent.status not in ("requires_capture", "succeeded"):
        return Answer(Status.REFUSED, intent.id, _why_not(intent))
    return Answer(Status.UNKNOWN, intent.id)


def _why_not(intent: "PaymentIntent") -> str:
    """Why an intent has not been charged and will not be."""
    if intent.status == "canceled":
        return "authorisation gone"
    if intent.status == "requires_action":
        return "authentication required"
    failed: Any = intent.last_payment_error
    if failed is None:
        return "no means of payment"
    code = str(getattr(failed, "decline_code", None) or getattr(failed, "code", None) or "")
    return CODES.get(code, "card declined")


def _refund_told(refund: "Refund") -> Answer:
    """What a refund says of money to return."""
    if refund.status == "succeeded":
        return Answer(Status.SUCCEEDED, refund.id, amount_cents=refund.amount)
    if refund.status in ("failed", "canceled"):
        why = str(getattr(refund, "failure_reason", None) or "")
        return Answer(Status.REFUSED, refund.id, CODES.get(why, "refund failed"))
    return Answer(Status.PENDING, refund.id)
