"""The arithmetic of refunds: whatever the order, the rates and the parts, everything adds up to the cent (REF-03)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refunds.amounts import Component, Left, Part, TooMuch, all_of, tax_in, with_taxes
from tests.rounds import rounds, soaks

pytestmark = [*soaks, pytest.mark.rule("REF-03")]
EXAMPLES = rounds(1000, 100_000)

CENTS = st.integers(0, 10_000_000)
RATES = st.sampled_from([0, 400, 1000, 2100, 2350, 10_000])


@st.composite
def lines(draw: st.DrawFn) -> Left:
    units = draw(st.integers(1, 50))
    price, shipping = draw(st.integers(0, 200_000)), draw(CENTS)
    goods = price * units
    return Left(
        draw(st.integers(1, 10**9)),
        units,
        price,
        "",
        Component(goods, tax_in(goods, draw(RATES))),
        Component(shipping, tax_in(shipping, draw(RATES))),
    )


def less(left: Left, part: Part) -> Left:
    """What is left after a part."""

    def rest(component: Component, cents: int, tax: int) -> Component:
        return Component(
            component.cents, component.tax_cents, component.back_cents + cents, component.tax_back_cents + tax
        )

    return Left(
        left.line_id,
        left.units,
        left.unit_price_cents,
        left.category,
        rest(left.goods, part.goods_cents, part.goods_tax_cents),
        rest(left.shipping, part.shipping_cents, part.shipping_tax_cents),
    )


@settings(max_examples=EXAMPLES, deadline=None)
@given(lines(), st.data())
def test_any_series_of_refunds_adds_up_to_the_line_and_its_taxes(line: Left, data: st.DataObject) -> None:
    left = line
    for _ in range(data.draw(st.integers(0, 6))):
        part = Part(
            left.line_id,
            data.draw(st.integers(1, left.units)),
            data.draw(st.integers(0, left.goods.left_cents)),
            data.draw(st.integers(0, left.shipping.left_cents)),
        )
        (taxed,) = with_taxes([part], {left.line_id: left})
        assert 0 <= taxed.goods_tax_cents <= left.goods.tax_left_cents
        assert 0 <= taxed.shipping_tax_cents <= left.shipping.tax_left_cents
        left = less(left, taxed)
    for part in with_taxes(all_of([left]), {left.line_id: left}):
        left = less(left, part)
    for component in (left.goods, left.shipping):
        assert (component.left_cents, component.tax_left_cents) == (0, 0)


@settings(max_examples=EXAMPLES // 5, deadline=None)
@given(lines(), st.integers(1, 10**6))
def test_more_than_is_left_is_never_given(line: Left, more: int) -> None:
    left = {line.line_id: line}
    for part, name in (
        (Part(line.line_id, line.units, line.goods.cents + more, 0), "goods"),
        (Part(line.line_id, line.units, 0, line.shipping.cents + more), "shipping"),
        (Part(line.line_id, line.units + more, 0, 0), "units"),
        (Part(line.line_id, line.units, -more, 0), "goods"),
    ):
        with pytest.raises(TooMuch) as much:
            with_taxes([part], left)
        assert much.value.component == name


@pytest.mark.parametrize(
    ("cents", "basis_points", "tax"), [(12_100, 2100, 2100), (100, 2100, 17), (0, 2100, 0), (999, 0, 0)]
)
def test_the_tax_in_an_amount(cents: int, basis_points: int, tax: int) -> None:
    assert tax_in(cents, basis_points) == tax
