"""What the marketplace keeps of an order: the policy's commission, or the rates with dates that go before it.

The most specific rate wins: of the shop and the category, of the shop, of the category, of the channel; where there is
none, the policy's. Articles under one rate are added up and their commission is rounded once, half up, so that an order
under one rate costs the same cent whatever its number of lines; the order's commission is the sum of those.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from marketplace import money, queries
from marketplace.policy import Settings
from orders.models import CommissionRate, Line, Order
from sellers.models import Shop, VatSeat


class Rate(NamedTuple):
    """A rate with dates as it is asked about; without a `category` it is for all, without a shop for all shops."""

    id: int
    category: str
    shop_id: int | None
    basis_points: int
    from_day: date
    until_day: date | None

    def stands(self, day: date, shop_id: int) -> bool:
        """Whether it counts on a day for a shop."""
        in_time = self.from_day <= day and (self.until_day is None or day < self.until_day)
        return in_time and self.shop_id in (None, shop_id)

    @property
    def weight(self) -> tuple[bool, bool]:
        """The more it says, the more it counts: the shop before the category."""
        return self.shop_id is not None, self.category != ""


class Priced(NamedTuple):
    """An article as far as its commission is concerned."""

    category: str
    goods_cents: int
    shipping_cents: int


class Fee(NamedTuple):
    """The commission of an order and the VAT on it, in cents; `parts` where it is not the policy's alone.

    A part is {"rate": id or None for the policy's, "basis_points", "category", "of_shop", "base_cents", "cents"}.
    """

    cents: int
    vat_cents: int
    parts: list[dict[str, Any]]


def rates_of(channel_id: int) -> tuple[Rate, ...]:
    """The rates of a channel; one just entered is known to every process within two seconds."""

    def read() -> tuple[Rate, ...]:
        rows = CommissionRate.objects.filter(channel_id=channel_id).values_list(
            "id", "category", "shop_id", "basis_points", "from_day", "until_day"
        )
        return tuple(Rate(*row) for row in rows)

    return queries.briefly(f"commission_rates:{channel_id}", read)


def priced(lines: Iterable[Line]) -> list[Priced]:
    """Lines of an order as articles to work a commission out of."""
    return [Priced(line.category, line.goods_cents, line.shipping_cents) for line in lines]


class Fees:
    """The commissions of the orders in hand; their articles are read once, and only where a rate is of a category."""

    def __init__(self, order_ids: Iterable[int] = ()) -> None:
        self._ids = list(order_ids)
        self._lines: dict[int, list[Priced]] | None = None

    def of(self, order: Order, *, at: datetime, articles: Sequence[Priced] | None = None) -> Fee:
        """The fee of an order under what stands at a moment; `articles` are those that it is for, all if not given."""
        settings = queries.policy(order.policy_id).rules
        known = rates_of(order.channel_id)
        if known:
            day = queries.channel(order.channel_id).calendar.local_day(at)
            known = tuple(rate for rate in known if rate.stands(day, order.shop_id))
        if not known:
            base = _base(order.goods_cents, order.shipping_cents, settings)
            return _fee([], money.rate(base, settings.commission_bp), _vat_of_shop(order, settings))
        if not any(rate.category for rate in known):
            articles = [Priced("", order.goods_cents, order.shipping_cents)]
        elif articles is None:
            articles = self._articles(order)
        return _by_rates(known, articles, settings, _vat_of_shop(order, settings))

    def _articles(self, order: Order) -> list[Priced]:
        if self._lines is None:
            self._lines = defaultdict(list)
            rows = Line.objects.filter(order_id__in=self._ids).values_list(
                "order_id", "category", "goods_cents", "shipping_cents"
            )
            for order_id, category, goods_cents, shipping_cents in rows:
                self._lines[order_id].append(Priced(category, goods_cents, shipping_cents))
        return self._lines[order.id]


def _base(goods_cents: int, shipping_cents: int, settings: Settings) -> int:
    return goods_cents + shipping_cents if settings.commission_on_shipping else goods_cents


def _vat_of_shop(order: Order, settings: Settings) -> int:
    """The rate of the VAT on a commission, in basis points: none where the shop's seat takes it out of Spain's VAT.

    What a shop tells about its seat counts for what is accepted from then on (SET-05).
    """
    return (
        0
        if order.shop_id in queries.briefly("shops_without_vat", _without_vat)
        else settings.commission_vat_bp
    )


def _without_vat() -> frozenset[int]:
    return frozenset(Shop.objects.exclude(vat_seat=VatSeat.DOMESTIC).values_list("id", flat=True))


def _vat_of_order(order: Order, settings: Settings) -> int:
    """The rate of the VAT that an order's commission was worked out with."""
    return settings.commission_vat_bp if order.commission_vat_cents else 0


def _by_rates(rates: Sequence[Rate], articles: Sequence[Priced], settings: Settings, vat_bp: int) -> Fee:
    bases: dict[Rate | None, int] = defaultdict(int)
    for article in articles:
        category = article.category.lower()
        fitting = [rate for rate in rates if rate.category.lower() in ("", category)]
        best = max(fitting, key=lambda rate: rate.weight, default=None)
        bases[best] += _base(article.goods_cents, article.shipping_cents, settings)
    parts = [_part(rate, base, settings) for rate, base in bases.items()]
    only_policy = all(part["rate"] is None for part in parts)
    return _fee([] if only_policy else parts, sum(part["cents"] for part in parts), vat_bp)


def _part(rate: Rate | None, base_cents: int, settings: Settings) -> dict[str, Any]:
    basis_points = rate.basis_points if rate else settings.commission_bp
    return {
        "rate": rate.id if rate else None,
        "basis_points": basis_points,
        "category": rate.category if rate else "",
        "of_shop": bool(rate and rate.shop_id),
        "base_cents": base_cents,
        "cents": money.rate(base_cents, basis_points),
    }


def fee_base(order: Order) -> int:
    """What the policy's own commission of an order is a rate of, in cents."""
    return _base(order.goods_cents, order.shipping_cents, queries.policy(order.policy_id).rules)


def _fee(parts: list[dict[str, Any]], cents: int, vat_bp: int) -> Fee:
    return Fee(cents, money.rate(cents, vat_bp), parts)


def fee_of_rest(order: Order, articles: Sequence[Priced]) -> Fee:
    """The fee of what is left of an order, under the rates that it was accepted with; `articles` are what is left.

    What operators have entered since does not count: the order says what it was charged.
    """
    settings = queries.policy(order.policy_id).rules
    kept = _rates_of_parts(order)
    if not kept:
        articles = [Priced("", order.goods_cents, order.shipping_cents)]
    return _by_rates(kept, articles, settings, _vat_of_order(order, settings))


def fee_of_left(order: Order, articles: Sequence[Priced]) -> Fee:
    """The fee of what refunds have left of an order's articles, under the rates that it was accepted with (REF-07)."""
    settings = queries.policy(order.policy_id).rules
    kept = _rates_of_parts(order)
    if not kept:
        articles = [
            Priced("", sum(one.goods_cents for one in articles), sum(one.shipping_cents for one in articles))
        ]
    return _by_rates(kept, articles, settings, _vat_of_order(order, settings))


def _rates_of_parts(order: Order) -> list[Rate]:
    """The rates that an order's commission was worked out with, but for the policy's own."""
    return [
        Rate(part["rate"], part["category"], order.shop_id if part["of_shop"] else None, part["basis_points"],
             date.min, None)
        for part in order.commission_parts
        if part["rate"] is not None
    ]  # fmt: skip


def charge_fee(order: Order, fee: Fee) -> None:
    """Put a fee on an order that is about to be written, its parts as the column takes them; the columns are `FEE`."""
    order.commission_cents, order.commission_vat_cents = fee.cents, fee.vat_cents
    order.__dict__["commission_parts"] = json.dumps(fee.parts)


FEE = ("commission_cents", "commission_vat_cents", "commission_parts")
