"""Reasons are kept as codes and figures, and read in the language of whoever reads them."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from marketplace import timers
from marketplace.celery import BY_NAME
from marketplace.models import Channel, Reason
from marketplace.reasons import Why, said
from orders import services, telling
from orders.models import Event, Hold, Line, Order
from orders.states import HoldKind
from sellers.desk import PLATFORM, who
from sellers.models import Shop, User
from tests.conftest import AT, JAR, OPERATOR, PLATE, SELLER, Placing, again, basket
from tests.orders.acting import HOUR, Recent, debited, post

pytestmark = pytest.mark.django_db

STOCK = Why("out-of-stock")


def read(user: User, language: str, order: Order, tab: str = "detalles") -> str:
    User.objects.filter(id=user.id).update(language=language)
    client = Client()
    client.force_login(user)
    if user.is_staff:
        answer: Any = client.get(reverse("admin:orders_order_change", args=[order.pk]))
    else:
        answer = client.get(f"/pedidos/{order.reference}/", {"tab": tab})
    assert answer.status_code == 200
    return " ".join(answer.content.decode().replace("\N{NO-BREAK SPACE}", " ").split())


WORDS = {"es": "Sin existencias", "en": "Out of stock"}


@pytest.mark.rule("ORD-05")
@pytest.mark.parametrize(("reader", "other"), [("es", "en"), ("en", "es")])
def test_a_refusal_is_read_in_the_readers_language(
    reader: str, other: str, recent: Recent, alice: User, olga: User
) -> None:
    order = recent(JAR, PLATE)
    jar, plate = order.lines.all()
    alice.language = other
    alice.save()
    answers = {f"answer_{jar.id}": "accept", f"answer_{plate.id}": "refuse"}
    post(alice, order, "aceptar", **answers, **{f"reason_{plate.id}": "out-of-stock"})
    for page in (
        read(alice, reader, order),
        read(alice, reader, order, "historial"),
        read(olga, reader, order),
    ):
        assert WORDS[reader] in page
        assert WORDS[other] not in page


@pytest.mark.rule("CAN-05")
def test_a_note_stays_beside_its_reason_as_it_was_written(recent: Recent, alice: User, olga: User) -> None:
    order = recent()
    services.cancel([order.id], reason=Why("customer-asks", "se muda"), by=OPERATOR, at=timezone.now())
    for page in (read(alice, "en", order, "historial"), read(olga, "en", order)):
        assert "The customer asks for it (se muda)" in page


def test_each_line_keeps_its_own_reason_when_all_are_refused(place: Placing) -> None:
    order = place()
    jar, plate = order.lines.all()
    before = list(Line.objects.order_by("id").values())
    missing = services.refuse([order.id], reason={jar.id: STOCK}, by=SELLER, at=AT)
    assert [refusal.code for refusal in missing.refused] == ["reason_needed"]
    assert list(Line.objects.order_by("id").values()) == before
    services.refuse([order.id], reason={jar.id: STOCK, plate.id: "Roto"}, by=SELLER, at=AT)
    with override("en"):
        assert [telling.refusal(line) for line in order.lines.all()] == ["Out of stock", "Roto"]
        assert said("refuse", Event.objects.latest("id").data["reason"]) == "Out of stock; Roto"


def test_what_was_kept_as_text_is_still_read(recent: Recent, alice: User, olga: User) -> None:
    """Rows of before there were codes: the text of a line, of an event and of a hold, the platform in Spanish."""
    order = recent(JAR, PLATE)
    _jar, plate = order.lines.order_by("id")
    services.one(
        services.accept({order.id: services.Answer({plate.id: "Roto"})}, by=SELLER, at=timezone.now())
    )
    Line.objects.filter(id=plate.id).update(refuse_code="", refuse_reason="Se nos cayó")
    old = {"kind": "payment_mismatch", "note": "29,99 € ≠ 30,00 €"}
    services.hold([order.id], HoldKind.PAYMENT_MISMATCH, note=old["note"], by=PLATFORM, at=timezone.now())
    Hold.objects.update(placed_by="plataforma", note=old["note"])
    assert Event.objects.filter(order=order).latest("id").data["note"] == old["note"]
    page = read(alice, "en", order)
    assert "Se nos cayó" in page
    assert old["note"] in page
    assert "plataforma" not in page
    assert old["note"] in read(alice, "en", order, "historial")
    assert "plataforma" not in read(olga, "en", order)
    assert said("cancel", "Lo pide el cliente") == "Lo pide el cliente"
    assert telling.mismatch(old["note"], "EUR") == old["note"]


@pytest.mark.rule("PAY-07")
@pytest.mark.parametrize(
    ("language", "words"),
    [("es", "Se pagó 83,00 € y el total es 84,00 €."), ("en", "€83.00 was paid and the total is €84.00.")],
)
def test_a_mismatch_is_told_in_the_readers_language_with_its_figures(
    language: str, words: str, recent: Recent, alice: User, olga: User
) -> None:
    order = recent(paid_cents=8300)
    pages = [
        read(alice, language, order),
        read(alice, language, order, "historial"),
        read(olga, language, order),
    ]
    assert [words in page for page in pages] == [True] * 3
    platform = {"es": "la plataforma", "en": "the platform"}[language]
    assert [platform in page for page in pages] == [True] * 3


def test_the_platform_has_a_word_in_each_language() -> None:
    words = {}
    for language in ("es", "en"):
        with override(language):
            words[language] = {who(PLATFORM.label), who("plataforma")}
            assert who("Alicia Alba") == "Alicia Alba"
    assert words == {"es": {"la plataforma"}, "en": {"the platform"}}


@pytest.mark.rule("PAY-05")
@pytest.mark.parametrize(("language", "words"), [("es", "tarjeta rechazada"), ("en", "card declined")])
def test_the_providers_answer_is_read_in_the_readers_language(
    language: str, words: str, recent: Recent, alice: User, olga: User
) -> None:
    order = debited(recent(card="refused"))
    timers.run(BY_NAME["charge"], at=order.placed_at + 2 * 24 * HOUR)
    assert again(order).state == "failed"
    pages = [
        read(alice, language, order),
        read(alice, language, order, "historial"),
        read(olga, language, order),
    ]
    assert [words in page for page in pages] == [True] * 3


@pytest.mark.rule("ORD-06")
def test_an_operators_hold_carries_a_reason_of_the_list(
    client: Client, recent: Recent, alice: User, olga: User
) -> None:
    order = recent()
    client.force_login(olga)
    sent = {"apply": "1", "kind": "operator", "reason": "under-review", "note": "llamar"}
    client.post(reverse("admin:orders_order_hold", args=[order.pk]), sent)
    hold = order.holds.get()
    assert (hold.kind, hold.reason_code, hold.note) == ("operator", "under-review", "llamar")
    assert Event.objects.latest("id").data == {
        "kind": "operator",
        "note": "llamar",
        "until": None,
        "reason": {"code": "under-review"},
    }
    assert "Under review by the operator (llamar)" in read(alice, "en", order)
    assert "Motivo: En revisión por el operador" in read(alice, "es", order, "historial")


def test_a_reason_off_the_list_keeps_its_words_and_an_unknown_one_its_code() -> None:
    Reason.objects.filter(code="out-of-stock").delete()
    with override("en"):
        assert said("refuse", STOCK) == "Out of stock"
        assert said("refuse", {"code": "made-up", "note": "x"}) == "made-up (x)"
        assert said("refuse", Why("other")) == "Another reason"
        assert said("refuse", Why("other", "x")) == "x"
        assert said("refuse", None) == ""


def test_a_reason_by_code_costs_no_query(channel: Channel, shop: Shop) -> None:
    ids = [move.order_id for move in services.place(channel, [basket(shop) for _ in range(60)]).moved]
    counts = []
    for first, reason in (
        (0, "Roto"),
        (20, "Roto"),
        (40, STOCK),
    ):  # the first reads what a process reads once
        some = ids[first : first + 20]
        with CaptureQueriesContext(connection) as queries:
            assert len(services.refuse(some, reason=reason, by=SELLER, at=AT + HOUR).moved) == 20
        counts.append(len(queries))
    assert counts[1] == counts[2]
    codes = Line.objects.filter(order_id__in=ids[40:]).values_list("refuse_code", flat=True)
    assert set(codes) == {"out-of-stock"}
