"""News of the order machine, sent inside the transaction that made it (import upwards is not needed to hear it)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.dispatch import Signal

orders_moved = Signal()
"""Sent with `moves: list[Moved]`, `verb`, `by: Actor`, `at: datetime`; a receiver that raises undoes the move."""

carrier_requested = Signal()
"""Sent with `told` (name, website, shop, by, order) and `at` when a shop asks for a carrier (SHP-04)."""

carrier_requests_answered = Signal()
"""Sent with `granted`, `told` (shop id, and name, carrier, note) and `at` when operators answer (SHP-04)."""

requests_made = Signal()
"""Sent with `told: list[Asked]`, `by: Actor` and `at` when somebody asks for an act that they may not do (ROL-05)."""

requests_answered = Signal()
"""Sent with the same when requests were approved, declined, withdrawn, or overtaken by what happened."""


class Asked(NamedTuple):
    """An act on an order that was asked for, and where that stands; `reason` is as a history keeps it."""

    request_id: int
    order_id: int
    shop_id: int
    verb: str
    state: str
    asked_of: str
    asked_role: str
    facts: Mapping[str, Any]
    reason: Any
    answer: str


class Moved(NamedTuple):
    """What happened to one order, told in codes and figures so that a receiver needs to read nothing more."""

    order_id: int
    shop_id: int
    channel_id: int
    policy_id: int
    reference: str
    currency: str
    verb: str
    before: str
    after: str
    at: datetime
    total_cents: int
    charged_cents: int
    refunded_cents: int
    commission_cents: int
    commission_vat_cents: int
    commission_back_cents: int
    commission_vat_back_cents: int
    held: bool
    payment_token: str
    customer_name: str
    customer_email: str
    customer_language: str
    items: str
    cash_on_delivery: bool
    ships: bool
    at_once: int
    to_confirm: int
    supplier_id: int | None
    shared: bool
    pay_by: datetime | None
    accept_by: datetime | None
    ship_by: datetime | None
    deliver_by: datetime | None
    receive_at: datetime | None
    data: Mapping[str, Any]
