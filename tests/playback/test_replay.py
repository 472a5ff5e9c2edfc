"""A history played on a virtual clock: invented here, as dirty as life."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from marketplace.models import Parked
from marketplace.policy import Preset
from marketplace.services import open_channel
from messaging.models import Notice
from orders import services
from orders.models import Event, HeardEvent, Order
from orders.states import State
from sellers.models import Shop
from settlements.models import Payout
from tests.conftest import ANA

START = datetime(2024, 1, 10, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def placed(at: datetime, number: str, *shops: str, paid: str | None = None) -> dict[str, Any]:
    lines = [
        {"external_id": f"{number}-{n}", "shop": shop, "sku": "S1", "title": "Taza", "quantity": 1,
         "unit_price": "10.00", "shipping_price": "2.50"}
        for n, shop in enumerate(shops, 1)
    ]  # fmt: skip
    total = f"{12.5 * len(shops):.2f}" if paid is None else paid
    order = {
        "currency": "EUR",
        "payments": [{"method": "card", "amount": total}],
        "customer": {
            "external_id": "c1",
            "first_name": "Eva",
            "last_name": "Soto",
            "email": "eva@cliente.example",
        },
        "shipping_address": {
            "street": "Calle Nueva 1",
            "postal_code": "28001",
            "city": "Madrid",
            "country": "ES",
        },
        "lines": lines,
    }
    return {"at": stamp(at), "type": "order.placed", "commercial_id": number, "order": order}


def event(at: datetime, kind: str, number: str, shop: str, **more: str) -> dict[str, Any]:
    return {"at": stamp(at), "type": f"order.{kind}", "commercial_id": number, "shop": shop, **more}


def shipped(at: datetime, number: str, shop: str) -> dict[str, Any]:
    return event(at, "shipped", number, shop, carrier="correos", tracking="PK1")


HISTORY: list[dict[str, Any] | str] = [
    placed(START, "A", "uno", "dos"),
    placed(START + HOUR, "B", "uno"),
    placed(START + HOUR, "B", "uno"),
    placed(START + 2 * HOUR, "C", "uno", paid="12.49"),
    placed(START + 2 * HOUR, "D", "dos"),
    placed(START + 2 * HOUR, "E", "dos"),
    event(START + 3 * HOUR, "accepted", "A", "uno"),
    shipped(START + 3 * HOUR, "A", "uno"),
    shipped(START + 4 * HOUR, "A", "dos"),
    event(START + 5 * HOUR, "accepted", "A", "dos"),
    event(START + 5 * HOUR, "accepted", "C", "uno"),
    shipped(START + 6 * HOUR, "C", "uno"),
    "this is not JSON",
    json.dumps({"at": "yesterday", "type": "order.accepted"}),
    event(START + 6 * HOUR, "exploded", "A", "uno"),
    event(START + 6 * HOUR, "accepted", "Z", "uno"),
    event(START + 6 * HOUR, "accepted", "A", "nobody"),
    event(START + 2 * HOUR + 3 * DAY, "accepted", "D", "dos"),
    event(START + 2 * HOUR + 3 * DAY + timedelta(seconds=1), "accepted", "E", "dos"),
    event(START + 4 * DAY, "delivered", "A", "uno"),
    {"at": stamp(START + 5 * DAY), "type": "review.posted", "commercial_id": "A", "shop": "uno", "score": 5},
    event(START + 30 * DAY, "delivered", "A", "uno"),
    shipped(START + 31 * DAY, "D", "dos"),
    event(START + 60 * DAY, "delivered", "D", "dos"),
]


@pytest.fixture
def history(tmp_path: Path) -> Path:
    path = tmp_path / "history.jsonl.gz"
    lines = [line if isinstance(line, str) else json.dumps(line) for line in HISTORY]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


def replay(path: Path, **options: Any) -> dict[str, Any]:
    """The closing object of a replay, less how long it took."""
    out = StringIO()
    call_command("replay", path, json=True, stdout=out, **options)
    found: dict[str, Any] = json.loads(out.getvalue())
    assert found.pop("seconds") >= 0
    return found


@pytest.mark.django_db
@pytest.mark.rule("ORD-02")
@pytest.mark.rule("SHP-07")
def test_a_dirty_history_is_borne_and_told(history: Path) -> None:
    found = replay(history)
    # A at uno and at dos, B, C, D, E; each 12.50. B, C (accepted too, but held before its debit) and E.
    assert found["orders"] == 6
    assert found["states"] == {"awaiting_shipment": 1, "cancelled": 2, "closed": 2, "debit": 1}
    assert found["auto_cancelled"] == 2
    assert found["held_mismatch"] == 1
    assert found["refused"] == {
        "duplicate": 2,  # B again, and A delivered a second time
        "held": 1,  # C shipped while its debit waits in the hold
        "malformed": 2,
        "unknown_event": 1,
        "unknown_order": 1,
        "unknown_shop": 1,
        "wrong_state": 2,  # A at dos shipped before it was accepted; E accepted a second too late
    }
    assert found["ignored"] == {"review.posted": 1}
    assert found["statements"] == 2
    assert found["pending_cents"] == 1250  # A at dos, never shipped
    assert found["paid_cents"] == 2 * (1250 - 150 - 32)
    assert found["invariants_failed"] == []
    assert found["parked"] == 0


@pytest.mark.django_db
def test_the_moments_are_those_of_the_virtual_clock(history: Path) -> None:
    replay(history)
    told = Event.objects.filter(order__reference="A-A").order_by("id").values_list("verb", "at")
    received = START + 3 * HOUR + 21 * DAY
    assert list(told) == [
        ("place", START),
        ("accept", START + 3 * HOUR),
        ("debit_succeeded", START + 3 * HOUR),
        ("ship", START + 3 * HOUR),
        ("deliver", START + 4 * DAY),
        ("receive", received),
        # The first of February, midnight in Madrid: received a moment after the cycle of January's end.
        ("settle", datetime(2024, 1, 31, 23, 0, tzinfo=UTC)),
    ]
    assert Event.objects.get(order__reference="B-A", verb="expire").at == START + HOUR + 3 * DAY + timedelta(
        microseconds=1
    )


@pytest.mark.django_db
@pytest.mark.rule("ORD-15")
def test_a_second_run_adds_nothing_and_says_the_same(history: Path) -> None:
    first = replay(history)
    rows = (Event.objects.count(), HeardEvent.objects.count(), Payout.objects.count(), Notice.objects.count())
    assert replay(history) == first
    assert (
        Event.objects.count(),
        HeardEvent.objects.count(),
        Payout.objects.count(),
        Notice.objects.count(),
    ) == rows


@pytest.mark.django_db
@pytest.mark.rule("NOT-01")
def test_history_tells_nobody(history: Path) -> None:
    replay(history)
    assert Notice.objects.exists()
    assert set(Notice.objects.values_list("muted", "due_at")) == {(True, None)}


@pytest.mark.django_db
def test_a_replay_that_was_cut_short_is_finished_by_the_next(history: Path, tmp_path: Path) -> None:
    whole = gzip.decompress(history.read_bytes()).splitlines()
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(b"\n".join(whole[:9]))
    replay(cut, until=stamp(START + 5 * HOUR))
    assert replay(history)["states"] == {"awaiting_shipment": 1, "cancelled": 2, "closed": 2, "debit": 1}


@pytest.mark.django_db
def test_until_stops_the_clock(history: Path) -> None:
    found = replay(history, until=stamp(START + 61 * DAY))
    assert found["states"] == {"awaiting_shipment": 1, "cancelled": 2, "closed": 1, "debit": 1, "received": 1}
    assert found["invariants_failed"] == []


@pytest.mark.django_db
def test_it_does_not_play_over_the_orders_of_others(history: Path) -> None:
    shop = Shop.objects.create(code="uno", name="Uno")
    channel = open_channel("tienda", "Tienda", by="x", at=START)
    line = services.NewLine("1", shop.id, "A", "Taza", 1, 100)
    services.place(channel, [services.NewBasket("X", "EUR", START, ANA, (line,))])
    before = list(Order.objects.values())
    with pytest.raises(CommandError, match="living orders"):
        replay(history)
    assert list(Order.objects.values()) == before
    assert Order.objects.get().state == State.PENDING_ACCEPTANCE
    assert not HeardEvent.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "bad", ["tomorrow", "2024-01-01T00:00:00", "2016-13-01T00:00:00Z", "0001-01-01T00:00:00Z"]
)
def test_a_moment_that_makes_no_sense_is_refused(history: Path, bad: str) -> None:
    with pytest.raises(CommandError, match="moment"):
        replay(history, until=bad)
    assert not Order.objects.exists()


@pytest.mark.django_db
def test_one_bad_row_never_stops_a_replay(history: Path) -> None:
    """An order that cannot be expired (a trigger of the test refuses it) is set aside; history goes on."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            CREATE FUNCTION pg_temp.no() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'a bad row'; END $$;
            CREATE TRIGGER no BEFORE UPDATE ON orders_order FOR EACH ROW
                WHEN (OLD.reference = 'B-A' AND NEW.state = 'cancelled') EXECUTE FUNCTION pg_temp.no()
            """
        )
    with pytest.raises(CommandError, match="I8"):  # the order that stays behind is overdue, and said so
        replay(history)
    states = dict(Order.objects.values_list("reference", "state"))
    assert (states["B-A"], states["A-A"], states["D-A"]) == ("pending_acceptance", "closed", "closed")
    assert Parked.objects.get().tries == 4


@pytest.mark.django_db
@pytest.mark.parametrize("content", [b"", b"[]\n{}\nnull\n", bytes(range(256)) * 20])
def test_a_file_without_events_is_said_to_be_one(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "nonsense.jsonl"
    path.write_bytes(content)
    with pytest.raises(CommandError, match="no line that can be read"):
        replay(path)
    assert not Order.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2024-02-30T00:00:00Z"]
)
def test_a_moment_outside_of_time_is_one_malformed_line(at: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.jsonl"
    odd = {"at": at, "type": "order.accepted", "commercial_id": "A", "shop": "uno"}
    path.write_text("\n".join(json.dumps(line) for line in (placed(START, "A", "uno"), odd)))
    found = replay(path)
    assert (found["orders"], found["refused"]) == (1, {"malformed": 1})


@pytest.mark.django_db
def test_a_file_that_breaks_off_is_played_as_far_as_it_goes(history: Path, tmp_path: Path) -> None:
    whole = history.read_bytes()
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(gzip.compress(gzip.decompress(whole), compresslevel=0)[:4000])
    with pytest.raises(CommandError, match=r"breaks off after line \d+: .*what stands before was played"):
        replay(cut)
    played = HeardEvent.objects.count()
    assert 0 < played < len(HISTORY)
    replay(history)
    assert HeardEvent.objects.count() == len(HISTORY)


@pytest.mark.django_db
def test_a_file_is_what_it_holds_not_what_it_is_called(history: Path, tmp_path: Path) -> None:
    plain, packed = tmp_path / "plain.jsonl.gz", tmp_path / "packed.jsonl"
    plain.write_bytes(gzip.decompress(history.read_bytes()))
    packed.write_bytes(history.read_bytes())
    assert replay(plain)["orders"] == replay(packed)["orders"] > 0


@pytest.mark.django_db
@pytest.mark.rule("ORD-07", "PAY-06")
@pytest.mark.parametrize("preset", [Preset.PREPAID, Preset.CASH_ON_DELIVERY])
def test_a_history_is_played_on_every_way_of_trading(preset: Preset, history: Path) -> None:
    found = replay(history, preset=preset)
    assert found["invariants_failed"] == []
    states = found["states"]
    assert states["closed"] > 0
    assert set(states) <= {"closed", "cancelled", "awaiting_shipment"}
    prepaid = preset == Preset.PREPAID
    assert Event.objects.filter(verb="confirm_payment").exists() == prepaid
    assert Event.objects.filter(verb="accept").exists() != prepaid
    assert (found["held_mismatch"] == 0) != prepaid
    assert replay(history, preset=preset) == found
