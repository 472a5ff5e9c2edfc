"""A basket as it is handed in to be placed: what was bought, by whom, and what was paid for it (ORD-14, PAY-07)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orders.states import LineKind


@dataclass(frozen=True, slots=True)
class NewLine:
    """An article as the storefront sells it; amounts in cents, taxes included. Without `supplier_id` the seller
    fulfils it (ROL-04); `access` is what the customer is told when it does not travel and is confirmed (ORD-13). The
    rates of the taxes are in basis points, or the policy's where the storefront tells none.
    """

    external_id: str
    shop_id: int
    sku: str
    title: str
    quantity: int
    unit_price_cents: int
    shipping_cents: int = 0
    category: str = ""
    promised_ship_by: datetime | None = None
    kind: LineKind = LineKind.GOODS
    access: str = ""
    supplier_id: int | None = None
    tax_bp: int | None = None
    shipping_tax_bp: int | None = None


@dataclass(frozen=True, slots=True)
class Customer:
    """Who bought, and where it goes."""

    name: str
    email: str = ""
    language: str = "es"
    phone: str = ""
    external_id: str = ""
    street: str = ""
    postal_code: str = ""
    city: str = ""
    region: str = ""
    country: str = ""
    wants_invoice: bool = False


@dataclass(frozen=True, slots=True)
class NewBasket:
    """A basket to take in. `payments` are what the storefront says was paid; None when it says nothing (PAY-07).

    `shipping_cents` is a charge for the whole basket, apportioned to the lines by value.
    """

    commercial_id: str
    currency: str
    placed_at: datetime
    customer: Customer
    lines: tuple[NewLine, ...]
    payments: tuple[dict[str, Any], ...] | None = None
    shipping_cents: int = 0
    promised_at: datetime | None = None
    cash_on_delivery: bool = False
