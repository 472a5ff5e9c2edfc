"""A remittance that comes as a file: recorded once, told line by line, and nothing of what does not fit (PAY-06)."""

import gzip
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from marketplace.models import Channel
from marketplace.refusals import Code
from payments.couriers import Couriers
from payments.models import Collection, Remittance
from payments.remitting import Cash, Remitting
from tests.conftest import OPERATOR
from tests.payments.at_the_door import LATER, Bringing, standing
from tests.payments.files import brought, counts, money_file

pytestmark = pytest.mark.django_db


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
        (gzip.compress(b"reference,amount\nN-1,84.00\n" * 9, mtime=0)[:-9], "damaged or cut off"),
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
