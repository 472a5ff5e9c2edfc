"""The front page of the rooms: what waits, how the clocks stand, the day in figures; and the counts beside links."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from marketplace import timers, waits
from marketplace.admin_clocks import clock_faces, did_words
from marketplace.celery import BY_NAME
from marketplace.models import Parked, TimerRun
from messaging.models import Notice
from orders import services
from orders.models import Order
from orders.states import HoldKind
from payments.models import Payback
from payments.states import AskState
from sellers.models import User
from settlements.models import Payout
from settlements.services import answer_payouts
from tests.conftest import OPERATOR, SELLER, Placing

pytestmark = pytest.mark.django_db

FRONT = "/admin/"


def cards(desk: Client) -> dict[str, str]:
    """What the front page says waits: {title: number}."""
    return {str(card.title): card.number for card in desk.get(FRONT).context["cards"]}


def badges(desk: Client) -> dict[str, str]:
    """The counts beside the links of the sidebar: {title: number}."""
    groups = desk.get(FRONT).context["sidebar_navigation"]
    return {
        str(item["title"]): item["badge"] for group in groups for item in group["items"] if item.get("badge")
    }


def stuck_debit(fresh: Placing) -> Order:
    at = timezone.now() - timedelta(hours=5)
    order = fresh(at=at, card="down")
    services.accept([order.id], by=SELLER, at=at)
    timers.run(BY_NAME["charge"], at=at)
    timers.run(BY_NAME["debits"], at=at + timedelta(hours=2))
    return order


def failed_payout(settled: Order) -> Payout:
    payout = Payout.objects.get()
    answer_payouts([payout.pk], paid=False, answer="cuenta cerrada", at=timezone.now())
    return payout


@pytest.mark.rule("ROL-02")
def test_with_nothing_to_do_the_page_says_so(desk: Client, channel: object) -> None:
    text = desk.get(FRONT).content.decode()
    assert "Nada espera por ti ahora." in text
    assert "Todos van al día." in text
    assert badges(desk) == {}


@pytest.mark.rule("ROL-02")
@pytest.mark.rule("PAY-03")
def test_what_waits_is_counted_and_led_to(
    desk: Client, fresh: Placing, settled: Order, parked: Parked
) -> None:
    stuck_debit(fresh)
    fresh(paid_cents=8300)
    failed_payout(settled)
    Notice.objects.filter(pk=Notice.objects.order_by("pk").values("pk")[:1]).update(
        due_at=None, given_up_at=timezone.now(), sent_at=None
    )
    Payback.objects.update(state=AskState.REFUSED, asked_anew=False, due_at=None)
    services.ask_for_carrier(settled.shop, "Portes", "https://p.example", by=SELLER, at=timezone.now())
    waits.forget()
    expected = {
        "Cobros atascados": "1", "Devoluciones rechazadas": "1", "Pagos que no cuadran": "1",
        "Transferencias fallidas": "1", "Avisos abandonados": "1", "Filas apartadas": "1",
        "Transportistas pedidos": "1",
    }  # fmt: skip
    assert list(cards(desk).items()) == list(expected.items())
    assert badges(desk) == expected
    for card in desk.get(FRONT).context["cards"]:
        assert desk.get(card.address).context["cl"].result_count == int(card.number), card.address


@pytest.mark.broken_books
def test_a_refused_payback_is_only_counted_until_it_is_asked_for_anew(desk: Client, settled: Order) -> None:
    Payback.objects.update(state=AskState.REFUSED, asked_anew=False)
    waits.forget()
    assert cards(desk) == {"Devoluciones rechazadas": "1"}
    Payback.objects.update(asked_anew=True)
    waits.forget()
    assert cards(desk) == {}


@pytest.mark.rule("SET-05")
def test_a_failed_transfer_waits_until_the_shop_is_sent_another(desk: Client, settled: Order) -> None:
    payout = failed_payout(settled)
    assert cards(desk) == {"Transferencias fallidas": "1"}
    timers.run(BY_NAME["statements"], at=timezone.now() + timedelta(days=40))
    assert Payout.objects.exclude(pk=payout.pk).count() == 1
    waits.forget()
    assert cards(desk) == {}


def test_counts_are_read_once_for_all_and_for_some_seconds(parked: Parked) -> None:
    with CaptureQueriesContext(connection) as asked:
        first = waits.counts()
        Parked.objects.all().delete()
        assert waits.counts() == first
    assert (first["parked"], len([one for one in asked if "DELETE" not in one["sql"]])) == (1, 1)
    waits.forget()
    assert waits.counts()["parked"] == 0


def test_an_operators_own_act_is_counted_at_once(desk: Client, parked: Parked) -> None:
    assert badges(desk) == {"Filas apartadas": "1"}
    page = reverse("admin:marketplace_parked_changelist")
    desk.post(page, {"action": "discard", "_selected_action": parked.pk, "index": 0})
    assert badges(desk) == {}


def test_counting_stops_where_nobody_reads_on(db: None) -> None:
    now = timezone.now()
    Parked.objects.bulk_create(
        Parked(timer="expire", subject_id=n, trace="x", parked_at=now, retry_at=now)
        for n in range(waits.COUNTED_UP_TO + 5)
    )
    assert waits.words(waits.counts()["parked"]) == "999+"
    assert (waits.words(0), waits.words(7)) == ("", "7")


def figures(desk: Client) -> dict[str, tuple[str, str]]:
    """What the figures of the day say: {title: (number, line beneath)}."""
    return {
        str(one.title): (plain(one.number), plain(one.note)) for one in desk.get(FRONT).context["figures"]
    }


def plain(words: object) -> str:
    return str(words).replace("\N{NO-BREAK SPACE}", " ")


def test_the_day_in_figures_and_each_leads_to_the_same_number(desk: Client, fresh: Placing) -> None:
    now = timezone.now()
    fresh(at=now - timedelta(days=2, hours=1))
    fresh(at=now)
    held, debited = fresh(at=now - timedelta(days=2)), fresh(at=now)
    services.hold([held.id], HoldKind.STOCK, by=OPERATOR, at=now)
    services.accept([debited.id], by=SELLER, at=now)
    timers.run(BY_NAME["charge"], at=now)
    told = figures(desk)
    assert told["Pedidos recibidos"] == ("2", "168,00 €")
    assert told["Por aceptar"][0] == "3"
    assert told["Por enviar"] == ("1", "")
    assert (told["En camino"], told["En espera"]) == (("0", ""), ("1", ""))
    Order.objects.filter(id=debited.id).update(ship_by=now - timedelta(hours=1))
    assert figures(desk)["Por enviar"] == ("1", "1 con retraso")
    shown = {
        str(one.title): (one.number, desk.get(one.address).context["cl"].result_count)
        for one in desk.get(FRONT).context["figures"]
        if "orders/order" in one.address
    }
    assert {title: pair for title, pair in shown.items() if pair[0] != pair[1]} == {}
    assert len(shown) == 6


def test_money_owed_and_on_its_way_is_told(desk: Client, settled: Order) -> None:
    payout = Payout.objects.get()
    told = figures(desk)
    assert told["De camino al banco"] == (
        f"{payout.amount_cents / 100:.2f} €".replace(".", ","),
        "1 transferencia",
    )


def standing(name: str) -> tuple[str, str]:
    face = next(face for face in clock_faces(timezone.now()) if face.timer.name == name)
    return face.tone, face.words


def run_of(name: str, *, error: str = "", hours: int = 0) -> TimerRun:
    at = timezone.now() - timedelta(hours=hours)
    return TimerRun.objects.create(timer=name, at=at, started_at=at, ended_at=at, done=1, error=error)


def test_a_clock_is_well_late_failed_or_has_rows_set_aside(
    desk: Client, fresh: Placing, parked: Parked
) -> None:
    assert standing("notices") == ("success", "Al día")
    run_of("notices", error="ServerDown: nadie contesta")
    assert standing("notices") == ("danger", "Falló")
    assert "ServerDown: nadie contesta" in desk.get(FRONT).content.decode()
    run_of("notices")
    assert standing("notices") == ("success", "Al día")
    assert standing("expire") == ("warning", "1 fila apartada")
    parked.delete()
    fresh(at=timezone.now() - timedelta(days=3, hours=5))
    assert standing("expire") == ("danger", "Lleva 5 horas de retraso")


def test_a_failure_of_days_ago_is_history(db: None) -> None:
    run_of("payback", error="roto", hours=30)
    assert standing("payback") == ("success", "Al día")


def test_what_a_run_did_is_counted_in_its_own_number() -> None:
    assert did_words(TimerRun(done=1)) == "1 hecho"
    assert did_words(TimerRun(done=2, refused=1, parked=3)) == "2 hechos, 1 rechazado, 3 apartados"
    assert (did_words(TimerRun()), did_words(None)) == ("nada", "–")


def test_the_front_page_asks_as_much_for_one_as_for_thirty(desk: Client, fresh: Placing) -> None:
    def queries() -> int:
        waits.forget()
        with CaptureQueriesContext(connection) as asked:
            assert desk.get(FRONT).status_code == 200
        return len(asked)

    fresh(paid_cents=8300)
    queries()
    one = queries()
    for _ in range(29):
        fresh(paid_cents=8300)
    assert queries() == one
    assert one <= 24


def test_one_link_of_the_sidebar_is_where_the_reader_is(desk: Client, fresh: Placing) -> None:
    order = fresh()

    def here(page: str) -> list[str]:
        groups = desk.get(page).context["sidebar_navigation"]
        return [str(item["title"]) for group in groups for item in group["items"] if item["active"]]

    assert here(FRONT) == ["Inicio"]
    assert here("/admin/orders/hold/") == ["Retenciones"]
    assert here("/admin/orders/hold/?kind__exact=payment_mismatch&standing=yes") == ["Pagos que no cuadran"]
    assert here(f"/admin/orders/order/{order.pk}/change/") == ["Pedidos"]
    assert here(reverse("admin:marketplace_timerrun_clocks")) == ["Todos los relojes"]


def test_crumbs_name_each_step_once(desk: Client, fresh: Placing) -> None:
    order = fresh()
    text = desk.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    head = re.search("<h1.*?</h1>", text, re.DOTALL)
    assert head is not None
    words = [word for word in re.sub(r"<[^>]+>|chevron_right", "\n", head[0]).split("\n") if word.strip()]
    assert words == ["Inicio", "Pedidos", order.reference]
    for app in ("orders", "payments", "messaging", "ledger", "settlements", "sellers", "marketplace"):
        assert desk.get(f"/admin/{app}/").headers["Location"] == FRONT


def test_a_room_is_found_by_name_and_nonsense_is_not_found(desk: Client, olga: User) -> None:
    assert desk.get("/admin/search/", {"s": "cobros"}).status_code == 200
    for page in ("x", "0", "99", "-1"):
        assert desk.get("/admin/search/", {"s": "cobros", "page": page}).status_code == 404
