"""The courier's cash: collected at the door, handed over once, and every cent explained in between (PAY-06)."""

import gzip
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ledger.models import Account, Entry, Posting
from marketplace.models import Carrier, Channel
from marketplace.policy import PRESETS, Preset
from marketplace.refusals import Code
from marketplace.services import publish_policy
from orders import services
from orders.models import Order
from payments.couriers import Couriers
from payments.models import Collection, Remittance
from payments.queries import explained, in_hand
from payments.remitting import Cash, Remitting
from payments.verdicts import Fate, Verdict
from sellers.models import Shop
from tests.conftest import AT, CLOCK, OPERATOR, SELLER, basket
from tests.orders.lives import HOUR, tick
from tests.payments.files import brought, counts, money_file

pytestmark = pytest.mark.django_db

LATER = AT + 40 * HOUR
type Bringing = Callable[..., Order]


@pytest.fixture
def at_the_door(channel: Channel) -> Channel:
    publish_policy(channel, PRESETS[Preset.CASH_ON_DELIVERY], by="x", at=AT)
    return channel


@pytest.fixture
def bring(at_the_door: Channel, shop: Shop) -> Bringing:
    """An order of 84.00 € that its courier has delivered, or is still bringing: `bring("N-1", delivered=False)`."""

    def bringing(
        tracking: str = "", courier: str = "Portes Norte", *, delivered: bool = True, **wishes: Any
    ) -> Order:
        new = basket(wishes.pop("shop", shop), at=AT, **wishes)
        ids = [move.order_id for move in services.place(at_the_door, [new]).moved]
        services.accept(ids, by=SELLER, at=AT + HOUR)
        parcel = services.Parcel(carrier_name=courier, tracking=tracking)
        services.ship(dict.fromkeys(ids, parcel), by=SELLER, at=AT + 2 * HOUR)
        if delivered:
            services.deliver(ids, by=CLOCK, at=AT + 3 * HOUR)
        return Order.objects.get(id=ids[0])

    return bringing


def remit(
    channel: Channel, *lines: tuple[str, int | None], courier: str = "Portes Norte", name: str = "R-1"
) -> list[Verdict]:
    act = Remitting(channel, Couriers().called(courier), name, LATER, OPERATOR, LATER)
    return act.carry_out([Cash(n, word, cents) for n, (word, cents) in enumerate(lines, 1)])


def books(account: Account = Account.COURIER) -> int:
    return sum(Posting.objects.filter(account=account).values_list("amount_cents", flat=True))


def standing() -> object:
    """Everything that a remittance may write."""
    return (
        list(Collection.objects.order_by("id").values()),
        list(Remittance.objects.values()),
        list(Entry.objects.order_by("id").values("key", "note")),
        list(Posting.objects.order_by("id").values("account", "amount_cents")),
    )


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


# By file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "remesa.csv"


def bring_in(file: Path, **wishes: Any) -> dict[str, Any]:
    return brought("import_remittance", file, **{"carrier": "Portes Norte", "reference": "R-1", **wishes})


@pytest.mark.rule("PAY-06")
def test_a_file_is_recorded_once_however_often_it_comes(file: Path, bring: Bringing) -> None:
    one, _two = bring("N-1"), bring("N-2")
    money_file(file, f"{one.reference},84.00", "N-2,84", "N-9,84.00")
    before = standing()
    rehearsed = bring_in(file, rehearse=True)
    assert (counts(rehearsed), rehearsed["rehearsed"], standing()) == ((2, 0, 0, 1), True, before)
    done = bring_in(file, amount="168.00")
    assert (counts(done), done["amount"], done["told"]) == (
        (2, 0, 0, 1), "168.00", ["4,N-9,unknown_order,There is no such order."],
    )  # fmt: skip
    assert Remittance.objects.values_list("amount_cents", "stated_cents").get() == (16800, 16800)
    after = standing()
    assert counts(bring_in(file)) == (0, 2, 0, 1)
    assert standing() == after


@pytest.mark.rule("PAY-06")
def test_a_rehearsal_in_small_batches_says_what_the_real_thing_does(file: Path, bring: Bringing) -> None:
    order = bring("N-1")
    money_file(file, *["N-1,84.00", f"{order.reference},84.00", "N-1,84.00"])
    rehearsed = bring_in(file, rehearse=True, batch=1)
    done = bring_in(file, batch=1)
    assert rehearsed["told"] == done["told"]
    assert counts(rehearsed) == counts(done) == (1, 0, 0, 2)


@pytest.mark.rule("PAY-06")
def test_as_a_spreadsheet_saves_it(file: Path, bring: Bringing) -> None:
    bring("N-1")
    text = "Reference;Amount\r\nN-1;84,00\r\n;;\r\n"
    file.write_bytes(gzip.compress(b"\xef\xbb\xbf" + text.encode()))
    assert counts(bring_in(file)) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("N-1,-84.00", "amount: The amount cannot be negative."),
        ("N-1,84.000", "amount: The amount has more decimals than its currency."),
        ('N-1,"84,000"', "amount: The amount has more decimals than its currency."),
        ("N-1,1e3", "amount: Not an amount: digits only"),
        ("N-1,=42*2", "amount: Not an amount: digits only"),
        ("N-1,", "amount: missing"),
        (",84.00", "reference: missing"),
        ("N-1,84.00,x", "has 3 cells and the header 2"),
        (f"{'N' * 81},84.00", "reference: more than 80 letters"),
        ("N\u202e1,84.00", "reference: has letters that do not show"),
        ("N-1,999999999999999999", "amount: The amount is too large."),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_read_is_refused_alone(file: Path, bring: Bringing, row: str, why: str) -> None:
    bring("N-1"), bring("N-2")
    done = bring_in(money_file(file, row, "N-2,84.00"))
    assert counts(done) == (1, 0, 0, 1)
    (told,) = done["told"]
    assert told.split(",", 3)[2] == "malformed"
    assert why in told
    assert Collection.objects.filter(remittance=None).count() == 1


def test_a_formula_is_disarmed_in_the_report(file: Path, bring: Bringing) -> None:
    bring("N-1")
    done = bring_in(money_file(file, '"=HYPERLINK(""http://x"")",84.00'))
    assert done["told"] == ['2,"\'=HYPERLINK(""http://x"")",unknown_order,There is no such order.']


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"pedido,amount\nN-1,84\n", "columns that do not exist: pedido"),
        (b"reference\nN-1\n", "columns that are missing: amount"),
        (b"reference,amount,amount\nN-1,84,84\n", "columns that are there twice"),
        ("reference,amount\nN-1,84\n".encode("utf-16"), "UTF-8"),
        (gzip.compress(b"reference,amount\nN-1,84.00\n" * 9)[:-9], "damaged or cut off"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_refused_whole(file: Path, bring: Bringing, data: bytes, why: str) -> None:
    bring("N-1")
    before = standing()
    file.write_bytes(data)
    with pytest.raises(CommandError, match=why):
        bring_in(file)
    assert data.startswith(b"\x1f\x8b") or standing() == before


def test_bad_bytes_cost_their_line(file: Path, bring: Bringing) -> None:
    bring("N-1")
    file.write_bytes(b"reference,amount\nN\xff,84.00\nN-1,84.00\n" + b"x" * 1_000_001 + b",1\n")
    done = bring_in(file)
    assert counts(done) == (1, 0, 0, 2)
    assert ["UTF-8" in done["told"][0], "1 MB" in done["told"][1]] == [True, True]


@pytest.mark.parametrize(
    "wishes",
    [{"carrier": " "}, {"reference": "R" * 81}, {"received": "ayer"}, {"received": "2999-01-01T00:00:00Z"},
     {"amount": "-1"}, {"amount": "0"}, {"batch": 0}],
)  # fmt: skip
def test_options_that_will_not_do(file: Path, bring: Bringing, wishes: dict[str, Any]) -> None:
    bring("N-1")
    before = standing()
    with pytest.raises(CommandError):
        bring_in(money_file(file, "N-1,84.00"), **wishes)
    assert standing() == before


def test_an_order_of_another_channel_is_unknown(file: Path, bring: Bringing, at_the_door: Channel) -> None:
    order = bring("N-1")
    other = Channel.objects.create(code="otro", name="Otro", policy=at_the_door.policy)
    act = Remitting(other, Couriers().called("Portes Norte"), "R-1", LATER, OPERATOR, LATER)
    assert [one.code for one in act.carry_out([Cash(1, order.reference, None), Cash(2, "N-1", None)])] == [
        Code.UNKNOWN_ORDER,
        Code.UNKNOWN_ORDER,
    ]
