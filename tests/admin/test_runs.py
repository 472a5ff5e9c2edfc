"""Operators rehearse a settlement, see it, and start it (SET-01, SET-02)."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from marketplace.models import Channel
from orders import services
from orders.states import HoldKind, State
from sellers.models import Shop, User
from settlements.models import Cycle, Payout, Statement
from tests.conftest import OPERATOR
from tests.orders.lives import brought_to, tick

pytestmark = pytest.mark.django_db
NET = 8400 - 1008 - 212


def page() -> str:
    return reverse("admin:settlements_cycle_run")


def cells(answer: Any, title: str) -> list[list[str]]:
    panel = next(panel for panel in answer.context["panels"] if panel.title == title)
    return [[re.sub(r"<[^>]*>", "", str(cell)).replace("\xa0", " ") for cell in row] for row in panel.rows]


@pytest.mark.rule("SET-02")
def test_the_page_rehearses_and_keeps_nothing(
    desk: Client, channel: Channel, shop: Shop, other_shop: Shop
) -> None:
    brought_to(State.RECEIVED, channel, shop, 2)
    (held,) = brought_to(State.RECEIVED, channel, other_shop, 1)
    services.hold([held], HoldKind.OPERATOR, by=OPERATOR, at=timezone.now())
    assert "Ensayar" in desk.get(page()).content.decode()
    answer = desk.post(page(), {"channel": channel.id, "as_of": "", "rehearse": "1"})
    assert "No se ha guardado nada." in answer.content.decode()
    (row,) = cells(answer, "Lo que se pagaría a cada tienda")
    # What is paid comes first, and a column that is 0 for everybody is not there.
    assert row == [
        "Cerámicas Alba", "143,60 €", "143,60 €", "168,00 €", "−24,40 €", "–"
    ]  # fmt: skip
    assert cells(answer, "Lo que queda fuera") == [
        ["Bruma Textil", "Retenido por el operador", "1", "84,00 €"]
    ]
    assert not Cycle.objects.exists()
    assert not Statement.objects.exists()


@pytest.mark.rule("SET-01", "SET-02")
def test_what_was_rehearsed_is_started_and_the_timer_closes_it(
    desk: Client, channel: Channel, shop: Shop, olga: User
) -> None:
    brought_to(State.RECEIVED, channel, shop, 2)
    sent = {"channel": channel.id, "as_of": "2026-04-10T12:00"}
    assert "Liquidar ahora" in desk.post(page(), {**sent, "rehearse": "1"}).content.decode()
    answer = desk.post(page(), {**sent, "start": "1"}, follow=True)
    assert "Se está cerrando el ciclo del 10/04/2026 12:00" in answer.content.decode()
    assert (Cycle.objects.get().ended_at, Cycle.objects.get().asked_by) == (None, str(olga))
    tick("statements", timezone.now())
    assert Payout.objects.get().amount_cents == 2 * NET
    again = desk.post(page(), {**sent, "start": "1"})
    assert again.status_code == 409
    assert "Ya se cerró un ciclo después" in again.content.decode()
    assert Cycle.objects.count() == 1


@pytest.mark.rule("SET-02")
def test_a_moment_to_come_is_only_rehearsed(desk: Client, channel: Channel, shop: Shop) -> None:
    brought_to(State.RECEIVED, channel, shop, 1)
    soon = timezone.localtime(timezone.now() + timedelta(days=9)).strftime("%Y-%m-%dT%H:%M")
    sent = {"channel": channel.id, "as_of": soon}
    told = desk.post(page(), {**sent, "rehearse": "1"}).content.decode()
    assert "143,60" not in told
    assert "71,80" in told
    assert "Liquidar ahora" not in told
    refused = desk.post(page(), {**sent, "start": "1"})
    assert (refused.status_code, Cycle.objects.count()) == (409, 0)
    assert "solo se puede ensayar" in refused.content.decode()
    assert desk.post(page(), {"channel": "99", "as_of": "ayer"}).status_code == 422


@pytest.mark.rule("SET-02")
def test_only_operators(client: Client, channel: Channel, alice: User) -> None:
    client.force_login(alice)
    assert client.post(page(), {"channel": channel.id, "rehearse": "1"}).status_code == 404
