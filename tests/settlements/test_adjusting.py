"""Adjustments by hand: small ones alone, large ones by two people, each posted once (SET-01)."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from ledger.models import Balance, Entry
from marketplace.models import Channel
from marketplace.refusals import Code, MoveRefused
from marketplace.services import open_channel
from sellers.desk import Actor, operator
from sellers.models import Shop, User
from settlements import adjusting
from settlements.models import Adjustment
from settlements.states import AdjustmentState
from tests.conftest import AT, SELLER, _person

pytestmark = [pytest.mark.django_db, pytest.mark.rule("SET-01")]


@pytest.fixture
def pepe(db: None) -> User:
    return _person("pepe@operador.example", "Pepe Operador", is_staff=True, is_superuser=True)


def balance() -> int:
    return sum(Balance.objects.values_list("payable_cents", flat=True))


def books() -> tuple[int, int, list[Any]]:
    return Entry.objects.count(), balance(), list(Adjustment.objects.order_by("id").values())


def test_a_small_one_is_made_at_once_a_large_one_waits(
    channel: Channel, shop: Shop, olga: User, pepe: User
) -> None:
    one, other = operator(olga), operator(pepe)
    small = adjusting.ask(shop, channel, -2500, reason="Etiquetas", by=one, at=AT)
    assert (small.state, balance(), small.entry.note if small.entry else "") == ("posted", -2500, "Etiquetas")
    large = adjusting.ask(shop, channel, 10_001, reason="Campaña", by=one, at=AT)
    assert (large.state, balance()) == (AdjustmentState.ASKED, -2500)
    assert adjusting.approve([large.id], by=other, at=AT).moved == [large.id]
    large = Adjustment.objects.get(id=large.id)
    assert (large.state, large.decided_by, balance()) == (AdjustmentState.POSTED, pepe, 7501)


def test_nobody_approves_their_own(channel: Channel, shop: Shop, olga: User) -> None:
    asked = adjusting.ask(shop, channel, 500_000, reason="Campaña", by=operator(olga), at=AT)
    before = books()
    told = adjusting.approve([asked.id], by=operator(olga), at=AT)
    assert [refusal.code for refusal in told.refused] == [Code.OWN_REQUEST]
    assert books() == before


def test_a_large_one_is_not_made_of_small_ones(channel: Channel, shop: Shop, olga: User) -> None:
    one = operator(olga)
    states = [adjusting.ask(shop, channel, 6000, reason="x", by=one, at=AT).state for _ in range(2)]
    assert states == ["posted", "asked"]
    later = adjusting.ask(shop, channel, 6000, reason="x", by=one, at=AT + timedelta(hours=25))
    assert later.state == AdjustmentState.POSTED


def test_a_large_one_is_not_made_of_small_ones_on_several_channels(
    channel: Channel, shop: Shop, olga: User
) -> None:
    other = open_channel("otro", "Otro canal", by="pruebas", at=AT - timedelta(days=30))
    by = operator(olga)
    most = adjusting.alone_cents(shop, channel, by=by, at=AT)
    adjusting.ask(shop, channel, most, reason="Uno", by=by, at=AT)
    assert adjusting.alone_cents(shop, other, by=by, at=AT) == 0
    assert adjusting.ask(shop, other, 100, reason="Otro", by=by, at=AT).state == AdjustmentState.ASKED


def test_what_is_decided_stays_decided(channel: Channel, shop: Shop, olga: User, pepe: User) -> None:
    asked = adjusting.ask(shop, channel, 500_000, reason="Campaña", by=operator(olga), at=AT)
    assert adjusting.decline([asked.id], answer="No toca", by=operator(pepe), at=AT).moved == [asked.id]
    before = books()
    for told in (
        adjusting.approve([asked.id], by=operator(pepe), at=AT),
        adjusting.decline([asked.id], answer="x", by=operator(pepe), at=AT),
    ):
        assert [refusal.code for refusal in told.refused] == [Code.DECIDED]
    assert books() == before
    assert balance() == 0


@pytest.mark.parametrize(
    ("cents", "reason", "code"),
    [(0, "x", Code.NOTHING_CHOSEN), (100, "  ", Code.REASON_NEEDED), (100, "x", Code.NOT_ALLOWED)],
)
def test_what_is_refused_changes_nothing(
    channel: Channel, shop: Shop, olga: User, cents: int, reason: str, code: Code
) -> None:
    who: Actor = SELLER if code == Code.NOT_ALLOWED else operator(olga)
    before = books()
    with pytest.raises(MoveRefused) as error:
        adjusting.ask(shop, channel, cents, reason=reason, by=who, at=AT)
    assert (error.value.refusal.code, books()) == (code, before)
    asked = adjusting.ask(shop, channel, 500_000, reason="x", by=operator(olga), at=AT)
    told = adjusting.approve([asked.id], by=SELLER, at=AT)
    assert ([one.code for one in told.refused], balance()) == ([Code.NOT_ALLOWED], 0)


def test_the_room_asks_and_approves(
    client: Client, channel: Channel, shop: Shop, olga: User, pepe: User
) -> None:
    client.force_login(olga)
    page, rooms = (
        reverse("admin:settlements_adjustment_ask_for"),
        reverse("admin:settlements_adjustment_changelist"),
    )
    sent = {"shop": "alba", "channel": channel.id, "amount": "-150,00", "reason": "Etiquetas", "apply": "1"}
    for amount in ("1,234", "mucho", "0"):
        answer = client.post(page, {**sent, "amount": amount})
        assert (answer.status_code, Adjustment.objects.count()) == (422, 0)
    assert "otra persona" in client.post(page, sent, follow=True).content.decode()
    asked = Adjustment.objects.get()
    chosen = {"_selected_action": [str(asked.id)], "action": "approve"}
    assert "Lo pediste tú" in client.post(rooms, chosen, follow=True).content.decode()
    client.force_login(pepe)
    client.post(rooms, {**chosen, "action": "decline"})
    assert Adjustment.objects.get().state == AdjustmentState.ASKED
    client.post(rooms, chosen)
    assert (Adjustment.objects.get().state, balance()) == (AdjustmentState.POSTED, -15_000)
