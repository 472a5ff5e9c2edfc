"""An act on many orders says what it will do to each, does that and nothing else, and reports what became of all."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from marketplace import timers
from marketplace.celery import BY_NAME
from marketplace.models import Channel
from marketplace.policy import PRESETS, Preset
from marketplace.refusals import Code
from marketplace.services import publish_policy
from messaging.models import Notice
from orders import admin_many, services
from orders.admin_many import SALT, VERBS
from orders.admin_preview import foresee
from orders.models import Event, Hold, Order
from orders.states import HoldKind, State, Verb
from sellers.models import User
from tests.conftest import AT, JAR, OPERATOR, PLATE, SELLER, Placing, again, row
from tests.orders.acting import debited
from tests.orders.digital import PATTERN, placed

pytestmark = [pytest.mark.django_db, pytest.mark.rule("ROL-02")]

LIST = "admin:orders_order_changelist"


def choose(desk: Client, name: str, orders: list[Order]) -> Any:
    chosen = {
        "action": name,
        "select_across": "0",
        "_selected_action": [one.pk for one in orders],
        "index": "0",
    }
    return desk.post(reverse(LIST), chosen, follow=True)


def confirm(desk: Client, asked: Any, **sent: Any) -> Any:
    return desk.post(
        reverse("admin:orders_order_many"), {"seen": asked.context["seen"], "apply": "1", **sent}
    )


def text(answer: Any) -> str:
    words = re.sub(r"<(script|style|select|template).*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", words).replace("\N{NO-BREAK SPACE}", " ").split())


def everything() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (Order, Event, Hold, Notice)]


@pytest.fixture
def mixed(fresh: Placing) -> list[Order]:
    """One to be answered, one in debit, one to ship and one on its way."""
    at = timezone.now() - timedelta(minutes=30)
    new, debit, paid, shipped = (fresh(at=timezone.now() - timedelta(hours=1)) for _n in range(4))
    services.accept([paid.id, shipped.id], by=SELLER, at=at)
    timers.run(BY_NAME["charge"], at=at)
    services.accept([debit.id], by=SELLER, at=at)
    services.ship({shipped.id: services.Parcel(carrier_name="Portes Norte")}, by=SELLER, at=at)
    return [again(one) for one in (new, debit, paid, shipped)]


def test_what_will_happen_is_said_and_nothing_is_done(desk: Client, mixed: list[Order]) -> None:
    before = everything()
    asked = choose(desk, "cancel_many", mixed)
    assert everything() == before
    said = text(asked)
    assert "Se hará en 3 pedidos. Se devolverán 84,00 €." in said
    assert "1 no: está en «Enviado»." in said
    assert "se cancela; se devuelven 84,00 €" in said
    assert "se cancela; si el cobro llega, se devuelve" in said
    assert "se cancela; no hay nada que devolver" in said
    assert "nada: está en «Enviado»" in said
    assert "Cancelar los pedidos: 3 pedidos" in said


@pytest.mark.rule("ORD-10")
def test_it_is_done_and_told_with_each_refusal(desk: Client, mixed: list[Order]) -> None:
    new, debit, paid, shipped = mixed
    still = row(shipped)
    answer = confirm(desk, choose(desk, "cancel_many", mixed), reason="customer-asks")
    said = text(answer)
    assert "Hecho en 3 pedidos." in said
    assert "1 se ha quedado como estaba." in said
    assert f"{shipped.reference} está en «Enviado»" in said
    assert {again(one).state for one in (new, debit, paid)} == {State.CANCELLED}
    assert row(shipped) == still
    file = desk.post(reverse("admin:orders_order_many_report"), {"seen": answer.context["seen"]})
    lines = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert lines[0] == ["Pedido", "Tienda", "Hecho", "Por qué"]
    assert {line[0]: (line[2], line[3]) for line in lines[1:]} == {
        new.reference: ("sí", ""), debit.reference: ("sí", ""), paid.reference: ("sí", ""),
        shipped.reference: ("no", "está en «Enviado»"),
    }  # fmt: skip
    assert file.headers["Content-Disposition"] == 'attachment; filename="cancel.csv"'


def test_the_reason_is_asked_once_and_without_it_nothing_is_done(desk: Client, mixed: list[Order]) -> None:
    asked = choose(desk, "cancel_many", mixed)
    before = everything()
    answer = confirm(desk, asked)
    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {"reason"}
    assert everything() == before
    assert "Hecho en 3 pedidos." in text(confirm(desk, answer, reason="customer-asks"))


@pytest.mark.rule("ORD-10")
def test_an_order_that_moved_meanwhile_is_left_and_told(desk: Client, mixed: list[Order]) -> None:
    new, debit, *_rest = mixed
    asked = choose(desk, "cancel_many", [new, debit])
    services.accept([new.id], by=SELLER, at=timezone.now())
    still = row(new)
    said = text(confirm(desk, asked, reason="customer-asks"))
    assert "Hecho en 1 pedido." in said
    assert f"{new.reference} Ha cambiado desde que lo viste" in said
    assert (row(new), again(debit).state) == (still, State.CANCELLED)


def test_a_second_click_does_nothing_twice(desk: Client, mixed: list[Order]) -> None:
    asked = choose(desk, "hold_many", mixed)
    confirm(desk, asked, kind="operator", note="mirar")
    before = everything()
    assert "Hecho en 0 pedidos." in text(confirm(desk, asked, kind="operator", note="mirar"))
    assert everything() == before


def test_what_was_seen_is_signed_dated_and_ones_own(
    desk: Client, mixed: list[Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = choose(desk, "cancel_many", mixed)
    before = everything()
    address = reverse("admin:orders_order_many")
    good = asked.context["seen"]
    another = User.objects.create_user("pia@operador.example", None, is_staff=True)
    theirs = signing.dumps(
        {"verb": "cancel", "going": [[mixed[0].pk, ""]], "left": [], "user": another.pk}, salt=SALT
    )
    for forged in ("", "x", good[:-2], good[:-2] + "AA", theirs, good.replace(":", "", 1)):
        answer = desk.post(address, {"seen": forged, "apply": "1", "reason": "customer-asks"}, follow=True)
        assert "Lo que viste ha caducado" in text(answer)
    monkeypatch.setattr(admin_many, "GOOD_FOR_S", -1)
    answer = desk.post(address, {"seen": good, "apply": "1", "reason": "customer-asks"}, follow=True)
    assert "Lo que viste ha caducado" in text(answer)
    assert desk.get(address).status_code == 302
    assert desk.get(reverse("admin:orders_order_many_report")).status_code == 302
    assert desk.post(reverse("admin:orders_order_many_report"), {"seen": good}).status_code == 302
    assert everything() == before


def test_nobody_else_gets_in(client: Client, alice: User, mixed: list[Order]) -> None:
    for name in ("many", "many_report"):
        address = reverse(f"admin:orders_order_{name}")
        assert client.post(address, {}).status_code == 302
    client.force_login(alice)
    for name in ("many", "many_report"):
        assert client.post(reverse(f"admin:orders_order_{name}"), {}).status_code == 404


def test_every_act_of_the_list_has_its_page(desk: Client, mixed: list[Order], olga: User) -> None:
    """In both languages, with a sentence for each order, and no code on it."""
    before = everything()
    for language in ("es", "en"):
        User.objects.filter(pk=olga.pk).update(language=language)
        for verb in VERBS:
            asked = choose(desk, f"{verb.value}_many", mixed)
            assert asked.status_code == 200, verb
            shown = text(asked)
            for code in (*State.values, "moved_at", "customer-asks", "{", "wrong_state"):
                if "_" in code or code in ("{", "customer-asks"):
                    assert code not in shown, (verb, code)
    assert everything() == before


def test_what_is_foreseen_is_what_happens(desk: Client, mixed: list[Order]) -> None:
    """The page promises what the services then do, for each verb that asks for nothing but the click."""
    for verb in (Verb.DELIVER, Verb.READY):
        at = timezone.now()
        foreseen = {one.order.pk: one.code for one in foresee(map(again, mixed), verb, by=OPERATOR, at=at)}
        outcome = getattr(services, verb.value)([one.pk for one in mixed], by=OPERATOR, at=at)
        assert {move.order_id for move in outcome.moved} == {
            pk for pk, code in foreseen.items() if code is None
        }
        assert {one.id: one.code for one in outcome.refused} == {
            pk: code for pk, code in foreseen.items() if code
        }


def test_holds_are_put_and_lifted_on_many(desk: Client, mixed: list[Order]) -> None:
    asked = choose(desk, "release_many", mixed)
    assert "4 no: No hay ninguna retención de esa clase." in text(asked)
    assert "No puede hacerse en ninguno de los pedidos elegidos." in text(asked)
    confirm(desk, choose(desk, "hold_many", mixed), kind="stock", note="se acabó")
    assert Hold.objects.filter(kind=HoldKind.STOCK, released_at=None).count() == 4
    before = everything()
    answer = confirm(desk, choose(desk, "release_many", mixed), kind="operator")
    assert "4 se han quedado como estaban." in text(answer)
    assert everything() == before
    confirm(desk, choose(desk, "release_many", mixed), kind="stock", note="ya hay")
    assert not Hold.objects.filter(released_at=None).exists()


def test_acceptance_says_what_will_be_charged(desk: Client, mixed: list[Order]) -> None:
    said = text(choose(desk, "accept_many", mixed))
    assert "Se hará en 1 pedido. Se cobrarán 84,00 €." in said
    assert "se acepta entero; se cobrarán 84,00 €" in said
    confirm(desk, choose(desk, "accept_many", mixed))
    assert again(mixed[0]).state == State.DEBIT


def test_more_than_a_thousand_are_too_many(
    desk: Client, mixed: list[Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin_many, "AT_MOST", 3)
    before = everything()
    answer = choose(desk, "cancel_many", mixed)
    assert "Son más de 3 pedidos: elige menos de una vez. No se ha hecho nada." in text(answer)
    assert everything() == before
    assert "seen" not in answer.context


def test_what_breaks_is_tried_one_by_one(
    desk: Client, mixed: list[Order], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One order whose move raises never stops the rest."""
    bad = mixed[0].pk
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse_one() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF NEW.order_id = {bad} THEN RAISE EXCEPTION 'broken'; END IF; RETURN NEW; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER refuse_one BEFORE INSERT ON orders_event FOR EACH ROW EXECUTE FUNCTION refuse_one()"
        )
    still = row(mixed[0])
    said = text(confirm(desk, choose(desk, "cancel_many", mixed), reason="customer-asks"))
    assert "Hecho en 2 pedidos." in said
    assert str(Code.FAILED.label).rstrip(".") in said
    assert row(mixed[0]) == still


def test_the_page_reads_the_same_for_few_and_many(desk: Client, fresh: Placing) -> None:
    counts = []
    for size in (2, 30):
        orders = [fresh() for _n in range(size)]
        choose(desk, "cancel_many", orders)
        with CaptureQueriesContext(connection) as asked:
            choose(desk, "cancel_many", orders)
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_a_thousand_fit_into_one_answer(desk: Client, mixed: list[Order]) -> None:
    """What was seen travels as one field, however many orders it is about."""
    told = {
        "verb": "cancel", "left": [], "user": User.objects.get(is_superuser=True).pk,
        "going": [(10**9 + n, timezone.now().isoformat()) for n in range(1000)],
    }  # fmt: skip
    seen = signing.dumps(told, salt=SALT, compress=True)
    assert len(seen) < 100_000
    before = everything()
    sent = {"seen": seen, "apply": "1", "reason": "customer-asks"}
    assert "Hecho en 0 pedidos." in text(desk.post(reverse("admin:orders_order_many"), sent))
    assert everything() == before


@pytest.mark.rule("ORD-07")
def test_one_reference_is_asked_for_one_basket_alone(desk: Client, channel: Channel, fresh: Placing) -> None:
    publish_policy(channel, PRESETS[Preset.PREPAID], by="x", at=AT)
    channel.refresh_from_db()
    orders = [fresh() for _n in range(2)]
    before = everything()
    refused = choose(desk, "confirm_payment_many", orders)
    assert "Una referencia paga una sola cesta, y estos pedidos son de varias" in text(refused)
    assert "seen" not in refused.context
    assert everything() == before
    confirm(desk, choose(desk, "confirm_payment_many", orders[:1]), reference="TR-1")
    assert [again(one).state for one in orders] == [State.AWAITING_SHIPMENT, State.PENDING_PAYMENT]


@pytest.mark.rule("CAN-03")
def test_what_only_the_operator_may_override_is_said_first(
    desk: Client, channel: Channel, fresh: Placing
) -> None:
    half = debited(fresh(JAR, PLATE, at=timezone.now() - timedelta(hours=2)))
    jar = half.lines.order_by("id")[0]
    parcel = services.Parcel(carrier_name="Portes Norte", quantities={jar.id: 2})
    services.one(services.ship({half.id: parcel}, by=SELLER, at=timezone.now() - timedelta(minutes=30)))
    confirmed = debited(placed(channel, half.shop, JAR, PATTERN, at=timezone.now() - timedelta(hours=2)))
    assert again(confirmed).confirmed_at is not None
    whole = debited(fresh(at=timezone.now() - timedelta(hours=2)))
    said = text(choose(desk, "cancel_many", [half, confirmed, whole]))
    assert "Ojo: 2 ya tienen algo en camino o confirmado al cliente." in said
    assert (
        said.count("; ojo: ya hay un bulto en camino"),
        said.count("; ojo: ya se ha confirmado algo"),
    ) == (1, 1)
    assert "Ojo" not in text(choose(desk, "cancel_many", [whole]))


@pytest.mark.rule("PAY-02")
def test_what_a_hold_keeps_from_being_charged_is_not_promised(desk: Client, fresh: Placing) -> None:
    held, free = fresh(), fresh()
    services.hold([held.id], HoldKind.OPERATOR, note="mirar", by=OPERATOR, at=timezone.now())
    said = text(choose(desk, "accept_many", [held, free]))
    assert "Se hará en 2 pedidos. Se cobrarán 84,00 €." in said
    assert "se acepta entero; está en espera: no se cobran 84,00 € hasta que se levante" in said
