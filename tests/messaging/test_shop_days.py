"""The days on which a shop is closed: who publishes them, what they do to the clock of answers, how it names them."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from marketplace.models import Channel
from marketplace.refusals import Code, MoveRefused
from marketplace.services import publish_policy
from messaging import answer_clock, conversing, shop_days
from messaging.conversing import Words
from messaging.models import Message, Thread
from messaging.recipients import SHOP
from messaging.shop_days import Closing
from sellers.desk import Actor, seller
from sellers.models import Membership, Shop, ShopHoliday, User
from tests.conftest import AT, Placing
from tests.dashboard.pages import browser, get
from tests.dashboard.talking import ANA, asks

TODAY = AT.date()
DAY = timedelta(days=1)
WEEK = Closing(TODAY + DAY, TODAY + 7 * DAY, "Vacaciones")
"""From the Wednesday after the Tuesday on which everything is asked, to the Tuesday after it."""


@pytest.fixture
def owner(alice: User) -> Actor:
    return seller(Membership.objects.get(user=alice))


def now(message: Message) -> Message:
    return Message.objects.defer("words").get(id=message.id)


@pytest.mark.rule("MSG-09")
def test_what_waits_is_reckoned_anew_when_days_are_published_and_withdrawn(
    place: Placing, shop: Shop, owner: Actor
) -> None:
    order = place()
    message = asks(order, at=AT)
    before = message.answer_by
    assert before == AT + DAY
    days = shop_days.publish(shop, WEEK, by=owner, at=AT)
    moved = now(message).answer_by
    assert moved == AT + 8 * DAY
    assert Thread.objects.get().answer_by == moved
    told = answer_clock.why(now(message), order.policy.rules, order.channel.calendar, [days], AT)
    assert (
        "Tu tienda está cerrada desde el miércoles 4 de marzo hasta el martes 10 de marzo (Vacaciones)."
        in told
    )
    shop_days.withdraw(days.id, by=owner, at=AT)
    assert now(message).answer_by == Thread.objects.get().answer_by == before


@pytest.mark.rule("MSG-09")
def test_what_is_written_later_counts_with_them(place: Placing, shop: Shop, owner: Actor) -> None:
    shop_days.publish(shop, WEEK, by=owner, at=AT)
    assert asks(place(), at=AT + 2 * DAY).answer_by == AT.replace(hour=0) + 9 * DAY - timedelta(hours=1)


@pytest.mark.rule("MSG-09")
def test_a_day_or_two_are_named_where_they_are_left_out(place: Placing, shop: Shop, owner: Actor) -> None:
    order = place()
    message = asks(order, at=AT)
    days = shop_days.publish(shop, Closing(TODAY + DAY, TODAY + DAY, "Inventario"), by=owner, at=AT)
    told = answer_clock.why(now(message), order.policy.rules, order.channel.calendar, [days], AT)
    assert told.endswith("sin contar el miércoles 4 (Inventario).")


@pytest.mark.rule("MSG-09")
def test_the_policy_may_let_the_clock_run_on(
    channel: Channel, place: Placing, shop: Shop, owner: Actor
) -> None:
    assert channel.policy is not None
    rules = channel.policy.rules.model_copy(update={"answer_stops_on_shop_holidays": False})
    publish_policy(channel, rules, by="pruebas", at=AT)
    message = asks(place(), at=AT)
    shop_days.publish(shop, WEEK, by=owner, at=AT)
    assert now(message).answer_by == message.answer_by == AT + DAY
    assert asks(place(), at=AT + DAY).answer_by == AT + 2 * DAY


@pytest.mark.rule("MSG-09")
def test_nobody_who_is_late_buys_time(place: Placing, shop: Shop, owner: Actor) -> None:
    late = asks(place(), at=AT - 5 * DAY)
    shop_days.publish(shop, WEEK, by=owner, at=AT)
    assert now(late).answer_by == late.answer_by


@pytest.mark.rule("MSG-09")
def test_of_a_closing_that_has_begun_the_days_to_come_are_withdrawn(
    place: Placing, shop: Shop, owner: Actor
) -> None:
    days = shop_days.publish(shop, WEEK, by=owner, at=AT)
    message = asks(place(), at=AT + 2 * DAY)
    shop_days.withdraw(days.id, by=owner, at=AT + 3 * DAY)
    days.refresh_from_db()
    assert days.last_day == TODAY + 3 * DAY
    answer_by = now(message).answer_by
    assert answer_by is not None
    assert answer_by > AT + 3 * DAY
    with pytest.raises(MoveRefused) as refused:
        shop_days.withdraw(days.id, by=owner, at=AT + 3 * DAY)
    assert refused.value.refusal.code == Code.DAYS_NOT_AHEAD


@pytest.mark.rule("MSG-09")
@pytest.mark.parametrize(
    ("closing", "code"),
    [
        (Closing(TODAY, TODAY + DAY), Code.DAYS_NOT_AHEAD),
        (Closing(TODAY + 2 * DAY, TODAY + DAY), Code.DAYS_NOT_AHEAD),
        (Closing(TODAY + 390 * DAY, TODAY + 401 * DAY), Code.DAYS_NOT_AHEAD),
        (Closing(date.max, date.max), Code.DAYS_NOT_AHEAD),
        (Closing(TODAY + 7 * DAY, TODAY + 9 * DAY), Code.DAYS_OVERLAP),
        (Closing(TODAY + 20 * DAY, TODAY + 80 * DAY), Code.TOO_MANY_DAYS),
    ],
)
def test_days_that_cannot_be_published_change_nothing(
    closing: Closing, code: Code, place: Placing, shop: Shop, owner: Actor
) -> None:
    shop_days.publish(shop, WEEK, by=owner, at=AT)
    message = asks(place(), at=AT)
    with pytest.raises(MoveRefused) as refused:
        shop_days.publish(shop, closing, by=owner, at=AT)
    assert refused.value.refusal.code == code
    assert ShopHoliday.objects.count() == 1
    assert now(message).answer_by == message.answer_by


@pytest.mark.rule("MSG-09", "ROL-05")
def test_who_does_not_run_the_shop_publishes_nothing(
    shop: Shop, owner: Actor, bob: User, nuria: User
) -> None:
    support = seller(Membership.objects.get(user=bob))
    days = shop_days.publish(shop, WEEK, by=owner, at=AT)
    acts: tuple[Callable[[], object], ...] = (
        lambda: shop_days.publish(shop, Closing(TODAY + 20 * DAY, TODAY + 20 * DAY), by=support, at=AT),
        lambda: shop_days.withdraw(days.id, by=support, at=AT),
    )
    for act in acts:
        with pytest.raises(MoveRefused) as refused:
            act()
        assert refused.value.refusal.code == Code.NOT_ALLOWED
    tomorrow = (timezone.localdate() + DAY).isoformat()
    client = browser(bob)
    assert "Publicarlos pueden: Propietaria, Encargada." in get(client, "/tienda/cierres/")
    assert client.post("/tienda/cierres/", {"first_day": tomorrow}).status_code == 403
    assert client.post(f"/tienda/cierres/{days.id}/retirar/").status_code == 403
    assert browser(nuria).get("/tienda/cierres/").status_code == 404
    assert list(ShopHoliday.objects.all()) == [days]


def _post(client: Client, first: date, last: date | None = None, note: str = "") -> int:
    told = {"first_day": first.isoformat(), "last_day": last.isoformat() if last else "", "note": note}
    return client.post("/tienda/cierres/", told).status_code


@pytest.mark.rule("MSG-09")
def test_an_owner_publishes_and_withdraws_days_on_their_page(alice: User, charlie: User) -> None:
    client, today = browser(alice), timezone.localdate()
    assert "No hay ninguno." in get(client, "/tienda/cierres/")
    assert _post(client, today + 3 * DAY, today + 5 * DAY, "<b>Feria</b>") == 303
    page = get(client, "/tienda/cierres/")
    assert "&lt;b&gt;Feria&lt;/b&gt;" in page
    assert "publicado por Alicia Alba" in page
    assert _post(client, today + 4 * DAY) == 409
    assert _post(client, today + 9 * DAY, today + 8 * DAY) == 422
    assert client.post("/tienda/cierres/", {"first_day": "mañana"}).status_code == 422
    days = ShopHoliday.objects.get()
    assert browser(charlie).post(f"/tienda/cierres/{days.id}/retirar/").status_code == 404
    assert "Feria" not in get(browser(charlie), "/tienda/cierres/")
    assert client.post(f"/tienda/cierres/{days.id}/retirar/").status_code == 303
    assert not ShopHoliday.objects.exists()


@pytest.mark.rule("MSG-09")
def test_the_tab_names_the_closing_in_its_explanation(place: Placing, shop: Shop, alice: User) -> None:
    order, today = place(), timezone.localdate()
    ShopHoliday.objects.create(
        shop=shop, first_day=today, last_day=today + 9 * DAY, note="Obras", published_at=timezone.now()
    )
    at = timezone.now() - timedelta(minutes=5)
    asks(order, at=at)
    assert "(Obras)" in get(browser(alice), f"/pedidos/{order.reference}/?tab=mensajes")


@pytest.mark.rule("MSG-09")
def test_a_thread_answers_by_the_first_of_its_messages(place: Placing, shop: Shop, owner: Actor) -> None:
    first = asks(place(), at=AT)
    later: datetime = AT + timedelta(hours=2)
    conversing.write(first.thread_id, Words("¿Hola?"), to=SHOP, take_back=False, by=ANA, at=later)
    shop_days.publish(shop, WEEK, by=owner, at=later)
    thread = Thread.objects.get()
    assert (thread.waiting, thread.answer_by) == (2, AT + 8 * DAY)
