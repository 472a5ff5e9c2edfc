"""Who gets into the rooms, and that every room opens."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from marketplace.admin_site import CONTENT_SECURITY
from marketplace.models import Carrier, Channel, Parked, Policy, Reason, ReasonKind, TimerRun
from marketplace.rooms import EXACT_UP_TO, EstimatingPaginator
from orders.models import Hold, Order
from sellers.models import Membership, Shop, Supplier, User
from settlements.models import PayoutFile
from tests.conftest import Placing, sure

# The registry is filled when the addresses are read; the list of tests is made before.
from marketplace import urls  # noqa: F401  # isort: skip

ROOMS = sorted((model for model in admin.site._registry), key=lambda model: model._meta.label)


def address(model: Any, name: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def opens(desk: Client, model: Any) -> list[tuple[str, int]]:
    """What does not answer as it should in a room: its list, the page of a record, a search, a record that is none."""
    row = model._default_manager.order_by("pk").last()
    assert row is not None, f"no {model._meta.label} to look at"
    asked = {
        "list": (desk.get(address(model, "changelist")), 200),
        "record": (desk.get(address(model, "change", row.pk)), 200),
        "search": (desk.get(address(model, "changelist"), {"q": "P-0"}), 200),
        "none": (desk.get(address(model, "change", 10**9)), 302),
    }
    assert "'unsafe-eval'" in asked["list"][0].headers["Content-Security-Policy"]
    return [
        (f"{model._meta.label} {name}", got.status_code)
        for name, (got, wanted) in asked.items()
        if got.status_code != wanted
    ]


@pytest.mark.django_db
def test_an_empty_room_does_not_put_it_down_to_filters_that_nobody_set(desk: Client) -> None:
    room = reverse("admin:settlements_payoutfile_changelist")
    assert not PayoutFile.objects.exists()
    page = desk.get(room).content.decode()
    assert "Aquí no hay nada todavía" in page
    assert "Quitar los filtros" not in page
    one, _other = (Channel.objects.create(code=code, name=code) for code in ("uno", "otro"))
    page = desk.get(room, {"channel__id__exact": one.pk}).content.decode()
    assert "Nada con estos filtros" in page
    assert 'href="?"' in page


@pytest.mark.django_db
@pytest.mark.rule("ROL-02")
@pytest.mark.parametrize("language", ["es", "en"])
def test_every_room_opens(
    language: str, desk: Client, settled: Order, parked: Parked, alice: User, norte: Supplier
) -> None:
    """The list and the page of a record, in both languages, under the policy of the admin alone."""
    User.objects.filter(email="olga@operador.example").update(language=language)
    assert len(ROOMS) > 40
    assert [wrong for model in ROOMS for wrong in opens(desk, model)] == []


@pytest.mark.django_db
@pytest.mark.rule("ROL-02")
def test_nobody_else_gets_in(
    client: Client, alice: User, settled: Order, parked: Parked, norte: Supplier
) -> None:
    pages = []
    for model in ROOMS:
        row = sure(model._default_manager.order_by("pk").last())
        pages += [address(model, "changelist"), address(model, "change", row.pk)]
    for page in pages:
        answer = client.get(page)
        assert (answer.status_code, answer.headers["Location"]) == (
            302,
            f"{reverse('admin:login')}?next={page}",
        )
    client.force_login(alice)
    assert [page for page in pages if client.get(page).status_code != 404] == []
    assert client.get(reverse("admin:login")).status_code == 404
    assert client.get(reverse("admin:index")).status_code == 404


@pytest.mark.django_db
@pytest.mark.rule("ROL-02")
def test_signing_in_is_the_products_own(client: Client) -> None:
    """Its limits on tries hold for operators too: the admin has no form of its own."""
    answer = client.get(reverse("admin:login"), {"next": "/admin/orders/order/"})
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{reverse('account_login')}?next=%2Fadmin%2Forders%2Forder%2F"
    posted = client.post(reverse("admin:login"), {"username": "olga@operador.example", "password": "x"})
    assert posted.headers["Location"].startswith(reverse("account_login"))


@pytest.mark.django_db
def test_only_the_rooms_have_the_looser_policy(desk: Client) -> None:
    strict = desk.get(reverse("account_login")).headers["Content-Security-Policy"]
    assert "unsafe" not in strict
    loose = desk.get(reverse("admin:index")).headers["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval';" in loose
    assert CONTENT_SECURITY["default-src"] == ["'self'"]


def password(user: User) -> str:
    return reverse("admin:auth_user_password_change", args=[user.pk])


@pytest.mark.django_db
@pytest.mark.rule("ROL-02")
def test_a_plain_operator_has_the_rooms_but_not_the_operators(
    client: Client, olga: User, alice: User
) -> None:
    plain = User.objects.create_user("pia@operador.example", None, is_staff=True)
    client.force_login(plain)
    assert client.get(address(Order, "changelist")).status_code == 200
    for other in (olga, plain):
        sent = {"email": other.email, "is_superuser": "on", "is_staff": "on"}
        assert client.post(address(User, "change", other.pk), sent).status_code == 403
    page = address(User, "change", alice.pk)
    sent = {
        "email": alice.email, "name": "Alicia Alba Soler", "language": "en", "is_active": "on",
        "is_staff": "on", "is_superuser": "on", "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
    }  # fmt: skip
    assert client.post(page, sent).status_code == 302
    alice.refresh_from_db()
    assert (alice.name, alice.is_staff, alice.is_superuser) == ("Alicia Alba Soler", False, False)
    assert (
        client.post(
            password(alice), {"password1": "otra clave larga", "password2": "otra clave larga"}
        ).status_code
        == 302
    )
    assert client.get(password(olga)).status_code == 403


@pytest.mark.django_db
@pytest.mark.parametrize("model", [Order, Policy, Hold, TimerRun], ids=lambda model: model._meta.model_name)
def test_what_is_only_read_cannot_be_added_changed_or_deleted(
    desk: Client, settled: Order, parked: Parked, model: Any
) -> None:
    row = model._default_manager.order_by("pk").last()
    before = model._default_manager.filter(pk=row.pk).values().get()
    assert desk.get(address(model, "add")).status_code == 403
    assert desk.post(address(model, "change", row.pk), {"note": "x", "number": 9}).status_code == 403
    assert desk.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model._default_manager.filter(pk=row.pk).values().get() == before


@pytest.mark.django_db
def test_the_page_of_all_timers(desk: Client, settled: Order, parked: Parked) -> None:
    answer = desk.get(reverse("admin:marketplace_timerrun_clocks"))
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "cancela lo que no se aceptó a tiempo" in text
    assert "3 hechos, 1 apartado" in text


@pytest.mark.django_db
def test_parked_rows_are_tried_again_or_discarded(desk: Client, parked: Parked) -> None:
    page = address(Parked, "changelist")
    assert "ValueError: roto" in desk.get(page).content.decode()
    desk.post(page, {"action": "retry", "_selected_action": parked.pk, "index": 0})
    parked.refresh_from_db()
    assert parked.retry_at <= timezone.now()
    desk.post(page, {"action": "discard", "_selected_action": parked.pk, "index": 0})
    assert not Parked.objects.exists()


@pytest.mark.django_db
def test_a_person_is_invited_once(desk: Client, shop: Shop, alice: User) -> None:
    page = reverse("admin:sellers_shop_invite", args=[shop.pk])
    assert desk.get(page).status_code == 200
    sent = {"email": "Nora@Alba.example", "name": "Nora", "role": "support"}
    assert desk.post(page, sent).status_code == 302
    member = Membership.objects.get(user__email="nora@alba.example")
    assert (member.shop, member.role, member.user.has_usable_password()) == (shop, "support", False)
    again = desk.post(page, {**sent, "role": "owner"})
    assert again.status_code == 200
    assert "Ya está en la tienda." in again.content.decode()
    assert Membership.objects.get(user__email="nora@alba.example").role == "support"


@pytest.mark.django_db
@pytest.mark.rule("ROL-02")
def test_an_account_manager_is_an_operator(desk: Client, shop: Shop, olga: User, alice: User) -> None:
    page = address(Shop, "change", shop.pk)
    sent = {
        "name": shop.name, "language": "es", "active": "on", "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
    }  # fmt: skip
    assert desk.post(page, {**sent, "account_manager": alice.pk}).status_code == 200
    assert not Shop.objects.exclude(account_manager=None).exists()
    assert desk.post(page, {**sent, "account_manager": olga.pk}).status_code == 302
    assert Shop.objects.get(account_manager=olga) == shop
    assert LogEntry.objects.filter(user=olga, object_id=str(shop.pk)).count() == 1


@pytest.mark.django_db
def test_a_new_person_may_have_no_password(desk: Client) -> None:
    sent = {
        "email": "Nueva@Alba.example", "name": "Nueva", "language": "es", "usable_password": "false",
        "memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0",
    }  # fmt: skip
    assert desk.post(address(User, "add"), sent).status_code == 302
    assert not User.objects.get(email="nueva@alba.example").has_usable_password()
    twice = desk.post(address(User, "add"), sent)
    assert "Ya hay una persona con ese correo." in twice.content.decode()


@pytest.mark.django_db
def test_a_carrier_is_checked_field_by_field(desk: Client) -> None:
    sent = {
        "code": "raro",
        "name": "Raro",
        "tracking_url": "https://raro.example/",
        "tracking_pattern": "[0-9",
        "active": "on",
    }
    errors = desk.post(address(Carrier, "add"), sent).context["adminform"].form.errors
    assert set(errors) == {"tracking_url", "tracking_pattern"}
    good = {**sent, "tracking_url": "https://raro.example/{tracking}", "tracking_pattern": "[0-9]+"}
    assert desk.post(address(Carrier, "add"), good).status_code == 302
    assert Carrier.objects.get(code="raro").tracking_pattern == "[0-9]+"


@pytest.mark.django_db
def test_a_new_installation_has_its_lists() -> None:
    assert Carrier.objects.filter(active=True).count() == 15
    assert set(Reason.objects.values_list("kind", flat=True)) == set(ReasonKind.values)
    assert not Reason.objects.filter(label_en="").exists()


@pytest.mark.django_db
def test_a_channel_is_refused_beside_the_field_that_is_wrong(desk: Client, channel: Channel) -> None:
    good = {
        "code": "norte", "name": "Norte", "currency": "EUR", "timezone": "Europe/Madrid", "country": "ES",
        "region": "MD", "closing_days": "24/12/2026\n2026-12-31", "provider": "sandbox",
        "preset": "accept_first",
    }  # fmt: skip
    wrong = {
        "timezone": "Europe/Nowhere",
        "country": "ZZ",
        "region": "QQ",
        "closing_days": "ayer",
        "provider": "nadie",
    }
    for name, value in wrong.items():
        answer = desk.post(address(Channel, "add"), {**good, name: value})
        assert set(answer.context["adminform"].form.errors) == {name}
    assert not Channel.objects.filter(code="norte").exists()
    assert desk.post(address(Channel, "add"), good).status_code == 302
    made = Channel.objects.get(code="norte")
    assert [day.isoformat() for day in made.closing_days] == ["2026-12-24", "2026-12-31"]
    assert made.policy is not None
    assert (made.policy.number, made.policy.published_by) == (1, "Olga Operadora")


@pytest.mark.django_db
def test_the_list_of_orders_asks_as_much_for_one_as_for_fifty(desk: Client, fresh: Placing) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert desk.get(address(Order, "changelist")).status_code == 200
        return len(asked)

    fresh()
    queries()
    one = queries()
    for _ in range(49):
        fresh()
    assert queries() == one


@pytest.mark.django_db
def test_long_lists_are_estimated(place: Placing) -> None:
    place()
    assert EstimatingPaginator(Order.objects.order_by("-id"), 50).count == 1
    Reason.objects.bulk_create(
        Reason(kind="hold", code=f"r-{n}", label_es="r", label_en="r") for n in range(12_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE marketplace_reason")
    with CaptureQueriesContext(connection) as asked:
        count = EstimatingPaginator(Reason.objects.all(), 50).count
    assert count > EXACT_UP_TO
    assert [query["sql"].split()[0] for query in asked.captured_queries] == ["EXPLAIN"]


@pytest.mark.django_db
def test_orders_are_found_by_number_and_by_address(desk: Client, fresh: Placing) -> None:
    order, other = fresh(number="P-ALFA"), fresh(number="P-BETA")
    page = address(Order, "changelist")

    def found(term: str, **more: str) -> set[int]:
        return {row.pk for row in desk.get(page, {"q": term, **more}).context["cl"].result_list}

    assert found("P-ALF") == {order.pk}
    assert found("p-alf") == {order.pk}
    assert found("ana@cliente.example") == {order.pk, other.pk}
    assert found("nadie@cliente.example") == set()
    today = timezone.localdate()
    assert found("", placed_at_from=str(today - timedelta(days=1)), placed_at_to=str(today)) == {
        order.pk,
        other.pk,
    }
    assert found("", placed_at_to=str(today - timedelta(days=2))) == set()
    assert found("", placed_at_from="ayer") == {order.pk, other.pk}
    assert found("", held="yes") == set()
    assert found("", state__exact="debit") == set()
