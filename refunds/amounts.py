"""What is left of each line of an order, and what a refund of it amounts to: whole cents that add up (REF-03).

Of each component (goods, shipping, and the taxes in them) the parts given back add up to the whole, however many
refunds there are: a part's tax is the tax of all that has been given back so far, less what was given back of it
before.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from marketplace import money


@dataclass(frozen=True, slots=True)
class Component:
    """A sum of a line, the goods or their shipping, with the tax in it, and what of both has gone back; in cents."""

    cents: int
    tax_cents: int
    back_cents: int = 0
    tax_back_cents: int = 0

    @property
    def left_cents(self) -> int:
        return self.cents - self.back_cents

    @property
    def tax_left_cents(self) -> int:
        return self.tax_cents - self.tax_back_cents

    def tax_of(self, cents: int) -> int:
        """The tax in so much more that goes back. Raises ValueError for more than is left."""
        if not 0 <= cents <= self.left_cents:
            raise ValueError("more than is left goes back of a component, or less than nothing")
        if not self.cents:
            return 0
        return money.share(self.tax_cents, self.back_cents + cents, self.cents) - self.tax_back_cents


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a line: its units as they were sold, its price a unit, its two components."""

    line_id: int
    units: int
    unit_price_cents: int
    category: str
    goods: Component
    shipping: Component

    @property
    def cents(self) -> int:
        return self.goods.left_cents + self.shipping.left_cents

    def usual_goods(self, units: int) -> int:
        """What so many units are refunded with unless somebody says otherwise: their price, or what is left of it."""
        return min(self.unit_price_cents * units, self.goods.left_cents)


@dataclass(frozen=True, slots=True)
class Part:
    """What is to go back of a line: the units that it is about, and the cents of goods and shipping, taxes included."""

    line_id: int
    units: int
    goods_cents: int
    shipping_cents: int
    goods_tax_cents: int = 0
    shipping_tax_cents: int = 0

    @property
    def cents(self) -> int:
        return self.goods_cents + self.shipping_cents


class TooMuch(ValueError):
    """A part is more than is left of its line; `left` is what is, `component` which sum it is of."""

    def __init__(self, left: Left, component: str) -> None:
        super().__init__(component)
        self.left, self.component = left, component


def tax_in(cents: int, basis_points: int) -> int:
    """The tax in an amount that includes it."""
    return money.share(cents, basis_points, 10_000 + basis_points)


def all_of(left: Iterable[Left]) -> list[Part]:
    """Everything that is left, of every line: a total refund (REF-02)."""
    return [
        Part(one.line_id, one.units, one.goods.left_cents, one.shipping.left_cents)
        for one in left
        if one.cents
    ]


def with_taxes(parts: Sequence[Part], left: Mapping[int, Left]) -> list[Part]:
    """Parts with the taxes in them. Raises TooMuch for what is not left, KeyError for a line that is not there."""
    found = []
    for part in parts:
        line = left[part.line_id]
        for name, component, cents in (
            ("units", None, part.units),
            ("goods", line.goods, part.goods_cents),
            ("shipping", line.shipping, part.shipping_cents),
        ):
            most = line.units if component is None else component.left_cents
            if not 0 <= cents <= most:
                raise TooMuch(line, name)
        found.append(
            Part(
                part.line_id,
                part.units,
                part.goods_cents,
                part.shipping_cents,
                line.goods.tax_of(part.goods_cents),
                line.shipping.tax_of(part.shipping_cents),
            )
        )
    return found
