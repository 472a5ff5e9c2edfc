"""Money in whole cents: read, split, rounded and written; no float ever touches it.

A *cent* is the smallest unit of a currency: 1/100 of a euro, a yen, 1/1000 of a dinar. Halves are rounded
away from zero, so that what is given back rounds like what was paid.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

MOST_CENTS = 10**11

_EXPONENTS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"), 0),
    **dict.fromkeys(("UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
_SYMBOLS = {"EUR": "€", "GBP": "£", "JPY": "¥", "USD": "$"}
_AMOUNT = re.compile(r"(?P<sign>[-\u2212]?)(?P<units>[0-9]+)(?:(?P<point>[.,])(?P<part>[0-9]+))?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_FIXED_SPACE = "\u00a0"
_MINUS = "\u2212"
_SPANISH = str.maketrans(",.", ".,")


class Flaw(StrEnum):
    """Why something is not an amount of money."""

    MALFORMED = "malformed"
    DECIMALS = "decimals"
    AMBIGUOUS = "ambiguous"
    NEGATIVE = "negative"
    TOO_LARGE = "too_large"


FLAW_WORDS = {
    Flaw.MALFORMED: _("No es un importe: solo cifras y, si acaso, una coma o un punto decimal."),
    Flaw.DECIMALS: _("El importe tiene más decimales que su moneda."),
    Flaw.AMBIGUOUS: _("No se sabe si la coma separa decimales o miles: usa un punto decimal."),
    Flaw.NEGATIVE: _("El importe no puede ser negativo."),
    Flaw.TOO_LARGE: _("El importe es demasiado grande."),
}


class NotMoney(ValueError):
    """What was given is not an amount; `flaw` says why, and `str()` says it in the active language."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw

    def __str__(self) -> str:
        return str(FLAW_WORDS[self.flaw])


def exponent(currency: str) -> int:
    """How many decimals a currency has: EUR 2, JPY 0, KWD 3; ValueError unless three capital letters."""
    if not _CURRENCY.fullmatch(currency):
        raise ValueError(f"a currency is three capital letters, not {currency!r}")
    return _EXPONENTS.get(currency, 2)


def parse(text: str | Decimal | int, currency: str = "EUR", *, negative: bool = False) -> int:
    """Read an amount in units of its currency ("12", "12.5", "12,50") as cents; `negative` allows below zero.

    Strict: no thousands separators, exponents, signs of plus, spaces, floats, more decimals than the currency
    has, or more than `MOST_CENTS`. A comma before three decimals is refused: it may separate thousands.
    Raises NotMoney.
    """
    if isinstance(text, bool) or not isinstance(text, str | Decimal | int):
        raise NotMoney(Flaw.MALFORMED)
    if isinstance(text, int) and abs(text) > MOST_CENTS:
        raise NotMoney(Flaw.TOO_LARGE)
    found = _AMOUNT.fullmatch(str(text))
    if found is None:
        raise NotMoney(Flaw.MALFORMED)
    decimals, part = exponent(currency), found["part"] or ""
    if len(part) > decimals:
        raise NotMoney(Flaw.DECIMALS)
    if found["point"] == "," and len(part) == 3:
        raise NotMoney(Flaw.AMBIGUOUS)
    digits = (found["units"] + part.ljust(decimals, "0")).lstrip("0")
    if len(digits) > len(str(MOST_CENTS)) or int(digits or "0") > MOST_CENTS:
        raise NotMoney(Flaw.TOO_LARGE)
    cents = int(digits or "0")
    if found["sign"] and cents and not negative:
        raise NotMoney(Flaw.NEGATIVE)
    return -cents if found["sign"] else cents


def apportion(total_cents: int, weights: Sequence[int]) -> list[int]:
    """Split a total by weights into whole cents that add up to it: largest remainder, first of equals wins.

    Weights that are all zero split it equally. ValueError for a negative total or weight, or no weights.
    """
    if total_cents < 0 or any(weight < 0 for weight in weights):
        raise ValueError("only amounts and weights from zero up can be apportioned")
    if not weights:
        raise ValueError("there is nothing to apportion to")
    whole = sum(weights)
    if not whole:
        weights, whole = [1] * len(weights), len(weights)
    shares = [total_cents * weight // whole for weight in weights]
    remainders = [total_cents * weight % whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: -remainders[place])
    for place in by_remainder[: total_cents - sum(shares)]:
        shares[place] += 1
    return shares


def share(amount_cents: int, part: int, whole: int) -> int:
    """`part` of `whole` of an amount, halves away from zero; ValueError unless part ≥ 0 and whole > 0."""
    if part < 0 or whole <= 0:
        raise ValueError("a share is a part, from zero up, of a whole above zero")
    rounded = (2 * abs(amount_cents) * part + whole) // (2 * whole)
    return -rounded if amount_cents < 0 else rounded


def rate(amount_cents: int, basis_points: int) -> int:
    """A rate of an amount, halves away from zero: a commission of 12 % is 1200 basis points."""
    return share(amount_cents, basis_points, 10_000)


def percent(basis_points: int) -> str:
    """A rate as it is read, without its sign, in the active language: "12", "12,5"."""
    whole, part = divmod(basis_points, 100)
    point = "." if (get_language() or "es").startswith("en") else ","
    return f"{whole}{point}{part:02d}".rstrip("0") if part else str(whole)


def plain(cents: int, currency: str) -> str:
    """An amount for machines, as `parse` reads it: "-1284.50"."""
    decimals = exponent(currency)
    units, part = divmod(abs(cents), 10**decimals)
    text = f"{units}.{part:0{decimals}d}" if decimals else str(units)
    return f"-{text}" if cents < 0 else text


def format_money(cents: int, currency: str, language: str | None = None) -> str:
    """An amount for people, in the active language unless one is given: "1.284,50 €", "€1,284.50"."""
    decimals = exponent(currency)
    units, part = divmod(abs(cents), 10**decimals)
    number = f"{units:,}.{part:0{decimals}d}" if decimals else f"{units:,}"
    sign = _MINUS if cents < 0 else ""
    symbol = _SYMBOLS.get(currency, currency)
    if (language or get_language() or "es").partition("-")[0] == "en":
        gap = "" if currency in _SYMBOLS else _FIXED_SPACE
        return f"{sign}{symbol}{gap}{number}"
    return f"{sign}{number.translate(_SPANISH)}{_FIXED_SPACE}{symbol}"
