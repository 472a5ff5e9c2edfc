"""The invoices that a shop owes: the filter of its list, the count of its home page, and what they cost (DOC-02)."""

from dataclasses import replace
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dashboard import queries
from dashboard.asked import Asked
from marketplace.models import Channel
from messaging import invoices
from orders.models import Order
from sellers.models import Membership, Shop, Supplier, User
from tests.conftest import ANA, SELLER, Placing
from tests.dashboard.pages import BOX, browser, get, listed, tab_count
from tests.files.samples import checked, pdf
from tests.orders.acting import HOUR, debited
from tests.orders.lives import brought_to

pytestmark = [pytest.mark.django_db, pytest.mark.rule("DOC-02")]

OWED = "/pedidos/?plazo=factura"
WANTS = replace(ANA, wants_invoice=True)


def wanted(place: Placing, **wishes: object) -> Order:
    return debited(place(customer=WANTS, at=timezone.now() - HOUR, **wishes))


def boxes(user: User) -> dict[str, tuple[str, str]]:
    found = BOX.findall(get(browser(user), "/"))
    return {text: (figure, unescape(href)) for figure, href, text, _more in found}


def test_the_box_leads_to_exactly_the_orders_that_owe_one(
    channel: Channel, shop: Shop, other_shop: Shop, place: Placing, alice: User, charlie: User
) -> None:
    place(customer=WANTS, at=timezone.now() - HOUR)
    assert "Deben factura" not in boxes(alice), "nothing is charged yet"
    mine, done = wanted(place), wanted(place)
    closed = Order.objects.get(id=brought_to("closed", channel, shop)[0])  # type: ignore[arg-type]
    Order.objects.filter(id=closed.id).update(wants_invoice=True)
    theirs = wanted(place, shop=other_shop)
    invoices.hand_in_files(done, [checked("f.pdf", pdf())], by=SELLER, at=timezone.now())
    assert boxes(alice)["Deben factura"] == ("2", OWED)
    page = get(browser(alice), OWED)
    assert listed(page) == [mine.reference, closed.reference]
    assert (tab_count(page, "Todos"), tab_count(page, "Cerrados")) == (2, 1)
    assert "deben factura" in page
    assert listed(get(browser(charlie), OWED)) == [theirs.reference]


def test_of_a_supplier_no_invoice_is_asked(place: Placing, norte: Supplier, nuria: User) -> None:
    order = wanted(place, served=[norte, norte])
    assert "Deben factura" not in boxes(nuria)
    page = get(browser(nuria), OWED)
    assert listed(page) == [order.reference], "the filter is not there for them"
    assert "no se entiende" in page
    assert "deben factura" not in page


def test_the_filter_and_the_count_cost_no_read_more(place: Placing, alice: User) -> None:
    client = browser(alice)
    counted: dict[str, list[int]] = {}
    for many in (0, 20):
        for _ in range(many):
            wanted(place)
        for address in ("/", "/pedidos/", OWED):
            get(client, address)
            with CaptureQueriesContext(connection) as ran:
                get(client, address)
            counted.setdefault(address, []).append(len(ran))
    assert max(counted[OWED]) <= max(counted["/pedidos/"]) <= 8 + 4
    assert counted[OWED][1] == counted["/pedidos/"][1]


def test_what_is_owed_is_found_by_its_own_index(shop: Shop, place: Placing, alice: User) -> None:
    """Of a million orders few owe one: the condition of the list is that of a partial index."""
    wanted(place)
    member = Membership.objects.get(user=alice)
    rows = Order.objects.filter(queries.narrowed(member, Asked(due="factura"), timezone.now()), shop=shop)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = rows.order_by("-placed_at", "-id").explain()
    assert "order_owes_invoice" in plan
    assert "Sort" not in plan
