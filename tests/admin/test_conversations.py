"""The operators' room of conversations: finding, reading, answering, starting (MSG-01 … MSG-07, ROL-02)."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from marketplace import queries as reads
from marketplace import waits
from marketplace.policy import Role
from messaging import conversing
from messaging.conversing import Words
from messaging.models import CameBy, Message, Notice, Template, Thread
from messaging.recipients import CUSTOMER, OPERATOR, SHOP, SUPPLIER
from orders.models import Order
from sellers.desk import Actor
from sellers.models import Shop, Supplier, User
from tests.conftest import SELLER, Placing
from tests.files.samples import picture

pytestmark = [pytest.mark.django_db, pytest.mark.rule("ROL-02")]

LIST = "/admin/messaging/thread/"
ANA = Actor(Role.CUSTOMER, "Ana Soler")
EVIL = "<script>alert(1)</script>"


def page(thread: Thread) -> str:
    return f"{LIST}{thread.pk}/change/"


def told(order: Order, text: str = "¿Qué hago?", **wishes: object) -> Thread:
    """A conversation of an hour ago that the shop began with the operator."""
    at = timezone.now() - timedelta(hours=1)
    given = {"to": OPERATOR, "order": order, "by": SELLER, "at": at, **wishes}
    return conversing.start(order.shop, Words(text), **given).thread  # type: ignore[arg-type]


def titles(desk: Client, query: str) -> list[str]:
    """The names of the conversations that a list shows."""
    answer = desk.get(f"{LIST}{query}")
    assert answer.status_code == 200
    return [
        unescape(one)
        for one in re.findall(r'/change/[^"]*"[^>]*>\s*([^<]+?)\s*</a>\s*</th>', answer.content.decode())
    ]


def row(thread: Thread) -> dict[str, object]:
    return dict(Thread.objects.filter(pk=thread.pk).values().get())


@pytest.mark.rule("MSG-03")
def test_what_waits_for_the_operators_is_counted_and_listed(desk: Client, place: Placing) -> None:
    order = place()
    thread = told(order, subject="Una duda")
    told(place(), subject="Para el cliente", to=CUSTOMER)
    card = {str(one.title): (one.number, one.address) for one in desk.get("/admin/").context["cards"]}
    assert card == {"Conversaciones que te esperan": ("1", f"{LIST}?turn=you")}
    assert titles(desk, "?turn=you") == ["Una duda"]
    assert titles(desk, "") == ["Para el cliente", "Una duda"]
    assert desk.get(page(thread)).status_code == 200
    assert titles(desk, "?turn=you") == ["Una duda"], "reading is not answering"
    assert desk.post(page(thread), {"seen": "1"}).status_code == 302
    assert titles(desk, "?turn=you") == []
    waits.forget()
    assert not desk.get("/admin/").context["cards"]


@pytest.mark.rule("MSG-01")
def test_the_list_is_narrowed_and_searched(
    desk: Client, place: Placing, other_shop: Shop, norte: Supplier
) -> None:
    old = timezone.now() - timedelta(days=9)
    mine, theirs = place(), place(shop=other_shop)
    told(mine, "El jarrón ha llegado roto", subject="roto", by=ANA, to=SHOP, at=old, reason_code="delivery")
    told(theirs, "Falta una taza", subject="falta", by=ANA, to=SHOP)
    told(mine, "Mañana lo recogen", subject="norte", to=SUPPLIER, supplier=norte)
    conversing.start(mine.shop, Words("Mi factura"), to=OPERATOR, subject="factura", by=SELLER, at=old)
    found = {
        query: sorted(titles(desk, query))
        for query in (
            "?turn=shop", "?turn=late", "?turn=you", "?about=order", "?about=supplier", "?about=none",
            f"?shop__id__exact={other_shop.pk}", f"?channel__id__exact={mine.channel_id}", "?reason=delivery",
            "?who=customer", "?q=jarron", "?q=jarrones", "?q=facturas", f"?q={theirs.reference}",
            f"?order__id__exact={theirs.pk}", "?q=%00'; drop", "?turn=nonsense",
        )
    }  # fmt: skip
    everything = ["factura", "falta", "norte", "roto"]
    assert found == {
        "?turn=shop": ["falta", "roto"],
        "?turn=late": ["roto"],
        "?turn=you": ["factura"],
        "?about=order": ["falta", "roto"],
        "?about=supplier": ["norte"],
        "?about=none": ["factura"],
        f"?shop__id__exact={other_shop.pk}": ["falta"],
        f"?channel__id__exact={mine.channel_id}": ["falta", "norte", "roto"],
        "?reason=delivery": ["roto"],
        "?who=customer": ["falta", "roto"],
        "?q=jarron": ["roto"],
        "?q=jarrones": ["roto"],
        "?q=facturas": ["factura"],
        f"?q={theirs.reference}": ["falta"],
        f"?order__id__exact={theirs.pk}": ["falta"],
        "?q=%00'; drop": everything,
        "?turn=nonsense": everything,
    }


@pytest.mark.rule("MSG-06")
def test_a_conversation_says_who_wrote_to_whom_and_what_was_misdirected(desk: Client, place: Placing) -> None:
    thread = told(place(), EVIL, subject=EVIL, by=Actor(Role.CUSTOMER, EVIL), to=SHOP)
    words = Words("Sí, claro", came_by=CameBy.MAIL, misdirected=True)
    conversing.write(thread.pk, words, to=OPERATOR, by=SELLER, at=timezone.now())
    text = desk.get(page(thread)).content.decode()
    assert "para la tienda" in text
    assert "para el operador" in text
    assert "Contestó al aviso por correo: solo te ha llegado a ti" in text
    assert EVIL not in text
    assert EVIL in unescape(text)
    assert EVIL not in desk.get(LIST).content.decode()
    User.objects.filter(is_staff=True).update(language="en")
    english = desk.get(page(thread)).content.decode()
    assert "for the operator" in english
    assert "Answered the notice by mail" in english


@pytest.mark.rule("MSG-06")
def test_before_sending_each_choice_says_who_sees_it_and_who_is_mailed(desk: Client, place: Placing) -> None:
    order = place()
    form = desk.get(page(told(order))).context["form"]
    assert [(one["name"], one["says"]) for one in form.choices] == [
        ("shop", "Lo ven la tienda y los operadores; el cliente no. Correo a pedidos@alba.example."),
        ("customer", "Lo ven el cliente, la tienda y los operadores. Correo a ana@cliente.example."),
        (
            "both",
            "Lo ven el cliente, la tienda y los operadores; a la tienda le corre el plazo para contestar. "
            "Correo a ana@cliente.example, pedidos@alba.example.",
        ),
    ]


@pytest.mark.parametrize(
    ("to", "told_to", "clock"),
    [("shop", {"seller"}, True), ("customer", {"customer"}, False), ("both", {"seller", "customer"}, True)],
)
def test_an_operator_answers(
    to: str, told_to: set[str], clock: bool, desk: Client, olga: User, place: Placing
) -> None:
    thread = told(place())
    answer = desk.post(page(thread), {"send": "1", "to": to, "text": "  Envíalo mañana  "})
    assert answer.status_code == 302
    message = Message.objects.order_by("-id").first()
    assert message is not None
    assert (message.body, message.role, message.author, message.user_id) == (
        "Envíalo mañana", "operator", str(olga), olga.pk
    )  # fmt: skip
    assert set(Notice.objects.filter(of_message=message).values_list("audience", flat=True)) == told_to
    now = Thread.objects.get(pk=thread.pk)
    assert (now.operator_waits_since, now.waiting, now.answer_by is not None) == (None, int(clock), clock)
    assert not Message.objects.filter(to_operator=True, read_by_operator_at=None).exists()


@pytest.mark.rule("MSG-12")
@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"to": "shop", "text": "  "}, 422),
        ({"to": "", "text": "Hola"}, 422),
        ({"to": "supplier", "text": "Hola"}, 422),
        ({"to": "shop", "text": "x" * 10_001}, 422),
        ({"to": "shop", "text": "Llega {{new_date}}"}, 409),
        ({"to": "shop", "text": "Llega {{new_date}}", "var_new_date": " "}, 409),
    ],
)
def test_what_cannot_be_sent_keeps_its_text(
    given: dict[str, str], status: int, desk: Client, place: Placing
) -> None:
    thread = told(place())
    before, n = row(thread), Message.objects.count()
    answer = desk.post(page(thread), {"send": "1", **given})
    assert answer.status_code == status
    assert given["text"] in answer.content.decode()
    assert (row(thread), Message.objects.count()) == (before, n)


@pytest.mark.rule("MSG-12")
def test_a_template_fills_the_answer_and_asks_for_what_is_missing(desk: Client, place: Placing) -> None:
    thread = told(place())
    one = Template.objects.get(name="Un retraso", language="es")
    text = desk.get(f"{page(thread)}?plantilla={one.pk}").context["form"]["text"].value()
    assert text.startswith("Hola, Ana Soler:")
    asked = desk.post(page(thread), {"send": "1", "to": "customer", "text": text})
    assert asked.status_code == 409
    assert "Falta rellenar: Nueva fecha" in asked.content.decode()
    assert 'name="var_new_date"' in asked.content.decode()
    sent = {"send": "1", "to": "customer", "text": text, "var_new_date": EVIL}
    assert desk.post(page(thread), sent).status_code == 302
    assert f"te llegue {EVIL}." in Message.objects.get(role="operator").body
    assert EVIL not in desk.get(page(thread)).content.decode()
    assert desk.get(f"{page(thread)}?plantilla=' OR 1").status_code == 200


def test_what_was_just_sent_can_be_taken_back(desk: Client, place: Placing) -> None:
    thread = told(place())
    before = row(thread)
    desk.post(page(thread), {"send": "1", "to": "customer", "text": "Un error"})
    message = Message.objects.get(role="operator")
    assert f'value="{message.pk}"' in desk.get(page(thread)).content.decode()
    answer = desk.post(page(thread), {"take_back": str(message.pk)})
    assert answer.context["form"]["text"].value() == "Un error"
    after = row(thread)
    assert {**after, "written_at": None} == {**before, "written_at": None}, "it waits again"
    assert not Notice.objects.filter(of_message_id=message.pk).exists()
    assert desk.post(page(thread), {"take_back": str(message.pk)}).status_code == 404
    told_one = Message.objects.get()
    assert desk.post(page(thread), {"take_back": str(told_one.pk)}).status_code == 302
    assert Message.objects.get() == told_one, "nobody takes back what somebody else wrote"


def test_nobody_else_sees_what_can_still_be_taken_back(
    desk: Client, client: Client, place: Placing, olga: User
) -> None:
    thread = told(place(), "Aún no", at=timezone.now())
    assert "Aún no" not in desk.get(page(thread)).content.decode()
    assert "Aún no" not in desk.get(LIST).content.decode()


@pytest.mark.rule("MSG-02")
def test_an_operator_starts_a_conversation_on_an_order(desk: Client, place: Placing) -> None:
    order = place()
    change = desk.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()
    add = f"{LIST}add/?order={order.pk}"
    assert add in unescape(change)
    assert desk.get(add).status_code == 200
    given = {"send": "1", "to": "both", "reason": "delay", "subject": EVIL, "text": EVIL}
    assert desk.post(add, given).status_code == 302
    thread = Thread.objects.get()
    assert (thread.order, thread.shop, thread.channel, thread.reason_code, thread.subject) == (
        order, order.shop, order.channel, "delay", EVIL,
    )  # fmt: skip
    assert thread.waiting == 1
    assert EVIL not in desk.get(reverse("admin:orders_order_change", args=[order.pk])).content.decode()


@pytest.mark.rule("MSG-14")
def test_an_operator_writes_to_a_shop_about_no_order(desk: Client, place: Placing, shop: Shop) -> None:
    place()
    write = desk.get(f"/admin/sellers/shop/{shop.pk}/write/")
    assert (write.status_code, write.headers["Location"]) == (302, f"{LIST}add/?shop={shop.pk}")
    add = f"{LIST}add/?shop={shop.pk}"
    assert [one["name"] for one in desk.get(add).context["form"].choices] == ["shop"]
    assert desk.post(add, {"send": "1", "to": "customer", "text": "Hola"}).status_code == 422
    assert not Thread.objects.exists()
    assert desk.post(add, {"send": "1", "to": "shop", "text": "Hola"}).status_code == 302
    thread = Thread.objects.get()
    assert (thread.shop, thread.order, thread.waiting) == (shop, None, 1)


def test_whom_to_write_to_is_never_guessed(
    desk: Client, place: Placing, shop: Shop, other_shop: Shop
) -> None:
    order = place()
    Shop.objects.create(code="alba2", name="Alba Norte")
    add = f"{LIST}add/"
    assert desk.get(add).status_code == 200
    for whom, leads in (
        (order.reference.lower(), f"{add}?order={order.pk}"),
        ("ALBA", f"{add}?shop={shop.pk}"),
        ("bruma tex", f"{add}?shop={other_shop.pk}"),
    ):
        assert desk.post(add, {"whom": whom}).headers["Location"] == leads
    several = desk.post(add, {"whom": "alb"})
    assert (several.status_code, "Hay varias" in several.content.decode()) == (422, True)
    assert desk.post(add, {"whom": EVIL}).status_code == 422
    for query in ("?order=0", "?shop=x", "?order=9" + "9" * 30):
        assert desk.get(add + query).status_code == 404


def test_a_supplier_conversation_is_answered_to_the_shop_alone(
    desk: Client, place: Placing, norte: Supplier
) -> None:
    thread = told(place(), to=SUPPLIER, supplier=norte)
    assert [one["name"] for one in desk.get(page(thread)).context["form"].choices] == ["shop"]
    assert desk.post(page(thread), {"send": "1", "to": "customer", "text": "Hola"}).status_code == 422


def test_only_operators_get_in(client: Client, alice: User, place: Placing) -> None:
    thread = told(place())
    before = row(thread)
    client.force_login(alice)
    for address in (LIST, page(thread), f"{LIST}add/"):
        assert client.get(address).status_code == 404
        assert client.post(address, {"send": "1", "to": "shop", "text": "x", "seen": "1"}).status_code == 404
    assert (row(thread), Message.objects.count()) == (before, 1)


def test_one_and_fifty_cost_the_same(desk: Client, place: Placing) -> None:
    order = place()
    thread = told(order, subject="0")

    def queries(address: str) -> int:
        desk.get(address)
        waits.forget()
        reads.forget()
        with CaptureQueriesContext(
            connection,
        ) as ran:
            assert desk.get(address).status_code == 200
        return len(ran)

    one = (queries(LIST), queries(page(thread)))
    for n in range(50):
        told(order, subject=str(n))
        conversing.write(
            thread.pk, Words(f"{n}"), to=CUSTOMER, by=SELLER, at=timezone.now() - timedelta(minutes=9)
        )
    fifty = (queries(LIST), queries(page(thread)))
    assert one == fifty
    assert max(fifty) <= 10


def test_a_long_conversation_comes_in_pages(
    desk: Client, place: Placing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.admin_threads.A_PAGE", 3)
    thread = told(place(), "m0")
    for n in range(1, 8):
        conversing.write(
            thread.pk, Words(f"m{n}"), to=CUSTOMER, by=SELLER, at=timezone.now() - timedelta(minutes=5)
        )
    seen = []
    address = page(thread)
    while address:
        context = desk.get(address).context
        seen.append([one.message.body for one in context["said"]])
        address = f"{page(thread)}?antes={context['older']}" if context["older"] else ""
    assert seen == [["m5", "m6", "m7"], ["m2", "m3", "m4"], ["m0", "m1"]]
    assert desk.get(f"{page(thread)}?antes=x").status_code == 200


@pytest.mark.rule("MSG-02")
def test_files_go_out_with_an_answer_and_are_listed_with_their_message(desk: Client, place: Placing) -> None:
    thread = told(place())
    sent = SimpleUploadedFile("nota.exe", b"MZ nothing to see")
    refused = desk.post(page(thread), {"send": "1", "to": "shop", "text": "Mira", "files": sent})
    assert (refused.status_code, Message.objects.count()) == (422, 1)
    assert "nota.exe" in refused.content.decode()
    assert ">\nMira</textarea>" in refused.content.decode()
    photo = SimpleUploadedFile("foto.png", picture("PNG"))
    assert (
        desk.post(page(thread), {"send": "1", "to": "shop", "text": "Mira", "files": photo}).status_code
        == 302
    )
    kept = Message.objects.get(role="operator").attachments.get()
    assert f'href="/mensajes/adjuntos/{kept.pk}/"' in desk.get(page(thread)).content.decode()
