"""Who sees what is said and who is told of it: each recipient × each reader, over the pages, the search, the
customer's page, the operators' room, the mails and the files' wall (MSG-03 … MSG-05).

`WRITTEN` are the rows; a reader is a function that answers whether the words can be read there. A page, or a mail, more
is a row of `READERS`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.utils import timezone

from marketplace.policy import Role
from messaging import conversing, readers
from messaging.conversing import Words
from messaging.models import Message, Notice, Thread
from messaging.recipients import CUSTOMER, CUSTOMER_AND_OPERATOR, OPERATOR, SHOP, SUPPLIER, To
from orders.models import Order
from sellers.desk import Actor, operator
from sellers.desk import member as actor
from sellers.models import Membership, Shop, Supplier, User
from tests.conftest import OPERATOR as OLGA
from tests.conftest import SELLER, Placing, _member, _person, actor_of
from tests.customer.links import path_of
from tests.dashboard.pages import browser, get
from tests.messaging.conftest import drain

ANA = Actor(Role.CUSTOMER, "Ana Soler")
SECRET = "azulejo"
"""A word that stands nowhere but in the message."""


@dataclass(frozen=True)
class Written:
    """A message: who writes it to whom, in a conversation with a supplier or not; who is to read it, who is mailed."""

    by: Role
    to: To
    sees: frozenset[str]
    told: frozenset[str]
    with_supplier: bool = False

    def __str__(self) -> str:
        whom = "+".join(audience.value for audience in self.to.audiences)
        return f"{self.by.value}-to-{whom}{'-of-supplier' if self.with_supplier else ''}"


STAFF = frozenset({"owner", "support", "reader"})
WRITTEN = [
    Written(Role.SELLER, OPERATOR, STAFF | {"operator"}, frozenset({"operator"})),
    Written(Role.SELLER, CUSTOMER, STAFF | {"operator", "customer"}, frozenset({"customer"})),
    Written(
        Role.SELLER,
        CUSTOMER_AND_OPERATOR,
        STAFF | {"operator", "customer"},
        frozenset({"customer", "operator"}),
    ),
    Written(Role.CUSTOMER, SHOP, STAFF | {"operator", "customer"}, frozenset({"seller"})),
    Written(
        Role.CUSTOMER,
        To(shop=True, operator=True),
        STAFF | {"operator", "customer"},
        frozenset({"seller", "operator"}),
    ),
    Written(Role.OPERATOR, SHOP, STAFF | {"operator"}, frozenset({"seller"})),
    Written(Role.OPERATOR, CUSTOMER, STAFF | {"operator", "customer"}, frozenset({"customer"})),
    Written(
        Role.OPERATOR,
        To(customer=True, shop=True),
        STAFF | {"operator", "customer"},
        frozenset({"customer", "seller"}),
    ),
    Written(Role.SELLER, SUPPLIER, STAFF | {"operator", "supplier"}, frozenset({"supplier"}), True),
    Written(Role.SUPPLIER, SHOP, STAFF | {"operator", "supplier"}, frozenset({"seller"}), True),
    Written(Role.OPERATOR, SHOP, STAFF | {"operator"}, frozenset({"seller"}), True),
]


@dataclass
class Scene:
    """An order whose lines two suppliers fulfil, and everybody who might read what is said about it."""

    order: Order
    norte: Supplier
    people: dict[str, User]
    clients: dict[str, Client] = field(default_factory=dict)

    def client(self, who: str) -> Client:
        return self.clients.setdefault(who, browser(self.people[who]))

    def says(self, written: Written) -> Message:
        by = {
            Role.SELLER: SELLER,
            Role.CUSTOMER: ANA,
            Role.OPERATOR: OLGA,
            Role.SUPPLIER: actor_of(self.norte),
        }[written.by]
        return conversing.start(
            self.order.shop,
            Words(f"Un {SECRET}."),
            to=written.to,
            order=self.order,
            supplier=self.norte if written.with_supplier else None,
            take_back=False,
            by=by,
            at=timezone.now() - timedelta(minutes=1),
        )


@pytest.fixture
def scene(
    *,
    place: Placing,
    shop: Shop,
    norte: Supplier,
    sur: Supplier,
    alice: User,
    bob: User,
    charlie: User,
    nuria: User,
    sergio: User,
    olga: User,
) -> Scene:
    reader = _member(_person("rita@alba.example", "Rita Lectora"), shop, Membership.Role.READER)
    people = {
        "owner": alice, "support": bob, "reader": reader, "stranger": charlie, "supplier": nuria,
        "other supplier": sergio, "operator": olga,
    }  # fmt: skip
    return Scene(place(served=[norte, sur]), norte, people)


def tab(scene: Scene, who: str) -> bool:
    """On the order's tab."""
    answer = scene.client(who).get(f"/pedidos/{scene.order.reference}/?tab=mensajes")
    return answer.status_code == 200 and SECRET in answer.content.decode()


def inbox(scene: Scene, who: str) -> bool:
    """In the inbox."""
    answer = scene.client(who).get("/mensajes/")
    return answer.status_code == 200 and SECRET in answer.content.decode()


def search(scene: Scene, who: str) -> bool:
    """By a search for its words."""
    answer = scene.client(who).get(f"/mensajes/?buscar={SECRET}")
    return answer.status_code == 200 and f"Un {SECRET}." in answer.content.decode()


def page(scene: Scene, who: str) -> bool:
    """On the customer's page, from the link in their mails."""
    answer = Client().get(f"{path_of(scene.order)}mensajes/")
    return answer.status_code == 200 and SECRET in answer.content.decode()


def room(scene: Scene, who: str) -> bool:
    """In the operators' room of conversations, which is nobody else's."""
    thread = Thread.objects.get()
    answer = scene.client(who).get(f"/admin/messaging/thread/{thread.id}/change/")
    return answer.status_code == 200 and SECRET in answer.content.decode()


def wall(scene: Scene, who: str) -> bool:
    """By the wall before the files of messages."""
    now = timezone.now()
    if who == "customer":
        return readers.of_customer(ANA, scene.order, at=now).exists()
    if who == "operator":
        return readers.of_operator(operator(scene.people[who]), at=now).exists()
    member = Membership.objects.get(user=scene.people[who])
    return readers.of_member(actor(member), member.shop_id, at=now).exists()


type Reads = Callable[[Scene, str], bool]

READERS: list[tuple[str, Reads]] = [
    *[(who, tab) for who in ("owner", "support", "reader", "stranger", "supplier", "other supplier")],
    *[(who, inbox) for who in ("owner", "support", "reader", "stranger")],
    *[(who, search) for who in ("owner", "support", "reader", "stranger")],
    ("customer", page),
    *[(who, room) for who in ("owner", "support", "reader", "stranger", "supplier", "operator")],
    *[
        (who, wall)
        for who in (
            "owner",
            "support",
            "reader",
            "stranger",
            "supplier",
            "other supplier",
            "operator",
            "customer",
        )
    ],
]
"""Who looks, and where."""


def may_read(written: Written, who: str, reads: Reads) -> bool:
    """The room is the operators', whoever else may read the conversation elsewhere."""
    return who in written.sees and (reads is not room or who == "operator")


@pytest.mark.rule("MSG-03", "MSG-04", "MSG-05", "ROL-01", "ROL-04")
@pytest.mark.parametrize("written", WRITTEN, ids=str)
def test_who_sees_it_and_who_is_told(written: Written, scene: Scene) -> None:
    message = scene.says(written)
    seen = {(who, reads.__name__) for who, reads in READERS if reads(scene, who)}
    assert seen == {(who, reads.__name__) for who, reads in READERS if may_read(written, who, reads)}
    told = Notice.objects.filter(of_message=message).values_list("audience", flat=True)
    assert set(told) == written.told


@pytest.mark.rule("MSG-03", "MSG-04", "MSG-05", "MSG-07")
@pytest.mark.parametrize("written", WRITTEN, ids=str)
def test_its_words_are_mailed_to_those_who_are_told_and_to_nobody_else(
    written: Written, scene: Scene, mailoutbox: list[EmailMultiAlternatives]
) -> None:
    scene.says(written)
    drain(timezone.now())
    with_words = {
        address
        for mail in mailoutbox
        if SECRET in f"{mail.subject} {mail.body} {mail.alternatives}"
        for address in mail.recipients()
    }
    addresses = {
        "customer": scene.order.customer_email,
        "seller": scene.order.shop.contact_email,
        "operator": scene.people["operator"].email,
        "supplier": scene.norte.email,
    }
    assert with_words == {addresses[audience] for audience in written.told}


@pytest.mark.rule("MSG-06")
@pytest.mark.parametrize("written", WRITTEN, ids=str)
def test_before_it_is_to_be_seen_nobody_but_its_author_sees_it(written: Written, scene: Scene) -> None:
    message = scene.says(written)
    Message.objects.filter(id=message.id).update(visible_at=timezone.now() + timedelta(minutes=1))
    assert {(who, reads.__name__) for who, reads in READERS if reads(scene, who)} <= {
        ("customer", where) for where in ("wall", "page") if written.by == Role.CUSTOMER
    }


@pytest.mark.rule("ROL-04")
@pytest.mark.parametrize("who", ["supplier", "other supplier"])
def test_a_supplier_has_no_inbox(who: str, scene: Scene) -> None:
    scene.says(WRITTEN[8])
    assert scene.client(who).get("/mensajes/").status_code == 404
    assert scene.client(who).get(f"/mensajes/?buscar={SECRET}").status_code == 404
    assert SECRET not in get(scene.client(who), "/")
