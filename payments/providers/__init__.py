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
    """A provider's answer; UNKNOWN means that it has never heard of the key."""

    status: Status
    reference: str = ""
    message: str = ""


class NoAnswer(Exception):
    """The provider did not answer: it may or may not have done what it was asked."""


class Provider(Protocol):
    """A payment provider. Every call may raise `NoAnswer`; amounts are in cents of the currency."""

    def charge(self, key: uuid.UUID, *, card: str, amount_cents: int, currency: str, at: datetime) -> Answer:
        """Charge the card, once for the key."""
        ...

    def pay_back(
        self, key: uuid.UUID, *, reference: str, amount_cents: int, currency: str, at: datetime
    ) -> Answer:
        """Return money of the charge with this reference, once for the key."""
        ...

    def look_up(self, key: uuid.UUID, *, at: datetime) -> Answer:
        """Say what became of the key."""
        ...


PROVIDERS = {"sandbox": "payments.providers.sandbox.Sandbox"}


@cache
def provider(code: str) -> Provider:
    """The provider of this code. Raises KeyError for one that does not exist."""
    return cast("Provider", import_string(PROVIDERS[code])())
