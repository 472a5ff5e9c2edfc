"""What the product asks of any payment provider, and what it may hear back.

A provider is asked under a key. Asking twice under one key is one charge; an outcome that is not known is looked up,
never asked anew as something else.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Protocol, cast

from django.utils.module_loading import import_string


class Status(StrEnum):
    """What a provider can say of something asked of it."""

    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    PENDING = "pending"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """A provider's answer; UNKNOWN means that nothing has been done under the key.

    `amount_cents` is what was really moved, where the provider says so.
    """

    status: Status
    reference: str = ""
    message: str = ""
    amount_cents: int | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """What a provider knows of a payment that a customer made elsewhere; UNKNOWN when it knows of none.

    SUCCEEDED means that `amount_cents` of `currency` have been paid, PENDING that they may still be. `named` is the
    order or the commercial number that the payment itself carries, where it carries one.
    """

    status: Status
    amount_cents: int = 0
    currency: str = ""
    message: str = ""
    named: str = ""


class NoAnswer(Exception):
    """The provider did not answer: it may or may not have done what it was asked."""


class Provider(Protocol):
    """A payment provider. Every call may raise `NoAnswer`; amounts are in cents of the currency."""

    def prepare(
        self, key: uuid.UUID, *, reference: str, card: str, amount_cents: int, currency: str, at: datetime
    ) -> Answer:
        """Set up a charge without moving money: UNKNOWN with the reference to save before `charge`, or REFUSED.

        `reference` is what `look_up` found prepared already, or nothing.
        """
        ...

    def charge(
        self, key: uuid.UUID, *, reference: str, card: str, amount_cents: int, currency: str, at: datetime
    ) -> Answer:
        """Charge the card, once for the key; `reference` is what was prepared."""
        ...

    def look_up(self, key: uuid.UUID, *, reference: str, at: datetime) -> Answer:
        """Say what became of a charge; `reference` is what was saved of it, if anything was."""
        ...

    def pay_back(
        self, key: uuid.UUID, *, reference: str, amount_cents: int, currency: str, at: datetime
    ) -> Answer:
        """Return money of the charge with this reference, once for the key."""
        ...

    def look_up_payback(self, key: uuid.UUID, *, reference: str, at: datetime) -> Answer:
        """Say what became of money to return of the charge with this reference."""
        ...

    def let_go(self, card: str, *, at: datetime) -> Answer:
        """Release what is still authorised on a means of payment; one that holds nothing any more is released."""
        ...

    def payment(self, reference: str, *, at: datetime) -> Payment:
        """Say whether the payment of this reference has been made, and how much of it."""
        ...


PROVIDERS = {"sandbox": "payments.providers.sandbox.Sandbox", "stripe": "payments.providers.stripe.Stripe"}

KEYED = frozenset({"stripe"})
"""Providers that are asked with a channel's own keys; the others need not know which channel asks."""

_AUTHORISED = {"stripe": "pi_"}


@cache
def provider(code: str, channel: str = "") -> Provider:
    """The provider of this code, asked with the keys of a channel. Raises KeyError for one that does not exist."""
    made = import_string(PROVIDERS[code])
    return cast("Provider", made(channel) if code in KEYED else made())


def authorised(code: str, card: str) -> bool:
    """Whether a means of payment blocks money of the customer's until it is charged or let go."""
    return code in _AUTHORISED and card.startswith(_AUTHORISED[code])


_PAYMENTS = {"sandbox": "pay_", "stripe": "pi_"}


def payment_named(code: str, card: str) -> bool:
    """Whether what a storefront gave as means of payment is a payment that the provider can be asked about."""
    return code in _PAYMENTS and card.startswith(_PAYMENTS[code])


def flaw(code: str, *, channel: str, currency: str) -> str:
    """Why a channel cannot be paid through this provider, in the active language; nothing when it can."""
    if code not in KEYED:
        return ""
    return cast("str", import_string(PROVIDERS[code]).flaw(channel, currency))
