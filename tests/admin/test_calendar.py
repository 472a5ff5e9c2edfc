"""The calendar of a channel: public holidays to read, closing days one by one, fixed deadlines left alone."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from marketplace import queries, services
from marketplace.models import Channel
from orders import services as orders
from orders.models import Order
from sellers.models import User
from tests.conftest import SELLER, Placing, again, row

pytestmark = [pytest.mark.django_db, pytest.mark.rule("ORD-16")]


def address(channel: Channel) -> str:
    return reverse("admin:marketplace_channel_calendar", args=[channel.pk])


def workday(channel: Channel, *, after: int = 30) -> date:
    """A day some weeks from now on which everybody works."""
    day = timezone.localdate() + timedelta(days=after)
    while not channel.calendar.is_working(day):
        day += timedelta(days=1)
    return day


def kept(channel: Channel) -> tuple[Any, ...]:
    return Channel.objects.values_list("closing_days", "closing_names").get(pk=channel.pk)


@pytest.fixture
def madrid(channel: Channel) -> Channel:
    channel.region = "MD"
    channel.save(update_fields=["region"])
    return Channel.objects.get(pk=channel.pk)


def test_this_years_holidays_and_the_nexts_are_listed(desk: Client, madrid: Channel) -> None:
    page = desk.get(address(madrid)).content.decode()
    year = timezone.localdate().year
    for one in (year, year + 1):
        assert f"Festivos de {one}" in page
        assert f"1/01/{one}" in page or f"1/1/{one}" in page
        assert f"25/12/{one}" in page
    assert "Natividad" in page
    assert "Los plazos que ya corren se quedan como están" in page
    assert "La tienda envía lo aceptado en 48 horas laborables" in page


def test_days_are_added_and_taken_out_one_by_one(desk: Client, madrid: Channel) -> None:
    first, second = workday(madrid), workday(madrid, after=60)
    for day, name in ((second, "Inventario"), (first, "  Fiesta   del barrio ")):
        answer = desk.post(address(madrid), {"day": day.isoformat(), "name": name, "add": "1"})
        assert answer.headers["Location"] == address(madrid)
    assert kept(madrid) == (
        [first, second], {first.isoformat(): "Fiesta del barrio", second.isoformat(): "Inventario"}
    )  # fmt: skip
    page = desk.get(address(madrid)).content.decode()
    assert "Fiesta del barrio" in page
    calendar = Channel.objects.get(pk=madrid.pk).calendar
    assert not calendar.is_working(first)
    assert calendar.holiday_name(first) == "Fiesta del barrio"
    desk.post(address(madrid), {"remove": first.isoformat()})
    assert kept(madrid) == ([second], {second.isoformat(): "Inventario"})
    said = [entry.change_message for entry in LogEntry.objects.order_by("id")]
    assert len(said) == 3
    assert "Festivo propio quitado" in said[-1]


def test_what_changes_nothing_is_refused_beside_its_field(desk: Client, madrid: Channel) -> None:
    today = timezone.localdate()
    taken = workday(madrid)
    services.close_on(madrid, taken, "Inventario")
    weekend = today + timedelta(days=(5 - today.weekday()) % 7 + 7)
    cases = {
        "": "obligatorio", "ayer": "", (today - timedelta(days=1)).isoformat(): "ya ha pasado",
        f"{today.year + 9}-03-03": "más de cinco años", taken.isoformat(): "ya está en la lista",
        weekend.isoformat(): "fin de semana", f"{today.year + 1}-01-01": "ya no se trabaja",
    }  # fmt: skip
    before = kept(madrid)
    for given, why in cases.items():
        answer = desk.post(address(madrid), {"day": given, "name": "Fiesta", "add": "1"})
        assert answer.status_code == 422
        assert set(answer.context["form"].errors) == {"day"}
        assert why in str(answer.context["form"].errors["day"])
    nameless = desk.post(address(madrid), {"day": workday(madrid, after=90).isoformat(), "name": " "})
    assert set(nameless.context["form"].errors) == {"name"}
    for gone in ("", "x", "2026-13-45", workday(madrid, after=90).isoformat()):
        answer = desk.post(address(madrid), {"remove": gone}, follow=True)
        assert "no se ha cambiado nada" in answer.content.decode()
    assert kept(madrid) == before


@pytest.mark.rule("ORD-04")
def test_deadlines_that_run_do_not_move(desk: Client, fresh: Placing, channel: Channel) -> None:
    running, next_one = fresh(), fresh()
    now = timezone.now()
    orders.accept([running.id], by=SELLER, at=now)
    before = row(again(running))
    day = timezone.localdate() + timedelta(days=1)
    while not channel.calendar.is_working(day):
        day += timedelta(days=1)
    desk.post(address(channel), {"day": day.isoformat(), "name": "Fiesta"})
    assert row(again(running)) == before
    queries.forget()
    orders.accept([next_one.id], by=SELLER, at=now)
    later, first = Order.objects.get(id=next_one.id).ship_by, Order.objects.get(id=running.id).ship_by
    assert later is not None
    assert first is not None
    assert later > first


def test_two_operators_at_once_keep_both_days(desk: Client, madrid: Channel) -> None:
    """The service reads the list under its lock: what the page showed meanwhile does not count."""
    one, other = Channel.objects.get(pk=madrid.pk), Channel.objects.get(pk=madrid.pk)
    first, second = workday(madrid), workday(madrid, after=60)
    assert services.close_on(one, first, "Una")
    assert services.close_on(other, second, "Otra")
    assert not services.close_on(one, first, "Una más")
    assert kept(madrid) == ([first, second], {first.isoformat(): "Una", second.isoformat(): "Otra"})


def test_the_page_of_the_channel_leads_there(desk: Client, madrid: Channel) -> None:
    page = desk.get(reverse("admin:marketplace_channel_change", args=[madrid.pk])).content.decode()
    assert page.count(address(madrid)) >= 2
    sent = {
        "name": "Otro nombre",
        "timezone": "Europe/Madrid",
        "country": "ES",
        "region": "MD",
        "provider": "sandbox",
    }
    services.close_on(madrid, workday(madrid), "Fiesta")
    before = kept(madrid)
    assert desk.post(reverse("admin:marketplace_channel_change", args=[madrid.pk]), sent).status_code == 302
    assert Channel.objects.get(pk=madrid.pk).name == "Otro nombre"
    assert kept(madrid) == before


def test_it_is_read_in_english_and_by_nobody_else(
    desk: Client, madrid: Channel, olga: User, alice: User
) -> None:
    User.objects.filter(pk=olga.pk).update(language="en")
    page = desk.get(address(madrid)).content.decode()
    assert "Christmas Day" in page
    assert "Deadlines that run already stay as they are" in page
    other = Client()
    other.force_login(alice)
    assert other.get(address(madrid)).status_code == 404
    assert desk.get(reverse("admin:marketplace_channel_calendar", args=[10**9])).status_code == 404
