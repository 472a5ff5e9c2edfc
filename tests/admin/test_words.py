"""Operators read words in their language: no code of a notice, a timer, an entry or a role stands bare."""

import re
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from ledger.models import Entry
from marketplace import timers, waits
from marketplace.admin_clocks import TIMER_NAMES, TIMER_WORDS
from marketplace.celery import BY_NAME, TIMERS
from marketplace.models import Channel, Parked, Policy
from marketplace.rooms import shortened
from messaging.event_words import EVENT_WORDS, event_word
from messaging.models import Notice
from messaging.notice_table import TABLE
from orders import services
from orders.models import Order
from payments.models import Charge
from sellers.models import Membership, Shop, User
from settlements.models import Payout, Statement
from tests.conftest import SELLER, Placing

CODES = re.compile(
    r"\b(debit_stuck|payback_refused|statement_closed|debit_succeeded|hand_over|accept_by|ship_by|sandbox"
    r"|accept_first|paid_back|charge:\d+|receive:\d+|presale|payouts?_|place →|in_transit|muted)\b"
)
LISTS = [
    "orders/order", "orders/hold", "payments/charge", "payments/payback", "messaging/notice",
    "settlements/statement", "settlements/payout", "settlements/cycle", "ledger/entry", "ledger/balance",
    "sellers/shop", "sellers/user", "marketplace/channel", "marketplace/policy", "marketplace/reason",
    "marketplace/carrier", "marketplace/timerrun", "marketplace/parked", "marketplace/zone",
    "orders/commissionrate", "messaging/bouncerefusal",
]  # fmt: skip


def seen(answer: Any) -> str:
    """What the reader sees of a page: its text, without attributes, scripts and the list of a form's choices."""
    text = re.sub(r"<(script|style|select|template).*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["es", "en"])
def test_no_room_shows_a_code(
    desk: Client, settled: Order, parked: Parked, alice: User, olga: User, language: str
) -> None:
    User.objects.filter(pk=olga.pk).update(language=language)
    pages = ["/admin/", reverse("admin:marketplace_timerrun_clocks"), *(f"/admin/{room}/" for room in LISTS)]
    found = {page: CODES.findall(seen(desk.get(page))) for page in pages}
    for model in (Order, Notice, Charge, Statement, Payout, Channel, Policy, Parked):
        row = model._default_manager.order_by("pk").first()
        assert row is not None
        page = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[row.pk])
        found[page] = CODES.findall(seen(desk.get(page)))
    assert {page: codes for page, codes in found.items() if codes} == {}


def test_every_event_and_every_timer_has_words() -> None:
    assert set(TABLE) <= set(EVENT_WORDS)
    names = {timer.name for timer in TIMERS}
    assert (set(TIMER_NAMES), set(TIMER_WORDS)) == (names, names)
    with translation.override("en"):
        assert event_word("debit_stuck") == "Charge that takes too long"
    assert event_word("gone") == "gone"


@pytest.mark.django_db
def test_a_record_is_called_by_what_it_is(desk: Client, settled: Order) -> None:
    def title(row: Any) -> str:
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
        return str(desk.get(reverse(name, args=[row.pk])).context["subtitle"]).replace("\xa0", " ")

    notice = Notice.objects.filter(event="ship").first()
    assert notice is not None
    assert title(notice) == "Enviado · ana@cliente.example"
    assert title(Charge.objects.get(order=settled)) == f"Cobro de 84,00 € · {settled.reference}"
    assert (
        title(Entry.objects.get(order_id=settled.pk, kind="charge"))
        == f"Cobro al cliente · {settled.reference}"
    )
    statement = Statement.objects.get()
    assert title(statement) == f"Cerámicas Alba · {statement.cycle}"
    assert title(Payout.objects.get()).startswith("Cerámicas Alba · ")


@pytest.mark.django_db
def test_a_notice_shows_the_mail_that_its_reader_gets(desk: Client, settled: Order) -> None:
    notice = Notice.objects.filter(event="ship").first()
    assert notice is not None
    page = reverse("admin:messaging_notice_change", args=[notice.pk])
    text = seen(desk.get(page))
    assert "Tu pedido va de camino" in text
    Notice.objects.filter(pk=notice.pk).update(event="gone")
    assert "No se puede escribir" in seen(desk.get(page))


@pytest.mark.django_db
def test_entries_are_found_by_the_number_of_their_order(desk: Client, settled: Order) -> None:
    page = reverse("admin:ledger_entry_changelist")

    def found(term: str) -> set[str]:
        return {row.kind for row in desk.get(page, {"q": term}).context["cl"].result_list}

    assert found(settled.reference) == {"charge", "receive"}
    assert found(Entry.objects.get(order_id=settled.pk, kind="charge").key) == {"charge"}
    assert found("NADA") == set()


@pytest.mark.django_db
def test_the_country_is_a_name_to_read_and_to_choose(desk: Client, settled: Order, channel: Channel) -> None:
    assert "España" in seen(desk.get(reverse("admin:orders_order_change", args=[settled.pk])))
    form = desk.get(reverse("admin:marketplace_channel_change", args=[channel.pk])).context["adminform"].form
    choices = dict(form.fields["country"].choices)
    assert (choices["ES"], choices["PT"], form.initial["country"]) == ("España", "Portugal", "ES")


@pytest.mark.django_db
def test_the_spanish_forms_have_no_english_choice(desk: Client, fresh: Placing) -> None:
    order = fresh()
    pages = [f"/admin/orders/order/{order.pk}/{verb}/" for verb in ("ship", "refuse", "hold", "accept")]
    pages += ["/admin/marketplace/reason/add/", "/admin/sellers/shop/add/"]
    assert [page for page in pages if "Select an option" in desk.get(page).content.decode()] == []


def test_long_words_are_cut_for_lists() -> None:
    assert (shortened(""), shortened("corto"), shortened("x" * 200, 10)) == ("–", "corto", "x" * 9 + "…")


@pytest.mark.django_db
@pytest.mark.rule("ROL-01")
@pytest.mark.rule("ROL-02")
def test_an_operator_is_not_made_a_member_by_invitation(desk: Client, shop: Shop, olga: User) -> None:
    page = reverse("admin:sellers_shop_invite", args=[shop.pk])
    answer = desk.post(page, {"email": "OLGA@operador.example", "role": "support"})
    assert answer.context["form"].errors == {
        "email": ["Es un operador: ya ve todas las tiendas y no puede ser miembro de una. Usa otro correo."]
    }
    assert not Membership.objects.filter(user=olga).exists()


@pytest.mark.django_db
@pytest.mark.rule("ROL-02")
def test_an_operator_is_not_made_a_member_on_either_page(desk: Client, shop: Shop, olga: User) -> None:
    row = {"memberships-TOTAL_FORMS": "1", "memberships-INITIAL_FORMS": "0", "memberships-0-role": "reader"}
    of_shop = {"name": shop.name, "language": "es", "active": "on", **row, "memberships-0-user": olga.pk}
    of_olga = {
        "email": olga.email, "name": olga.name, "language": "es", "is_active": "on", "is_staff": "on",
        "is_superuser": "on", **row, "memberships-0-shop": shop.pk,
    }  # fmt: skip
    for page, sent, field in (
        (reverse("admin:sellers_shop_change", args=[shop.pk]), of_shop, "user"),
        (reverse("admin:sellers_user_change", args=[olga.pk]), of_olga, "shop"),
    ):
        answer = desk.post(page, sent)
        assert answer.status_code == 200
        (inline,) = answer.context["inline_admin_formsets"]
        assert [set(errors) for errors in inline.formset.errors] == [{field}]
    assert not Membership.objects.filter(user=olga).exists()


@pytest.mark.django_db
@pytest.mark.rule("ROL-02")
def test_a_member_is_not_made_an_operator(desk: Client, shop: Shop, alice: User) -> None:
    member = Membership.objects.get(user=alice)
    sent = {
        "email": alice.email, "name": alice.name, "language": "es", "is_active": "on", "is_staff": "on",
        "memberships-TOTAL_FORMS": "1", "memberships-INITIAL_FORMS": "1", "memberships-0-id": member.pk,
        "memberships-0-user": alice.pk, "memberships-0-shop": shop.pk, "memberships-0-role": "owner",
    }  # fmt: skip
    answer = desk.post(reverse("admin:sellers_user_change", args=[alice.pk]), sent)
    assert answer.context["adminform"].form.errors == {
        "is_staff": ["Trabaja en una tienda (Cerámicas Alba): quítale primero ese sitio."]
    }
    alice.refresh_from_db()
    assert not alice.is_staff


@pytest.mark.django_db
@pytest.mark.parametrize("chosen", ["x", "1 OR 1", "9" * 40, "987654321", "-1", "٣", "", "1.5"])
def test_rows_that_are_none_are_answered_with_a_word(
    desk: Client, settled: Order, parked: Parked, chosen: str
) -> None:
    acts = {
        "orders/order": ("deliver_many", "cancel_many", "release_many"), "orders/hold": ("lift",),
        "payments/charge": ("hurry",), "payments/payback": ("pay_back_again",), "messaging/notice": ("again",),
        "settlements/payout": ("paid", "failed"), "marketplace/parked": ("retry", "discard"),
    }  # fmt: skip
    for room, names in acts.items():
        for name in names:
            for more in ({"index": "0"}, {"apply": "1"}):
                sent = {"action": name, "select_across": "0", "_selected_action": chosen, **more}
                answer = desk.post(f"/admin/{room}/", sent)
                assert answer.status_code == 302
                *_, said = get_messages(answer.wsgi_request)
                assert str(said) == "No queda ninguna de las filas elegidas: no se ha hecho nada.", (
                    room,
                    name,
                )
    assert "No queda ninguna de las filas elegidas" in seen(desk.get("/admin/orders/order/"))
    assert Parked.objects.count() == 1


@pytest.mark.django_db
def test_a_list_saved_with_nonsense_rows_is_no_error_of_ours(desk: Client) -> None:
    sent = {
        "form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": "x", "form-0-active": "on",
        "_save": "1",
    }  # fmt: skip
    for room in ("marketplace/reason", "marketplace/carrier"):
        assert desk.post(f"/admin/{room}/", sent).status_code in (200, 302)


@pytest.mark.django_db
@pytest.mark.parametrize("room", ["messaging/notice", "payments/charge", "ledger/entry", "orders/hold"])
def test_a_list_asks_as_much_for_one_as_for_thirty(desk: Client, fresh: Placing, room: str) -> None:
    def grow(n: int) -> None:
        at = timezone.now()
        orders = [fresh(paid_cents=8300).pk if room == "orders/hold" else fresh().pk for _ in range(n)]
        services.accept(orders, by=SELLER, at=at)
        timers.run(BY_NAME["charge"], at=at)

    def queries() -> int:
        waits.forget()
        with CaptureQueriesContext(connection) as asked:
            assert len(desk.get(f"/admin/{room}/").context["cl"].result_list) >= 1
        return len(asked)

    grow(1)
    queries()
    one = queries()
    grow(29)
    assert queries() == one
