"""What becomes of an answer by mail: whose it is, whom it is for, who is told (MSG-07)."""

import re

import pytest
from pytest_django import Settings

from marketplace.policy import Role
from messaging import conversing, replying
from messaging.conversing import Words
from messaging.documents import Letters
from messaging.models import CameBy, Correspondent, Message, Notice, Thread
from messaging.recipients import CUSTOMER, OPERATOR, SHOP, SUPPLIER, To, of, readable_by
from orders import services as orders
from orders.models import Order
from sellers.desk import Actor
from sellers.models import Membership, Shop, Supplier, User
from tests.conftest import AT, SELLER, Placing, sure
from tests.mail_in.conftest import (
    ANA,
    DOMAIN,
    LATER,
    OLGA,
    address,
    last,
    mail,
    notice_to,
    outcome,
    refusals,
    stands,
    take,
)

pytestmark = [pytest.mark.django_db, pytest.mark.rule("MSG-07")]


def test_a_customers_answer_reaches_the_conversation_and_waits_for_the_shop(
    order: Order, customers: str
) -> None:
    assert outcome(mail(customers)) == "taken=1"
    message = last()
    assert (message.body, message.role, message.author) == ("Sí, el jueves.", "customer", "Ana Soler")
    assert (of(message), message.came_by, message.misdirected) == (SHOP, CameBy.MAIL, False)
    thread = Thread.objects.get()
    assert (thread.waiting, thread.answer_by) == (1, sure(message.answer_by))
    assert [one.audience for one in Notice.objects.filter(of_message=message)] == ["seller"]


def test_whom_an_operator_wrote_to_answers_them_too(order: Order) -> None:
    conversing.start(order.shop, Words("Soy del equipo"), to=CUSTOMER, order=order, by=OLGA, at=AT)
    assert outcome(mail(address(notice_to("customer")))) == "taken=1"
    assert of(last()) == To(shop=True, operator=True)
    assert sure(last().answer_by) > LATER


@pytest.mark.usefixtures("olga")
def test_a_shops_answer_is_the_operators_alone_and_the_shop_is_told_how(order: Order, sellers: str) -> None:
    assert outcome(mail(sellers, "El jueves.", From="pedidos@alba.example")) == "taken=1"
    message = last()
    assert (of(message), message.misdirected, message.author) == (OPERATOR, True, "Cerámicas Alba")
    assert not Message.objects.filter(readable_by(Role.CUSTOMER), id=message.id).exists()
    told = {one.audience: one for one in Notice.objects.filter(of_message=message)}
    assert {audience: one.event for audience, one in told.items()} == {
        "operator": "message",
        "seller": "astray",
    }
    assert Thread.objects.get().waiting == 1
    how = Letters().mail(told["seller"])
    assert "El jueves." in how.body
    assert f"/pedidos/{order.reference}/?tab=mensajes" in how.body
    assert "Reply-To" not in how.extra_headers
    assert "Contestó por correo a un aviso" in Letters().mail(told["operator"]).body


def test_a_suppliers_answer_is_for_the_shop(suppliers: str) -> None:
    assert outcome(mail(suppliers, "Queda poco.", From="taller@norte.example")) == "taken=1"
    assert (last().role, of(last()), last().author) == ("supplier", SHOP, "Talleres Norte")


@pytest.mark.usefixtures("olga")
def test_a_shops_answer_to_a_supplier_is_the_operators_too(order: Order, norte: Supplier) -> None:
    first = conversing.start(
        order.shop, Words("¿Te queda barro?"), to=SUPPLIER, order=order, supplier=norte, by=SELLER, at=AT
    )
    actor = Actor(Role.SUPPLIER, "Taller", supplier_id=norte.id)
    conversing.write(first.thread_id, Words("Poco"), to=SHOP, by=actor, at=AT)
    assert outcome(mail(address(notice_to("seller")), "Vale")) == "taken=1"
    assert (of(last()), last().misdirected) == (OPERATOR, True)
    assert not Message.objects.filter(readable_by(Role.SUPPLIER), id=last().id).exists()


def test_an_operators_answer_goes_back_and_nobody_else_gets_it(operators: str) -> None:
    before = stands()
    assert outcome(mail(operators, "Haz lo que veas.")) == "returned=1"
    assert outcome(mail(operators, "Otra vez.")) == "returned=1"
    after = stands()
    assert {name for name in after if after[name] != before[name]} == {"Notice", "ReceivedMail"}
    back = Notice.objects.filter(event="astray").order_by("id")
    assert {(one.audience, one.email) for one in back} == {("operator", "olga@operador.example")}
    assert "Haz lo que veas." in Letters().mail(back[0]).body


def test_who_wrote_is_said_by_the_token_whatever_the_mail_says(order: Order, customers: str) -> None:
    forged = mail(customers, From="Olga <olga@trastienda.example>", Sender="operador@trastienda.example",
                  Reply_To="pedidos@alba.example")  # fmt: skip
    assert outcome(forged) == "taken=1"
    assert (last().role, last().author, last().user_id) == ("customer", "Ana Soler", None)


def test_an_address_fits_and_its_case_does_not_matter(customers: str) -> None:
    local, _, domain = customers.partition("@")
    assert domain == DOMAIN
    assert len(local) <= 64
    assert re.fullmatch(r"reply\+[a-z2-7]{33,45}", local)
    assert outcome(mail(customers.upper())) == "taken=1"


@pytest.mark.parametrize("header", ["To", "Cc", "Delivered_To", "X_Original_To"])
def test_the_address_is_found_wherever_it_stands(customers: str, header: str) -> None:
    headers = {"To": "avisos@trastienda.example", header: f"Alba <{customers}>, otra@x.example"}
    assert outcome(mail("x@x.example", **headers)) == "taken=1"


def test_the_mail_server_may_say_where_it_goes(customers: str) -> None:
    assert outcome(mail("undisclosed-recipients:;"), recipients=customers) == "taken=1"


def test_the_same_mail_twice_is_once(customers: str) -> None:
    one = mail(customers)
    assert [outcome(one), outcome(one)] == ["taken=1", "known=1"]
    del one["Message-ID"]
    assert [outcome(one), outcome(one)] == ["taken=1", "known=1"]
    assert Message.objects.filter(role="customer").count() == 2


def test_what_came_before_is_named_so_that_mail_programs_group_it(order: Order, customers: str) -> None:
    first = notice_to("customer")
    assert "In-Reply-To" not in Letters().mail(first).extra_headers
    Notice.objects.filter(pk=first.pk).update(sent_at=AT, message_id="<notice-1@localhost>")
    conversing.write(Thread.objects.get().id, Words("¿O el viernes?"), to=CUSTOMER, by=SELLER, at=LATER)
    headers = Letters().mail(notice_to("customer")).extra_headers
    assert (headers["In-Reply-To"], headers["References"]) == ("<notice-1@localhost>", "<notice-1@localhost>")
    assert headers["Reply-To"] == customers


@pytest.mark.usefixtures("olga")
def test_without_a_domain_nobody_can_answer_and_mails_say_so(
    order: Order, customers: str, settings: Settings
) -> None:
    settings.MAIL_REPLY_DOMAIN = ""
    letter = Letters().mail(notice_to("customer"))
    assert "Reply-To" not in letter.extra_headers
    assert "nadie lee lo que se responda" in " ".join(letter.body.split())
    before = stands()
    assert outcome(mail(customers)) == "unknown=1"
    assert stands() == before


def test_each_mail_says_what_becomes_of_an_answer(customers: str, order: Order, olga: User) -> None:
    thread = Thread.objects.get()
    conversing.write(thread.id, Words("¿?"), to=SHOP, by=ANA, at=AT)
    conversing.write(thread.id, Words("¿?"), to=OPERATOR, by=SELLER, at=AT)
    said = {
        one: " ".join(Letters().mail(notice_to(one)).body.split())
        for one in ("customer", "seller", "operator")
    }
    assert "Puedes contestar a este correo: lo que escribas llega a Cerámicas Alba." in said["customer"]
    assert "le llegaría al operador, y a nadie más. Contesta en la trastienda." in said["seller"]
    assert "te vuelve y no llega a nadie" in said["operator"]


def test_a_person_of_the_shop_writes_as_themselves(order: Order, alice: User, shop: Shop) -> None:
    Shop.objects.filter(pk=shop.pk).update(contact_email=alice.email)
    conversing.start(order.shop, Words("¿Cuándo llega?"), to=SHOP, order=order, by=ANA, at=AT)
    Notice.objects.filter(audience="seller").update(email=alice.email)
    assert outcome(mail(address(notice_to("seller")))) == "taken=1"
    assert (last().user_id, last().author) == (alice.id, str(alice))


def _revoke() -> None:
    replying.revoke(Correspondent.objects.values_list("id", flat=True), at=AT)


def _close_the_shop() -> None:
    Shop.objects.update(active=False)


def _other_customer() -> None:
    Order.objects.update(customer_email="otra@cliente.example")


@pytest.mark.parametrize(
    ("change", "reason"),
    [(_revoke, "revoked"), (_close_the_shop, "no_right"), (_other_customer, "no_right")],
)
def test_rights_are_looked_at_when_a_mail_arrives(customers: str, change: object, reason: str) -> None:
    change()  # type: ignore[operator]
    before = stands()
    assert outcome(mail(customers)) == f"{reason}=1"
    assert (stands(), refusals()) == (before, {reason: 1})


def test_whoever_left_the_shop_writes_no_more(order: Order, bob: User, sellers: str) -> None:
    Notice.objects.filter(audience="seller").update(email=bob.email)
    theirs = address(notice_to("seller"))
    assert outcome(mail(theirs)) == "taken=1"
    for change in ({"role": Membership.Role.FINANCE}, None):
        if change is None:
            Membership.objects.filter(user=bob).delete()
        else:
            Membership.objects.filter(user=bob).update(**change)
        before = stands()
        assert outcome(mail(theirs)) == "no_right=1"
        assert stands() == before


def test_a_revoked_address_is_followed_by_another(customers: str) -> None:
    _revoke()
    new = address(notice_to("customer"))
    assert new != customers
    assert [outcome(mail(customers)), outcome(mail(new))] == ["revoked=1", "taken=1"]


@pytest.mark.rule("ROL-03")
def test_where_the_customers_links_are_void_so_is_their_reply_address(
    order: Order, customers: str, sellers: str, place: Placing
) -> None:
    other = place()
    conversing.start(other.shop, Words("Hola"), to=CUSTOMER, order=other, by=SELLER, at=AT)
    others = address(notice_to("customer"))
    assert orders.one(orders.revoke_links([order.id], by=OLGA, at=LATER))
    before = stands()
    assert outcome(mail(customers)) == "revoked=1"
    assert stands() == before
    assert [outcome(mail(to)) for to in (others, sellers)] == ["taken=1", "taken=1"]
    new = address(Notice.objects.filter(audience="customer", order_id=order.id).latest("id"))
    assert outcome(mail(new, "Ahora sí")) == "taken=1"


def test_an_old_key_is_believed_while_it_stands_among_the_fallbacks(
    customers: str, settings: Settings
) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key that is long enough for a server, and was made at random"
    assert address(notice_to("customer")) != customers
    assert outcome(mail(customers)) == "taken=1"
    settings.SECRET_KEY_FALLBACKS = []
    before = stands()
    assert outcome(mail(customers)) == "unknown=1"
    assert stands() == before


def test_a_mail_to_two_conversations_reaches_both(order: Order, customers: str, place: Placing) -> None:
    other = place()
    conversing.start(other.shop, Words("¿Y este?"), to=CUSTOMER, order=other, by=SELLER, at=AT)
    both = mail(f"{customers}, {address(notice_to('customer'))}")
    assert [outcome(both), outcome(both)] == ["taken=2", "known=2"]
    assert set(Message.objects.filter(role="customer").values_list("thread__order", flat=True)) == {
        order.id,
        other.id,
    }


def test_two_machines_that_answer_each_other_are_stopped(customers: str) -> None:
    said = [outcome(mail(customers, f"{n}")) for n in range(31)]
    assert said == ["taken=1"] * 30 + ["too_often=1"]
    assert take(mail(customers), at=LATER.replace(hour=14)).taken
