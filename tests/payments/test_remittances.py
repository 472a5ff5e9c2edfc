"""The courier's cash: collected at the door, handed over once, and every cent explained in between (PAY-06)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ledger.models import Account, Entry
from marketplace.models import Carrier, Channel
from marketplace.refusals import Code
from marketplace.rooms import moment
from orders import services
from orders.models import Order
from payments.models import Collection, Remittance
from payments.queries import explained, in_hand
from payments.verdicts import Fate
from sellers.models import Shop, User
from tests.conftest import AT, CLOCK, OPERATOR, SELLER, basket
from tests.orders.lives import HOUR, tick
from tests.payments.at_the_door import LATER, Bringing, books, remit, standing

pytestmark = pytest.mark.django_db


@pytest.mark.rule("PAY-06")
@pytest.mark.rule("SET-04")
def test_what_the_courier_collected_goes_to_the_bank_once(at_the_door: Channel, bring: Bringing) -> None:
    order = bring("N-1")
    (cash,) = Collection.objects.all()
    assert (cash.order_id, cash.courier, cash.amount_cents, cash.collected_at, cash.remittance_id) == (
        order.id, "Portes Norte", 8400, AT + 3 * HOUR, None,
    )  # fmt: skip
    (verdict,) = remit(at_the_door, (order.reference, 8400))
    assert (verdict.fate, verdict.cents) == (Fate.DONE, 8400)
    entry = Entry.objects.get(key=f"remit:{order.id}")
    assert (entry.shop_id, entry.order_id, entry.note) == (order.shop_id, order.id, "Portes Norte R-1")
    assert list(entry.postings.order_by("id").values_list("account", "amount_cents")) == [
        (Account.BANK, 8400),
        (Account.COURIER, -8400),
    ]
    remittance = Remittance.objects.get()
    assert (remittance.amount_cents, remittance.orders_count, remittance.recorded_by) == (
        8400,
        1,
        "Olga Operadora",
    )
    assert (books(), books(Account.BANK)) == (0, 8400)
    before = standing()
    assert [one.fate for one in remit(at_the_door, (order.reference, 8400))] == [Fate.HERE]
    assert standing() == before
    (other,) = remit(at_the_door, (order.reference, 8400), name="R-2")
    assert (other.fate, other.code, other.detail) == (Fate.REFUSED, Code.DUPLICATE, "Está en la remesa R-1.")
    assert standing() == before


@pytest.mark.rule("PAY-06")
def test_receipt_and_settlement_go_on_whether_or_not_the_courier_has_paid(
    at_the_door: Channel, bring: Bringing
) -> None:
    order = bring()
    tick("receive", AT + timedelta(days=30))
    tick("statements", AT + timedelta(days=60))
    assert books() == 8400
    assert [one.fate for one in remit(at_the_door, (order.reference, None))] == [Fate.DONE]
    assert (books(), books(Account.PENDING)) == (0, 0)


@pytest.mark.rule("PAY-06")
def test_a_line_that_does_not_fit_changes_nothing_and_says_why(
    at_the_door: Channel, bring: Bringing, channel: Channel
) -> None:
    order, elsewhere, on_its_way = bring("N-1"), bring("E-1", "Envíos Este"), bring("N-2", delivered=False)
    before = standing()
    verdicts = remit(
        at_the_door,
        (order.reference, 8000),
        (elsewhere.reference, 8400),
        (on_its_way.reference, 8400),
        ("N-2", 8400),
        ("NADIE", 8400),
        (order.reference, 0),
    )
    assert [(one.code, one.detail) for one in verdicts] == [
        (Code.MISMATCH, "Se cobraron 84,00\u00a0€ y la remesa dice 80,00\u00a0€."),
        (Code.OTHER_COURIER, "Envíos Este"),
        (Code.NOT_COLLECTED, ""),
        (Code.NOT_COLLECTED, ""),
        (Code.UNKNOWN_ORDER, ""),
        (Code.MISMATCH, "Se cobraron 84,00\u00a0€ y la remesa dice 0,00\u00a0€."),
    ]
    assert standing() == before


@pytest.mark.rule("PAY-06")
def test_what_fits_is_recorded_beside_what_does_not_and_the_rest_may_follow(
    at_the_door: Channel, bring: Bringing
) -> None:
    one, two = bring("N-1"), bring("N-2")
    assert [v.fate for v in remit(at_the_door, ("N-1", None), ("N-2", 1), ("N-1", None))] == [
        Fate.DONE,
        Fate.REFUSED,
        Fate.REFUSED,
    ]
    assert books() == 8400
    assert [v.fate for v in remit(at_the_door, (one.reference, None), (two.reference, 8400))] == [
        Fate.HERE,
        Fate.DONE,
    ]
    assert Remittance.objects.values_list("amount_cents", "orders_count").get() == (16800, 2)


@pytest.mark.rule("PAY-06")
def test_of_each_order_it_is_known_who_recorded_it_and_when(
    at_the_door: Channel, bring: Bringing, client: Client, olga: User
) -> None:
    one, two = bring("N-1"), bring("N-2")
    remit(at_the_door, ("N-1", None))
    remit(at_the_door, ("N-1", None), ("N-2", None), by=CLOCK, at=LATER + HOUR)
    assert dict(Collection.objects.values_list("order_id", "remitted_at")) == {
        one.id: LATER,
        two.id: LATER + HOUR,
    }
    assert dict(Collection.objects.values_list("order_id", "remitted_by")) == {
        one.id: OPERATOR.label,
        two.id: CLOCK.label,
    }
    client.force_login(olga)
    remittance = Remittance.objects.get()
    assert (remittance.recorded_at, remittance.recorded_by) == (LATER, OPERATOR.label)
    page = client.get(reverse("admin:payments_remittance_change", args=[remittance.pk])).content.decode()
    assert [moment(at) in page for at in (LATER, LATER + HOUR)] == [True, True]
    assert CLOCK.label in page


@pytest.mark.rule("PAY-06")
def test_a_tracking_number_that_came_twice_is_the_one_whose_cash_is_owed(
    at_the_door: Channel, bring: Bringing
) -> None:
    old, new = bring("N-1"), bring("N-1")
    assert [v.code for v in remit(at_the_door, ("N-1", None))] == [Code.AMBIGUOUS]
    remit(at_the_door, (old.reference, None))
    assert [v.orders for v in remit(at_the_door, ("N-1", None), name="R-2")] == [(new.id,)]


@pytest.mark.rule("PAY-06")
def test_the_courier_is_whoever_brought_the_last_parcel_however_the_name_is_written(
    at_the_door: Channel, bring: Bringing, shop: Shop
) -> None:
    norte = Carrier.objects.create(code="norte", name="Portes Norte")
    listed, typed = bring(courier="portes  NORTE"), bring(courier="Envíos Este")
    two = services.place(at_the_door, [basket(shop, at=AT)]).moved[0].order_id
    services.accept([two], by=SELLER, at=AT + HOUR)
    jar, _plate = Order.objects.get(id=two).lines.all()
    first = services.Parcel(carrier_name="Envíos Este", tracking="E-9", quantities={jar.id: 2})
    services.ship({two: first}, by=SELLER, at=AT + 2 * HOUR)
    services.ship({two: services.Parcel(carrier=norte, tracking="N-9")}, by=SELLER, at=AT + 2 * HOUR)
    services.deliver([two], by=CLOCK, at=AT + 3 * HOUR)
    couriers = dict(Collection.objects.values_list("order_id", "courier_key"))
    assert couriers == {listed.id: f"#{norte.id}", typed.id: "envíos este", two: f"#{norte.id}"}
    verdicts = remit(at_the_door, (listed.reference, None), ("E-9", None), courier="norte")
    assert [one.fate for one in verdicts] == [Fate.DONE, Fate.DONE]
    assert [v.fate for v in remit(at_the_door, (typed.reference, None), courier=" ENVÍOS este")] == [
        Fate.DONE
    ]


@pytest.mark.rule("PAY-06", "SHP-04")
def test_a_courier_that_came_on_the_list_meanwhile_hands_over_what_it_collected_before(
    at_the_door: Channel, bring: Bringing
) -> None:
    old = bring("N-1")
    norte = Carrier.objects.create(code="norte", name="Portes Norte")
    new = bring("N-2")
    assert [one.owed_orders for one in in_hand()] == [1, 1]
    verdicts = remit(at_the_door, ("N-1", None), (new.reference, None), courier="norte")
    assert [one.orders for one in verdicts if one.fate == Fate.DONE] == [(old.id,), (new.id,)]
    assert set(Collection.objects.values_list("courier_key", "carrier_id")) == {(f"#{norte.id}", norte.id)}


@pytest.mark.rule("PAY-06")
def test_where_nobody_reported_a_delivery_receipt_tells_whose_the_cash_is(
    at_the_door: Channel, bring: Bringing
) -> None:
    order = bring(delivered=False)
    assert not Collection.objects.exists()
    tick("receive", AT + timedelta(days=30))
    services.deliver([order.id], by=CLOCK, at=AT + timedelta(days=31))
    assert Collection.objects.values_list("courier", "amount_cents").get() == ("Portes Norte", 8400)
    remit(at_the_door, (order.reference, None))
    assert books() == 0


@pytest.mark.rule("PAY-06", "CAN-05")
def test_what_came_back_from_the_door_was_never_anybodys_cash(at_the_door: Channel, bring: Bringing) -> None:
    order = bring("N-1", delivered=False)
    services.report_exception([order.id], reason="Rechazado", by=OPERATOR, at=AT + 3 * HOUR)
    services.return_to_sender([order.id], by=SELLER, at=AT + 4 * HOUR)
    assert [one.code for one in remit(at_the_door, ("N-1", 8400))] == [Code.NOT_COLLECTED]
    assert (books(), explained(), in_hand()) == (0, [], [])


@pytest.mark.rule("CAN-04", "PAY-06")
def test_collected_cash_is_not_undone_by_a_cancellation_or_a_return(bring: Bringing) -> None:
    order = bring()
    before = standing()
    at = AT + 4 * HOUR
    for outcome in (
        services.cancel([order.id], reason="tarde", by=OPERATOR, at=at),
        services.return_to_sender([order.id], by=OPERATOR, at=at),
    ):
        assert [refusal.code for refusal in outcome.refused] == [Code.WRONG_STATE]
    assert standing() == before


@pytest.mark.rule("PAY-06")
def test_the_balances_of_couriers_are_what_they_have_not_handed_over(
    at_the_door: Channel, bring: Bringing
) -> None:
    one, two, _three = bring(), bring(), bring(courier="Envíos Este")
    remit(at_the_door, (one.reference, None))
    assert [(x.account, x.balance_cents, x.under_way_cents) for x in explained()] == [
        ("courier", 16800, 16800)
    ]
    told = [
        (x.courier, x.collected_cents, x.remitted_cents, x.owed_cents, x.owed_orders, x.oldest_at)
        for x in in_hand()
    ]
    assert told == [
        ("Envíos Este", 8400, 0, 8400, 1, AT + 3 * HOUR),
        ("Portes Norte", 16800, 8400, 8400, 1, AT + 3 * HOUR),
    ]
    remit(at_the_door, (two.reference, None), name="R-2")
    assert (in_hand()[1].owed_cents, in_hand()[1].oldest_at, in_hand()[1].collected_cents) == (0, None, 16800)


@pytest.mark.rule("PAY-06")
def test_the_same_cash_on_delivery_order_of_two_shops_is_two_collections(
    at_the_door: Channel, bring: Bringing, shop: Shop, other_shop: Shop
) -> None:
    one, other = bring("N-1"), bring("N-2", shop=other_shop)
    remit(at_the_door, (one.reference, None), (other.reference, None))
    entries = Entry.objects.filter(kind="remit").order_by("id").values_list("shop_id", "key")
    assert list(entries) == [(shop.id, f"remit:{one.id}"), (other_shop.id, f"remit:{other.id}")]


def test_many_lines_cost_no_more_queries_than_one(at_the_door: Channel, bring: Bringing) -> None:
    orders = [bring() for _ in range(13)]
    asked = []
    for number, batch in enumerate((orders[:1], orders[1:])):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            remit(at_the_door, *((order.reference, None) for order in batch), name=f"R-{number}")
        asked.append(len(queries))
    assert asked[0] == asked[1]
