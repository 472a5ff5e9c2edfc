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
