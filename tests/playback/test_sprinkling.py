"""Refunds sprinkled into a history: drawn the same way each time, played one time, and every statement explained."""

import gzip
import json
from datetime import datetime
from io import BytesIO
from pathlib import Path

import pytest

from dashboard.statements import proof_of
from ledger.models import Account, Posting
from orders.models import HeardEvent
from playback.sprinkling import with_refunds
from refunds.models import Refund
from settlements.models import Statement, StatementLine
from settlements.queries import unexplained
from tests.ledger.test_sealing import behind_the_walls
from tests.playback.test_replay import DAY, HOUR, START, event, placed, replay, shipped

ORDERS = 24


def lines(orders: int = ORDERS) -> list[str]:
    """So many orders of two shops, one an hour, each delivered two days later."""
    events = []
    for n in range(orders):
        at, shop = START + n * HOUR, ("uno", "dos")[n % 2]
        events += [
            placed(at, f"N{n}", shop),
            event(at + HOUR, "accepted", f"N{n}", shop),
            shipped(at + 2 * HOUR, f"N{n}", shop),
            event(at + 2 * DAY, "delivered", f"N{n}", shop),
        ]
    return [json.dumps(one) for one in sorted(events, key=lambda one: one["at"])]


@pytest.fixture
def history(tmp_path: Path) -> Path:
    path = tmp_path / "history.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(lines()).encode()))
    return path


def sprinkled(one_in: int) -> list[bytes]:
    return list(with_refunds(BytesIO("\n".join(lines(200)).encode()), one_in))


def test_one_in_so_many_is_refunded_and_time_goes_forward() -> None:
    found = sprinkled(5)
    assert found == sprinkled(5)
    events = [json.loads(one) for one in found]
    refunds = [one for one in events if one["type"] == "order.refunded"]
    assert 20 < len({one["commercial_id"] for one in refunds}) < 70
    assert {one["share"] for one in refunds} == {5, 20, 50, 100}
    assert {one["by"] for one in refunds} == {"seller", "operator"}
    moments = [datetime.fromisoformat(one["at"]) for one in events]
    assert moments == sorted(moments)


def test_what_cannot_be_read_stays_where_it_is() -> None:
    torn = b'{"at": "never"\n', b"[]\n", b'{"at": 5}\n', b"\xff\n"
    assert list(with_refunds(BytesIO(b"".join(torn)), 1)) == list(torn)


@pytest.mark.django_db
@pytest.mark.rule("REF-07", "SET-06")
def test_every_payout_is_explained_to_the_cent(history: Path) -> None:
    found = replay(history, refunds=1)
    assert found["refunds"] > ORDERS / 2
    assert (found["unexplained"], found["invariants_failed"], found["parked"]) == (0, [], 0)
    assert StatementLine.objects.filter(section="refund").exists()
    proofs = [proof_of(statement) for statement in Statement.objects.filter(state="closed")]
    assert {proof.difference_cents for proof in proofs} == {0}
    assert len(proofs) == found["statements"] > 2


@pytest.mark.django_db
@pytest.mark.broken_books
@pytest.mark.rule("SET-06")
def test_a_cent_that_moved_is_not_explained(history: Path) -> None:
    replay(history, refunds=3)
    line = StatementLine.objects.filter(section="orders").order_by("id")[0]
    posting = Posting.objects.filter(entry=line.entry, account=Account.PAYABLE)[0]
    with behind_the_walls():
        Posting.objects.filter(id=posting.id).update(amount_cents=posting.amount_cents + 1)
    assert unexplained([line.statement.channel]) == [line.statement_id]


@pytest.mark.django_db
@pytest.mark.rule("ORD-15", "REF-06")
def test_a_second_run_refunds_nothing_again(history: Path) -> None:
    first = replay(history, refunds=2)
    before = (Refund.objects.count(), HeardEvent.objects.count())
    assert replay(history, refunds=2) == first
    assert (Refund.objects.count(), HeardEvent.objects.count()) == before


@pytest.mark.django_db
def test_a_refund_that_makes_no_sense_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "odd.jsonl"
    odd = [
        {**event(START + 9 * DAY, "refunded", "N0", "uno"), "share": share}
        for share in (0, 101, "5", None, 2.5)
    ]
    path.write_text("\n".join([*lines(1), *map(json.dumps, odd)]))
    assert replay(path)["refused"] == {"malformed": len(odd)}
    assert not Refund.objects.exists()
