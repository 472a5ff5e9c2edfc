"""A basket as the storefront sends it: one typed shape for every way in (API-04); `baskets` says it in the words of
`orders.services.place`.

Amounts are read as they are written, by `marketplace.money.parse`: hand over JSON that was loaded with
`parse_float=Decimal`, because a float has already lost its cents.
"""

import json
import re
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from marketplace import money
from orders.models import LONGEST_ACCESS
from orders.states import LineKind

MOST_LINES = 1000
MOST_UNITS = 100_000
_DIALECT = "https://json-schema.org/draft/2020-12/schema"

ONE_WAY = r"^[^\u0000\u202a-\u202e\u2066-\u2069]*$"
VISIBLE = r"^[^\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]*$"
NUMBER = VISIBLE.replace("[^", r"[^/\\?#%", 1)
_MAIL_WORD = r"[^\s\u0000-\u001f\u007f@<>,;:\"()\[\]\\]"
_MAIL_HOST = _MAIL_WORD.replace("@", "@.")
EMAIL = rf"^{_MAIL_WORD}+@{_MAIL_HOST}+(\.{_MAIL_HOST}+)+$"
_MOMENT = r"^(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}"
_is_moment = re.compile(_MOMENT).match

_text = partial(StringConstraints, strip_whitespace=True, pattern=ONE_WAY)
_id = partial(StringConstraints, strip_whitespace=True, pattern=VISIBLE, min_length=1)


_WHOLE = 10_000
"""A hundred per cent in basis points."""


def _amount(value: object) -> str | Decimal | int:
    """Let through what may be an amount; whether it fits its currency is seen with the currency in hand."""
    if isinstance(value, bool) or not isinstance(value, str | Decimal | int):
        raise PydanticCustomError("amount", "not an amount", {"flaw": money.Flaw.MALFORMED.value})
    return value


def _rate(value: object) -> int:
    """A rate in per cent, with two decimals at most, as basis points."""
    try:
        basis_points = money.parse(_amount(value))
    except money.NotMoney as error:
        raise PydanticCustomError("rate", "not a rate", {"flaw": error.flaw.value}) from error
    if basis_points > _WHOLE:
        raise PydanticCustomError("rate", "not a rate", {"flaw": money.Flaw.TOO_LARGE.value})
    return basis_points


def _moment(value: object) -> object:
    """Refuse what would be taken for seconds since 1970, or lies outside 1900–2099."""
    if not isinstance(value, str) or not _is_moment(value):
        raise PydanticCustomError("moment", "not an ISO 8601 moment")
    return value


def _units(value: object) -> object:
    """A number of units is a number, or digits alone: neither yes, nor 1_000, nor a million digits."""
    if (
        isinstance(value, bool)
        or (isinstance(value, str) and not (value.isascii() and value.isdigit()))
        or (isinstance(value, Decimal) and not abs(value) < 10**9)
    ):
        raise PydanticCustomError("int_parsing", "not a whole number")
    return value


def _yes_or_no(value: object) -> object:
    """Yes or no as JSON says it, or as a cell of a table does."""
    return {"true": True, "false": False, "1": True, "0": False}.get(str(value).strip().lower(), value)


Amount = Annotated[
    Any,
    BeforeValidator(_amount),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": r"^[0-9]+([.,][0-9]+)?$"}, {"type": "number", "minimum": 0}]}
    ),
]
Rate = Annotated[
    int,
    BeforeValidator(_rate),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "number", "minimum": 0, "maximum": 100}]}),
]
"""A rate in per cent, with two decimals at most, as basis points."""
Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


class Closed(BaseModel):
    """A shape that knows its fields: a name that is not among them is a typo and is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _flawed(kind: str, words: str, loc: tuple[str | int, ...]) -> ValidationError:
    """A flaw that is seen only with other fields beside it, at the field that it belongs to."""
    flaw = InitErrorDetails(type=PydanticCustomError(kind, words), loc=loc, input=None)
    return ValidationError.from_exception_data(kind, [flaw])


class PaymentIn(Closed):
    """What the storefront says the customer paid."""

    method: Annotated[str, _id(max_length=40)] = Field(description="How it was paid: card, transfer…")
    amount: Amount = Field(description="How much, in units of the order's currency.")
    card: Annotated[str, _id(max_length=120, pattern=r"^[A-Za-z][A-Za-z0-9_.:-]*$")] | None = Field(
        default=None,
        description="The means of payment, by the provider's token; with the sandbox, one of its cards by "
        "name. Never the number of a card.",
    )


class CustomerIn(Closed):
    """Who bought."""

    external_id: Annotated[str, _text(max_length=64, pattern=VISIBLE)] = Field(
        default="", description="The customer's number in the storefront."
    )
    first_name: Annotated[str, _text(max_length=79, min_length=1)] = Field(description="First name.")
    last_name: Annotated[str, _text(max_length=80)] = Field(default="", description="Last name.")
    email: Annotated[str, StringConstraints(strip_whitespace=True, max_length=254, pattern=EMAIL)] | None = (
        Field(default=None, description="Where the customer is written to.")
    )
    locale: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2}([-_][A-Za-z0-9]{2,8})*$")] = Field(
        default="es", description="Language of the customer: es, en, es-ES…"
    )
    phone: Annotated[str, _text(max_length=40, pattern=VISIBLE)] | None = Field(
        default=None, description="Telephone, for the carrier."
    )
    wants_invoice: Annotated[bool, BeforeValidator(_yes_or_no)] = Field(
        default=False, description="Whether the customer asked for an invoice: each shop owes them one."
    )


class AddressIn(Closed):
    """Where it goes."""

    street: Annotated[str, _text(max_length=200, min_length=1)] = Field(description="Street and number.")
    postal_code: Annotated[str, _text(max_length=16)] = Field(default="", description="Postal code.")
    city: Annotated[str, _text(max_length=80, min_length=1)] = Field(description="City.")
    region: Annotated[str, _text(max_length=80)] = Field(default="", description="Province or state.")
    country: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2}$", to_upper=True)] = Field(
        description="Country, two letters (ISO 3166-1)."
    )


class LineIn(Closed):
    """An article of the basket; amounts include taxes."""

    external_id: Annotated[str, _id(max_length=80)] | None = Field(
        default=None,
        description="The line's number in the storefront, unique in the basket; "
        "absent: the commercial number and the line's place in the basket, from 1.",
    )
    shop: Annotated[str, _id(max_length=64)] = Field(description="Code of the shop that sells it.")
    shop_name: Annotated[str, _text(max_length=120)] | None = Field(
        default=None, description="Name for the shop, should it be created."
    )
    shop_city: Annotated[str, _text(max_length=80)] | None = Field(
        default=None, description="City for the shop, should it be created."
    )
    supplier: Annotated[str, _id(max_length=64)] | None = Field(
        default=None, description="Code of the shop's supplier who fulfils it; absent: the shop itself."
    )
    sku: Annotated[str, _id(max_length=80)] = Field(description="The shop's article number.")
    title: Annotated[str, _text(max_length=200, min_length=1)] = Field(description="What it is called.")
    category: Annotated[str, _text(max_length=120)] = Field(default="", description="Kind of article.")
    quantity: Annotated[int, Field(ge=1, le=MOST_UNITS), BeforeValidator(_units)] = Field(
        default=1, description="Units."
    )
    unit_price: Amount = Field(description="Price of one unit, in units of the order's currency.")
    shipping_price: Amount = Field(default="0", description="Shipping charge of this line, all its units.")
    tax_rate: Rate | None = Field(
        default=None, description="VAT in the price, in per cent; absent: what the channel says."
    )
    shipping_tax_rate: Rate | None = Field(
        default=None, description="VAT in the shipping charge, in per cent; absent: that of the price."
    )
    ship_by: Moment | None = Field(default=None, description="When the storefront promised to hand it over.")
    kind: LineKind = Field(
        default=LineKind.GOODS,
        description="Goods travel. Downloads and subscriptions are confirmed to the customer as soon as they are paid, "
        "memberships, tickets and bookings when the shop says so.",
    )
    access: Annotated[str, _text(max_length=LONGEST_ACCESS)] = Field(
        default="",
        description="What the customer is told when a line that does not travel is confirmed: a link, a code.",
    )

    @model_validator(mode="after")
    def _goods_travel(self) -> Self:
        """What travels needs no word of how to get at it; who gives one has forgotten the kind."""
        if self.access and self.kind == LineKind.GOODS:
            raise _flawed("not_digital", "goods have no access", ("access",))
        return self


class OrderIn(Closed):
    """What was bought, by whom, for where, and what was paid."""

    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = Field(
        description="Currency of every amount, three letters (ISO 4217): the channel's."
    )
    estimated_delivery: Moment | None = Field(
        default=None, description="When the storefront promised delivery."
    )
    payments: Annotated[list[PaymentIn], Field(max_length=100)] | None = Field(
        default=None,
        description="What was paid; compared with the total. Absent or null: nothing is compared. "
        "An empty list: nothing was paid.",
    )
    cash_on_delivery: Annotated[bool, BeforeValidator(_yes_or_no)] = Field(
        default=False,
        description="The courier collects it at the door; nothing is charged, and payments are not compared.",
    )
    customer: CustomerIn = Field(description="Who bought.")
    shipping_address: AddressIn | None = Field(
        default=None, description="Where it goes; may be absent when no line is goods."
    )
    shipping_price: Amount = Field(
        default="0",
        description="Shipping charge of the whole basket, spread over the lines by value; "
        "on top of the lines' own.",
    )
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=MOST_LINES)] = Field(
        description="The articles; each shop's become an order of its own."
    )

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        """What travels has an address."""
        if self.shipping_address is None and any(line.kind == LineKind.GOODS for line in self.lines):
            raise _flawed("missing", "goods need an address", ("shipping_address",))
        return self

    @model_validator(mode="after")
    def _amounts_fit(self) -> Self:
        """Every amount is one of the order's currency, and the total is one that can be posted."""
        total, flaws = 0, list[InitErrorDetails]()
        for loc, value, times in self._amounts():
            try:
                total += money.parse(value, self.currency) * times
            except money.NotMoney as error:
                flaw = PydanticCustomError("amount", "not an amount: {flaw}", {"flaw": error.flaw.value})
                flaws.append(InitErrorDetails(type=flaw, loc=loc, input=str(value)[:80]))
        if not flaws and total > money.MOST_CENTS:
            raise PydanticCustomError("total", "the total is too large")
        if flaws:
            raise ValidationError.from_exception_data("amounts", flaws)
        return self

    def _amounts(self) -> list[tuple[tuple[str | int, ...], str | Decimal | int, int]]:
        """(where, what, how many times in the total) of every amount."""
        found: list[tuple[tuple[str | int, ...], str | Decimal | int, int]] = []
        for n, line in enumerate(self.lines):
            found.append((("lines", n, "unit_price"), line.unit_price, line.quantity))
            found.append((("lines", n, "shipping_price"), line.shipping_price, 1))
        found.append((("shipping_price",), self.shipping_price, 1))
        found.extend(
            (("payments", n, "amount"), paid.amount, 0) for n, paid in enumerate(self.payments or ())
        )
        return found


class BasketIn(OrderIn):
    """A basket: what a customer bought in one go, under one commercial number (ORD-14)."""

    commercial_id: Annotated[str, _id(max_length=64, pattern=NUMBER)] = Field(
        description="The basket's number in the storefront; the same number again is the same basket."
    )
    placed_at: Moment = Field(description="When it was bought, with its offset from UTC; not in the future.")

    @model_validator(mode="after")
    def _lines_apart(self) -> Self:
        """No two lines of the basket have the same number."""
        numbers = self.line_ids()
        if len(set(numbers)) < len(numbers):
            again = next(n for n, number in enumerate(numbers) if number in numbers[:n])
            twice = PydanticCustomError("twice", "the line {id} is there twice", {"id": numbers[again]})
            raise ValidationError.from_exception_data(
                "lines", [InitErrorDetails(type=twice, loc=("lines", again, "external_id"), input=None)]
            )
        return self

    def line_ids(self) -> list[str]:
        """The number of each line; one without is numbered by its place in the basket, from 1."""
        return [line.external_id or f"{self.commercial_id}-{n}" for n, line in enumerate(self.lines, 1)]


def published() -> str:
    """The JSON Schema of a basket (docs/intake.schema.json), as text."""
    schema = BasketIn.model_json_schema()
    return json.dumps({"$schema": _DIALECT, **schema}, ensure_ascii=False, indent=2) + "\n"
