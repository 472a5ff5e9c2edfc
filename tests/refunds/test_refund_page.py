"""The page of a refund: what it says before it is done, one click one refund, and nothing for whoever may not."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from ledger.services import adjust
from marketplace.models import Channel
from messaging import conversing
from messaging.conversing import Words
from messaging.models import Message
from messaging.recipients import OPERATOR as TO_OPERATOR
from messaging.recipients import SHOP
from orders import services
from orders.models import Order
from orders.states import State
from refunds.models import Refund
from refunds.returns import ask_return
from refunds.states import RefundState
from sellers.models import Membership, Shop, User
from tests.conftest import CUSTOMER, OPERATOR, SELLER, again
from tests.dashboard.pages import browser, get, placed, shipped
from tests.orders.lives import HOUR, brought_to
from tests.orders.test_matrix import everything_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(channel: Channel, shop: Shop) -> Order:
    """One of 84.00 € that left its shop."""
    return shipped(placed(channel, shop, "R-1", timezone.now() - 3 * HOUR, 1))


def address(order: Order) -> str:
    return f"/pedidos/{order.reference}/reembolso/"


def sent(**fields: Any) -> dict[str, str]:
    return {"key": str(uuid.uuid4()), "how": "total", "reason": "damaged", **fields}


def plain(page: str) -> str:
    return " ".join(page.replace("\u00a0", " ").replace("&nbsp;", " ").split())


@pytest.mark.rule("REF-01", "REF-02")
def test_all_that_is_left_in_two_clicks(order: Order, alice: User) -> None:
    client = browser(alice)
    assert f'href="{address(order)}"' in get(client, f"/pedidos/{order.reference}/")
    total = order.charged_cents or again(order).charged_cents
    page = plain(get(client, address(order)))
    assert "El cliente recibe" in page
    assert "sale de lo que está pendiente" in page
    given = sent()
    for _ in range(2):
        assert client.post(address(order), given).status_code == 303
    made = Refund.objects.get()
    assert (made.amount_cents, made.reason_code, made.made_by) == (total, "damaged", "Alicia Alba")
    assert again(order).refunded_cents == total


@pytest.mark.rule("REF-03")
def test_a_part_is_worked_out_while_it_is_typed_and_nothing_is_done(order: Order, alice: User) -> None:
    client, line = browser(alice), order.lines.all()[0]
    before = everything_of(order.id)
    page = plain(
        get(client, f"{address(order)}?how=detailed&units_{line.id}=1&goods_{line.id}=&shipping_{line.id}=")
    )
    amount = f"{line.unit_price_cents / 100:.2f}".replace(".", ",")
    assert f"Reembolsar {amount} €" in page
    page = plain(get(client, f"{address(order)}?how=detailed&units_{line.id}=1&goods_{line.id}=1,234"))
    assert "decimales" in page or "coma" in page
    page = plain(get(client, f"{address(order)}?how=detailed&units_{line.id}=&goods_{line.id}=5"))
    assert "Reembolsar 5,00 €" in page
    assert everything_of(order.id) == before
    answer = client.post(
        address(order), sent(how="detailed", reason="price", agreed="Por mensaje") | {f"units_{line.id}": "1"}
    )
    assert answer.status_code == 303
    made = Refund.objects.get()
    assert (made.amount_cents, made.agreed) == (line.unit_price_cents, "Por mensaje")


@pytest.mark.rule("REF-03")
@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"reason": ""}, 422),
        ({"reason": "nonsense"}, 422),
        ({"reason": "other"}, 422),
        ({"how": "all"}, 422),
        ({"key": "1"}, 422),
        ({"how": "detailed"}, 409),
        ({"how": "detailed", "units": "0", "goods": "5"}, 409),
        ({"how": "detailed", "units": "1", "goods": "5,555"}, 422),
        ({"how": "detailed", "units": "1", "goods": "-5"}, 422),
        ({"how": "detailed", "units": "1", "goods": "99999"}, 409),
        ({"how": "detailed", "units": "77", "goods": "1"}, 422),
    ],
)
def test_what_is_wrong_is_said_and_changes_nothing(
    fields: dict[str, str], status: int, order: Order, alice: User
) -> None:
    line = order.lines.all()[0]
    named = {
        f"{name}_{line.id}" if name in {"units", "goods"} else name: value for name, value in fields.items()
    }
    before = everything_of(order.id)
    answer = browser(alice).post(address(order), sent() | named)
    assert answer.status_code == status
    assert everything_of(order.id) == before
    assert not Refund.objects.exists()


@pytest.mark.rule("REF-04", "ROL-05")
def test_a_low_balance_offers_to_ask_the_operator(
    channel: Channel, shop: Shop, alice: User, olga: User
) -> None:
    shop.account_manager = olga
    shop.save()
    order = Order.objects.get(id=brought_to(State.CLOSED, channel, shop)[0])
    Order.objects.filter(id=order.id).update(shipped_at=timezone.now() - HOUR)
    client = browser(alice)
    refused = client.post(address(order), sent())
    assert refused.status_code == 409
    page = plain(refused.content.decode())
    assert "Tu saldo no alcanza" in page
    assert olga.email in page
    assert "Pedir que lo cubra el operador" in page
    assert client.post(address(order), sent(cover="on")).status_code == 303
    assert Refund.objects.get().state == RefundState.ASKED
    assert again(order).refunded_cents == 0
    adjust(shop.id, channel.id, 10_000, "EUR", key="x", note="x", at=timezone.now())
    assert client.post(address(order), sent()).status_code == 303


@pytest.mark.rule("ROL-01", "ROL-04", "ROL-05")
def test_strangers_suppliers_and_readers(order: Order, charlie: User, nuria: User, bob: User) -> None:
    before = everything_of(order.id)
    for person, status in ((charlie, 404), (nuria, 404), (bob, 403)):
        client = browser(person)
        assert client.get(address(order)).status_code == status
        assert client.post(address(order), sent()).status_code == status
    Membership.objects.filter(user=bob).update(role=Membership.Role.FINANCE)
    assert browser(bob).get(address(order)).status_code == 200
    assert Client().post(address(order), sent()).status_code == 302
    assert everything_of(order.id) == before


@pytest.mark.rule("REF-01")
def test_an_order_that_cannot_be_refunded_leads_back(channel: Channel, shop: Shop, alice: User) -> None:
    order = placed(channel, shop, "R-2", timezone.now() - HOUR, 1)
    services.accept([order.id], by=SELLER, at=timezone.now())
    answer = browser(alice).get(address(order))
    assert answer.headers["Location"] == f"/pedidos/{order.reference}/"
    assert address(order) not in get(browser(alice), f"/pedidos/{order.reference}/")


@pytest.mark.rule("REF-08")
def test_what_was_agreed_with_the_customer_stands_beside_it_and_is_kept(order: Order, alice: User) -> None:
    client, at = browser(alice), timezone.now() - HOUR
    assert "Todavía no os habéis escrito por aquí." in get(client, address(order))
    for words, to, by in (
        ("¿Me hacéis un 20 %?", SHOP, CUSTOMER),
        ("Solo para el operador", TO_OPERATOR, SELLER),
    ):
        conversing.start(order.shop, Words(words), to=to, order=order, take_back=False, by=by, at=at)
    by_customer, inside = Message.objects.order_by("id")
    page = plain(get(client, address(order)))
    assert "¿Me hacéis un 20 %?" in page
    assert "Solo para el operador" not in page
    for said, kept in ((inside, None), (by_customer, by_customer.id)):
        given = sent(how="detailed", agreed="Un 20 % menos", agreed_in=said.id)
        line = order.lines.order_by("id")[0]
        given |= {f"units_{line.id}": "1", f"goods_{line.id}": "5,00"}
        assert client.post(address(order), given).status_code == 303
        made = Refund.objects.latest("id")
        assert (made.amount_cents, made.agreed, made.agreed_in_id) == (500, "Un 20 % menos", kept)


@pytest.mark.rule("REF-01", "REF-09")
def test_the_returns_that_end_with_it_are_named_before(order: Order, alice: User) -> None:
    services.one(services.deliver([order.id], by=OPERATOR, at=timezone.now()))
    line_id, at = order.lines.get().id, timezone.now()
    asked = ask_return(order.id, {line_id: 1}, reason="changed-mind", text="", by=CUSTOMER, at=at)
    client = browser(alice)
    says = f"Con él acaba la devolución {asked.number}"
    assert says in plain(get(client, address(order)))
    assert says not in plain(get(client, f"{address(order)}?how=detailed&goods_{line_id}=1"))
