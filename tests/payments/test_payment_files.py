"""Payments as the bank or the provider lists them: to the cent, once, and for one basket (ORD-07, PAY-07)."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from django.utils import timezone

from ledger.models import Account, Posting
from marketplace.models import Channel
from marketplace.policy import PRESETS, Preset
from marketplace.refusals import Code
from marketplace.services import open_channel, publish_policy
from orders import services
from orders.models import Event, Order
from orders.states import State
from payments import beforehand
from payments.intake.running import Result, carry_out
from payments.matching import Paid, Paying
from payments.models import Charge, Payback, PaymentReference
from payments.queries import explained
from payments.verdicts import Fate, Verdict
from sellers.models import Shop
from tests.conftest import AT, CLOCK, OPERATOR, Placing, again, basket, row, sure
from tests.orders.lives import HOUR, tick
from tests.payments.files import brought, counts, money_file

pytestmark = pytest.mark.django_db

H72 = timedelta(hours=72)
HEADER = "order,amount,payment_reference,date"


@pytest.fixture(autouse=True)
def prepaid(channel: Channel) -> Channel:
    publish_policy(channel, PRESETS[Preset.PREPAID], by="x", at=AT)
    return channel


def told(
    word: str,
    cents: int,
    reference: str = "TR-1",
    *,
    line: int = 1,
    currency: str = "",
    paid_at: datetime = AT + HOUR,
) -> Paid:
    return Paid(line, word, cents, reference, paid_at, currency)


def pay(channel: Channel, *lines: Paid, at: datetime = AT + HOUR) -> list[Verdict]:
    return Paying(channel, OPERATOR, at).carry_out(lines)


def of_two_shops(channel: Channel, shop: Shop, other_shop: Shop, number: str) -> list[Order]:
    """The orders of one basket over two shops, 66 + 4 and 12 + 2."""
    new = basket(shop, at=AT, number=number)
    jar, plate = new.lines
    moved = services.place(channel, [replace(new, lines=(jar, replace(plate, shop_id=other_shop.id)))]).moved
    return [Order.objects.get(id=move.order_id) for move in moved]


def standing() -> object:
    """Everything that a payment may write."""
    return [
        list(model.objects.order_by("id").values())
        for model in (Order, Charge, Payback, PaymentReference, Posting, Event)
    ]


@pytest.mark.rule("ORD-07")
def test_a_payment_told_to_the_cent_confirms_its_order(prepaid: Channel, place: Placing) -> None:
    order = place(at=AT)
    assert [one.fate for one in pay(prepaid, told(order.reference, 8400))] == [Fate.DONE]
    charge = Charge.objects.get(order=order)
    assert (again(order).state, charge.reference, charge.amount_cents) == (
        State.AWAITING_SHIPMENT,
        "TR-1",
        8400,
    )
    assert (charge.asked_at, charge.answered_at) == (AT + HOUR, AT + HOUR)
    assert [(x.balance_cents, x.under_way_cents) for x in explained()] == [(8400, 8400)]
    before = standing()
    assert [one.fate for one in pay(prepaid, told(order.reference, 8400))] == [Fate.HERE]
    assert standing() == before


@pytest.mark.rule("ORD-07")
@pytest.mark.rule("ORD-14")
def test_a_commercial_number_confirms_what_is_to_be_paid_of_the_whole_basket(
    prepaid: Channel, shop: Shop, other_shop: Shop
) -> None:
    orders = of_two_shops(prepaid, shop, other_shop, "W-1")
    assert [order.total_cents for order in orders] == [7000, 1400]
    assert [one.code for one in pay(prepaid, told("W-1", 7000))] == [Code.MISMATCH]
    (verdict,) = pay(prepaid, told("W-1", 8400))
    assert verdict.orders == tuple(order.id for order in orders)
    assert set(Charge.objects.values_list("reference", "state")) == {("TR-1", "succeeded")}
    assert [one.fate for one in pay(prepaid, told("W-1", 8400))] == [Fate.HERE]


@pytest.mark.rule("ORD-07")
def test_what_was_cancelled_meanwhile_is_not_to_be_paid(
    prepaid: Channel, shop: Shop, other_shop: Shop
) -> None:
    one, other = of_two_shops(prepaid, shop, other_shop, "W-1")
    services.cancel([other.id], reason="no lo quiere", by=OPERATOR, at=AT)
    assert [v.code for v in pay(prepaid, told("W-1", 8400))] == [Code.MISMATCH]
    assert [v.fate for v in pay(prepaid, told("W-1", 7000))] == [Fate.DONE]
    assert (again(one).state, again(other).charged_cents) == (State.AWAITING_SHIPMENT, 0)


@pytest.mark.rule("PAY-07")
@pytest.mark.rule("ORD-07")
def test_what_does_not_fit_is_refused_with_both_figures_and_changes_nothing(
    prepaid: Channel, place: Placing, shop: Shop
) -> None:
    order = place(at=AT)
    cash = services.place(prepaid, [replace(basket(shop, at=AT), cash_on_delivery=True)]).moved[0]
    other = open_channel("otro", "Otro", preset=Preset.PREPAID, by="x", at=AT)
    before = standing()
    verdicts = pay(
        prepaid,
        told(order.reference, 8399),
        told(order.reference, 8400, currency="USD"),
        told("NADIE", 8400),
        told(cash.reference, 8400),
    )
    assert [(one.code, one.detail) for one in verdicts] == [
        (Code.MISMATCH, "Hay que pagar 84,00\u00a0€ y se han pagado 83,99\u00a0€."),
        (Code.MISMATCH, "El pedido es en EUR y el pago en USD."),
        (Code.UNKNOWN_ORDER, ""),
        (Code.WRONG_STATE, ""),
    ]
    assert [one.code for one in pay(other, told(order.reference, 8400))] == [Code.UNKNOWN_ORDER]
    assert standing() == before


@pytest.mark.rule("ORD-07")
def test_a_second_payment_of_what_is_paid_is_told_not_taken(prepaid: Channel, place: Placing) -> None:
    order = place(at=AT)
    pay(prepaid, told(order.reference, 8400))
    before = standing()
    verdicts = pay(prepaid, told(order.reference, 8400, "TR-2"), told(order.reference, 1, "TR-1"))
    assert [(one.code, one.detail) for one in verdicts] == [
        (Code.DUPLICATE, "Se pagó con la referencia TR-1."),
        (Code.DUPLICATE, "Se pagó con la referencia TR-1."),
    ]
    assert standing() == before


@pytest.mark.rule("ORD-07", "CAN-05")
@pytest.mark.parametrize("lapsed", [True, False], ids=["lapsed", "about to lapse"])
def test_money_that_comes_too_late_is_noted_and_goes_back(
    prepaid: Channel, place: Placing, lapsed: bool
) -> None:
    order, late = place(at=AT), AT + H72 + timedelta(minutes=1)
    if lapsed:
        tick("lapse", late)
    assert [one.code for one in pay(prepaid, told(order.reference, 8399), at=late)] == [Code.MISMATCH]
    assert not Payback.objects.exists()
    assert [one.fate for one in pay(prepaid, told(order.reference, 8400, paid_at=late), at=late)] == [
        Fate.RETURNED
    ]
    assert (again(order).state, again(order).refunded_cents) == (State.CANCELLED, 8400)
    tick("payback", late)
    assert Payback.objects.get().amount_cents == 8400
    assert [(x.balance_cents, x.under_way_cents) for x in explained()] == [(0, 0)]
    before = standing()
    assert [one.fate for one in pay(prepaid, told(order.reference, 8400, paid_at=late), at=late)] == [
        Fate.HERE
    ]
    assert standing() == before


@pytest.mark.rule("ORD-07")
def test_one_reference_never_pays_two_baskets(
    prepaid: Channel, place: Placing, shop: Shop, other_shop: Shop
) -> None:
    one, other = place(at=AT), place(at=AT)
    first, second = of_two_shops(prepaid, shop, other_shop, "W-1")
    both = pay(prepaid, told(one.reference, 8400), told(other.reference, 8400, line=2))
    assert [(v.fate, v.code, v.detail) for v in both] == [
        (Fate.DONE, None, ""),
        (Fate.REFUSED, Code.REFERENCE_TAKEN, "TR-1"),
    ]
    before = standing()
    outcome = beforehand.confirm({other.id: "TR-1"}, by=OPERATOR, at=AT + HOUR)
    assert [(refusal.id, refusal.code) for refusal in outcome.refused] == [(other.id, Code.REFERENCE_TAKEN)]
    assert "paga otra compra" in outcome.refused[0].text
    assert standing() == before
    same_basket = [told(first.reference, 7000, "TR-2"), told(second.reference, 1400, "TR-2", line=2)]
    assert [v.fate for v in pay(prepaid, *same_basket)] == [Fate.DONE, Fate.DONE]
    channel = open_channel("otro", "Otro", preset=Preset.PREPAID, by="x", at=AT)
    elsewhere = services.place(channel, [basket(shop, at=AT)]).moved[0]
    assert [v.fate for v in pay(channel, told(elsewhere.reference, 8400))] == [Fate.DONE]


@pytest.mark.rule("ORD-07")
def test_a_reference_is_not_used_up_by_a_payment_that_was_refused(prepaid: Channel, place: Placing) -> None:
    one, other = place(at=AT), place(at=AT)
    assert beforehand.confirm({one.id: "TR-0"}, by=OPERATOR, at=AT).moved
    assert [refusal.code for refusal in beforehand.confirm({one.id: "TR-1"}, by=OPERATOR, at=AT).refused] == [
        Code.WRONG_STATE
    ]
    assert PaymentReference.objects.get().reference == "TR-0"
    assert beforehand.confirm({other.id: "TR-1"}, by=OPERATOR, at=AT).moved


@pytest.mark.rule("PAY-07")
def test_what_is_held_because_the_storefront_added_up_wrong_stays_held_when_it_is_paid(
    prepaid: Channel, place: Placing
) -> None:
    order = place(at=AT, paid_cents=1)
    pay(prepaid, told(order.reference, 8400))
    assert (again(order).state, again(order).held_at) == (State.AWAITING_SHIPMENT, AT)


# By file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "pagos.csv"


@pytest.fixture
def fresh(place: Placing) -> Order:
    return place(at=timezone.now() - timedelta(hours=2))


def bring_in(file: Path, **wishes: Any) -> dict[str, Any]:
    return brought("import_payments", file, **wishes)


def row_of(order: Order, amount: str = "84.00", reference: str = "TR-1", date: str = "") -> str:
    return f"{order.reference},{amount},{reference},{date or order.placed_at.isoformat()}"


@pytest.mark.rule("ORD-07")
def test_a_file_that_comes_twice_changes_nothing_the_second_time(file: Path, fresh: Order) -> None:
    money_file(file, row_of(fresh), "NADIE,1.00,TR-9,2026-03-01", header=HEADER)
    before = standing()
    assert counts(bring_in(file, rehearse=True)) == (1, 0, 0, 1)
    assert standing() == before
    assert counts(bring_in(file)) == (1, 0, 0, 1)
    assert again(fresh).charged_cents == 8400
    before = standing()
    assert counts(bring_in(file)) == (0, 1, 0, 1)
    assert standing() == before


@pytest.mark.rule("ORD-07", "CAN-05")
def test_a_file_with_money_that_came_too_late(file: Path, place: Placing) -> None:
    order = place(at=AT)
    too_late = (sure(order.pay_by) + HOUR).isoformat()
    done = bring_in(money_file(file, row_of(order, date=too_late), header=HEADER))
    assert (counts(done), done["amount"]) == ((0, 0, 1, 0), "84.00")
    assert Payback.objects.get().amount_cents == 8400


@pytest.mark.rule("ORD-07")
def test_a_bank_that_writes_semicolons_days_and_currencies(file: Path, fresh: Order) -> None:
    day = fresh.placed_at.date() - timedelta(days=1)
    row_in = f"{fresh.reference};84,00;eur;TR-1;{day}"
    money_file(file, row_in, header="order;amount;currency;payment_reference;date")
    assert counts(bring_in(file)) == (1, 0, 0, 0)
    asked_at = Charge.objects.get().asked_at
    assert asked_at is not None
    assert asked_at.utcoffset() is not None
    assert str(asked_at.date()) in {str(day), str(day - timedelta(days=1))}


@pytest.mark.rule("PAY-07")
@pytest.mark.parametrize(
    ("changes", "code", "why"),
    [
        ({"amount": "83.99"}, "mismatch", "€84.00 is to be paid, and €83.99 was."),
        ({"amount": "-84.00"}, "malformed", "amount: The amount cannot be negative."),
        ({"amount": "84.000"}, "malformed", "amount: The amount has more decimals than its currency."),
        ({"amount": "=84"}, "malformed", "amount: Not an amount"),
        ({"amount": "8.4e1"}, "malformed", "amount: Not an amount"),
        ({"reference": ""}, "malformed", "payment_reference: missing"),
        ({"reference": "R" * 121}, "malformed", "payment_reference: more than 120 letters"),
        ({"reference": "TR\x00"}, "malformed", "payment_reference: has letters that do not show"),
        ({"date": "31/03/2026"}, "malformed", "date: not a date"),
        ({"date": "2026-02-30"}, "malformed", "date: not a date"),
        ({"date": "2026-03-31T10:00:00"}, "malformed", "date: not a date"),
        ({"date": "0001-01-01T00:00:00+14:00"}, "malformed", "date: not a date"),
        ({"date": "2099-01-01"}, "malformed", "date: it is in the future"),
    ],
)  # fmt: skip
def test_a_line_that_will_not_do_is_refused_and_changes_nothing(
    file: Path, fresh: Order, changes: dict[str, str], code: str, why: str
) -> None:
    before = standing()
    done = bring_in(money_file(file, row_of(fresh, **changes), header=HEADER))
    assert counts(done) == (0, 0, 0, 1)
    assert [done["codes"], why in done["told"][0]] == [{code: 1}, True], done["told"]
    assert standing() == before


@pytest.mark.parametrize("header", ["order,amount,date", "pedido,amount,payment_reference,date", ""])
def test_a_header_that_will_not_do(file: Path, fresh: Order, header: str) -> None:
    before = row(fresh)
    with pytest.raises(CommandError):
        bring_in(money_file(file, row_of(fresh), header=header))
    assert row(fresh) == before


def test_a_channel_that_there_is_not(file: Path, fresh: Order) -> None:
    with pytest.raises(CommandError, match="no channel"):
        brought("import_payments", money_file(file, row_of(fresh), header=HEADER), channel="nadie")


def test_the_money_of_a_late_payment_is_where_it_was(place: Placing, prepaid: Channel) -> None:
    order, late = place(at=AT), AT + H72 + HOUR
    pay(prepaid, told(order.reference, 8400, paid_at=late), at=late)
    tick("payback", late)
    sums = {a: sum(Posting.objects.filter(account=a).values_list("amount_cents", flat=True)) for a in Account}
    assert set(sums.values()) == {0}


@pytest.mark.rule("ORD-11")
def test_money_for_what_lapsed_while_the_file_was_read_is_noted_after_that(
    prepaid: Channel, place: Placing
) -> None:
    order = place(at=AT)
    began, lapsed = AT + H72 + timedelta(seconds=1), AT + H72 + timedelta(seconds=31)
    services.lapse([order.id], by=CLOCK, at=lapsed)
    assert [one.fate for one in pay(prepaid, told(order.reference, 8400), at=began)] == [Fate.RETURNED]
    assert list(Event.objects.filter(order=order).order_by("id").values_list("verb", "at"))[1:] == [
        ("lapse", lapsed),
        ("late_charge", lapsed),
    ]
    assert (again(order).debited_at, Payback.objects.get(order=order).due_at) == (lapsed, lapsed)


@pytest.mark.rule("ORD-07")
def test_each_batch_of_a_file_takes_place_when_it_is_done(prepaid: Channel, place: Placing) -> None:
    orders = [place(at=AT) for _n in range(3)]
    lines = [told(order.reference, 8400, f"TR-{n}", line=n) for n, order in enumerate(orders, 1)]
    moments = iter([AT + HOUR, AT + 2 * HOUR])
    paying = Paying(prepaid, CLOCK, AT)
    result = Result()
    carry_out(paying, lines, result=result, tell=lambda one: None, batch=2, clock=lambda: next(moments))
    assert result.moved == 3
    assert [again(order).accepted_at for order in orders] == [AT + HOUR, AT + HOUR, AT + 2 * HOUR]


def test_a_file_brought_in_line_by_line_has_a_moment_for_each(file: Path, place: Placing) -> None:
    at = timezone.now() - HOUR
    orders = [place(at=at) for _n in range(2)]
    money_file(
        file, *(f"{one.reference},84.00,TR-{one.id},{at.isoformat()}" for one in orders), header=HEADER
    )
    bring_in(file, batch=1)
    first, second = (again(one).accepted_at for one in orders)
    assert first
    assert second
    assert first < second
