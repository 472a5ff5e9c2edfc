"""Commission rates with dates: entered by operators, refused beside the field with which one they clash."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from marketplace import queries
from marketplace.models import Channel
from orders import services
from orders.models import CommissionRate, Order
from sellers.models import Shop, User
from tests.conftest import SELLER, Placing

pytestmark = [pytest.mark.django_db, pytest.mark.rule("ROL-02")]

ADD = "admin:orders_commissionrate_add"
DAY = timedelta(days=1)


def kept() -> list[Any]:
    return list(CommissionRate.objects.order_by("pk").values())


def change(rate: CommissionRate) -> str:
    return reverse("admin:orders_commissionrate_change", args=[rate.pk])


def shown(day: date | None) -> str:
    return f"{day:%d/%m/%Y}" if day else ""


@pytest.fixture
def today(db: None) -> date:
    return timezone.localdate()


def sent(channel: Channel, from_day: date, until_day: date | None = None, **more: Any) -> dict[str, Any]:
    return {
        "channel": channel.pk, "category": "Hogar", "shop": "", "percent": "9,5", "from_day": shown(from_day),
        "until_day": shown(until_day), **more,
    }  # fmt: skip


def test_a_rate_is_entered_in_percent(desk: Client, channel: Channel, shop: Shop, today: date) -> None:
    assert desk.post(reverse(ADD), sent(channel, today, shop=shop.pk)).status_code == 302
    rate = CommissionRate.objects.get()
    assert (rate.channel, rate.shop, rate.category) == (channel, shop, "Hogar")
    assert (rate.basis_points, rate.from_day, rate.until_day) == (950, today, None)
    page = desk.get(reverse("admin:orders_commissionrate_changelist")).content.decode()
    for words in ("9,5 %", "Hogar", "Cerámicas Alba", f"desde el {shown(today)}", "En vigor"):
        assert words in page


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"percent": "101"}, "percent"),
        ({"percent": "-1"}, "percent"),
        ({"percent": "9,555"}, "percent"),
        ({"percent": ""}, "percent"),
        ({"percent": "mucho"}, "percent"),
        ({"channel": ""}, "channel"),
        ({"channel": "999999"}, "channel"),
        ({"shop": "999999"}, "shop"),
        ({"from_day": ""}, "from_day"),
        ({"from_day": "mañana"}, "from_day"),
        ({"from_day": "01/01/2020"}, "from_day"),
        ({"until_day": "nunca"}, "until_day"),
        ({"until_day": "01/01/2020"}, "until_day"),
        ({"category": "x" * 121}, "category"),
    ],
)
def test_what_is_no_rate_is_refused_beside_its_field(
    desk: Client, channel: Channel, today: date, wrong: dict[str, str], field: str
) -> None:
    answer = desk.post(reverse(ADD), {**sent(channel, today), **wrong})
    assert answer.status_code == 200
    assert set(answer.context["adminform"].form.errors) == {field}
    assert kept() == []


def test_a_clash_names_the_other(desk: Client, channel: Channel, shop: Shop, today: date) -> None:
    desk.post(reverse(ADD), sent(channel, today + 10 * DAY, today + 20 * DAY))
    before = kept()
    for first, last in ((0, None), (0, 11), (19, None), (12, 13), (10, 20)):
        until = today + last * DAY if last is not None else None
        answer = desk.post(reverse(ADD), sent(channel, today + first * DAY, until, category=" hogar "))
        errors = answer.context["adminform"].form.errors
        assert set(errors) == {"from_day"}, (first, last)
        assert (
            f"9,5 %, desde el {shown(today + 10 * DAY)} y hasta antes del {shown(today + 20 * DAY)}"
            in str(errors)
        )
    assert kept() == before
    for fine in (
        sent(channel, today, today + 10 * DAY), sent(channel, today + 20 * DAY), sent(channel, today, category=""),
        sent(channel, today, category="Libros"), sent(channel, today, shop=shop.pk),
    ):  # fmt: skip
        assert desk.post(reverse(ADD), fine).status_code == 302
    assert CommissionRate.objects.count() == 6


def test_one_that_has_begun_is_only_ended(desk: Client, channel: Channel, today: date) -> None:
    rate = CommissionRate.objects.create(channel=channel, basis_points=950, from_day=today - 30 * DAY)
    told = sent(channel, today, percent="1", category="Otra")
    before = kept()
    for too_early in (today - DAY, today - 40 * DAY):
        answer = desk.post(change(rate), {**told, "until_day": shown(too_early)})
        assert set(answer.context["adminform"].form.errors) == {"until_day"}
    assert (
        desk.post(reverse("admin:orders_commissionrate_delete", args=[rate.pk]), {"post": "yes"}).status_code
        == 403
    )
    assert kept() == before
    assert desk.post(change(rate), {**told, "until_day": shown(today + DAY)}).status_code == 302
    rate.refresh_from_db()
    assert (rate.basis_points, rate.category, rate.from_day) == (950, "", today - 30 * DAY)
    assert rate.until_day == today + DAY


def test_one_that_ends_later_may_clash_with_the_next(desk: Client, channel: Channel, today: date) -> None:
    rate = CommissionRate.objects.create(
        channel=channel, basis_points=950, from_day=today - 30 * DAY, until_day=today + DAY
    )
    CommissionRate.objects.create(channel=channel, basis_points=500, from_day=today + 5 * DAY)
    before = kept()
    answer = desk.post(change(rate), {"until_day": ""})
    assert set(answer.context["adminform"].form.errors) == {"until_day"}
    assert "Choca con otra: 5 %" in answer.content.decode()
    assert kept() == before


def test_one_that_has_not_begun_is_changed_or_taken_out(desk: Client, channel: Channel, today: date) -> None:
    rate = CommissionRate.objects.create(channel=channel, basis_points=950, from_day=today + 3 * DAY)
    assert 'value="9,5' in desk.get(change(rate)).content.decode()
    assert desk.post(change(rate), sent(channel, today + 4 * DAY, percent="8")).status_code == 302
    rate.refresh_from_db()
    assert (rate.basis_points, rate.from_day) == (800, today + 4 * DAY)
    assert (
        desk.post(reverse("admin:orders_commissionrate_delete", args=[rate.pk]), {"post": "yes"}).status_code
        == 302
    )
    assert kept() == []


def test_the_room_of_an_order_explains_its_commission(
    desk: Client, fresh: Placing, channel: Channel, today: date, olga: User
) -> None:
    CommissionRate.objects.create(channel=channel, basis_points=950, from_day=today - DAY)
    queries.forget()
    order = fresh()
    services.accept([order.id], by=SELLER, at=timezone.now())
    for language, words in (
        ("es", "De qué se compone la comisión"),
        ("en", "What the commission is made of"),
    ):
        User.objects.filter(pk=olga.pk).update(language=language)
        page = desk.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
        assert words in page
        assert ("9,5 %" if language == "es" else "9.5 %") in page
    assert Order.objects.get(id=order.id).commission_cents == 798


def test_the_list_is_narrowed_and_searched(desk: Client, channel: Channel, shop: Shop, today: date) -> None:
    told: dict[str, Any] = {"channel": channel, "basis_points": 100}
    now = CommissionRate.objects.create(**told, category="Hogar", from_day=today - DAY)
    later = CommissionRate.objects.create(**told, category="Libros", from_day=today + DAY)
    over = CommissionRate.objects.create(**told, shop=shop, from_day=today - 9 * DAY, until_day=today)
    page = reverse("admin:orders_commissionrate_changelist")

    def found(**asked: str) -> list[CommissionRate]:
        return list(desk.get(page, asked).context["cl"].result_list)

    assert [found(when=when) for when in ("now", "later", "over")] == [[now], [later], [over]]
    assert found(q="libros") == [later]
    assert found(q="Cerámicas") == [over]
    assert found(q="nada de esto") == []
