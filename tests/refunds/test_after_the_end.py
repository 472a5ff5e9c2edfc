"""What becomes of a refund when its order moved on meanwhile: back to its sender, or refunded in another part."""

from datetime import timedelta

import pytest

from ledger.models import Account
from ledger.services import adjust
from marketplace import invariants
from marketplace.models import Channel
from orders import services
from orders.models import Order
from orders.states import State
from payments.admin_paybacks import refused_paybacks
from payments.models import Payback, SandboxBook
from payments.services import pay_back_again
from payments.states import AskState
from refunds import refunding
from refunds.amounts import tax_in
from refunds.models import Refund
from refunds.states import RefundState
from sellers.models import Shop
from tests.conftest import OPERATOR, SELLER, again
from tests.orders.lives import HOUR, brought_to, tick
from tests.refunds.test_refunding import SOON, not_paid_back, order_in, part, sums, wish

pytestmark = pytest.mark.django_db


def broken() -> list[str]:
    return [result.invariant.code for result in invariants.check_all(at=None) if result.failures]


@pytest.mark.rule("REF-06", "CAN-05")
def test_what_is_refused_of_a_returned_order_stays_due_until_it_is_asked_anew(
    channel: Channel, shop: Shop
) -> None:
    """Everything of it is the customer's: nothing goes back to what the shop waits for."""
    order = order_in(State.EXCEPTION, channel, shop)
    not_paid_back()
    at = order.moved_at + HOUR
    refunding.refund(order.id, wish(part(order, 1000)), by=SELLER, at=at)
    services.one(services.return_to_sender([order.id], by=SELLER, at=at))
    tick("payback", at)
    assert set(Payback.objects.values_list("state", flat=True)) == {AskState.REFUSED}
    assert (Refund.objects.get().state, again(order).refunded_cents) == (RefundState.DUE, 8400)
    assert sums(order) == {Account.PROVIDER: 8400, Account.REFUND_DUE: -8400}
    assert broken() == []
    SandboxBook.objects.filter(kind="charge").update(card="ok")
    pay_back_again(list(refused_paybacks().values_list("id", flat=True)), at=at + HOUR)
    tick("payback", at + HOUR)
    assert (Refund.objects.get().state, sums(order)) == (RefundState.PAID, {})
    assert broken() == []


@pytest.mark.rule("REF-03", "REF-04")
def test_what_is_covered_later_has_the_taxes_of_what_is_left_then(channel: Channel, shop: Shop) -> None:
    """Parts that are rounded each add up to the tax of the whole, whichever of them is made first."""
    (order_id,) = brought_to(State.CLOSED, channel, shop)
    order = Order.objects.get(id=order_id)
    line = order.lines.order_by("id")[0]
    first = refunding.refund(order.id, wish(part(order, 331), cover=True), by=SELLER, at=SOON)
    assert first.state == RefundState.ASKED
    adjust(shop.id, channel.id, 100_000, "EUR", key="x", note="x", at=SOON)
    refunding.refund(order.id, wish(part(order, 331)), by=SELLER, at=SOON + HOUR)
    refunding.cover(first.id, by=OPERATOR, at=SOON + timedelta(days=1))
    assert broken() == []
    refunding.refund(order.id, wish(), by=SELLER, at=SOON + timedelta(days=2))
    assert broken() == []
    given = sum(row.lines.get(line_id=line.id).goods_tax_cents for row in Refund.objects.all())
    assert given == tax_in(line.goods_cents, order.policy.rules.sales_tax_bp)
